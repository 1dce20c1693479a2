// Key stream: ChaCha20 (RFC 8439 block function) with the 128-bit key form of Bernstein's original
// ("expand 16-byte k", the key used twice). The nonce names the purpose, so one deployment key gives
// independent streams: docs/format.md, "Key derivation".
import { take } from "./memory";

export const KEY_BYTES: i32 = 16;
/** u32[16]: the state of the running stream, then u32[16]: its current block. */
const STATE: usize = take(64);
const BLOCK: usize = take(64);
let used: i32 = 64;

function mix(x: usize, a: usize, b: usize, c: usize, d: usize): void {
  let va = load<u32>(x + a);
  let vb = load<u32>(x + b);
  let vc = load<u32>(x + c);
  let vd = load<u32>(x + d);
  va += vb;
  vd = rotl<u32>(vd ^ va, 16);
  vc += vd;
  vb = rotl<u32>(vb ^ vc, 12);
  va += vb;
  vd = rotl<u32>(vd ^ va, 8);
  vc += vd;
  vb = rotl<u32>(vb ^ vc, 7);
  store<u32>(x + a, va);
  store<u32>(x + b, vb);
  store<u32>(x + c, vc);
  store<u32>(x + d, vd);
}

function nextBlock(): void {
  memory.copy(BLOCK, STATE, 64);
  for (let round = 0; round < 10; round++) {
    mix(BLOCK, 0, 16, 32, 48);
    mix(BLOCK, 4, 20, 36, 52);
    mix(BLOCK, 8, 24, 40, 56);
    mix(BLOCK, 12, 28, 44, 60);
    mix(BLOCK, 0, 20, 40, 60);
    mix(BLOCK, 4, 24, 44, 48);
    mix(BLOCK, 8, 28, 32, 52);
    mix(BLOCK, 12, 16, 36, 56);
  }
  for (let i: usize = 0; i < 64; i += 4) {
    store<u32>(BLOCK + i, load<u32>(BLOCK + i) + load<u32>(STATE + i));
  }
  store<u32>(STATE, load<u32>(STATE, 48) + 1, 48);
  used = 0;
}

/**
 * Starts the stream of one purpose.
 * @param key u8[16], the deployment key
 * @param version the format version; another version is another set of carriers
 * @param purpose which carriers are drawn: see carriers.ts
 * @param cohort 0..65535 for the inner carriers, else 0
 */
export function startStream(key: usize, version: u32, purpose: u32, cohort: u32): void {
  store<u32>(STATE, 0x61707865);
  store<u32>(STATE, 0x3120646e, 4);
  store<u32>(STATE, 0x79622d36, 8);
  store<u32>(STATE, 0x6b206574, 12);
  memory.copy(STATE + 16, key, 16);
  memory.copy(STATE + 32, key, 16);
  store<u32>(STATE, 0, 48);
  store<u32>(STATE, version, 52);
  store<u32>(STATE, purpose, 56);
  store<u32>(STATE, cohort, 60);
  used = 64;
}

/** The next 32 bits of the stream, little-endian. */
export function nextWord(): u32 {
  if (used == 64) nextBlock();
  const word = load<u32>(BLOCK + <usize>used);
  used += 4;
  return word;
}

/** A uniform integer 0..bound-1: the first word below the largest multiple of bound, modulo bound. */
export function nextBelow(bound: u32): u32 {
  const usable = <u32>((0x100000000 / <u64>bound) * <u64>bound - 1);
  let word = nextWord();
  while (word > usable) word = nextWord();
  return word % bound;
}

/** Fills out, u16[count], with a uniform permutation of 0..count-1 (Fisher-Yates from the end). */
export function nextPermutation(out: usize, count: i32): void {
  for (let i = 0; i < count; i++) store<u16>(out + ((<usize>i) << 1), <u16>i);
  for (let i = count - 1; i > 0; i--) {
    const a = out + ((<usize>i) << 1);
    const b = out + ((<usize>nextBelow(<u32>i + 1)) << 1);
    const swap = load<u16>(a);
    store<u16>(a, load<u16>(b));
    store<u16>(b, swap);
  }
}
