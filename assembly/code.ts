// The two codes. Outer: 16 bits as two bi-orthogonal words of 8 bits (first-order Reed-Muller RM(1,7):
// 128 coded bits each), decoded exactly by a fast Hadamard transform. Inner: 48 bits and a CRC-16 by a tail-biting
// convolutional code of rate 1/6, soft-decision Viterbi around the circle (WAVA: Shao, Lin, Fossorier,
// IEEE Trans. Commun. 51, 2003). That a picture is labelled at all is told by correlation (read.ts); the
// CRC tells a word from its neighbours, which correlate nearly as well.
// A coded bit 0 is sent as +1, 1 as -1. Normative: docs/format.md, "Codes".
import { take } from "./memory";

export const OUTER_BITS: i32 = 16;
export const OUTER_CODED_BITS: i32 = 256;
/** Candidates that an outer word is decoded to. */
export const OUTER_LIST: i32 = 4;
/** Bits of a label that the inner code carries, and with their CRC. */
export const INNER_LABEL_BITS: i32 = 48;
const INNER_BITS: i32 = 64;
/** CRC-16/XMODEM: x^16 + x^12 + x^5 + 1 from zero, so that it is linear. */
const CRC_POLYNOMIAL: u32 = 0x1021;
/** Constraint length 11, free and tail-biting distance 44, by a search over generators. */
const MEMORY = 10;
const STATES: i32 = 1 << MEMORY;
const HALF: i32 = STATES >> 1;
const RATE = 6;
const GENERATORS: i32[] = [0o3545, 0o2621, 0o2465, 0o2357, 0o3753, 0o3367];
export const INNER_CODED_BITS: i32 = INNER_BITS * RATE;
const LAPS = 3;

function generator(index: i32): i32 {
  return unchecked(GENERATORS[index]);
}

/** u32[RATE][HALF]: 0x80000000 where the coded bit of (state, input 0) is 1, to be xor-ed into the soft value. */
const FLIPS: usize = take(RATE * HALF * 4);
/** f32[STATES] path metrics, twice; u8[steps][HALF / 4] decisions. */
const METRICS: usize = take(STATES * 4);
const NEXT_METRICS: usize = take(STATES * 4);
const DECISIONS: usize = take(INNER_BITS * LAPS * (HALF / 4));
const HADAMARD: usize = take(128 * 4);

for (let g = 0; g < RATE; g++) {
  for (let state = 0; state < HALF; state++) {
    const odd = popcnt<i32>((state << 1) & generator(g)) & 1;
    store<u32>(FLIPS + ((<usize>(g * HALF + state)) << 2), odd ? 0x80000000 : 0);
  }
}

/**
 * Encodes 16 cohort bits.
 * @param coded out, u8[256] of 0 or 1
 */
export function encodeOuter(cohort: i32, coded: usize): void {
  for (let word = 0; word < 2; word++) {
    const byte = word == 0 ? cohort >> 8 : cohort & 255;
    for (let i = 0; i < 128; i++) {
      const bit = (popcnt<i32>(byte & 127 & i) ^ (byte >> 7)) & 1;
      store<u8>(coded + <usize>(word * 128 + i), <u8>bit);
    }
  }
}

/**
 * Decodes one outer word: its best bytes and their correlations, best first.
 * @param soft f32[128], positive for coded bit 0
 * @param bytes out, i32[OUTER_LIST]
 * @param correlations out, f32[OUTER_LIST]
 */
export function decodeOuterWord(soft: usize, bytes: usize, correlations: usize): void {
  memory.copy(HADAMARD, soft, 128 * 4);
  for (let span = 1; span < 128; span <<= 1) {
    for (let i = 0; i < 128; i++) {
      if (i & span) continue;
      const at = HADAMARD + ((<usize>i) << 2);
      const pair = at + ((<usize>span) << 2);
      const a = load<f32>(at);
      const b = load<f32>(pair);
      store<f32>(at, a + b);
      store<f32>(pair, a - b);
    }
  }
  for (let rank: usize = 0; rank < <usize>OUTER_LIST; rank++) {
    let top: f32 = -1;
    let topRow = 0;
    for (let row = 0; row < 128; row++) {
      const size = abs<f32>(load<f32>(HADAMARD + ((<usize>row) << 2)));
      if (size <= top) continue;
      top = size;
      topRow = row;
    }
    const at = HADAMARD + ((<usize>topRow) << 2);
    store<i32>(bytes + (rank << 2), load<f32>(at) < 0 ? topRow | 128 : topRow);
    store<f32>(correlations + (rank << 2), top);
    store<f32>(at, 0);
  }
}

/** The CRC of 48 bits, the highest first. */
function crcOf(bits: u64): u32 {
  let crc: u32 = 0;
  for (let i = INNER_LABEL_BITS - 1; i >= 0; i--) {
    const feedback = ((crc >> 15) ^ (<u32>(bits >> <u64>i) & 1)) & 1;
    crc = (crc << 1) & 0xffff;
    if (feedback) crc ^= CRC_POLYNOMIAL;
  }
  return crc;
}

/** Whether a decoded word of 64 bits is a label's 48 bits with their CRC. */
export function isValid(word: u64): bool {
  return crcOf(word >> 16) == <u32>(word & 0xffff);
}

/**
 * Appends the CRC to 48 bits and encodes them; see encodeWord.
 * @param coded out, u8[384] of 0 or 1
 */
export function encodeInner(bits: u64, coded: usize): void {
  encodeWord((bits << 16) | <u64>crcOf(bits), coded);
}

/**
 * Encodes 64 bits, the highest first; the register starts with the last ones, so the word has no tail.
 * @param coded out, u8[384] of 0 or 1
 */
export function encodeWord(word: u64, coded: usize): void {
  let state = <i32>(word & (STATES - 1));
  for (let i = 0; i < INNER_BITS; i++) {
    const place = <u64>(INNER_BITS - 1 - i);
    const register = (state << 1) | <i32>((word >> place) & 1);
    for (let g = 0; g < RATE; g++) {
      store<u8>(coded++, <u8>(popcnt<i32>(register & generator(g)) & 1));
    }
    state = register & (STATES - 1);
  }
}

/** One trellis step. Every generator taps both ends of the register, so one metric serves four branches. */
function step(soft: usize, from: usize, to: usize, decisions: usize): void {
  const x0 = v128.load32_splat(soft);
  const x1 = v128.load32_splat(soft, 4);
  const x2 = v128.load32_splat(soft, 8);
  const x3 = v128.load32_splat(soft, 12);
  const x4 = v128.load32_splat(soft, 16);
  const x5 = v128.load32_splat(soft, 20);
  const row: usize = HALF * 4;
  for (let at: usize = 0; at < row; at += 16) {
    const flips = FLIPS + at;
    const b0 = v128.xor(x0, v128.load(flips));
    const b1 = v128.xor(x1, v128.load(flips + row));
    const b2 = v128.xor(x2, v128.load(flips + row * 2));
    const b3 = v128.xor(x3, v128.load(flips + row * 3));
    const b4 = v128.xor(x4, v128.load(flips + row * 4));
    const b5 = v128.xor(x5, v128.load(flips + row * 5));
    const branch = f32x4.add(f32x4.add(b0, b1), f32x4.add(f32x4.add(b2, b3), f32x4.add(b4, b5)));
    const low = v128.load(from + at);
    const high = v128.load(from + row + at);
    const low0 = f32x4.add(low, branch);
    const high0 = f32x4.sub(high, branch);
    const low1 = f32x4.sub(low, branch);
    const high1 = f32x4.add(high, branch);
    const best0 = f32x4.pmax(low0, high0);
    const best1 = f32x4.pmax(low1, high1);
    const took0 = i32x4.bitmask(f32x4.gt(high0, low0));
    const took1 = i32x4.bitmask(f32x4.gt(high1, low1));
    store<u8>(decisions++, <u8>(took0 | (took1 << 4)));
    v128.store(to + at * 2, v128.shuffle<f32>(best0, best1, 0, 4, 1, 5));
    v128.store(to + at * 2, v128.shuffle<f32>(best0, best1, 2, 6, 3, 7), 16);
  }
}

/**
 * Decodes a word of 64 bits: laps around the circle, the middle one kept.
 * @param soft f32[384], positive for coded bit 0
 * @returns the bits, the first one sent highest
 */
export function decodeInner(soft: usize): u64 {
  memory.fill(METRICS, 0, STATES * 4);
  let from = METRICS;
  let to = NEXT_METRICS;
  for (let t = 0; t < INNER_BITS * LAPS; t++) {
    step(soft + <usize>(t % INNER_BITS) * RATE * 4, from, to, DECISIONS + <usize>t * (HALF / 4));
    const swap = from;
    from = to;
    to = swap;
  }
  let state = 0;
  for (let s = 1; s < STATES; s++) {
    if (load<f32>(from + ((<usize>s) << 2)) > load<f32>(from + ((<usize>state) << 2))) state = s;
  }
  let bits: u64 = 0;
  for (let t = INNER_BITS * LAPS - 1; t >= INNER_BITS; t--) {
    const place = <u64>(2 * INNER_BITS - 1 - t);
    if (t < 2 * INNER_BITS) bits |= (<u64>(state & 1)) << place;
    const low = state >> 1;
    const byte = load<u8>(DECISIONS + <usize>t * (HALF / 4) + <usize>(low >> 2));
    const high = (byte >> <u8>(((state & 1) << 2) | (low & 3))) & 1;
    state = low | (high ? HALF : 0);
  }
  return bits;
}
