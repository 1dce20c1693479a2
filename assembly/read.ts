// Reads the label at a shift by its two codes. It counts when its CRC holds and the normalised correlation
// of its whole code word reaches a threshold; why a false one is rarer than 1e-9 per picture:
// docs/format.md, "Acceptance".
import { BIN_VALUE, NOISE, noiseAt, tileAt } from "./bins";
import * as carriers from "./carriers";
import { BINS, binX, binY, PILOTS, TILE } from "./carriers";
import * as code from "./code";
import { fft2d } from "./fft";
import { SPECTRUM_IM, SPECTRUM_RE, TILE_STRIDE } from "./fold";
import { take } from "./memory";
import { goToOrigin, phaseOf, shiftX, shiftY, weightOf } from "./shift";

/** Standard deviations a code word must reach with one key: docs/format.md, "Acceptance". */
export const ACCEPTANCE: f32 = 11.7;
/** The same in a frame's own place, where the pilots count too and may choose among more shifts. */
const ACCEPTANCE_IN_PLACE: f32 = 12.2;
/** Reads under one key, at most; the acceptance rule counts on it. */
export const MAX_READS: i32 = 128;
/** A read whose outer words correlate less than noise's own best is not worth an inner one. */
const OUTER_GATE: f32 = 4.3;
/** Pairs of outer words that are tried, best sum first. */
const COHORT_CANDIDATES = 4;
/** f32[AXES]: the bins at the shift found, weighted. */
const AXIS_VALUE: usize = take(BINS * 8);
/** f32[]: soft values per coded bit of one code; u8[]: the decoded word encoded again. */
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
/** The best valid word of the last read, and its normalised correlation (0 if none was valid). */
export let label: u64 = 0;
export let correlation: f32 = 0;
/** Reads under the key at hand; the best correlation of any word, valid or not, since beginLook. */
export let reads: i32 = 0;
export let best: f32 = 0;
/** What the squared threshold grows by for several keys. */
let keyShare: f32 = 0;

/** Starts a look with a number of keys: each of them gets its share of the chance of a false label. */
export function beginLook(keys: i32): void {
  best = 0;
  keyShare = <f32>(2 * Math.log(<f64>keys));
}

/** Starts the reads of one key. */
export function beginKey(): void {
  reads = 0;
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
  goToOrigin();
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
