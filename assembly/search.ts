// Where is the pattern? Looks for the pilots in both spectra over scale, turn, mirror and squeeze.
// In a log-polar map of the power a scale and a turn are a shift (Reddy, Chatterji, IEEE Trans. Image
// Process. 5, 1996), so one hypothesis of squeeze and mirror costs PILOTS shifted additions of the map.
// The best places are then refined on the power itself, scored again by phase, and refined by phase.
// A candidate is a matrix B: a tile frequency k stands at the plane frequency B k (cycles per TILE plane
// pixels at full scale); a plane pixel p then shows the tile at B^T (p - origin) + shift.
import * as carriers from "./carriers";
import { binX, binY, PILOTS, TILE } from "./carriers";
import { take } from "./memory";
import * as read from "./read";
import * as spectrum from "./spectrum";

/** Steps: pi / TURNS radians, and the same ratio of scales (so that cells are square). */
const TURNS: i32 = 208;
const STEP: f64 = Math.PI / 208;
const MAP_STRIDE: i32 = 2 * TURNS;
const MAP_ROWS: i32 = 192;
/** Radii below this many bins belong to the picture. */
const INNERMOST: f64 = 16;
const OUTERMOST: f64 = 254;
/** Scales of the pattern that a level is searched for: half scale for cuts, full scale for padding. */
const LARGEST_0: f64 = 3.5;
const SMALLEST_0: f64 = 0.9;
const LARGEST_1: f64 = 1.02;
const SMALLEST_1: f64 = 0.38;
/** Squeezes along one axis, as powers of SQUEEZE_STEP: 0.85..1.17 with any turn. */
const SQUEEZE_STEP: f64 = 1.04;
const SQUEEZES = 4;
/** And without a turn: as far as a frame of 16:9 pressed into 4:3 and beyond. */
const UPRIGHT_SQUEEZES = 9;
const UPRIGHT_TURNS = 2;

/** How many candidates each stage hands on. */
const PER_SCAN: usize = 3;
/** Power score of a peak's own grid point under which it is not refined: less than noise's best climb. */
const FRESH_GATE: f32 = 2;
const LISTED: i32 = 64;
/** Matrices that differ by less, relatively, are one place. */
const TWIN: f64 = 0.012;
const PHASED: i32 = 32;
export const CANDIDATES: i32 = 6;

/** u8[MAP_ROWS][MAP_STRIDE], the half turn written twice; a neutral row. */
const MAP: usize = take(MAP_ROWS * MAP_STRIDE + 64);
const NEUTRAL: usize = take(MAP_STRIDE + 64);
/** u16[scales][TURNS]: the sum over pilots. */
const SUMS: usize = take(MAP_ROWS * TURNS * 2 + 64);
const COSINE: usize = take(TURNS * 4);
const SINE: usize = take(TURNS * 4);
/** i32[PILOTS][2]: row and column of the pilots in the map at the smallest scale, turn 0. */
const PLACE: usize = take(PILOTS * 8);
/** Candidates: f64 B[4], f32 score, i32 level, f32 shift[2]. */
const ENTRY: usize = 48;
const LIST: usize = take(<usize>LISTED * ENTRY);
const RANKED: usize = take(<usize>(2 * PHASED) * ENTRY);
const TRIAL: usize = take(ENTRY);
const FRESH: usize = take(ENTRY);
/** i32[PER_SCAN][2]: sum, and scale << 16 | turn. */
const PEAKS: usize = take(PER_SCAN * 8);

let listed: i32 = 0;
let ranked: i32 = 0;
let worst: f32 = 0;
/** Where the interpolated spectrum at hand lies. */
let valueRe: f32 = 0;
let valueIm: f32 = 0;

memory.fill(NEUTRAL, <u8>spectrum.UNIT, MAP_STRIDE + 64);
for (let turn = 0; turn < TURNS; turn++) {
  store<f32>(COSINE + ((<usize>turn) << 2), <f32>Math.cos(<f64>turn * STEP));
  store<f32>(SINE + ((<usize>turn) << 2), <f32>Math.sin(<f64>turn * STEP));
}

/** Bins of a level per tile frequency. */
function binsPerFrequency(level: i32): f64 {
  return <f64>(level == 0 ? (2 * spectrum.SIDE) / TILE : spectrum.SIDE / TILE);
}

/** Samples the coarse power of a level on the log-polar grid, the picture's own squeeze (x, y) undone. */
function fillMap(level: i32, x: f64, y: f64): void {
  const coarse = spectrum.COARSE + <usize>(level * spectrum.SIDE * spectrum.STRIDE);
  const half = f32x4.splat(<f32>(spectrum.SIDE / 2) + 0.5);
  const round = f32x4.splat(0.5);
  const side = i32x4.splat(spectrum.SIDE - 1);
  const across = i32x4.splat(spectrum.SIDE / 2);
  const stride = i32x4.splat(spectrum.STRIDE);
  const signBit = i32x4.splat(0x80000000);
  for (let row = 0; row < MAP_ROWS; row++) {
    const radius = INNERMOST * Math.exp(<f64>row * STEP);
    const out = MAP + <usize>(row * MAP_STRIDE);
    if (radius > OUTERMOST) {
      memory.copy(out, NEUTRAL, MAP_STRIDE);
      continue;
    }
    const rx = f32x4.splat(<f32>(radius / x));
    const ry = f32x4.splat(<f32>(radius / y));
    for (let turn: usize = 0; turn < <usize>TURNS; turn += 4) {
      const kx = f32x4.mul(rx, v128.load(COSINE + (turn << 2)));
      const flip = v128.and(kx, signBit);
      const ky = v128.xor(f32x4.mul(ry, v128.load(SINE + (turn << 2))), flip);
      const column = i32x4.trunc_sat_f32x4_s(f32x4.add(v128.xor(kx, flip), round));
      const line = v128.and(i32x4.trunc_sat_f32x4_s(f32x4.add(ky, half)), side);
      const at = i32x4.add(i32x4.mul(line, stride), i32x4.min_s(column, across));
      const to = out + turn;
      store<u8>(to, load<u8>(coarse + <usize>i32x4.extract_lane(at, 0)));
      store<u8>(to, load<u8>(coarse + <usize>i32x4.extract_lane(at, 1)), 1);
      store<u8>(to, load<u8>(coarse + <usize>i32x4.extract_lane(at, 2)), 2);
      store<u8>(to, load<u8>(coarse + <usize>i32x4.extract_lane(at, 3)), 3);
    }
    memory.copy(out + TURNS, out, TURNS);
  }
}

/** Adds the map under every pilot, for one row of scales, over turns 0..turns-1 in sixteens. */
function sumScale(scale: i32, turns: i32): void {
  const out = SUMS + ((<usize>(scale * TURNS)) << 1);
  for (let turn: usize = 0; turn < <usize>turns; turn += 16) {
    let low = i16x8.splat(0);
    let high = i16x8.splat(0);
    for (let pilot: usize = 0; pilot < <usize>PILOTS; pilot++) {
      const row = load<i32>(PLACE + (pilot << 3)) - scale;
      const column = <usize>load<i32>(PLACE + (pilot << 3), 4);
      const line = row < 0 || row >= MAP_ROWS ? NEUTRAL : MAP + <usize>(row * MAP_STRIDE) + column;
      const values = v128.load(line + turn);
      low = i16x8.add(low, i16x8.extend_low_i8x16_u(values));
      high = i16x8.add(high, i16x8.extend_high_i8x16_u(values));
    }
    v128.store(out + (turn << 1), low);
    v128.store(out + (turn << 1), high, 16);
  }
}

/**
 * Scans one hypothesis: pilots mirrored and squeezed by (x, y) before the turn, the map squeezed after it.
 * @param first turn in steps where the scan starts; turns: how many of them
 */
function scan(
  level: i32,
  mirrored: bool,
  x: f64,
  y: f64,
  mapX: f64,
  mapY: f64,
  first: i32,
  turns: i32,
): void {
  const smallest = level == 0 ? SMALLEST_0 : SMALLEST_1;
  const largest = level == 0 ? LARGEST_0 : LARGEST_1;
  const scales = <i32>Math.ceil(Math.log(largest / smallest) / STEP);
  for (let pilot: usize = 0; pilot < <usize>PILOTS; pilot++) {
    const bin = <i32>load<u16>(carriers.PILOT_BIN + (pilot << 1));
    const kx = <f64>(mirrored ? -binX(bin) : binX(bin)) / x;
    const ky = <f64>binY(bin) / y;
    const radius = (Math.sqrt(kx * kx + ky * ky) * binsPerFrequency(level)) / smallest;
    const angle = Math.atan2(ky, kx) / STEP + <f64>first;
    const row = <i32>Math.round(Math.log(radius / INNERMOST) / STEP);
    let column = <i32>Math.round(angle) % TURNS;
    if (column < 0) column += TURNS;
    store<i32>(PLACE + (pilot << 3), row);
    store<i32>(PLACE + (pilot << 3), column, 4);
  }
  for (let scale = 0; scale < scales; scale++) sumScale(scale, turns);
  pick(level, mirrored, x, y, mapX, mapY, first, turns, scales, smallest);
}

function sumAt(scale: i32, turn: i32): i32 {
  return <i32>load<u16>(SUMS + ((<usize>(scale * TURNS + turn)) << 1));
}

function isPeak(scale: i32, turn: i32, scales: i32, turns: i32, value: i32): bool {
  for (let dy = -1; dy <= 1; dy++) {
    for (let dx = -1; dx <= 1; dx++) {
      const s = scale + dy;
      const t = turn + dx;
      if (s < 0 || s >= scales || t < 0 || t >= turns) continue;
      const other = sumAt(s, t);
      if (other > value || (other == value && (dy < 0 || (dy == 0 && dx < 0)))) return false;
    }
  }
  return true;
}

/** Finds the best peaks of SUMS, refines each on the power and lists it. */
function pick(
  level: i32,
  mirrored: bool,
  x: f64,
  y: f64,
  mapX: f64,
  mapY: f64,
  first: i32,
  turns: i32,
  scales: i32,
  smallest: f64,
): void {
  memory.fill(PEAKS, 0, PER_SCAN * 8);
  for (let scale = 0; scale < scales; scale++) {
    for (let turn = 0; turn < turns; turn += 8) {
      const bound = i16x8.splat(<i16>load<i32>(PEAKS, (PER_SCAN - 1) * 8));
      const eight = v128.load(SUMS + ((<usize>(scale * TURNS + turn)) << 1));
      if (!v128.any_true(i16x8.gt_s(eight, bound))) continue;
      for (let lane = 0; lane < min<i32>(8, turns - turn); lane++) {
        const value = sumAt(scale, turn + lane);
        if (value <= load<i32>(PEAKS, (PER_SCAN - 1) * 8)) continue;
        if (isPeak(scale, turn + lane, scales, turns, value)) {
          insertPeak(value, (scale << 16) | (turn + lane));
        }
      }
    }
  }
  for (let peak: usize = 0; peak < PER_SCAN; peak++) {
    if (load<i32>(PEAKS + peak * 8) == 0) return;
    const place = load<i32>(PEAKS + peak * 8, 4);
    const size = smallest * Math.exp(<f64>(place >> 16) * STEP);
    const angle = <f64>(first + (place & 0xffff)) * STEP;
    compose(FRESH, level, mirrored, x, y, mapX, mapY, size, angle);
    if (powerScore(FRESH) < FRESH_GATE) continue;
    refine(FRESH, false, STEP / 2, 2);
    enlist(FRESH);
  }
}

/** Keeps PEAKS sorted, best first. */
function insertPeak(value: i32, place: i32): void {
  let at = PEAKS + (PER_SCAN - 1) * 8;
  while (at > PEAKS && load<i32>(at - 8) < value) {
    store<u64>(at, load<u64>(at - 8));
    at -= 8;
  }
  store<i32>(at, value);
  store<i32>(at, place, 4);
}

/** B = diag(1/mapX, 1/mapY) turn diag(1/x, 1/y) mirror / size. */
function compose(
  at: usize,
  level: i32,
  mirrored: bool,
  x: f64,
  y: f64,
  mapX: f64,
  mapY: f64,
  size: f64,
  angle: f64,
): void {
  const c = Math.cos(angle) / size;
  const s = Math.sin(angle) / size;
  const flip: f64 = mirrored ? -1 : 1;
  store<f64>(at, (c * flip) / (mapX * x));
  store<f64>(at, -s / (mapX * y), 8);
  store<f64>(at, (s * flip) / (mapY * x), 16);
  store<f64>(at, c / (mapY * y), 24);
  store<i32>(at, level, 36);
}

/** Whether two candidates are one place: neighbouring hypotheses climb to one peak. */
function areTwins(a: usize, b: usize): bool {
  const size = Math.abs(load<f64>(a)) + Math.abs(load<f64>(a, 8));
  let apart: f64 = 0;
  for (let at: usize = 0; at < 32; at += 8) {
    apart = Math.max(apart, Math.abs(load<f64>(a + at) - load<f64>(b + at)));
  }
  return apart < TWIN * size;
}

/** The listed twin of a candidate at the same level, or -1. */
function findTwin(candidate: usize): i32 {
  for (let i = 0; i < listed; i++) {
    const other = LIST + <usize>i * ENTRY;
    if (load<i32>(other, 36) == load<i32>(candidate, 36) && areTwins(other, candidate)) return i;
  }
  return -1;
}

/** Adds a candidate to the list, in the place of its twin or, when the list is full, of the worst. */
function enlist(candidate: usize): void {
  const score = load<f32>(candidate, 32);
  if (listed == LISTED && score <= worst) return;
  let place = findTwin(candidate);
  if (place >= 0 && load<f32>(LIST + <usize>place * ENTRY, 32) >= score) return;
  if (place < 0) {
    place = listed;
    if (listed < LISTED) listed++;
    else place = worstPlace();
  }
  memory.copy(LIST + <usize>place * ENTRY, candidate, ENTRY);
  worst = load<f32>(LIST + <usize>worstPlace() * ENTRY, 32);
}

function worstPlace(): i32 {
  let place = 0;
  for (let i = 1; i < listed; i++) {
    const score = load<f32>(LIST + <usize>i * ENTRY, 32);
    if (score < load<f32>(LIST + <usize>place * ENTRY, 32)) place = i;
  }
  return place;
}

/** Interpolates a level at tile frequency (kx, ky) under B; false outside the spectrum. */
function sample(candidate: usize, bin: i32, power: bool): bool {
  const level = load<i32>(candidate, 36);
  const scale = binsPerFrequency(level);
  const kx = <f64>binX(bin);
  const ky = <f64>binY(bin);
  let x = <f32>((load<f64>(candidate) * kx + load<f64>(candidate, 8) * ky) * scale);
  let y = <f32>((load<f64>(candidate, 16) * kx + load<f64>(candidate, 24) * ky) * scale);
  const conjugate = x < 0;
  if (conjugate) {
    x = -x;
    y = -y;
  }
  y += <f32>(spectrum.SIDE / 2);
  if (x >= <f32>(spectrum.SIDE / 2) || y < 0 || y >= <f32>(spectrum.SIDE - 1)) return false;
  const i = <i32>x;
  const j = <i32>y;
  const p = x - <f32>i;
  const q = y - <f32>j;
  const at = spectrum.levelPlane((<usize>(j * spectrum.STRIDE + i)) << 2, level);
  const below: usize = (<usize>spectrum.STRIDE) << 2;
  const w11 = p * q;
  const w10 = q - w11;
  const w01 = p - w11;
  const w00 = <f32>1 - p - w10;
  const re = (power ? spectrum.POWER : spectrum.RE) + at;
  valueRe =
    load<f32>(re) * w00 +
    load<f32>(re, 4) * w01 +
    load<f32>(re + below) * w10 +
    load<f32>(re + below, 4) * w11;
  if (power) return true;
  const im = spectrum.IM + at;
  valueIm =
    load<f32>(im) * w00 +
    load<f32>(im, 4) * w01 +
    load<f32>(im + below) * w10 +
    load<f32>(im + below, 4) * w11;
  if (conjugate) valueIm = -valueIm;
  return true;
}

/** Power above the mean at the pilots, in standard deviations of as many independent bins. */
function powerScore(candidate: usize): f32 {
  let sum: f32 = 0;
  let inside: f32 = 0;
  for (let pilot: usize = 0; pilot < <usize>PILOTS; pilot++) {
    if (!sample(candidate, <i32>load<u16>(carriers.PILOT_BIN + (pilot << 1)), true)) continue;
    sum += valueRe - 1;
    inside += 1;
  }
  return sum / Mathf.sqrt(max<f32>(inside, 8));
}

/** Hands the pilots' values to the reader's own pilot correlation. */
function takePilots(candidate: usize): void {
  for (let pilot: usize = 0; pilot < <usize>PILOTS; pilot++) {
    const bin = <i32>load<u16>(carriers.PILOT_BIN + (pilot << 1));
    const inside = sample(candidate, bin, false);
    store<f32>(read.BIN_VALUE + ((<usize>bin) << 3), inside ? valueRe : 0);
    store<f32>(read.BIN_VALUE + ((<usize>bin) << 3), inside ? valueIm : 0, 4);
  }
}

function phaseScore(candidate: usize): f32 {
  takePilots(candidate);
  return read.pilotsAt(load<f32>(candidate, 40), load<f32>(candidate, 44));
}

function scoreOf(candidate: usize, byPhase: bool): f32 {
  return byPhase ? phaseScore(candidate) : powerScore(candidate);
}

/** TRIAL = candidate with B (1 + amount x one of: scale, turn, squeeze, shear), or with a moved shift. */
function vary(candidate: usize, way: i32, amount: f64): void {
  memory.copy(TRIAL, candidate, ENTRY);
  if (way >= 4) {
    const at: usize = way == 4 ? 40 : 44;
    // A whole affine step moves the pilots by about as much as 60 pixels of shift.
    store<f32>(TRIAL + at, load<f32>(TRIAL + at) + <f32>(amount * 60));
    return;
  }
  for (let row: usize = 0; row < 32; row += 16) {
    const a = load<f64>(candidate + row);
    const b = load<f64>(candidate + row, 8);
    const x = way == 0 || way == 2 ? a : b;
    const y = way == 0 ? b : way == 2 ? -b : way == 1 ? -a : a;
    store<f64>(TRIAL + row, a + amount * x);
    store<f64>(TRIAL + row, b + amount * y, 8);
  }
}

/** Climbs over B (and the shift, by phase) with halving steps. */
function refine(candidate: usize, byPhase: bool, firstStep: f64, rounds: i32): void {
  let best = scoreOf(candidate, byPhase);
  let step = firstStep;
  const ways: i32 = byPhase ? 6 : 4;
  for (let round = 0; round < rounds; round++) {
    for (let way = 0; way < ways; way++) {
      for (let sign = -1; sign <= 1; sign += 2) {
        vary(candidate, way, step * <f64>sign);
        const score = scoreOf(TRIAL, byPhase);
        if (score <= best) continue;
        best = score;
        memory.copy(candidate, TRIAL, ENTRY);
      }
    }
    step *= 0.6;
  }
  store<f32>(candidate, best, 32);
}

/** Sorts the first `count` entries by score, best first, and keeps `keep` (selection sort). */
function sortList(list: usize, count: i32, keep: i32): i32 {
  const kept = min<i32>(count, keep);
  for (let i = 0; i < kept; i++) {
    let top = i;
    for (let k = i + 1; k < count; k++) {
      if (load<f32>(list + <usize>k * ENTRY, 32) > load<f32>(list + <usize>top * ENTRY, 32))
        top = k;
    }
    if (top == i) continue;
    memory.copy(TRIAL, list + <usize>i * ENTRY, ENTRY);
    memory.copy(list + <usize>i * ENTRY, list + <usize>top * ENTRY, ENTRY);
    memory.copy(list + <usize>top * ENTRY, TRIAL, ENTRY);
  }
  return kept;
}

/** Appends a candidate and its half turn, at their best shifts, to RANKED. */
function rank(candidate: usize): void {
  for (let turn = 0; turn < 2; turn++) {
    if (turn == 1) {
      for (let at: usize = 0; at < 32; at += 8)
        store<f64>(candidate + at, -load<f64>(candidate + at));
    }
    takePilots(candidate);
    read.findShift(0);
    const at = RANKED + <usize>ranked * ENTRY;
    ranked++;
    memory.copy(at, candidate, ENTRY);
    store<f32>(at, read.pilotScore, 32);
    store<f32>(at, read.shiftX, 40);
    store<f32>(at, read.shiftY, 44);
  }
}

function scanLevel(level: i32): void {
  fillMap(level, 1, 1);
  for (let squeeze = -SQUEEZES; squeeze <= SQUEEZES; squeeze++) {
    const x = Math.pow(SQUEEZE_STEP, 0.5 * <f64>squeeze);
    scan(level, false, x, 1 / x, 1, 1, 0, TURNS);
    scan(level, true, x, 1 / x, 1, 1, 0, TURNS);
  }
  for (let squeeze = -UPRIGHT_SQUEEZES; squeeze <= UPRIGHT_SQUEEZES; squeeze++) {
    if (abs<i32>(squeeze) <= SQUEEZES) continue;
    const x = Math.pow(SQUEEZE_STEP, 0.5 * <f64>squeeze);
    scan(level, false, x, 1 / x, 1, 1, -UPRIGHT_TURNS, 2 * UPRIGHT_TURNS + 1);
    scan(level, true, x, 1 / x, 1, 1, -UPRIGHT_TURNS, 2 * UPRIGHT_TURNS + 1);
  }
  for (let squeeze = -SQUEEZES; squeeze <= SQUEEZES; squeeze++) {
    if (squeeze == 0) continue;
    const x = Math.pow(SQUEEZE_STEP, 0.5 * <f64>squeeze);
    fillMap(level, x, 1 / x);
    scan(level, false, 1, 1, x, 1 / x, 0, TURNS);
    scan(level, true, 1, 1, x, 1 / x, 0, TURNS);
  }
}

/**
 * Looks through both spectra with the pilots in use.
 * @returns how many candidates there are, best first, at most CANDIDATES
 */
export function search(): i32 {
  listed = 0;
  ranked = 0;
  for (let level = 0; level < spectrum.LEVELS; level++) scanLevel(level);
  for (let i = 0; i < listed; i++) refine(LIST + <usize>i * ENTRY, false, STEP / 4, 3);
  listed = sortList(LIST, listed, PHASED);
  for (let i = 0; i < listed; i++) rank(LIST + <usize>i * ENTRY);
  ranked = sortList(RANKED, ranked, CANDIDATES);
  for (let i = 0; i < ranked; i++) refine(RANKED + <usize>i * ENTRY, true, STEP / 4, 6);
  return sortList(RANKED, ranked, CANDIDATES);
}

/** The pilots' score of a candidate by phase, in standard deviations. */
export function candidateScore(index: i32): f32 {
  return load<f32>(RANKED + <usize>index * ENTRY, 32);
}

/** 0 if the candidate was found at half scale, 1 at full scale. */
export function candidateLevel(index: i32): i32 {
  return load<i32>(RANKED + <usize>index * ENTRY, 36);
}

/** The candidate's B, f64[4]. */
export function candidateMatrix(index: i32): usize {
  return RANKED + <usize>index * ENTRY;
}

/** Whether a better candidate is the same place, seen at the other scale. */
export function repeatsEarlier(index: i32): bool {
  for (let i = 0; i < index; i++) {
    if (areTwins(RANKED + <usize>i * ENTRY, RANKED + <usize>index * ENTRY)) return true;
  }
  return false;
}
