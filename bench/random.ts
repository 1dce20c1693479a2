// Seeded random numbers for the bench: the same names and seed give the same attacks on every machine.
// Generator: mulberry32 (32-bit state, period 2^32), seeded by the FNV-1a hash of a text. Not for keys
// that protect anything.

/** A source of numbers, evenly spread over [0, 1). */
export type Rng = () => number;

/** Makes a generator whose sequence depends on nothing but the parts given. */
export function seededRng(...parts: readonly (string | number)[]): Rng {
  let state = hashText(parts.join("|"));
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from 0 to limit - 1. */
export function randomBelow(rng: Rng, limit: number): number {
  return Math.floor(rng() * limit);
}

/** Minus one or plus one. */
export function randomSign(rng: Rng): number {
  return rng() < 0.5 ? -1 : 1;
}

/** Lower-case hex digits, for a label (16) or a 128-bit test key (32). */
export function randomHex(rng: Rng, digits: number): string {
  return Array.from({ length: digits }, () => randomBelow(rng, 16).toString(16)).join("");
}

function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
