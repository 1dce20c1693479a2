// Reads one fold: spectrum, noise, the shift by its pilots, then the label by its two codes. A label
// counts when the normalised correlation of its whole code word reaches ACCEPTANCE; why that number makes
// a false one rarer than 1e-9 per picture: docs/format.md, "Acceptance". All maths here is f32.
import * as carriers from "./carriers";
import { BINS, binX, binY, HIGHEST, PILOTS, TILE } from "./carriers";
import * as code from "./code";
import { fft2d } from "./fft";
import { FOLD, SPECTRUM_IM, SPECTRUM_RE, TILE_STRIDE } from "./fold";
import { take } from "./memory";

/** Standard deviations a code word must reach with one key: docs/format.md, "Acceptance". */
export const ACCEPTANCE: f32 = 11.7;
/** The same in a frame's own place, where the pilots count too and may choose among more shifts. */
const ACCEPTANCE_IN_PLACE: f32 = 12.2;
/** Reads under one key, at most; the acceptance rule counts on it. */
export const MAX_READS: i32 = 128;
/** Low-pass weightings 1 / (1 + (r / cut)^8) of small, blurred or coarsely compressed pictures. */
export const WEIGHTINGS: i32 = 3;
/** A read whose outer words correlate less than noise's own best is not worth an inner one. */
const OUTER_GATE: f32 = 4.3;
/** Pairs of outer words that are tried, best sum first. */
const COHORT_CANDIDATES = 4;
/** Shifts within which a whole frame still counts as lying in its own place, canonical pixels. */
const ORIGIN_REACH = 2;

const PHASES = 4096;
/** f32[PHASES][2]: cos, -sin of 2 pi i / PHASES. */
const PHASE: usize = take(PHASES * 8);
/** f32[WEIGHTINGS][HIGHEST^2 + 1] by squared radius. */
const WEIGHT: usize = take(WEIGHTINGS * (HIGHEST * HIGHEST + 1) * 4);
const RADII = 40;
const RADIAL: usize = take(RADII * 8);
const NOISE_SPAN: i32 = 2 * HIGHEST + 1;
const NOISE_REACH = 4;
/** f32[HIGHEST + 1][NOISE_SPAN]: 1 / sqrt(noise power) of ky 0.., kx -HIGHEST..; and the row sums. */
const NOISE: usize = take((HIGHEST + 1) * NOISE_SPAN * 4);
const ROW_SUMS: usize = take((HIGHEST + 1 + 2 * NOISE_REACH) * NOISE_SPAN * 4);
/** f32[BINS][2]: normalised bins in the label's own orientation; and the same at the shift, weighted. */
export const BIN_VALUE: usize = take(BINS * 8);
const AXIS_VALUE: usize = take(BINS * 8);
/** f32[64][SHIFT_STRIDE]: pilots on the grid, transformed into their correlation at every second shift. */
const SHIFT_SIDE = 64;
const SHIFT_STRIDE = 68;
const SHIFT_RE: usize = take(SHIFT_SIDE * SHIFT_STRIDE * 4);
const SHIFT_IM: usize = take(SHIFT_SIDE * SHIFT_STRIDE * 4);
const SOFT: usize = take(code.INNER_CODED_BITS * 4);
const CODED: usize = take(code.INNER_CODED_BITS);
/** u8[]: the code words of a label, outer then inner. */
const WORD: usize = take(code.OUTER_CODED_BITS + code.INNER_CODED_BITS);
/** i32, f32 and u8: candidates of both outer words, their correlations, the pairs already tried. */
const OUTER_BYTES: usize = take(2 * code.OUTER_LIST * 4);
const OUTER_CORRELATIONS: usize = take(2 * code.OUTER_LIST * 4);
const TAKEN: usize = take(code.OUTER_LIST * code.OUTER_LIST);
let pairCorrelation: f32 = 0;
let pilotEnergy: f32 = 0;

/** Results of the last look: pilots' peak (standard deviations), its shift, and of the last read. */
export let pilotScore: f32 = 0;
export let shiftX: f32 = 0;
export let shiftY: f32 = 0;
export let label: u64 = 0;
export let correlation: f32 = 0;
/** Reads under the key at hand; the best correlation of any word, valid or not, since beginLook. */
export let reads: i32 = 0;
export let best: f32 = 0;
let weighting: i32 = 0;
/** What the squared threshold grows by for several keys. */
let keyShare: f32 = 0;

for (let i = 0; i < PHASES; i++) {
  const angle = (2.0 * Math.PI * <f64>i) / <f64>PHASES;
  store<f32>(PHASE + ((<usize>i) << 3), <f32>Math.cos(angle));
  store<f32>(PHASE + ((<usize>i) << 3), <f32>-Math.sin(angle), 4);
}
for (let which = 0; which < WEIGHTINGS; which++) {
  const cut: f64 = which == 0 ? 1e9 : which == 1 ? 22 : 14;
  for (let squared = 0; squared <= HIGHEST * HIGHEST; squared++) {
    const ratio = <f64>squared / (cut * cut);
    const at = WEIGHT + ((<usize>(which * (HIGHEST * HIGHEST + 1) + squared)) << 2);
    store<f32>(at, <f32>(1 / (1 + ratio * ratio * ratio * ratio)));
  }
}

/** Starts a look with a number of keys: each of them gets its share of the chance of a false label. */
export function beginLook(keys: i32): void {
  best = 0;
  keyShare = <f32>(2 * Math.log(<f64>keys));
}

/** Starts the reads of one key. */
export function beginKey(): void {
  reads = 0;
}

function tileAt(x: i32, y: i32): usize {
  return (<usize>((y & (TILE - 1)) * TILE_STRIDE + (x & (TILE - 1)))) << 2;
}

function noiseAt(x: i32, y: i32): usize {
  return (<usize>(y * NOISE_SPAN + x + HIGHEST)) << 2;
}

/** Transforms FOLD into SPECTRUM_RE, SPECTRUM_IM; FOLD is then the power. */
export function transformFold(): void {
  const bytes: usize = TILE * TILE_STRIDE * 4;
  memory.copy(SPECTRUM_RE, FOLD, bytes);
  memory.fill(SPECTRUM_IM, 0, bytes);
  fft2d(SPECTRUM_RE, SPECTRUM_IM, TILE_STRIDE * 4, TILE, false);
  for (let at: usize = 0; at < bytes; at += 16) {
    const re = v128.load(SPECTRUM_RE + at);
    const im = v128.load(SPECTRUM_IM + at);
    v128.store(FOLD + at, f32x4.add(f32x4.mul(re, re), f32x4.mul(im, im)));
  }
}

/** Mean power by whole radius, smoothed over five, into the first half of RADIAL. */
function measureRadial(): void {
  const sums = RADIAL + RADII * 4;
  memory.fill(RADIAL, 0, RADII * 8);
  for (let radius = 0; radius < RADII; radius++) {
    let count: f32 = 0;
    let sum: f32 = 0;
    for (let y = 0; y <= radius; y++) {
      for (let x = -radius; x <= radius; x++) {
        const squared = x * x + y * y;
        if (squared < radius * radius || squared >= (radius + 1) * (radius + 1)) continue;
        sum += load<f32>(FOLD + tileAt(x, y));
        count += 1;
      }
    }
    store<f32>(sums + ((<usize>radius) << 2), sum / count);
  }
  for (let radius = 0; radius < RADII; radius++) {
    let sum: f32 = 0;
    for (let d = -2; d <= 2; d++) {
      const at = max<i32>(0, min<i32>(RADII - 1, radius + d));
      sum += load<f32>(sums + ((<usize>at) << 2));
    }
    store<f32>(RADIAL + ((<usize>radius) << 2), sum / 5);
  }
}

/**
 * Noise power per bin, half radial and half from its 9 x 9 neighbourhood (which takes out the directions
 * of strong lines), kept as 1 / sqrt.
 */
export function measureNoise(): void {
  measureRadial();
  for (let y = -NOISE_REACH; y <= HIGHEST + NOISE_REACH; y++) {
    for (let x = -HIGHEST; x <= HIGHEST; x++) {
      let sum: f32 = 0;
      for (let d = -NOISE_REACH; d <= NOISE_REACH; d++) sum += load<f32>(FOLD + tileAt(x + d, y));
      store<f32>(ROW_SUMS + noiseAt(x, y + NOISE_REACH), sum);
    }
  }
  for (let y = 0; y <= HIGHEST; y++) {
    for (let x = -HIGHEST; x <= HIGHEST; x++) {
      let sum: f32 = 0;
      for (let d = 0; d <= 2 * NOISE_REACH; d++) sum += load<f32>(ROW_SUMS + noiseAt(x, y + d));
      const radius = min<i32>(RADII - 1, <i32>Mathf.sqrt(<f32>(x * x + y * y)));
      const power = <f32>0.5 * (sum / 81 + load<f32>(RADIAL + ((<usize>radius) << 2)));
      store<f32>(NOISE + noiseAt(x, y), 1 / Mathf.sqrt(power + <f32>1e-6));
    }
  }
}

/**
 * Takes the bins, divided by the noise, out of the spectrum in one of the eight orientations.
 * @param orientation bit 0: mirrored left to right; bits 1, 2: quarter turns. A plane pixel u then shows
 *   the tile at turn(mirror(u)) + shift
 */
export function takeBins(orientation: i32): void {
  for (let bin = 0; bin < BINS; bin++) {
    let x = binX(bin);
    let y = binY(bin);
    for (let turn = orientation >> 1; turn > 0; turn--) {
      const swap = x;
      x = y;
      y = -swap;
    }
    if (orientation & 1) x = -x;
    const noise = y > 0 || (y == 0 && x > 0) ? noiseAt(x, y) : noiseAt(-x, -y);
    const scale = load<f32>(NOISE + noise);
    const at = tileAt(x, y);
    store<f32>(BIN_VALUE + ((<usize>bin) << 3), load<f32>(SPECTRUM_RE + at) * scale);
    store<f32>(BIN_VALUE + ((<usize>bin) << 3), load<f32>(SPECTRUM_IM + at) * scale, 4);
  }
}

function weightOf(bin: i32): f32 {
  const x = binX(bin);
  const y = binY(bin);
  const index = weighting * (HIGHEST * HIGHEST + 1) + x * x + y * y;
  return load<f32>(WEIGHT + ((<usize>index) << 2));
}

/** Where in PHASE the factor exp(-2 pi i k shift / TILE) of a bin lies. */
function phaseOf(bin: i32, x: f32, y: f32): usize {
  const turns = (<f32>binX(bin) * x + <f32>binY(bin) * y) * <f32>(PHASES / TILE);
  return PHASE + ((<usize>(<i32>Mathf.floor(turns + <f32>0.5) & (PHASES - 1))) << 3);
}

/** Correlation of the pilots at one shift, standard normal where there is no label. */
export function pilotsAt(x: f32, y: f32): f32 {
  let sum: f32 = 0;
  let norm: f32 = 0;
  for (let pilot: usize = 0; pilot < <usize>PILOTS; pilot++) {
    const bin = <i32>load<u16>(carriers.PILOT_BIN + (pilot << 1));
    const weight = weightOf(bin);
    const phase = phaseOf(bin, x, y);
    const c = load<f32>(phase);
    const s = load<f32>(phase, 4);
    const re = load<f32>(BIN_VALUE + ((<usize>bin) << 3));
    const im = load<f32>(BIN_VALUE + ((<usize>bin) << 3), 4);
    const signRe = load<f32>(carriers.PILOT_SIGN + (pilot << 3));
    const signIm = load<f32>(carriers.PILOT_SIGN + (pilot << 3), 4);
    sum += weight * (signRe * (re * c - im * s) + signIm * (re * s + im * c));
    norm += weight * weight;
  }
  return sum / Mathf.sqrt(norm);
}

/** Climbs from a shift to the peak nearby. */
function climb(x: f32, y: f32): void {
  shiftX = x;
  shiftY = y;
  pilotScore = pilotsAt(x, y);
  for (let step: f32 = 1; step > 0.05; step *= 0.5) {
    for (let direction = 0; direction < 4; direction++) {
      const dx = direction == 0 ? step : direction == 1 ? -step : 0;
      const dy = direction == 2 ? step : direction == 3 ? -step : 0;
      const score = pilotsAt(shiftX + dx, shiftY + dy);
      if (score <= pilotScore) continue;
      pilotScore = score;
      shiftX += dx;
      shiftY += dy;
    }
  }
}

/** Finds the shift near the origin; without convincing pilots (removed, say) it is the origin itself. */
export function findShiftAtOrigin(which: i32): void {
  weighting = which;
  let top: f32 = -1e9;
  let topX: f32 = 0;
  let topY: f32 = 0;
  for (let y = -ORIGIN_REACH; y <= ORIGIN_REACH; y++) {
    for (let x = -ORIGIN_REACH; x <= ORIGIN_REACH; x++) {
      const score = pilotsAt(<f32>x, <f32>y);
      if (score <= top) continue;
      top = score;
      topX = <f32>x;
      topY = <f32>y;
    }
  }
  if (top > 3) climb(topX, topY);
  else {
    shiftX = 0;
    shiftY = 0;
    pilotScore = top;
  }
}

/** Finds the best of all shifts. */
export function findShift(which: i32): void {
  weighting = which;
  memory.fill(SHIFT_RE, 0, SHIFT_SIDE * SHIFT_STRIDE * 4);
  memory.fill(SHIFT_IM, 0, SHIFT_SIDE * SHIFT_STRIDE * 4);
  for (let pilot: usize = 0; pilot < <usize>PILOTS; pilot++) {
    const bin = <i32>load<u16>(carriers.PILOT_BIN + (pilot << 1));
    const weight = weightOf(bin);
    const re = load<f32>(BIN_VALUE + ((<usize>bin) << 3)) * weight;
    const im = load<f32>(BIN_VALUE + ((<usize>bin) << 3), 4) * weight;
    const signRe = load<f32>(carriers.PILOT_SIGN + (pilot << 3));
    const signIm = load<f32>(carriers.PILOT_SIGN + (pilot << 3), 4);
    const x = binX(bin) & (SHIFT_SIDE - 1);
    const y = binY(bin) & (SHIFT_SIDE - 1);
    const at = (<usize>(y * SHIFT_STRIDE + x)) << 2;
    store<f32>(SHIFT_RE + at, signRe * re + signIm * im);
    store<f32>(SHIFT_IM + at, signRe * im - signIm * re);
  }
  fft2d(SHIFT_RE, SHIFT_IM, SHIFT_STRIDE * 4, SHIFT_SIDE, false);
  let top: f32 = -1e9;
  let topX: i32 = 0;
  let topY: i32 = 0;
  for (let y = 0; y < SHIFT_SIDE; y++) {
    for (let x = 0; x < SHIFT_SIDE; x++) {
      const value = load<f32>(SHIFT_RE + ((<usize>(y * SHIFT_STRIDE + x)) << 2));
      if (value <= top) continue;
      top = value;
      topX = x;
      topY = y;
    }
  }
  climb(<f32>topX * 2, <f32>topY * 2);
}

/** Turns the bins to the shift found and weighs them. */
function takeAxes(): void {
  for (let bin = 0; bin < BINS; bin++) {
    const at = (<usize>bin) << 3;
    const weight = weightOf(bin);
    const phase = phaseOf(bin, shiftX, shiftY);
    const c = load<f32>(phase) * weight;
    const s = load<f32>(phase, 4) * weight;
    const re = load<f32>(BIN_VALUE + at);
    const im = load<f32>(BIN_VALUE + at, 4);
    store<f32>(AXIS_VALUE + at, re * c - im * s);
    store<f32>(AXIS_VALUE + at, re * s + im * c, 4);
  }
}

/** Adds the axes of one code into its coded bits; returns the axes' energy. */
function despread(axes: usize, bits: usize, signs: usize, count: i32, codedBits: i32): f32 {
  memory.fill(SOFT, 0, (<usize>codedBits) << 2);
  let energy: f32 = 0;
  for (let i: usize = 0; i < <usize>count; i++) {
    const value = load<f32>(AXIS_VALUE + ((<usize>load<u16>(axes + (i << 1))) << 2));
    const at = SOFT + ((<usize>load<u16>(bits + (i << 1))) << 2);
    store<f32>(at, load<f32>(at) + value * load<f32>(signs + (i << 2)));
    energy += value * value;
  }
  return energy;
}

/** Adds the pilots at the shift to the evidence: their correlation and, in pilotEnergy, their energy. */
function pilotEvidence(): f32 {
  let sum: f32 = 0;
  pilotEnergy = 0;
  for (let pilot: usize = 0; pilot < <usize>PILOTS; pilot++) {
    const at = AXIS_VALUE + ((<usize>load<u16>(carriers.PILOT_BIN + (pilot << 1))) << 3);
    const re = load<f32>(at);
    const im = load<f32>(at, 4);
    sum += load<f32>(carriers.PILOT_SIGN + (pilot << 3)) * re;
    sum += load<f32>(carriers.PILOT_SIGN + (pilot << 3), 4) * im;
    pilotEnergy += re * re + im * im;
  }
  return sum;
}

function readInner(cohort: i32, outerCorrelation: f32, outerEnergy: f32): void {
  if (!carriers.useCohort(cohort)) return;
  const energy = despread(
    carriers.INNER_AXIS,
    carriers.INNER_BIT,
    carriers.INNER_SIGN,
    carriers.innerAxes,
    code.INNER_CODED_BITS,
  );
  const word = code.decodeInner(SOFT);
  code.encodeWord(word, CODED);
  let sum = outerCorrelation;
  for (let i: usize = 0; i < <usize>code.INNER_CODED_BITS; i++) {
    const value = load<f32>(SOFT + (i << 2));
    sum += load<u8>(CODED + i) ? -value : value;
  }
  const normalised = sum / Mathf.sqrt(energy + outerEnergy + <f32>1e-9);
  best = max<f32>(best, normalised);
  if (normalised <= correlation || !code.isValid(word)) return;
  correlation = normalised;
  label = ((<u64>cohort) << (<u64>code.INNER_LABEL_BITS)) | (word >> 16);
}

/** The best pair of outer words not yet taken, as a cohort; its sum is pairCorrelation. */
function takeBestPair(): i32 {
  pairCorrelation = -1;
  let top: i32 = 0;
  for (let pair = 0; pair < code.OUTER_LIST * code.OUTER_LIST; pair++) {
    if (load<u8>(TAKEN + <usize>pair)) continue;
    const high = OUTER_CORRELATIONS + ((<usize>(pair / code.OUTER_LIST)) << 2);
    const low = OUTER_CORRELATIONS + ((<usize>(code.OUTER_LIST + (pair % code.OUTER_LIST))) << 2);
    const sum = load<f32>(high) + load<f32>(low);
    if (sum <= pairCorrelation) continue;
    pairCorrelation = sum;
    top = pair;
  }
  store<u8>(TAKEN + <usize>top, 1);
  const high = load<i32>(OUTER_BYTES + ((<usize>(top / code.OUTER_LIST)) << 2));
  const low = load<i32>(OUTER_BYTES + ((<usize>(code.OUTER_LIST + (top % code.OUTER_LIST))) << 2));
  return (high << 8) | low;
}

/** Writes a label's code words, outer then inner, into WORD. */
function encodeLabel(text: u64): void {
  code.encodeOuter(<i32>(text >> <u64>code.INNER_LABEL_BITS), WORD);
  code.encodeInner(text & (((<u64>1) << code.INNER_LABEL_BITS) - 1), WORD + code.OUTER_CODED_BITS);
}

/** Sign that data axis i of a code carries for the label in WORD. */
function wordSign(bits: usize, signs: usize, i: usize, first: i32): f32 {
  const bit = load<u8>(WORD + <usize>(first + <i32>load<u16>(bits + (i << 1))));
  const sign = load<f32>(signs + (i << 2));
  return bit ? -sign : sign;
}

/** Normalised correlation, at shift 0, of the word that a template's carriers stand for. */
export function templateCorrelation(): f32 {
  shiftX = 0;
  shiftY = 0;
  weighting = 0;
  takeAxes();
  let sum: f32 = 0;
  let energy: f32 = 0;
  for (let which = 0; which < 2; which++) {
    const axes = which == 0 ? carriers.OUTER_AXIS : carriers.INNER_AXIS;
    const signs = which == 0 ? carriers.OUTER_SIGN : carriers.INNER_SIGN;
    const count = which == 0 ? carriers.outerAxes : carriers.innerAxes;
    for (let i: usize = 0; i < <usize>count; i++) {
      const value = load<f32>(AXIS_VALUE + ((<usize>load<u16>(axes + (i << 1))) << 2));
      sum += value * load<f32>(signs + (i << 2));
      energy += value * value;
    }
  }
  return sum / Mathf.sqrt(energy + <f32>1e-9);
}

function setExpected(axis: i32, value: f32): void {
  store<f32>(AXIS_VALUE + ((<usize>axis) << 2), value);
}

/**
 * Makes, in SPECTRUM_RE, the tile that a fold in the label's orientation shows if it holds the label
 * last read: of the data axes, at the shift found.
 */
export function makeExpectedTile(): void {
  encodeLabel(label);
  memory.fill(AXIS_VALUE, 0, BINS * 8);
  for (let i: usize = 0; i < <usize>carriers.outerAxes; i++) {
    const axis = <i32>load<u16>(carriers.OUTER_AXIS + (i << 1));
    setExpected(axis, wordSign(carriers.OUTER_BIT, carriers.OUTER_SIGN, i, 0));
  }
  for (let i: usize = 0; i < <usize>carriers.innerAxes; i++) {
    const axis = <i32>load<u16>(carriers.INNER_AXIS + (i << 1));
    setExpected(axis, wordSign(carriers.INNER_BIT, carriers.INNER_SIGN, i, code.OUTER_CODED_BITS));
  }
  memory.fill(SPECTRUM_RE, 0, TILE * TILE_STRIDE * 4);
  memory.fill(SPECTRUM_IM, 0, TILE * TILE_STRIDE * 4);
  for (let bin = 0; bin < BINS; bin++) {
    const x = binX(bin);
    const y = binY(bin);
    const phase = phaseOf(bin, shiftX, shiftY);
    const c = load<f32>(phase);
    const s = load<f32>(phase, 4);
    const re = load<f32>(AXIS_VALUE + ((<usize>bin) << 3));
    const im = load<f32>(AXIS_VALUE + ((<usize>bin) << 3), 4);
    const scale = load<f32>(NOISE + noiseAt(x, y));
    const expectedRe = (re * c + im * s) * scale;
    const expectedIm = (im * c - re * s) * scale;
    store<f32>(SPECTRUM_RE + tileAt(x, y), expectedRe);
    store<f32>(SPECTRUM_IM + tileAt(x, y), expectedIm);
    store<f32>(SPECTRUM_RE + tileAt(-x, -y), expectedRe);
    store<f32>(SPECTRUM_IM + tileAt(-x, -y), -expectedIm);
  }
  fft2d(SPECTRUM_RE, SPECTRUM_IM, TILE_STRIDE * 4, TILE, true);
}

/**
 * Reads at the shift and weighting that were last found.
 * @param inPlace the place was not searched for, so that the pilots are evidence too
 * @returns whether the label counts; label and correlation hold the best word either way
 */
export function readLabel(inPlace: bool): bool {
  correlation = 0;
  if (reads == MAX_READS) return false;
  reads++;
  const least = inPlace ? ACCEPTANCE_IN_PLACE : ACCEPTANCE;
  const threshold = Mathf.sqrt(least * least + keyShare);
  takeAxes();
  const energy = despread(
    carriers.OUTER_AXIS,
    carriers.OUTER_BIT,
    carriers.OUTER_SIGN,
    carriers.outerAxes,
    code.OUTER_CODED_BITS,
  );
  code.decodeOuterWord(SOFT, OUTER_BYTES, OUTER_CORRELATIONS);
  code.decodeOuterWord(
    SOFT + (code.OUTER_CODED_BITS / 2) * 4,
    OUTER_BYTES + code.OUTER_LIST * 4,
    OUTER_CORRELATIONS + code.OUTER_LIST * 4,
  );
  memory.fill(TAKEN, 0, code.OUTER_LIST * code.OUTER_LIST);
  pilotEnergy = 0;
  const pilots: f32 = inPlace ? max<f32>(pilotEvidence(), 0) : 0;
  const gate = OUTER_GATE * Mathf.sqrt(energy);
  for (let candidate = 0; candidate < COHORT_CANDIDATES; candidate++) {
    const pair = takeBestPair();
    if (pairCorrelation < gate) break;
    readInner(pair, pairCorrelation + pilots, energy + pilotEnergy);
    if (correlation >= threshold) break;
  }
  return correlation >= threshold;
}
