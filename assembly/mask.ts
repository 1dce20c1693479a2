// How many grey levels each canonical pixel may move at strength 1: local activity, kept off the flat
// side of edges, where the eye would see it.

import * as planes from "./planes";
import { extendLine, extendRows, LINE, SUM_9, SUM_11, smooth9, smooth11 } from "./smooth";

/** Grey levels in flat areas, per grey level of activity, and at most. */
export const FLAT: f32 = 1.6;
const SLOPE: f32 = 0.36;
const MOST: f32 = 9.0;
/** Activity at which masking has saturated to half its slope: Weber-like, in grey levels. */
const SATURATION: f32 = 60;
/** The quietest neighbour within ERODE pixels bounds the activity, times GENTLE, plus a little. */
const ERODE: usize = 2;
const GENTLE: f32 = 1.5;
const GENTLE_FLOOR: f32 = 0.3;
/** Luma from which a canonical pixel counts as pure white, which must not move. */
const WHITE: f32 = 254.9;

/** Smooths a plane in place with the 9-tap filter, both ways, through workA. */
function smoothPlane(plane: usize, width: i32, height: i32, rowBytes: usize): void {
  const rows = planes.workA + <usize>planes.MARGIN_ROWS * rowBytes;
  const scale = f32x4.splat(1 / SUM_9);
  for (let y: usize = 0; y < <usize>height; y++) {
    memory.copy(LINE, plane + y * rowBytes, (<usize>width) << 2);
    extendLine(width);
    for (let at: usize = 0; at < rowBytes; at += 16) {
      v128.store(rows + y * rowBytes + at, f32x4.mul(smooth9(LINE + at, 4), scale));
    }
  }
  extendRows(rows, height, rowBytes);
  for (let at: usize = 0; at < <usize>height * rowBytes; at += 16) {
    v128.store(plane + at, f32x4.mul(smooth9(rows + at, rowBytes), scale));
  }
}

/** Local deviation about the smoothed plane, into `activity`. */
function measureActivity(luma: usize, activity: usize, bytes: usize): void {
  memory.copy(activity, luma, bytes);
  const rowBytes = (<usize>planes.stride) << 2;
  smoothPlane(activity, planes.width, planes.height, rowBytes);
  for (let at: usize = 0; at < bytes; at += 16) {
    const high = f32x4.sub(v128.load(luma + at), v128.load(activity + at));
    v128.store(activity + at, f32x4.mul(high, high));
  }
  const rows = planes.workA + <usize>planes.MARGIN_ROWS * rowBytes;
  const scale = f32x4.splat(1 / SUM_11);
  for (let y: usize = 0; y < <usize>planes.height; y++) {
    memory.copy(LINE, activity + y * rowBytes, (<usize>planes.width) << 2);
    extendLine(planes.width);
    for (let at: usize = 0; at < rowBytes; at += 16) {
      v128.store(rows + y * rowBytes + at, f32x4.mul(smooth11(LINE + at, 4), scale));
    }
  }
  extendRows(rows, planes.height, rowBytes);
  for (let at: usize = 0; at < bytes; at += 16) {
    const power = f32x4.mul(smooth11(rows + at, rowBytes), scale);
    v128.store(activity + at, f32x4.sqrt(f32x4.max(power, f32x4.splat(0))));
  }
}

/** Minimum over (2 ERODE + 1)^2, from `activity` into `quiet`, through workA. */
function erode(activity: usize, quiet: usize): void {
  const rowBytes = (<usize>planes.stride) << 2;
  const rows = planes.workA + <usize>planes.MARGIN_ROWS * rowBytes;
  for (let y: usize = 0; y < <usize>planes.height; y++) {
    memory.copy(LINE, activity + y * rowBytes, (<usize>planes.width) << 2);
    extendLine(planes.width);
    for (let at: usize = 0; at < rowBytes; at += 16) {
      let least = v128.load(LINE + at);
      for (let d: usize = 4; d <= 4 * ERODE; d += 4) {
        least = f32x4.min(least, f32x4.min(v128.load(LINE + at - d), v128.load(LINE + at + d)));
      }
      v128.store(rows + y * rowBytes + at, least);
    }
  }
  extendRows(rows, planes.height, rowBytes);
  for (let at: usize = 0; at < <usize>planes.height * rowBytes; at += 16) {
    let least = v128.load(rows + at);
    for (let d: usize = rowBytes; d <= ERODE * rowBytes; d += rowBytes) {
      least = f32x4.min(least, f32x4.min(v128.load(rows + at - d), v128.load(rows + at + d)));
    }
    v128.store(quiet + at, least);
  }
}

/**
 * Fills planes.mask for a luma plane of the current size.
 * @param luma f32[height][stride], grey levels
 */
export function measureMask(luma: usize): void {
  const bytes = (<usize>(planes.height * planes.stride)) << 2;
  const activity = planes.mask;
  const quiet = planes.change;
  measureActivity(luma, activity, bytes);
  erode(activity, quiet);
  smoothPlane(quiet, planes.width, planes.height, (<usize>planes.stride) << 2);
  for (let at: usize = 0; at < bytes; at += 16) {
    const gentle = f32x4.add(
      f32x4.mul(v128.load(quiet + at), f32x4.splat(GENTLE)),
      f32x4.splat(GENTLE_FLOOR),
    );
    const a = f32x4.min(v128.load(activity + at), gentle);
    const masked = f32x4.div(
      f32x4.mul(a, f32x4.splat(SLOPE)),
      f32x4.add(f32x4.mul(a, f32x4.splat(1 / SATURATION)), f32x4.splat(1)),
    );
    const level = f32x4.min(f32x4.add(masked, f32x4.splat(FLAT)), f32x4.splat(MOST));
    const white = f32x4.ge(v128.load(luma + at), f32x4.splat(WHITE));
    v128.store(planes.mask + at, v128.andnot(level, white));
  }
}
