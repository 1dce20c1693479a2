// The whole look at one plane, cheapest first: the frame in its own place, the frame turned or mirrored
// in place, then wherever the search finds pilots. Findings are gathered over keys and places.
import * as bins from "./bins";
import * as carriers from "./carriers";
import {
  addFold,
  addMapped,
  clearQuarter,
  correlateQuarter,
  QUARTERS,
  quarterEnergy,
  SPECTRUM_RE,
  sumQuarters,
} from "./fold";
import { take } from "./memory";
import * as planes from "./planes";
import * as read from "./read";
import * as search from "./search";
import * as shift from "./shift";
import { makeSpectra, originX0, originX1, originY0, originY1 } from "./spectrum";
import { whitenHalfPlane, whitenPlane } from "./whiten";

export const MAX_KEYS: i32 = 16;
export const MAX_FINDINGS: i32 = 4;
/** u8[MAX_KEYS][16], what the host fills before detect. */
export const KEYS: usize = take(MAX_KEYS * 16);
/** Per finding: u64 label, i32 key, f32 correlation, f64[6] plane pixel -> tile position. */
export const FINDING_BYTES: i32 = 64;
export const FINDINGS: usize = take(MAX_FINDINGS * FINDING_BYTES);

/** Pilots' score under which a place is not worth a read: noise's own best over all shifts. */
const SHIFT_GATE: f32 = 5.0;
/** The same over all places of the search. */
const SEARCH_GATE: f32 = 6.2;
/** Pattern scale above which a cut is read from the half-scale plane. */
const HALF_SCALE_FROM = 1.4;

/** Pilots' score of a place that holds labels which cannot be read together. */
const PARTS_GATE: f32 = 7.5;
/** A quarter with more than this share of the folds' energy should hold some of the label, */
const TEXTURED: f32 = 0.1;
/** namely this part of what its share of the energy lets expect. */
const FOREIGN: f32 = 0.25;
const ALL_QUARTERS = 15;
/** u8[PARTS]: quarters as bits: the four, then upper, lower, left and right half. */
const PARTS = 8;
const PART: usize = take(PARTS);

/** f64[6], as in a finding. */
const MAP: usize = take(48);
let mostFindings: i32 = MAX_FINDINGS;
let reads: i32 = 0;
let found: i32 = 0;
let spectraMade: bool = false;
let bestPilots: f32 = 0;

const MEMBERS: i32[] = [1, 2, 4, 8, 3, 12, 5, 10];
for (let i = 0; i < PARTS; i++) store<u8>(PART + <usize>i, <u8>unchecked(MEMBERS[i]));

function setMap(a: f64, b: f64, c: f64, d: f64, e: f64, f: f64): void {
  store<f64>(MAP, a);
  store<f64>(MAP, b, 8);
  store<f64>(MAP, c, 16);
  store<f64>(MAP, d, 24);
  store<f64>(MAP, e, 32);
  store<f64>(MAP, f, 40);
}

/** Records what was read at the map and shift at hand, unless the label is known already. */
function record(key: i32): void {
  for (let i = 0; i < found; i++) {
    const at = FINDINGS + <usize>(i * FINDING_BYTES);
    if (load<u64>(at) == read.label && load<i32>(at, 8) == key) return;
  }
  if (found == mostFindings) return;
  const at = FINDINGS + <usize>(found * FINDING_BYTES);
  found++;
  store<u64>(at, read.label);
  store<i32>(at, key, 8);
  store<f32>(at, read.correlation, 12);
  memory.copy(at + 16, MAP, 48);
  store<f64>(at, load<f64>(MAP, 16) + <f64>shift.shiftX, 32);
  store<f64>(at, load<f64>(MAP, 40) + <f64>shift.shiftY, 56);
}

/** Part of the plane that a quarter is: half its sides. */
function quarterEdge(index: i32, length: i32, side: i32): i32 {
  const middle = (length >> 1) & ~3;
  return (index & side) == 0 ? 0 : middle;
}

/** Folds the four quarters of the plane by MAP, or straight, and their sum into FOLD. */
function foldQuarters(white: usize, width: i32, height: i32, stride: i32, mapped: bool): void {
  for (let i = 0; i < QUARTERS; i++) {
    const left = quarterEdge(i, width, 1);
    const top = quarterEdge(i, height, 2);
    const right = i & 1 ? width : (width >> 1) & ~3;
    const bottom = i & 2 ? height : (height >> 1) & ~3;
    clearQuarter(i);
    if (mapped) addMapped(white, stride, left, top, right, bottom, MAP);
    else addFold(white, stride, left, top, right, bottom);
  }
  takeQuarters(ALL_QUARTERS);
}

function takeQuarters(members: i32): void {
  sumQuarters(members);
  bins.transformFold();
  bins.measureNoise();
}

/** The frame in its own place, under each low-pass weighting. */
function readInPlace(): bool {
  bins.takeBins(0);
  for (let which = 0; which < shift.WEIGHTINGS; which++) {
    shift.findShiftAtOrigin(which);
    if (read.readLabel(true)) return true;
  }
  return false;
}

/** Reads FOLD at the best of all shifts, under each low-pass weighting. */
function readShifted(orientation: i32): bool {
  bins.takeBins(orientation);
  for (let which = 0; which < shift.WEIGHTINGS; which++) {
    shift.findShift(which);
    if (which == 0) bestPilots = max<f32>(bestPilots, shift.pilotScore);
    if (which == 0 && shift.pilotScore < SHIFT_GATE) return false;
    if (read.readLabel(false)) return true;
  }
  return false;
}

/** The frame mirrored, turned by quarters, or cut without a change of scale. */
function readOriented(): bool {
  for (let orientation = 0; orientation < 8; orientation++) {
    if (!readShifted(orientation)) continue;
    const flip: f64 = orientation & 1 ? -1 : 1;
    const turn = orientation >> 1;
    if (turn == 0) setMap(flip, 0, 0, 0, 1, 0);
    else if (turn == 1) setMap(0, -1, 0, flip, 0, 0);
    else if (turn == 2) setMap(-flip, 0, 0, 0, -1, 0);
    else setMap(0, 1, 0, -flip, 0, 0);
    return true;
  }
  return false;
}

/** Folds the plane as a candidate of the search lays it; MAP is then from plane pixels to the tile. */
function foldCandidate(index: i32): void {
  const matrix = search.candidateMatrix(index);
  const a = load<f64>(matrix);
  const b = load<f64>(matrix, 8);
  const c = load<f64>(matrix, 16);
  const d = load<f64>(matrix, 24);
  const half = 1 / Math.sqrt(Math.abs(a * d - b * c)) > HALF_SCALE_FROM;
  const level0 = search.candidateLevel(index) == 0;
  // The origin in pixels of the full plane; a half-scale pixel x has its centre at 2 x + 1/2.
  const x = (level0 ? <f64>(2 * originX0) + 0.5 : <f64>originX1) - (half ? 0.5 : 0);
  const y = (level0 ? <f64>(2 * originY0) + 0.5 : <f64>originY1) - (half ? 0.5 : 0);
  const size: f64 = half ? 2 : 1;
  setMap(size * a, size * c, -a * x - c * y, size * b, size * d, -b * x - d * y);
  if (half) {
    foldQuarters(planes.halfWhite, planes.halfWidth, planes.halfHeight, planes.halfStride, true);
    // Back to full-scale pixels: x of the half plane is (x - 1/2) / 2.
    const u = 0.5 * (a + c);
    const v = 0.5 * (b + d);
    setMap(a, c, load<f64>(MAP, 16) - u, b, d, load<f64>(MAP, 40) - v);
  } else foldQuarters(planes.white, planes.width, planes.height, planes.stride, true);
}

function makeSpectraOnce(): void {
  if (spectraMade) return;
  whitenHalfPlane();
  makeSpectra();
  spectraMade = true;
}

/**
 * Whether the label just read explains the whole plane: every quarter that holds its share of texture
 * holds a share of the label too. The quarters' folds must still be those of the read.
 */
function coversPlane(): bool {
  read.makeExpectedTile();
  let energy: f32 = 0;
  let shared: f32 = 0;
  for (let i = 0; i < QUARTERS; i++) {
    energy += quarterEnergy(i);
    shared += correlateQuarter(i, SPECTRUM_RE);
  }
  for (let i = 0; i < QUARTERS; i++) {
    const share = quarterEnergy(i) / energy;
    if (share > TEXTURED && correlateQuarter(i, SPECTRUM_RE) < FOREIGN * share * shared)
      return false;
  }
  return true;
}

/** Reads halves and quarters of the plane under the quarters' folds: several pictures side by side. */
function readParts(key: i32): void {
  for (let i = 0; i < PARTS; i++) {
    if (found == mostFindings) return;
    takeQuarters(load<u8>(PART + <usize>i));
    if (readShifted(0)) record(key);
  }
}

/** Reads where the search points, every place once. */
function readSearched(key: i32): void {
  makeSpectraOnce();
  const candidates = search.search();
  for (let i = 0; i < candidates; i++) {
    const score = search.candidateScore(i);
    bestPilots = max<f32>(bestPilots, score);
    if (score < SEARCH_GATE || found == mostFindings) return;
    if (search.repeatsEarlier(i)) continue;
    foldCandidate(i);
    const label = readShifted(0);
    if (label) record(key);
    if (mostFindings > 1 && (label ? !coversPlane() : score >= PARTS_GATE)) readParts(key);
  }
}

/** Reads the frame as it lies; true when nothing more is to be looked for. */
function readFrame(key: i32): bool {
  foldQuarters(planes.white, planes.width, planes.height, planes.stride, false);
  setMap(1, 0, 0, 0, 1, 0);
  if (!readInPlace() && !readOriented()) return false;
  record(key);
  if (found == mostFindings || load<f64>(MAP) != 1 || coversPlane()) return true;
  readParts(key);
  return false;
}

/** Looks for the carriers in use. */
function detectWith(key: i32, wholeFrameOnly: bool): void {
  read.beginKey();
  if (!readFrame(key) && !wholeFrameOnly) readSearched(key);
  reads += read.reads;
}

/** Looks for the carriers in use in the plane under the reader; read.best tells how well they were read. */
export function detectPlane(): i32 {
  begin(1, 1);
  detectWith(0, false);
  return found;
}

function begin(keys: i32, findings: i32): void {
  found = 0;
  reads = 0;
  bestPilots = 0;
  spectraMade = false;
  mostFindings = findings;
  read.beginLook(keys);
  whitenPlane();
}

/**
 * Looks for labels of the first `keys` KEYS in the plane that endPicture has finished.
 * @param most findings wanted, 1..MAX_FINDINGS
 * @returns how many FINDINGS there are
 */
export function detect(keys: i32, most: i32, wholeFrameOnly: bool): i32 {
  begin(keys, most);
  for (let key = 0; key < keys && found < most; key++) {
    carriers.useKey(KEYS + <usize>(key * 16));
    detectWith(key, wholeFrameOnly);
  }
  return found;
}

/** Reads made by the last detect, over all keys. */
export function readsMade(): i32 {
  return reads;
}

/** The highest normalised correlation of any of them, standard deviations. */
export function bestCorrelation(): f32 {
  return read.best;
}

/** The highest score of the pilots at any place, standard deviations. */
export function bestPilotScore(): f32 {
  return bestPilots;
}
