// Where the tile lies in a fold: the pilots' correlation over all shifts, under one of the low-pass
// weightings.
import { BIN_VALUE } from "./bins";
import { binX, binY, HIGHEST, PILOT_BIN, PILOT_SIGN, PILOTS, TILE } from "./carriers";
import { fft2d } from "./fft";
import { take } from "./memory";

/** Low-pass weightings 1 / (1 + (r / cut)^8) of small, blurred or coarsely compressed pictures. */
export const WEIGHTINGS: i32 = 3;
/** Shifts within which a whole frame still counts as lying in its own place, canonical pixels. */
const ORIGIN_REACH = 2;
const PHASES = 4096;
/** f32[PHASES][2]: cos, -sin of 2 pi i / PHASES. */
const PHASE: usize = take(PHASES * 8);
/** f32[WEIGHTINGS][HIGHEST^2 + 1] by squared radius. */
const WEIGHT: usize = take(WEIGHTINGS * (HIGHEST * HIGHEST + 1) * 4);
/** f32[64][SHIFT_STRIDE]: pilots on the grid, transformed into their correlation at every second shift. */
const SHIFT_SIDE = 64;
const SHIFT_STRIDE = 68;
const SHIFT_RE: usize = take(SHIFT_SIDE * SHIFT_STRIDE * 4);
const SHIFT_IM: usize = take(SHIFT_SIDE * SHIFT_STRIDE * 4);
/** The last peak found: the pilots' score in standard deviations, and its shift in canonical pixels. */
export let pilotScore: f32 = 0;
export let shiftX: f32 = 0;
export let shiftY: f32 = 0;
let weighting: i32 = 0;

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

/** Weight of a bin under the weighting at hand, 0..1. */
export function weightOf(bin: i32): f32 {
  const x = binX(bin);
  const y = binY(bin);
  const index = weighting * (HIGHEST * HIGHEST + 1) + x * x + y * y;
  return load<f32>(WEIGHT + ((<usize>index) << 2));
}

/** Where in PHASE the factor exp(-2 pi i k shift / TILE) of a bin lies. */
export function phaseOf(bin: i32, x: f32, y: f32): usize {
  const turns = (<f32>binX(bin) * x + <f32>binY(bin) * y) * <f32>(PHASES / TILE);
  return PHASE + ((<usize>(<i32>Mathf.floor(turns + <f32>0.5) & (PHASES - 1))) << 3);
}

/** Correlation of the pilots at one shift, standard normal where there is no label. */
export function pilotsAt(x: f32, y: f32): f32 {
  let sum: f32 = 0;
  let norm: f32 = 0;
  for (let pilot: usize = 0; pilot < <usize>PILOTS; pilot++) {
    const bin = <i32>load<u16>(PILOT_BIN + (pilot << 1));
    const weight = weightOf(bin);
    const phase = phaseOf(bin, x, y);
    const c = load<f32>(phase);
    const s = load<f32>(phase, 4);
    const re = load<f32>(BIN_VALUE + ((<usize>bin) << 3));
    const im = load<f32>(BIN_VALUE + ((<usize>bin) << 3), 4);
    const signRe = load<f32>(PILOT_SIGN + (pilot << 3));
    const signIm = load<f32>(PILOT_SIGN + (pilot << 3), 4);
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
    const bin = <i32>load<u16>(PILOT_BIN + (pilot << 1));
    const weight = weightOf(bin);
    const re = load<f32>(BIN_VALUE + ((<usize>bin) << 3)) * weight;
    const im = load<f32>(BIN_VALUE + ((<usize>bin) << 3), 4) * weight;
    const signRe = load<f32>(PILOT_SIGN + (pilot << 3));
    const signIm = load<f32>(PILOT_SIGN + (pilot << 3), 4);
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

/** Takes the origin itself for the shift, without low-pass. */
export function goToOrigin(): void {
  shiftX = 0;
  shiftY = 0;
  weighting = 0;
}
