// The whole look at one plane, cheapest first: the frame in its own place, the frame turned or mirrored
// in place, then wherever the search finds pilots. Findings are gathered over keys and places.
import * as carriers from "./carriers";
import { TILE } from "./carriers";
import { addFold, addMapped, clearFold } from "./fold";
import { take } from "./memory";
import * as planes from "./planes";
import * as read from "./read";
import * as search from "./search";
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

const MAP: usize = take(48);
let found: i32 = 0;
let spectraMade: bool = false;
let bestPilots: f32 = 0;

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
  if (found == MAX_FINDINGS) return;
  const at = FINDINGS + <usize>(found * FINDING_BYTES);
  found++;
  store<u64>(at, read.label);
  store<i32>(at, key, 8);
  store<f32>(at, read.correlation, 12);
  memory.copy(at + 16, MAP, 48);
  store<f64>(at, load<f64>(MAP, 16) + <f64>read.shiftX, 32);
  store<f64>(at, load<f64>(MAP, 40) + <f64>read.shiftY, 56);
}

function foldWhole(): void {
  clearFold();
  addFold(planes.white, planes.stride, 0, 0, planes.width, planes.height);
  read.transformFold();
  read.measureNoise();
}

/** The frame in its own place, under each low-pass weighting. */
function readInPlace(): bool {
  read.takeBins(0);
  setMap(1, 0, 0, 0, 1, 0);
  for (let which = 0; which < read.WEIGHTINGS; which++) {
    read.findShiftAtOrigin(which);
    if (read.readLabel(true)) return true;
  }
  return false;
}

/** The frame mirrored, turned by quarters, or cut without a change of scale: any shift. */
function readOriented(): bool {
  for (let orientation = 0; orientation < 8; orientation++) {
    read.takeBins(orientation);
    read.findShift(0);
    bestPilots = max<f32>(bestPilots, read.pilotScore);
    if (read.pilotScore < SHIFT_GATE) continue;
    const flip: f64 = orientation & 1 ? -1 : 1;
    const turn = orientation >> 1;
    if (turn == 0) setMap(flip, 0, 0, 0, 1, 0);
    else if (turn == 1) setMap(0, -1, 0, flip, 0, 0);
    else if (turn == 2) setMap(-flip, 0, 0, 0, -1, 0);
    else setMap(0, 1, 0, -flip, 0, 0);
    if (read.readLabel(false)) return true;
    for (let which = 1; which < read.WEIGHTINGS; which++) {
      read.findShift(which);
      if (read.readLabel(false)) return true;
    }
  }
  return false;
}

/** Folds the plane as a candidate of the search lays it, and reads. */
function readCandidate(index: i32): bool {
  const matrix = search.candidateMatrix(index);
  const a = load<f64>(matrix);
  const b = load<f64>(matrix, 8);
  const c = load<f64>(matrix, 16);
  const d = load<f64>(matrix, 24);
  const half = 1 / Math.sqrt(Math.abs(a * d - b * c)) > HALF_SCALE_FROM;
  const level0 = search.candidateLevel(index) == 0;
  // The origin in pixels of the full plane; a half-scale pixel x has its centre at 2 x + 1/2.
  const x = level0 ? <f64>(2 * originX0) + 0.5 : <f64>originX1;
  const y = level0 ? <f64>(2 * originY0) + 0.5 : <f64>originY1;
  clearFold();
  if (half) {
    const offset = 0.5;
    setMap(2 * a, 2 * c, a * (offset - x) + c * (offset - y), 2 * b, 2 * d, b * (offset - x) + d * (offset - y));
    addMapped(planes.halfWhite, planes.halfStride, 0, 0, planes.halfWidth, planes.halfHeight, MAP);
  }
  setMap(a, c, -a * x - c * y, b, d, -b * x - d * y);
  if (!half) addMapped(planes.white, planes.stride, 0, 0, planes.width, planes.height, MAP);
  read.transformFold();
  read.measureNoise();
  read.takeBins(0);
  for (let which = 0; which < read.WEIGHTINGS; which++) {
    read.findShift(which);
    if (read.readLabel(false)) return true;
  }
  return false;
}

function searchPlane(): bool {
  if (!spectraMade) {
    whitenHalfPlane();
    makeSpectra();
    spectraMade = true;
  }
  const candidates = search.search();
  let success = false;
  for (let i = 0; i < candidates; i++) {
    bestPilots = max<f32>(bestPilots, search.candidateScore(i));
    if (search.candidateScore(i) < SEARCH_GATE) break;
    if (readCandidate(i)) return true;
  }
  return success;
}

/** Looks for the carriers in use. */
function detectWith(key: i32, wholeFrameOnly: bool): void {
  foldWhole();
  if (readInPlace() || readOriented()) {
    record(key);
    return;
  }
  if (wholeFrameOnly) return;
  if (searchPlane()) record(key);
}

/** Looks for the carriers in use in the plane under the reader; read.best tells how well they were read. */
export function detectPlane(): i32 {
  found = 0;
  bestPilots = 0;
  spectraMade = false;
  read.clearCounts();
  whitenPlane();
  detectWith(0, false);
  return found;
}

/**
 * Looks for labels of the first `keys` KEYS in the plane that endPicture has finished.
 * @returns how many FINDINGS there are
 */
export function detect(keys: i32, wholeFrameOnly: bool): i32 {
  found = 0;
  bestPilots = 0;
  spectraMade = false;
  read.clearCounts();
  whitenPlane();
  for (let key = 0; key < keys; key++) {
    carriers.useKey(KEYS + <usize>(key * 16));
    detectWith(key, wholeFrameOnly);
  }
  return found;
}

/** Reads made by the last detect, over all keys. */
export function readsMade(): i32 {
  return read.reads;
}

/** The highest normalised correlation of any of them, standard deviations. */
export function bestCorrelation(): f32 {
  return read.best;
}

/** The highest score of the pilots at any place, standard deviations. */
export function bestPilotScore(): f32 {
  return bestPilots;
}
/*DEBUG*/
export function dbgRead(): f32 { readCandidate(0); return read.correlation; }
