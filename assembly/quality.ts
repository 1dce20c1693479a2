// SSIM of luma, streaming: Wang, Bovik, Sheikh, Simoncelli, IEEE Trans. Image Process. 13, 2004;
// 11 x 11 Gaussian of deviation 1.5, K1 = 0.01, K2 = 0.03, mean over the places where the window fits.
import { lumaOfRgba } from "./luma";
import { take } from "./memory";
import * as planes from "./planes";

/** Longest picture side. */
export const MAX_SIDE: i32 = 32768;
const SPAN: i32 = 11;
/** One row of the map in as many as the window is high: every pixel is in one window, and the mean is kept. */
const ROW_STEP: i32 = SPAN;
const MAPS: usize = 4;
const C1: f32 = 0.01 * 255 * 0.01 * 255;
const C2: f32 = 0.03 * 255 * 0.03 * 255;

const WEIGHTS: usize = take(SPAN * 4);
/** Addresses of the window's rows in the ring. */
const LINES: usize = take(<usize>SPAN * sizeof<usize>());
const LANES: v128 = i32x4(0, 1, 2, 3);
/** f32[SPAN rows][MAPS][width] at planes.pictureRows: a, b, a a + b b, a b; then one row of them smoothed. */
let ringBytes: usize = 0;
let rowBytes: usize = 0;
let smoothed: usize = 0;

let width: i32 = 0;
let row: i32 = 0;
let total: f64 = 0;
let compared: i32 = 0;

let weightSum: f64 = 0;
for (let i = 0; i < SPAN; i++) weightSum += gaussian(i);
for (let i = 0; i < SPAN; i++)
  store<f32>(WEIGHTS + ((<usize>i) << 2), <f32>(gaussian(i) / weightSum));

function gaussian(i: i32): f64 {
  const distance = <f64>(i - SPAN / 2);
  return Math.exp((-distance * distance) / (2 * 1.5 * 1.5));
}

/** Bytes that the ring of a picture of this width takes at planes.pictureRows. */
export function ringSize(pictureWidth: i32): usize {
  const rowBytes = (<usize>((pictureWidth + 3) & ~3)) << 2;
  return (<usize>SPAN + 1) * MAPS * rowBytes + 64;
}

export function begin(pictureWidth: i32): void {
  width = pictureWidth;
  rowBytes = (<usize>((width + 3) & ~3)) << 2;
  ringBytes = MAPS * rowBytes;
  smoothed = planes.pictureRows + <usize>SPAN * ringBytes;
  row = 0;
  total = 0;
  compared = 0;
}

function mapsOfRow(): usize {
  return planes.pictureRows + <usize>(row % SPAN) * ringBytes;
}

/** Takes a row of pixels as it was. */
export function takeBefore(pixels: usize): void {
  lumaOfRgba(pixels, mapsOfRow(), width);
}

/** Takes the same row as it is now. */
export function takeAfter(pixels: usize): void {
  const maps = mapsOfRow();
  lumaOfRgba(pixels, maps + rowBytes, width);
  multiply(maps);
  row++;
  if (row >= SPAN && (row - SPAN) % ROW_STEP == 0) compareRow();
}

/** Adds to a row's maps a, b the maps a a + b b and a b. */
function multiply(maps: usize): void {
  for (let at: usize = 0; at < rowBytes; at += 16) {
    const a = v128.load(maps + at);
    const b = v128.load(maps + rowBytes + at);
    v128.store(maps + 2 * rowBytes + at, f32x4.add(f32x4.mul(a, a), f32x4.mul(b, b)));
    v128.store(maps + 3 * rowBytes + at, f32x4.mul(a, b));
  }
}

/** Smooths the maps over the rows of the window, into the last row of the ring. */
function smoothDown(): void {
  for (let at: usize = 0; at < ringBytes; at += 16) {
    let sum = f32x4.splat(0);
    for (let k: usize = 0; k < <usize>SPAN; k++) {
      const line = load<usize>(LINES + k * sizeof<usize>());
      const weight = v128.load32_splat(WEIGHTS + (k << 2));
      sum = f32x4.add(sum, f32x4.mul(v128.load(line + at), weight));
    }
    v128.store(smoothed + at, sum);
  }
}

/** One map smoothed along the row too, at four places. */
function smoothAlong(at: usize): v128 {
  let sum = f32x4.splat(0);
  for (let k: usize = 0; k < (<usize>SPAN) << 2; k += 4) {
    const weight = v128.load32_splat(WEIGHTS + k);
    sum = f32x4.add(sum, f32x4.mul(v128.load(at + k), weight));
  }
  return sum;
}

/** Adds one row of the SSIM map. */
function compareRow(): void {
  for (let k = 0; k < SPAN; k++) {
    const line = planes.pictureRows + <usize>((row + k) % SPAN) * ringBytes;
    store<usize>(LINES + <usize>k * sizeof<usize>(), line);
  }
  smoothDown();
  const count = width - SPAN + 1;
  const two = f32x4.splat(2);
  const c1 = f32x4.splat(C1);
  const c2 = f32x4.splat(C2);
  let sum = f32x4.splat(0);
  for (let x = 0; x < count; x += 4) {
    const at = smoothed + ((<usize>x) << 2);
    const a = smoothAlong(at);
    const b = smoothAlong(at + rowBytes);
    const ab = f32x4.mul(a, b);
    const aabb = f32x4.add(f32x4.mul(a, a), f32x4.mul(b, b));
    const variances = f32x4.sub(smoothAlong(at + 2 * rowBytes), aabb);
    const covariance = f32x4.sub(smoothAlong(at + 3 * rowBytes), ab);
    const above = f32x4.mul(
      f32x4.add(f32x4.mul(two, ab), c1),
      f32x4.add(f32x4.mul(two, covariance), c2),
    );
    const below = f32x4.mul(f32x4.add(aabb, c1), f32x4.add(variances, c2));
    const inside = i32x4.lt_s(LANES, i32x4.splat(count - x));
    sum = f32x4.add(sum, v128.and(f32x4.div(above, below), inside));
  }
  compared++;
  total += <f64>f32x4.extract_lane(sum, 0) + <f64>f32x4.extract_lane(sum, 1);
  total += <f64>f32x4.extract_lane(sum, 2) + <f64>f32x4.extract_lane(sum, 3);
}

/** Mean SSIM since begin, 0..1. */
export function meanSsim(): f64 {
  return total / (<f64>(width - SPAN + 1) * <f64>compared);
}
