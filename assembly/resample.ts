// Pictures come in rows, from the top, and leave as the canonical luma plane: by area when they shrink
// (streaming: only one row of sums is held), by Catmull-Rom cubic when they grow (Keys 1981, a = -1/2).
// The scale is exactly the same both ways; a plane pixel x covers picture pixels x/scale..(x+1)/scale.
import { lumaOfGrey, lumaOfRgba } from "./luma";
import { take } from "./memory";
import * as planes from "./planes";
import { MAX_SIDE, ringSize } from "./quality";

/** Pixels per strip handed over by the host. */
export const STRIP_PIXELS: i32 = 4 * MAX_SIDE;
/** u8[STRIP_PIXELS][4], what the host fills before pushRows (RGBA, or grey in the first quarter). */
export const STRIP: usize = take(STRIP_PIXELS * 4 + 64);

const ROW: usize = take(MAX_SIDE * 4 + 64);
const SUMS: usize = take(MAX_SIDE * 4 + 128) + 64;
/** Per output column: i32 first source column, i32 count, f32 weight of the first and of the last. */
const SPANS: usize = take(planes.LONG_SIDE * 16);
/** Per output column: its cubic taps. */
const TAPS: usize = take((planes.LONG_SIDE + 4) * 32);

let sourceWidth: i32 = 0;
let sourceHeight: i32 = 0;
let sourceRow: i32 = 0;
let planeRow: i32 = 0;
/** Source pixels per plane pixel. */
let factor: f64 = 1;
let summed: f64 = 0;

function weightsOfSpans(): void {
  for (let x = 0; x < planes.width; x++) {
    const low = Math.min(<f64>x * factor, <f64>sourceWidth - 1);
    const high = Math.min(Math.max(<f64>(x + 1) * factor, low + 1e-3), <f64>sourceWidth);
    const first = <i32>Math.floor(low);
    const last = max<i32>(first, <i32>Math.ceil(high) - 1);
    const at = SPANS + ((<usize>x) << 4);
    const area = high - low;
    store<i32>(at, first);
    store<i32>(at, last - first - 1, 4);
    store<f32>(at, <f32>((last == first ? area : <f64>(first + 1) - low) / area), 8);
    store<f32>(at, <f32>((last == first ? 0 : high - <f64>last) / area), 12);
  }
}

function cubic(distance: f64): f64 {
  const x = Math.abs(distance);
  if (x >= 2) return 0;
  return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : ((-0.5 * x + 2.5) * x - 4) * x + 2;
}

/** Floats that a row has beyond both ends for growRow, repeated from them. */
export const ROW_MARGIN: usize = 4;
/** Bytes of one column's entry: i32 first tap, maybe -1 or beyond the end; f32[4] weights at 16. */
export const TAP_BYTES: usize = 32;

/** The four cubic taps around a position. */
export function tapsAt(position: f64, at: usize): void {
  const centre = position - 0.5;
  const first = <i32>Math.floor(centre) - 1;
  store<i32>(at, first);
  for (let k = 0; k < 4; k++) {
    store<f32>(at + ((<usize>k) << 2), <f32>cubic(centre - <f64>(first + k)), 16);
  }
}

/** Index of tap k of an entry, clamped to 0..length-1. */
export function tapIndex(at: usize, k: i32, length: i32): i32 {
  return max<i32>(0, min<i32>(length - 1, load<i32>(at) + k));
}

function weighted(row: usize, at: usize): v128 {
  return f32x4.mul(v128.load(row + ((<usize>load<i32>(at)) << 2)), v128.load(at, 16));
}

/**
 * Grows a row by its columns' cubic taps, in groups of four.
 * @param row f32[length], with ROW_MARGIN floats of room beyond both ends
 * @param columns entries of TAP_BYTES, a multiple of four of them
 * @param out f32[count]
 */
export function growRow(row: usize, length: i32, columns: usize, out: usize, count: i32): void {
  const end = row + ((<usize>length) << 2);
  for (let i: usize = 4; i <= ROW_MARGIN * 4; i += 4) {
    store<f32>(row - i, load<f32>(row));
    store<f32>(end + i - 4, load<f32>(end - 4));
  }
  for (let x = 0; x < count; x += 4) {
    const a = weighted(row, columns);
    const b = weighted(row, columns + TAP_BYTES);
    const c = weighted(row, columns + 2 * TAP_BYTES);
    const d = weighted(row, columns + 3 * TAP_BYTES);
    const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
    const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
    const low = v128.shuffle<f32>(ab, cd, 0, 1, 4, 5);
    v128.store(out, f32x4.add(low, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7)));
    columns += 4 * TAP_BYTES;
    out += 16;
  }
}

/**
 * Starts a picture: lays out the planes and the weights.
 * @returns false when memory is refused
 */
export function beginPicture(width: i32, height: i32, embedding: bool): bool {
  const scale = planes.canonicalScale(width, height);
  const planeWidth = planes.canonicalLength(width, scale);
  const planeHeight = planes.canonicalLength(height, scale);
  const rowsBytes = embedding ? ringSize(width) : 0;
  if (!planes.reservePlanes(planeWidth, planeHeight, rowsBytes)) return false;
  sourceWidth = width;
  sourceHeight = height;
  sourceRow = 0;
  planeRow = 0;
  factor = 1 / scale;
  summed = 0;
  if (factor > 1) {
    weightsOfSpans();
    memory.fill(SUMS, 0, ((<usize>width) << 2) + 16);
  }
  return true;
}

/** Adds weight x row to SUMS. */
function addRow(row: usize, weight: f32): void {
  const w = f32x4.splat(weight);
  const bytes = (<usize>sourceWidth) << 2;
  for (let at: usize = 0; at < bytes; at += 16) {
    const sum = v128.load(SUMS + at);
    v128.store(SUMS + at, f32x4.add(sum, f32x4.mul(v128.load(row + at), w)));
  }
}

/** Shrinks SUMS into the next plane row and clears it. */
function flushRow(): void {
  const scale = <f32>(1 / summed);
  const out = planes.luma + ((<usize>(planeRow * planes.stride)) << 2);
  for (let x: usize = 0; x < <usize>planes.width; x++) {
    const span = SPANS + (x << 4);
    let at = SUMS + ((<usize>load<i32>(span)) << 2);
    let sum = load<f32>(at) * load<f32>(span, 8);
    const inside = load<i32>(span, 4);
    let middle: f32 = 0;
    for (let i = 0; i < inside; i++) {
      at += 4;
      middle += load<f32>(at);
    }
    sum += middle * <f32>(1 / factor) + load<f32>(at, 4) * load<f32>(span, 12);
    store<f32>(out + (x << 2), sum * scale);
  }
  memory.fill(SUMS, 0, ((<usize>sourceWidth) << 2) + 16);
  planeRow++;
  summed = 0;
}

/** Takes the row in ROW: into the sums, or into the buffer of a picture that will grow. */
function takeRow(): void {
  const y = sourceRow++;
  if (factor <= 1) {
    const at = planes.workA + ((<usize>(y * sourceWidth)) << 2);
    memory.copy(at, ROW, (<usize>sourceWidth) << 2);
    return;
  }
  if (planeRow >= planes.height) return;
  const boundary = <f64>(planeRow + 1) * factor;
  const inside = Math.min(1, boundary - <f64>y);
  if (inside > 0) {
    addRow(ROW, <f32>inside);
    summed += inside;
  }
  const last = y == sourceHeight - 1;
  if (<f64>(y + 1) < boundary && !last) return;
  flushRow();
  if (planeRow >= planes.height) return;
  const rest = <f64>(y + 1) - boundary;
  if (rest > 0) {
    addRow(ROW, <f32>rest);
    summed = rest;
  }
  if (last && summed > 0) flushRow();
}

/** Takes the next rows of RGBA pixels from STRIP. */
export function pushRgba(rows: i32): void {
  for (let i = 0; i < rows; i++) {
    lumaOfRgba(STRIP + ((<usize>(i * sourceWidth)) << 2), ROW, sourceWidth);
    takeRow();
  }
}

/** Takes the next rows of grey pixels from STRIP. */
export function pushGrey(rows: i32): void {
  for (let i = 0; i < rows; i++) {
    lumaOfGrey(STRIP + <usize>(i * sourceWidth), ROW, sourceWidth);
    takeRow();
  }
}

/** Finishes the plane: grows the buffered picture into it, if it was the smaller. */
export function endPicture(): void {
  if (factor <= 1) growRows();
  planes.clearPadding();
}

/** Takes a picture that lies in workA, f32[height][width], no larger than the plane it came from. */
export function growPicture(width: i32, height: i32): void {
  const scale = planes.canonicalScale(width, height);
  planes.setSize(planes.canonicalLength(width, scale), planes.canonicalLength(height, scale));
  sourceWidth = width;
  sourceHeight = height;
  factor = 1 / scale;
  growRows();
}

function growRows(): void {
  for (let x = 0; x < planes.width; x++) {
    tapsAt((<f64>x + 0.5) * factor, TAPS + <usize>x * TAP_BYTES);
  }
  const entry = SPANS;
  for (let y = 0; y < planes.height; y++) {
    tapsAt((<f64>y + 0.5) * factor, entry);
    memory.fill(SUMS, 0, ((<usize>sourceWidth) << 2) + 16);
    for (let k = 0; k < 4; k++) {
      const row = planes.workA + ((<usize>(tapIndex(entry, k, sourceHeight) * sourceWidth)) << 2);
      addRow(row, load<f32>(entry + ((<usize>k) << 2), 16));
    }
    const out = planes.luma + ((<usize>(y * planes.stride)) << 2);
    growRow(SUMS, sourceWidth, TAPS, out, planes.width);
  }
}
