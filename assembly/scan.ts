// Coarse search: in a log-polar map of the power a scale and a turn are a shift (Reddy, Chatterji, IEEE
// Trans. Image Process. 5, 1996), so one hypothesis of squeeze and mirror costs PILOTS shifted additions of
// the map. The best peaks become candidates.
import { compose, ENTRY, enlist } from "./candidates";
import { binX, binY, PILOT_BIN, PILOTS } from "./carriers";
import { take } from "./memory";
import { binsPerFrequency, powerScore, refine } from "./refine";
import * as spectrum from "./spectrum";

/** Steps: pi / TURNS radians, and the same ratio of scales (so that cells are square). */
const TURNS: i32 = 208;
export const STEP: f64 = Math.PI / 208;
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
/** u8[MAP_ROWS][MAP_STRIDE], the half turn written twice; a neutral row. */
const MAP: usize = take(MAP_ROWS * MAP_STRIDE + 64);
const NEUTRAL: usize = take(MAP_STRIDE + 64);
/** u16[scales][TURNS]: the sum over pilots. */
const SUMS: usize = take(MAP_ROWS * TURNS * 2 + 64);
const COSINE: usize = take(TURNS * 4);
const SINE: usize = take(TURNS * 4);
/** i32[PILOTS][2]: row and column of the pilots in the map at the smallest scale, turn 0. */
const PLACE: usize = take(PILOTS * 8);
const FRESH: usize = take(ENTRY);
/** i32[PER_SCAN][2]: sum, and scale << 16 | turn. */
const PEAKS: usize = take(PER_SCAN * 8);
memory.fill(NEUTRAL, <u8>spectrum.UNIT, MAP_STRIDE + 64);

for (let turn = 0; turn < TURNS; turn++) {
  store<f32>(COSINE + ((<usize>turn) << 2), <f32>Math.cos(<f64>turn * STEP));
  store<f32>(SINE + ((<usize>turn) << 2), <f32>Math.sin(<f64>turn * STEP));
}

/** Samples the coarse power of a level on the log-polar grid, a squeeze of the picture undone. */
function fillMap(level: i32, squeeze: f64): void {
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
    const rx = f32x4.splat(<f32>(radius / squeeze));
    const ry = f32x4.splat(<f32>(radius * squeeze));
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

function smallestScale(level: i32): f64 {
  return level == 0 ? SMALLEST_0 : SMALLEST_1;
}

function scaleCount(level: i32): i32 {
  const largest = level == 0 ? LARGEST_0 : LARGEST_1;
  return <i32>Math.ceil(Math.log(largest / smallestScale(level)) / STEP);
}

/**
 * Scans one hypothesis.
 * @param before squeeze before the turn, of the pilots: x by it, y by its inverse
 * @param after squeeze after the turn, which the map has undone already
 * @param first turn in steps where the scan starts
 * @param turns how many of them
 */
function scan(level: i32, mirrored: bool, before: f64, after: f64, first: i32, turns: i32): void {
  for (let pilot: usize = 0; pilot < <usize>PILOTS; pilot++) {
    const bin = <i32>load<u16>(PILOT_BIN + (pilot << 1));
    const kx = <f64>(mirrored ? -binX(bin) : binX(bin)) / before;
    const ky = <f64>binY(bin) * before;
    const radius = (Math.sqrt(kx * kx + ky * ky) * binsPerFrequency(level)) / smallestScale(level);
    const angle = Math.atan2(ky, kx) / STEP + <f64>first;
    const row = <i32>Math.round(Math.log(radius / INNERMOST) / STEP);
    let column = <i32>Math.round(angle) % TURNS;
    if (column < 0) column += TURNS;
    store<i32>(PLACE + (pilot << 3), row);
    store<i32>(PLACE + (pilot << 3), column, 4);
  }
  const scales = scaleCount(level);
  for (let scale = 0; scale < scales; scale++) sumScale(scale, turns);
  findPeaks(scales, turns);
  listPeaks(level, mirrored, before, after, first);
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

/** Finds the best peaks of SUMS. */
function findPeaks(scales: i32, turns: i32): void {
  const last: usize = (PER_SCAN - 1) * 8;
  memory.fill(PEAKS, 0, PER_SCAN * 8);
  for (let scale = 0; scale < scales; scale++) {
    for (let turn = 0; turn < turns; turn += 8) {
      const bound = i16x8.splat(<i16>load<i32>(PEAKS + last));
      const eight = v128.load(SUMS + ((<usize>(scale * TURNS + turn)) << 1));
      if (!v128.any_true(i16x8.gt_s(eight, bound))) continue;
      for (let lane = turn; lane < min<i32>(turn + 8, turns); lane++) {
        const value = sumAt(scale, lane);
        if (value <= load<i32>(PEAKS + last)) continue;
        if (isPeak(scale, lane, scales, turns, value)) insertPeak(value, (scale << 16) | lane);
      }
    }
  }
}

/** Makes candidates of PEAKS, refined on the power. */
function listPeaks(level: i32, mirrored: bool, before: f64, after: f64, first: i32): void {
  for (let peak: usize = 0; peak < PER_SCAN; peak++) {
    if (load<i32>(PEAKS + peak * 8) == 0) return;
    const place = load<i32>(PEAKS + peak * 8, 4);
    const size = smallestScale(level) * Math.exp(<f64>(place >> 16) * STEP);
    const angle = <f64>(first + (place & 0xffff)) * STEP;
    compose(FRESH, level, mirrored, before, after, size, angle);
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

/** Scans a level over everything: squeezes before the turn, then those after it. */
export function scanLevel(level: i32): void {
  fillMap(level, 1);
  for (let step = -UPRIGHT_SQUEEZES; step <= UPRIGHT_SQUEEZES; step++) {
    const squeeze = Math.pow(SQUEEZE_STEP, 0.5 * <f64>step);
    if (abs<i32>(step) <= SQUEEZES) scanBoth(level, squeeze, 1, 0, TURNS);
    else scanBoth(level, squeeze, 1, -UPRIGHT_TURNS, 2 * UPRIGHT_TURNS + 1);
  }
  for (let step = -SQUEEZES; step <= SQUEEZES; step++) {
    if (step == 0) continue;
    const squeeze = Math.pow(SQUEEZE_STEP, 0.5 * <f64>step);
    fillMap(level, squeeze);
    scanBoth(level, 1, squeeze, 0, TURNS);
  }
}

/** A hypothesis and its mirror image. */
function scanBoth(level: i32, before: f64, after: f64, first: i32, turns: i32): void {
  scan(level, false, before, after, first, turns);
  scan(level, true, before, after, first, turns);
}
