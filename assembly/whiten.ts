// Removes the picture and keeps the pattern: band-pass, divide by the local deviation, clip.
// docs/format.md, "Reading". The same filter serves the full and the half scale.

import * as planes from "./planes";
import {
  BOX_REACH,
  boxAlong,
  extendLine,
  extendRows,
  LINE,
  SUM_9,
  SUM_BOX,
  smooth9,
} from "./smooth";

/** Grey levels of deviation that count as noise even where the picture is flat. */
const FLOOR: f32 = 0.5;
/** Largest whitened value: lines and edges must not drown the pattern. */
const CLIP: f32 = 2.0;

/** Smooths every row of `from` into the scratch plane `to`. */
function smoothRows(from: usize, to: usize, width: i32, height: i32, rowBytes: usize): void {
  for (let y: usize = 0; y < <usize>height; y++) {
    memory.copy(LINE, from + y * rowBytes, (<usize>width) << 2);
    extendLine(width);
    for (let at: usize = 0; at < rowBytes; at += 16) {
      v128.store(to + y * rowBytes + at, smooth9(LINE + at, 4));
    }
  }
}

/** What is left of a row after its low-pass, into `white`; its squares, summed along the row, into `power`. */
function highPassRow(
  luma: usize,
  low: usize,
  white: usize,
  power: usize,
  width: i32,
  rowBytes: usize,
): void {
  const scale = f32x4.splat(1 / (SUM_9 * SUM_9));
  for (let at: usize = 0; at < rowBytes; at += 16) {
    const smooth = f32x4.mul(smooth9(low + at, rowBytes), scale);
    const high = f32x4.sub(v128.load(luma + at), smooth);
    v128.store(white + at, high);
    v128.store(LINE + at, f32x4.mul(high, high));
  }
  extendLine(width);
  for (let at: usize = 0; at < rowBytes; at += 16) v128.store(power + at, boxAlong(LINE + at));
}

/** Divides the rows of `white` by the local deviation, the root of `power` summed down the columns. */
function divideRows(white: usize, power: usize, height: i32, rowBytes: usize): void {
  const scale = f32x4.splat(1 / (SUM_BOX * SUM_BOX));
  const floor = f32x4.splat(FLOOR);
  const top = f32x4.splat(CLIP);
  const bottom = f32x4.splat(-CLIP);
  const reach = <usize>BOX_REACH * rowBytes;
  memory.fill(LINE, 0, rowBytes);
  for (let row = power - reach; row < power + reach; row += rowBytes) {
    for (let at: usize = 0; at < rowBytes; at += 16) {
      v128.store(LINE + at, f32x4.add(v128.load(LINE + at), v128.load(row + at)));
    }
  }
  for (let y = 0; y < height; y++) {
    for (let at: usize = 0; at < rowBytes; at += 16) {
      const sum = f32x4.add(v128.load(LINE + at), v128.load(power + reach + at));
      v128.store(LINE + at, f32x4.sub(sum, v128.load(power - reach + at)));
      // The running sum may fall short of zero by its rounding.
      const deviation = f32x4.sqrt(f32x4.mul(f32x4.max(sum, f32x4.splat(0)), scale));
      const value = f32x4.div(v128.load(white + at), f32x4.add(deviation, floor));
      v128.store(white + at, f32x4.max(bottom, f32x4.min(top, value)));
    }
    white += rowBytes;
    power += rowBytes;
  }
}

/**
 * @param luma f32[height][stride], grey levels
 * @param white out, the same shape, within -CLIP..CLIP
 */
export function whiten(luma: usize, white: usize, width: i32, height: i32, stride: i32): void {
  const rowBytes = (<usize>stride) << 2;
  const low = planes.workA + <usize>planes.MARGIN_ROWS * rowBytes;
  const power = planes.workB + <usize>planes.MARGIN_ROWS * rowBytes;
  smoothRows(luma, low, width, height, rowBytes);
  extendRows(low, height, rowBytes);
  for (let y: usize = 0; y < <usize>height; y++) {
    const row = y * rowBytes;
    highPassRow(luma + row, low + row, white + row, power + row, width, rowBytes);
  }
  extendRows(power, height, rowBytes);
  divideRows(white, power, height, rowBytes);
}

/** Whitens the plane under the reader. */
export function whitenPlane(): void {
  whiten(planes.luma, planes.white, planes.width, planes.height, planes.stride);
}

/** Averages the plane under the reader 2 x 2 and whitens the result. */
export function whitenHalfPlane(): void {
  const rowBytes = (<usize>planes.stride) << 2;
  const quarter = f32x4.splat(0.25);
  for (let y: usize = 0; y < <usize>planes.halfHeight; y++) {
    let above = planes.luma + 2 * y * rowBytes;
    let below = 2 * <i32>y + 1 < planes.height ? above + rowBytes : above;
    let out = planes.halfLuma + ((y * <usize>planes.halfStride) << 2);
    for (let x = 0; x < planes.halfWidth; x += 4) {
      const left = f32x4.add(v128.load(above), v128.load(below));
      const right = f32x4.add(v128.load(above, 16), v128.load(below, 16));
      const even = v128.shuffle<f32>(left, right, 0, 2, 4, 6);
      const odd = v128.shuffle<f32>(left, right, 1, 3, 5, 7);
      v128.store(out, f32x4.mul(f32x4.add(even, odd), quarter));
      above += 32;
      below += 32;
      out += 16;
    }
  }
  whiten(planes.halfLuma, planes.halfWhite, planes.halfWidth, planes.halfHeight, planes.halfStride);
}
