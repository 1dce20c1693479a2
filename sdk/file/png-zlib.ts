// Bytes through the platform's own zlib (PNG 10: deflate in the zlib format), a piece at a time.
// A platform that reports bytes behind the stream's end (Compression Streams standard, section 5) throws
// away what it had inflated in the same write, and PNG files with such padding exist: so the last bytes
// go in small pieces.

/** Bytes of one write; small ones are gathered, as each takes some 50 microseconds. */
const PIECE_BYTES = 1 << 16;
/** The last bytes, where padding is expected; more of it is fine where a picture is less compressed. */
const TAIL_BYTES = 1 << 10;
/**
 * The last piece is up to twice as long, which cannot inflate to more than the 64 KiB that Chromium hands
 * out at once; and it holds the checksum together with the end of the last row, so that both count.
 */
const TAIL_PIECE_BYTES = 1 << 5;

/**
 * Sends bytes through a stream that compresses or decompresses.
 * @param take gets what comes out; true says that it is enough
 * @returns whether it came to its end or was enough, rather than failed
 */
export async function pump(
  stream: CompressionStream | DecompressionStream,
  parts: Iterable<Uint8Array>,
  take: (chunk: Uint8Array) => boolean,
): Promise<boolean> {
  const reader = stream.readable.getReader();
  feed(stream.writable.getWriter(), parts).catch(() => {});
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(() => ({ done: true, value: null }));
      if (done) return value !== null;
      if (value && take(value)) return true;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/**
 * Inflates a zlib stream as a whole.
 * @returns null when it is damaged or would be longer than `most` bytes
 */
export async function inflate(data: Uint8Array, most: number): Promise<Uint8Array[] | null> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  const ended = await pump(new DecompressionStream("deflate"), inPieces([data]), (piece) => {
    bytes += piece.length;
    pieces.push(piece);
    return bytes > most;
  });
  return ended && bytes <= most ? pieces : null;
}

/** Deflates bytes into a zlib stream, in pieces. */
export async function deflate(parts: Iterable<Uint8Array>): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  await pump(new CompressionStream("deflate"), parts, (piece) => {
    pieces.push(piece);
    return false;
  });
  return pieces;
}

/** Gathers bytes into pieces of one size; the tail comes in small ones. */
export function* inPieces(parts: Iterable<Uint8Array>): Generator<Uint8Array> {
  const buffer = new Uint8Array(PIECE_BYTES + TAIL_BYTES);
  let fill = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length; ) {
      if (fill === buffer.length) {
        yield buffer.slice(0, PIECE_BYTES);
        buffer.copyWithin(0, PIECE_BYTES);
        fill = TAIL_BYTES;
      }
      const taken = part.subarray(at, at + buffer.length - fill);
      buffer.set(taken, fill);
      fill += taken.length;
      at += taken.length;
    }
  }
  let at = Math.max(0, fill - TAIL_BYTES);
  if (at > 0) yield buffer.slice(0, at);
  for (; fill - at >= 2 * TAIL_PIECE_BYTES; at += TAIL_PIECE_BYTES) {
    yield buffer.slice(at, at + TAIL_PIECE_BYTES);
  }
  yield buffer.slice(at, fill);
}

/** Writes and waits; a failure shows at the other end, and ends this one. */
async function feed(
  writer: WritableStreamDefaultWriter<BufferSource>,
  parts: Iterable<Uint8Array>,
): Promise<void> {
  for (const part of parts) await writer.write(part as Uint8Array<ArrayBuffer>);
  await writer.close();
}
