// The canonical scale and the planes that live there: f32, row-major, `stride` floats a row (a multiple
// of four; what lies behind the width is scratch). Planes are laid out behind the fixed buffers anew for
// each size, so the kernel's memory is that of the largest picture seen.
import { mark, rewind, take } from "./memory";

/** Short side of a canonical plane in canonical pixels; the long side is cut off by scale at LONG_SIDE. */
export const SHORT_SIDE: i32 = 512;
export const LONG_SIDE: i32 = 2048;

/** The plane under the reader: its luma, and the same whitened; both again at half scale. */
export let luma: usize = 0;
export let white: usize = 0;
export let halfLuma: usize = 0;
export let halfWhite: usize = 0;
/** Scratch of the size of a plane. */
export let workA: usize = 0;
export let workB: usize = 0;
/** The embedder's: luma of the unmarked picture, mask in grey levels, change in grey levels. */
export let original: usize = 0;
export let mask: usize = 0;
export let change: usize = 0;
/** Rows of the picture itself that the embedder compares (quality.ts). */
export let pictureRows: usize = 0;

export let width: i32 = 0;
export let height: i32 = 0;
export let stride: i32 = 0;
export let halfWidth: i32 = 0;
export let halfHeight: i32 = 0;
export let halfStride: i32 = 0;

let base: usize = 0;
/** Floats a plane holds, and its longest row. */
let capacity: i32 = 0;
let widest: i32 = 0;
let pictureBytes: usize = 0;

/** Canonical pixels per picture pixel. */
export function canonicalScale(pictureWidth: i32, pictureHeight: i32): f64 {
  const short = <f64>min<i32>(pictureWidth, pictureHeight);
  const long = <f64>max<i32>(pictureWidth, pictureHeight);
  return Math.min(<f64>SHORT_SIDE / short, <f64>LONG_SIDE / long);
}

export function canonicalLength(pictureLength: i32, scale: f64): i32 {
  return max<i32>(1, <i32>Math.round(<f64>pictureLength * scale));
}

/** Sets the size of the plane under the reader, within what was reserved. */
export function setSize(newWidth: i32, newHeight: i32): void {
  width = newWidth;
  height = newHeight;
  stride = (newWidth + 3) & ~3;
  halfWidth = max<i32>(1, newWidth >> 1);
  halfHeight = max<i32>(1, newHeight >> 1);
  halfStride = (halfWidth + 3) & ~3;
}

/** Rows that a scratch plane has beyond both ends, for filters to run over. */
export const MARGIN_ROWS: i32 = 8;
/** Angle by which the embedder's check turns its plane. */
export const TURN: f64 = (10 * Math.PI) / 180;

/** Side of the frame that holds a plane turned by TURN: the one along `along`. */
export function turnedSide(along: i32, across: i32): f64 {
  return <f64>along * Math.cos(TURN) + <f64>across * Math.sin(TURN);
}

/** Sets the size to that of the plane turned by TURN, at its own canonical scale. */
export function setTurnedSize(ownWidth: i32, ownHeight: i32): void {
  const frameWidth = <i32>turnedSide(ownWidth, ownHeight);
  const frameHeight = <i32>turnedSide(ownHeight, ownWidth);
  const scale = canonicalScale(frameWidth, frameHeight);
  setSize(canonicalLength(frameWidth, scale), canonicalLength(frameHeight, scale));
}

/**
 * Lays out planes for a canonical size.
 * @param rowsBytes what the embedder wants at pictureRows; 0 for reading only
 * @returns false when the host refuses the memory
 */
export function reservePlanes(newWidth: i32, newHeight: i32, rowsBytes: usize): bool {
  const embedding = rowsBytes > 0;
  let floats = 0;
  let longestRow = 0;
  if (embedding) {
    setTurnedSize(newWidth, newHeight);
    floats = stride * height;
    longestRow = stride;
  }
  setSize(newWidth, newHeight);
  floats = max<i32>(floats, stride * height);
  longestRow = max<i32>(longestRow, stride);
  if (floats <= capacity && longestRow <= widest && rowsBytes <= pictureBytes) return true;
  if (base == 0) base = mark();
  rewind(base);
  // Other simulated attacks round to at most a row and a column more than the picture's own plane.
  const plane = ((<usize>(floats + 4 * (longestRow + LONG_SIDE))) << 2) + 64;
  const scratch = plane + ((<usize>(longestRow * 2 * MARGIN_ROWS)) << 2);
  const half = (plane >> 2) + ((<usize>(2 * LONG_SIDE)) << 2);
  const at = take(2 * plane + 2 * scratch + 2 * half + (embedding ? 3 * plane + rowsBytes : 0));
  if (at == 0) {
    capacity = 0;
    return false;
  }
  luma = at;
  white = luma + plane;
  workA = white + plane;
  workB = workA + scratch;
  halfLuma = workB + scratch;
  halfWhite = halfLuma + half;
  original = halfWhite + half;
  mask = original + plane;
  change = mask + plane;
  pictureRows = change + plane;
  capacity = floats;
  widest = longestRow;
  pictureBytes = rowsBytes;
  return true;
}

/** Clears what lies between the width and the stride of the luma plane, so that no count sees old pictures. */
export function clearPadding(): void {
  for (let y = 0; y < height; y++) {
    for (let x = width; x < stride; x++) store<f32>(luma + ((<usize>(y * stride + x)) << 2), 0);
  }
}

/** Difference between the lightest and the darkest pixel of the plane under the reader, grey levels. */
export function lumaRange(): f32 {
  let least = f32x4.splat(255);
  let most = f32x4.splat(0);
  for (let y = 0; y < height; y++) {
    const row = luma + ((<usize>(y * stride)) << 2);
    // The last group overlaps the one before, so that the padding stays out of it.
    for (let x = 0; x < width; x += 4) {
      const value = v128.load(row + ((<usize>max<i32>(0, min<i32>(x, width - 4))) << 2));
      least = f32x4.min(least, value);
      most = f32x4.max(most, value);
    }
  }
  return largest(most) + largest(f32x4.neg(least));
}

function largest(values: v128): f32 {
  const a = max<f32>(f32x4.extract_lane(values, 0), f32x4.extract_lane(values, 1));
  return max<f32>(a, max<f32>(f32x4.extract_lane(values, 2), f32x4.extract_lane(values, 3)));
}
