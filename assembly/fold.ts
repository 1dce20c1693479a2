// Folds a whitened plane onto one tile: all tiles add up. Straight for a frame in its own place, by an
// affine map for one that was cut, turned or squeezed.
import { TILE } from "./carriers";
import { take } from "./memory";

/** Floats a row of a tile plane; more than TILE, so that columns fall into different cache sets. */
export const TILE_STRIDE: i32 = TILE + 4;
/** f32[TILE][TILE_STRIDE]: the fold, then its spectrum's real and imaginary part. */
export const FOLD: usize = take(TILE * TILE_STRIDE * 4);
export const SPECTRUM_RE: usize = take(TILE * TILE_STRIDE * 4);
export const SPECTRUM_IM: usize = take(TILE * TILE_STRIDE * 4);

/** f32[QUARTERS][TILE][TILE_STRIDE]: the folds of the plane's four quarters, row by row. */
export const QUARTERS: i32 = 4;
const FOLD_BYTES: usize = (<usize>(TILE * TILE_STRIDE)) << 2;
const QUARTER: usize = take(<usize>QUARTERS * FOLD_BYTES);
/** Where addFold and addMapped add. */
let target: usize = FOLD;

/** Clears FOLD and lets what follows add to it. */
export function clearFold(): void {
  target = FOLD;
  memory.fill(FOLD, 0, FOLD_BYTES);
}

/** Clears the fold of one quarter and lets what follows add to it. */
export function clearQuarter(index: i32): void {
  target = QUARTER + <usize>index * FOLD_BYTES;
  memory.fill(target, 0, FOLD_BYTES);
}

/** Makes FOLD the sum of some quarters. @param members bit i for quarter i */
export function sumQuarters(members: i32): void {
  clearFold();
  for (let i = 0; i < QUARTERS; i++) {
    if (((members >> i) & 1) == 0) continue;
    const quarter = QUARTER + <usize>i * FOLD_BYTES;
    for (let at: usize = 0; at < FOLD_BYTES; at += 16) {
      v128.store(FOLD + at, f32x4.add(v128.load(FOLD + at), v128.load(quarter + at)));
    }
  }
}

/** Correlation of a quarter's fold with a tile plane f32[TILE][TILE_STRIDE]. */
export function correlateQuarter(index: i32, tile: usize): f32 {
  return dot(QUARTER + <usize>index * FOLD_BYTES, tile);
}

/** Energy of a quarter's fold. */
export function quarterEnergy(index: i32): f32 {
  const quarter = QUARTER + <usize>index * FOLD_BYTES;
  return dot(quarter, quarter);
}

function dot(a: usize, b: usize): f32 {
  let sum = f32x4.splat(0);
  for (let at: usize = 0; at < FOLD_BYTES; at += 16) {
    sum = f32x4.add(sum, f32x4.mul(v128.load(a + at), v128.load(b + at)));
  }
  const low = f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1);
  return low + f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3);
}

/**
 * Adds the plane's part left..right, top..bottom to the fold at hand; the tile's origin is the plane's.
 * @param white f32[][stride]
 * @param left a multiple of four
 */
export function addFold(
  white: usize,
  stride: i32,
  left: i32,
  top: i32,
  right: i32,
  bottom: i32,
): void {
  for (let y = top; y < bottom; y++) {
    const row = white + ((<usize>(y * stride)) << 2);
    const out = target + ((<usize>((y & (TILE - 1)) * TILE_STRIDE)) << 2);
    let x = left;
    for (; x + 4 <= right; x += 4) {
      const at = out + ((<usize>(x & (TILE - 1))) << 2);
      v128.store(at, f32x4.add(v128.load(at), v128.load(row + ((<usize>x) << 2))));
    }
    for (; x < right; x++) {
      const at = out + ((<usize>(x & (TILE - 1))) << 2);
      store<f32>(at, load<f32>(at) + load<f32>(row + ((<usize>x) << 2)));
    }
  }
}

function addAt(x: i32, y: i32, value: f32): void {
  const at = target + ((<usize>((y & (TILE - 1)) * TILE_STRIDE + (x & (TILE - 1)))) << 2);
  store<f32>(at, load<f32>(at) + value);
}

/**
 * Adds a part of the plane through an affine map, each pixel shared among the four nearest of the tile.
 * @param map f64[6] (a b c d e f): plane pixel centre (x, y) -> tile position (a x + b y + c, d x + e y + f)
 */
export function addMapped(
  white: usize,
  stride: i32,
  left: i32,
  top: i32,
  right: i32,
  bottom: i32,
  map: usize,
): void {
  const a = load<f64>(map);
  const b = load<f64>(map, 8);
  const c = load<f64>(map, 16);
  const d = load<f64>(map, 24);
  const e = load<f64>(map, 32);
  const f = load<f64>(map, 40);
  const period = <f64>(256 * TILE);
  for (let y = top; y < bottom; y++) {
    // Kept positive: the pattern repeats, and truncation then is the floor.
    let u = a * <f64>left + b * <f64>y + c;
    let v = d * <f64>left + e * <f64>y + f;
    u += period - Math.floor(u / period) * period;
    v += period - Math.floor(v / period) * period;
    let at = white + ((<usize>(y * stride + left)) << 2);
    for (let x = left; x < right; x++) {
      const value = load<f32>(at);
      at += 4;
      const i = <i32>u;
      const j = <i32>v;
      const p = <f32>(u - <f64>i);
      const q = <f32>(v - <f64>j) * value;
      const rest = value - q;
      addAt(i, j, rest - rest * p);
      addAt(i + 1, j, rest * p);
      addAt(i, j + 1, q - q * p);
      addAt(i + 1, j + 1, q * p);
      u += a;
      v += d;
    }
  }
}
