// Attacks simulated at the canonical scale, on a plane of the labelled picture's luma: coarse JPEG
// quantisation, half size, a cut, a turn. Each ends as the plane under the reader.
import { take } from "./memory";
import * as planes from "./planes";
import { growPicture } from "./resample";

/** ITU-T T.81 table K.1 (luminance), at quality 40 by libjpeg's rule: x 5000 / 40 / 100. */
const TABLE: i32[] = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
  14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113,
  92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];
const COARSENESS: f32 = 1.25;
/** f32[8][8]: orthonormal DCT-II, row = frequency; f32[64] steps and their inverses; two blocks. */
const BASIS: usize = take(256);
const TRANSPOSED: usize = take(256);
const STEPS: usize = take(256);
const BLOCK: usize = take(256);
const WORK: usize = take(256);

for (let k = 0; k < 8; k++) {
  for (let x = 0; x < 8; x++) {
    const scale = k == 0 ? Math.sqrt(0.125) : 0.5;
    const value = <f32>(scale * Math.cos(((2 * <f64>x + 1) * <f64>k * Math.PI) / 16));
    store<f32>(BASIS + ((<usize>(k * 8 + x)) << 2), value);
    store<f32>(TRANSPOSED + ((<usize>(x * 8 + k)) << 2), value);
    store<f32>(STEPS + ((<usize>(k * 8 + x)) << 2), <f32>unchecked(TABLE[k * 8 + x]) * COARSENESS);
  }
}

/** out = a b for 8 x 8 matrices, rows of 32 bytes. */
function multiply(a: usize, b: usize, out: usize): void {
  for (let row: usize = 0; row < 256; row += 32) {
    let left = f32x4.splat(0);
    let right = f32x4.splat(0);
    for (let k: usize = 0; k < 8; k++) {
      const factor = v128.load32_splat(a + row + (k << 2));
      left = f32x4.add(left, f32x4.mul(factor, v128.load(b + (k << 5))));
      right = f32x4.add(right, f32x4.mul(factor, v128.load(b + (k << 5), 16)));
    }
    v128.store(out + row, left);
    v128.store(out + row, right, 16);
  }
}

/** Rounds the block's coefficients to the table's steps over `fineness`. */
function quantiseBlock(fineness: f32): void {
  multiply(BASIS, BLOCK, WORK);
  multiply(WORK, TRANSPOSED, BLOCK);
  for (let at: usize = 0; at < 256; at += 16) {
    const step = f32x4.div(v128.load(STEPS + at), f32x4.splat(fineness));
    const level = f32x4.nearest(f32x4.div(v128.load(BLOCK + at), step));
    v128.store(BLOCK + at, f32x4.mul(level, step));
  }
  multiply(TRANSPOSED, BLOCK, WORK);
  multiply(WORK, BASIS, BLOCK);
}

/**
 * Quantises a plane in place as a JPEG of quality 40 would; what does not fill a block stays.
 * @param plane f32[height][stride]
 * @param fineness how many times larger than the plane the picture was when it was compressed, 1 or more:
 *   a pattern that fills n x n times as many pixels has n times the coefficients
 */
export function quantise(plane: usize, width: i32, height: i32, stride: i32, fineness: f32): void {
  const rowBytes = (<usize>stride) << 2;
  for (let y = 0; y + 8 <= height; y += 8) {
    for (let x = 0; x + 8 <= width; x += 8) {
      const at = plane + ((<usize>(y * stride + x)) << 2);
      for (let row: usize = 0; row < 8; row++) {
        v128.store(BLOCK + (row << 5), v128.load(at + row * rowBytes));
        v128.store(BLOCK + (row << 5), v128.load(at + row * rowBytes, 16), 16);
      }
      quantiseBlock(fineness);
      for (let row: usize = 0; row < 8; row++) {
        v128.store(at + row * rowBytes, v128.load(BLOCK + (row << 5)));
        v128.store(at + row * rowBytes, v128.load(BLOCK + (row << 5), 16), 16);
      }
    }
  }
}

/**
 * Quality 40 at half the picture's size.
 * @param plane f32[height][stride] of width x height, the labelled luma
 * @param factor picture pixels per plane pixel
 */
export function compressHalf(
  plane: usize,
  width: i32,
  height: i32,
  stride: i32,
  factor: f32,
): void {
  if (factor >= 2) {
    memory.copy(planes.luma, plane, (<usize>(height * stride)) << 2);
    quantise(planes.luma, width, height, stride, factor / 2);
    return;
  }
  const w = width >> 1;
  const h = height >> 1;
  const quarter: f32 = 0.25;
  for (let y = 0; y < h; y++) {
    let at = plane + ((<usize>(2 * y * stride)) << 2);
    const below = (<usize>stride) << 2;
    let out = planes.workA + ((<usize>(y * w)) << 2);
    for (let x = 0; x < w; x++) {
      const upper = load<f32>(at) + load<f32>(at, 4);
      store<f32>(out, (upper + load<f32>(at + below) + load<f32>(at + below, 4)) * quarter);
      at += 8;
      out += 4;
    }
  }
  quantise(planes.workA, w, h, w, max<f32>(1, factor));
  growPicture(w, h);
}

/** Keeps the part width x height of the plane from (left, top). */
export function cut(plane: usize, stride: i32, left: i32, top: i32, width: i32, height: i32): void {
  for (let y = 0; y < height; y++) {
    const from = plane + ((<usize>((top + y) * stride + left)) << 2);
    memory.copy(planes.workA + ((<usize>(y * width)) << 2), from, (<usize>width) << 2);
  }
  growPicture(width, height);
}

/** Turns the plane by planes.TURN about its middle, in a frame grown to hold it, on white. */
export function turn(plane: usize, width: i32, height: i32, stride: i32): void {
  const c = Math.cos(planes.TURN);
  const s = Math.sin(planes.TURN);
  const frameWidth = planes.turnedSide(width, height);
  const frameHeight = planes.turnedSide(height, width);
  const scale = planes.canonicalScale(<i32>frameWidth, <i32>frameHeight);
  planes.setTurnedSize(width, height);
  for (let y = 0; y < planes.height; y++) {
    const u = 0.5 / scale - 0.5 * frameWidth;
    const v = (<f64>y + 0.5) / scale - 0.5 * frameHeight;
    const x = <f32>(c * u + s * v + 0.5 * <f64>width - 0.5);
    const at = <f32>(c * v - s * u + 0.5 * <f64>height - 0.5);
    const out = planes.luma + ((<usize>(y * planes.stride)) << 2);
    sampleRow(plane, width, height, stride, x, at, <f32>(c / scale), <f32>(-s / scale), out);
  }
}

/** Left and right neighbours of four places, side by side, of one row. */
function gather(row: usize, offsets: v128): v128 {
  const first = v128.load64_zero(row + <usize>i32x4.extract_lane(offsets, 0));
  return v128.load64_lane(row + <usize>i32x4.extract_lane(offsets, 1), first, 1);
}

function gatherLast(row: usize, offsets: v128): v128 {
  const third = v128.load64_zero(row + <usize>i32x4.extract_lane(offsets, 2));
  return v128.load64_lane(row + <usize>i32x4.extract_lane(offsets, 3), third, 1);
}

/** Samples a plane along a line, planes.stride places from (x, y) on: bilinear, white outside. */
function sampleRow(
  plane: usize,
  width: i32,
  height: i32,
  stride: i32,
  x: f32,
  y: f32,
  stepX: f32,
  stepY: f32,
  out: usize,
): void {
  const zero = i32x4.splat(0);
  const lastX = i32x4.splat(max<i32>(0, width - 2));
  const lastY = i32x4.splat(max<i32>(0, height - 2));
  const below: usize = (<usize>stride) << 2;
  const lanes = f32x4(0, 1, 2, 3);
  let px = f32x4.add(f32x4.splat(x), f32x4.mul(lanes, f32x4.splat(stepX)));
  let py = f32x4.add(f32x4.splat(y), f32x4.mul(lanes, f32x4.splat(stepY)));
  for (let n = 0; n < planes.stride; n += 4) {
    const i = i32x4.trunc_sat_f32x4_s(f32x4.floor(px));
    const j = i32x4.trunc_sat_f32x4_s(f32x4.floor(py));
    const column = i32x4.max_s(zero, i32x4.min_s(lastX, i));
    const row = i32x4.max_s(zero, i32x4.min_s(lastY, j));
    const inside = v128.and(i32x4.eq(column, i), i32x4.eq(row, j));
    const offsets = i32x4.shl(i32x4.add(i32x4.mul(row, i32x4.splat(stride)), column), 2);
    const upperA = gather(plane, offsets);
    const upperB = gatherLast(plane, offsets);
    const lowerA = gather(plane + below, offsets);
    const lowerB = gatherLast(plane + below, offsets);
    const p = f32x4.sub(px, f32x4.convert_i32x4_s(i));
    const q = f32x4.sub(py, f32x4.convert_i32x4_s(j));
    const upper = mix(upperA, upperB, p);
    const lower = mix(lowerA, lowerB, p);
    const value = f32x4.add(upper, f32x4.mul(f32x4.sub(lower, upper), q));
    v128.store(out, v128.bitselect(value, f32x4.splat(255), inside));
    out += 16;
    px = f32x4.add(px, f32x4.splat(4 * stepX));
    py = f32x4.add(py, f32x4.splat(4 * stepY));
  }
}

/** Between the left and the right neighbours of four places. */
function mix(a: v128, b: v128, share: v128): v128 {
  const left = v128.shuffle<f32>(a, b, 0, 2, 4, 6);
  const right = v128.shuffle<f32>(a, b, 1, 3, 5, 7);
  return f32x4.add(left, f32x4.mul(f32x4.sub(right, left), share));
}
