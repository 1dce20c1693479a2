// Which bins of the tile's spectrum carry what: pilots, outer axes, inner axes, their signs and coded
// bits, drawn from the key stream. Normative description: docs/format.md, "Carriers".
// An axis is the real (even) or imaginary (odd) part of a bin: axis = 2 * bin + part.
import { nextBelow, nextPermutation, nextWord, startStream } from "./chacha";
import { INNER_CODED_BITS, OUTER_CODED_BITS } from "./code";
import { take } from "./memory";

export const FORMAT_VERSION: i32 = 1;
/** Period of the pattern, canonical pixels. */
export const TILE: i32 = 128;
/** Radii of the bins that carry anything, inclusive, squared: 5..30 of 64. */
const LOWEST_SQUARED = 25;
export const HIGHEST: i32 = 30;
/** Pilot cells: rings of equal area between radius 8 and 24, sectors of the half plane. */
const PILOT_RINGS = 4;
const PILOT_SECTORS = 7;
const PILOT_INNER_SQUARED = 64;
const PILOT_RING_SQUARED = 128;
export const PILOTS: i32 = PILOT_RINGS * PILOT_SECTORS;
/** One axis in OUTER_EVERY belongs to the outer code. */
const OUTER_EVERY = 4;
const OUTER_GROUP = 8;

const PURPOSE_PILOTS = 0;
const PURPOSE_OUTER = 1;
const PURPOSE_INNER = 2;

/** i16[BINS][2]: kx, ky of the bins, by radius, then ky, then kx. */
export const BIN: usize = take(2 * HIGHEST * HIGHEST * 4 * 2);
export const BINS: i32 = listBins();
export const AXES: i32 = 2 * BINS;

/** u16[PILOTS] bin; f32[PILOTS][2] sign of the real and of the imaginary part. */
export const PILOT_BIN: usize = take(PILOTS * 2);
export const PILOT_SIGN: usize = take(PILOTS * 8);
/** i8[BINS]: the pilot cell of a bin, ring-major, or -1 outside the pilots' band. */
const PILOT_CELL: usize = take(BINS);
/** u8[BINS]: 1 where the bin is a pilot. */
const IS_PILOT: usize = take(BINS);
/** u16[AXES] axis, u16[AXES] coded bit, f32[AXES] sign, for the outer and for the inner code. */
export const OUTER_AXIS: usize = take(AXES * 2);
export const OUTER_BIT: usize = take(AXES * 2);
export const OUTER_SIGN: usize = take(AXES * 4);
export const INNER_AXIS: usize = take(AXES * 2);
export const INNER_BIT: usize = take(AXES * 2);
export const INNER_SIGN: usize = take(AXES * 4);
const ORDER: usize = take(max<i32>(INNER_CODED_BITS, OUTER_CODED_BITS) * 2);
/** u8[16], the deployment key in use. */
export const KEY: usize = take(16);

export let outerAxes: i32 = 0;
export let innerAxes: i32 = 0;
/** Cohort whose inner carriers are loaded, -1 for none; a template's are always those of cohort 0. */
let innerCohort: i32 = -1;
let fromTemplate: bool = false;

/** Half plane ky > 0, or ky = 0 and kx > 0; sorted by squared radius, ky, kx. */
function listBins(): i32 {
  let count = 0;
  for (let squared = LOWEST_SQUARED; squared <= HIGHEST * HIGHEST; squared++) {
    for (let ky = 0; ky <= HIGHEST; ky++) {
      for (let kx = ky == 0 ? 1 : -HIGHEST; kx <= HIGHEST; kx++) {
        if (kx * kx + ky * ky != squared) continue;
        store<i16>(BIN + ((<usize>count) << 2), <i16>kx);
        store<i16>(BIN + ((<usize>count) << 2), <i16>ky, 2);
        count++;
      }
    }
  }
  return count;
}

export function binX(bin: i32): i32 {
  return <i32>load<i16>(BIN + ((<usize>bin) << 2));
}

export function binY(bin: i32): i32 {
  return <i32>load<i16>(BIN + ((<usize>bin) << 2), 2);
}

function binRadiusSquared(bin: i32): i32 {
  const x = binX(bin);
  const y = binY(bin);
  return x * x + y * y;
}

for (let bin = 0; bin < BINS; bin++) store<i8>(PILOT_CELL + <usize>bin, <i8>pilotCell(bin));

function pilotCell(bin: i32): i32 {
  const beyond = binRadiusSquared(bin) - PILOT_INNER_SQUARED;
  const last = PILOT_RINGS * PILOT_RING_SQUARED;
  if (beyond < 0 || beyond > last) return -1;
  const ring = min<i32>(beyond / PILOT_RING_SQUARED, PILOT_RINGS - 1);
  const angle = Math.atan2(<f64>binY(bin), <f64>binX(bin));
  const sector = min<i32>(<i32>((angle * <f64>PILOT_SECTORS) / Math.PI), PILOT_SECTORS - 1);
  return ring * PILOT_SECTORS + sector;
}

/** One of the 31 bits still unused in `word` as a sign. */
function sign(word: u32, bit: u32): f32 {
  return (word >> bit) & 1 ? -1.0 : 1.0;
}

function setPilot(index: i32, bin: i32, re: f32, im: f32): void {
  store<u16>(PILOT_BIN + ((<usize>index) << 1), <u16>bin);
  store<f32>(PILOT_SIGN + ((<usize>index) << 3), re);
  store<f32>(PILOT_SIGN + ((<usize>index) << 3), im, 4);
  store<u8>(IS_PILOT + <usize>bin, 1);
}

function drawPilots(): void {
  memory.fill(IS_PILOT, 0, BINS);
  startStream(KEY, FORMAT_VERSION, PURPOSE_PILOTS, 0);
  for (let cell = 0; cell < PILOTS; cell++) {
    let members = 0;
    for (let bin = 0; bin < BINS; bin++) if (isIn(cell, bin)) members++;
    let skip = <i32>nextBelow(members);
    for (let bin = 0; bin < BINS; bin++) {
      if (!isIn(cell, bin) || skip-- > 0) continue;
      const word = nextWord();
      setPilot(cell, bin, sign(word, 0), sign(word, 1));
      break;
    }
  }
}

function isIn(cell: i32, bin: i32): bool {
  return <i32>load<i8>(PILOT_CELL + <usize>bin) == cell;
}

/** Deals coded bits to axes: every run of codedBits axes (by radius) gets a permutation of them all. */
function dealCodedBits(bits: usize, signs: usize, axes: i32, codedBits: i32): void {
  for (let first = 0; first < axes; first += codedBits) {
    nextPermutation(ORDER, codedBits);
    for (let i = first; i < min<i32>(axes, first + codedBits); i++) {
      store<u16>(bits + ((<usize>i) << 1), load<u16>(ORDER + ((<usize>(i - first)) << 1)));
    }
  }
  let word: u32 = 0;
  for (let i = 0; i < axes; i++) {
    if ((i & 31) == 0) word = nextWord();
    store<f32>(signs + ((<usize>i) << 2), sign(word, <u32>i & 31));
  }
}

/** Splits the data axes, in runs of eight, into two outer and six inner ones; deals the outer code. */
function drawOuter(): void {
  startStream(KEY, FORMAT_VERSION, PURPOSE_OUTER, 0);
  outerAxes = 0;
  innerAxes = 0;
  let inGroup = OUTER_GROUP;
  for (let axis = 0; axis < AXES; axis++) {
    if (load<u8>(IS_PILOT + <usize>(axis >> 1))) continue;
    if (inGroup == OUTER_GROUP) {
      nextPermutation(ORDER, OUTER_GROUP);
      inGroup = 0;
    }
    const place = <i32>load<u16>(ORDER + ((<usize>inGroup) << 1));
    inGroup++;
    if (place < OUTER_GROUP / OUTER_EVERY) {
      store<u16>(OUTER_AXIS + ((<usize>outerAxes) << 1), <u16>axis);
      outerAxes++;
    } else {
      store<u16>(INNER_AXIS + ((<usize>innerAxes) << 1), <u16>axis);
      innerAxes++;
    }
  }
  dealCodedBits(OUTER_BIT, OUTER_SIGN, outerAxes, OUTER_CODED_BITS);
}

/**
 * Loads pilots and outer carriers of a deployment key.
 * @param key u8[16]
 */
export function useKey(key: usize): void {
  memory.copy(KEY, key, 16);
  fromTemplate = false;
  innerCohort = -1;
  drawPilots();
  drawOuter();
}

/** Loads the inner carriers of a cohort; false if these carriers are a template's and not of it. */
export function useCohort(cohort: i32): bool {
  if (cohort == innerCohort) return true;
  if (fromTemplate) return false;
  startStream(KEY, FORMAT_VERSION, PURPOSE_INNER, <u32>cohort);
  dealCodedBits(INNER_BIT, INNER_SIGN, innerAxes, INNER_CODED_BITS);
  innerCohort = cohort;
  return true;
}

/**
 * Empties the carriers, to be filled from a template by addPilot and addAxis. What a template holds are
 * signed values, the carriers' signs times one label's code word; both codes are linear, so reading with
 * these carriers finds cohort 0 and message 0 exactly where the key finds the label.
 */
export function useNoCarriers(): void {
  memory.fill(IS_PILOT, 0, BINS);
  fromTemplate = true;
  innerCohort = 0;
  outerAxes = 0;
  innerAxes = 0;
}

export function addPilot(index: i32, bin: i32, re: f32, im: f32): void {
  setPilot(index, bin, re, im);
}

export function addOuterAxis(axis: i32, bit: i32, value: f32): void {
  store<u16>(OUTER_AXIS + ((<usize>outerAxes) << 1), <u16>axis);
  store<u16>(OUTER_BIT + ((<usize>outerAxes) << 1), <u16>bit);
  store<f32>(OUTER_SIGN + ((<usize>outerAxes) << 2), value);
  outerAxes++;
}

export function addInnerAxis(axis: i32, bit: i32, value: f32): void {
  store<u16>(INNER_AXIS + ((<usize>innerAxes) << 1), <u16>axis);
  store<u16>(INNER_BIT + ((<usize>innerAxes) << 1), <u16>bit);
  store<f32>(INNER_SIGN + ((<usize>innerAxes) << 2), value);
  innerAxes++;
}
