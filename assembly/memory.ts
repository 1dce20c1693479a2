// The kernel's memory: one bump allocator. Fixed buffers are taken when the module starts; the planes
// of a picture are laid out behind them anew for each size (planes.ts), so nothing is ever freed and
// the same size never grows the memory.

const PAGE_BYTES: usize = 65536;

let next: usize = (__heap_base + 63) & ~63;

/**
 * Takes `bytes` of zero-initialised-once memory, aligned to 64.
 * @returns the address, or 0 when the host refuses to grow the memory
 */
export function take(bytes: usize): usize {
  const at = next;
  const end = (at + bytes + 63) & ~63;
  const have = <usize>memory.size() * PAGE_BYTES;
  if (end > have) {
    const pages = <i32>((end - have + PAGE_BYTES - 1) / PAGE_BYTES);
    if (memory.grow(pages) < 0) return 0;
  }
  next = end;
  return at;
}

/** The address that the next `take` will return. */
export function mark(): usize {
  return next;
}

/** Gives back everything taken since `to = mark()`. */
export function rewind(to: usize): void {
  next = to;
}
