// The bins of a fold: its spectrum, divided by the noise in it. docs/format.md, "Reading".
import { BINS, binX, binY, HIGHEST, TILE } from "./carriers";
import { fft2d } from "./fft";
import { FOLD, SPECTRUM_IM, SPECTRUM_RE, TILE_STRIDE } from "./fold";
import { take } from "./memory";

/** Radii over which the noise is averaged: the band and what its smoothing reaches. */
const RADII: i32 = 40;
const RADIAL: usize = take(RADII * 8);
/** u8[RADII][2 RADII]: whole radius of (x, y), y >= 0; i32[RADII]: how many of each there are. */
const RADIUS: usize = take(RADII * 2 * RADII);
const RADIUS_COUNT: usize = take(RADII * 4);
const NOISE_SPAN: i32 = 2 * HIGHEST + 1;
const NOISE_REACH = 4;
/** f32[HIGHEST + 1][NOISE_SPAN]: 1 / sqrt(noise power) of ky 0.., kx -HIGHEST..; and the row sums. */
export const NOISE: usize = take((HIGHEST + 1) * NOISE_SPAN * 4);
const ROW_SUMS: usize = take((HIGHEST + 1 + 2 * NOISE_REACH) * NOISE_SPAN * 4);
/** f32[BINS][2]: bins over the noise, in the label's own orientation. */
export const BIN_VALUE: usize = take(BINS * 8);

/** Byte offset of the bin (x, y), any sign, in a tile plane. */
export function tileAt(x: i32, y: i32): usize {
  return (<usize>((y & (TILE - 1)) * TILE_STRIDE + (x & (TILE - 1)))) << 2;
}

/** Byte offset of the bin (x, y), y >= 0, in NOISE. */
export function noiseAt(x: i32, y: i32): usize {
  return (<usize>(y * NOISE_SPAN + x + HIGHEST)) << 2;
}

/** Transforms FOLD into SPECTRUM_RE, SPECTRUM_IM; FOLD is then the power. */
export function transformFold(): void {
  const bytes: usize = TILE * TILE_STRIDE * 4;
  memory.copy(SPECTRUM_RE, FOLD, bytes);
  memory.fill(SPECTRUM_IM, 0, bytes);
  fft2d(SPECTRUM_RE, SPECTRUM_IM, TILE_STRIDE * 4, TILE, false);
  for (let at: usize = 0; at < bytes; at += 16) {
    const re = v128.load(SPECTRUM_RE + at);
    const im = v128.load(SPECTRUM_IM + at);
    v128.store(FOLD + at, f32x4.add(f32x4.mul(re, re), f32x4.mul(im, im)));
  }
}

function radiusAt(x: i32, y: i32): usize {
  return <usize>(y * (2 * RADII) + x + RADII);
}

for (let y = 0; y < RADII; y++) {
  for (let x = 1 - RADII; x < RADII; x++) {
    const radius = <i32>Math.sqrt(<f64>(x * x + y * y));
    store<u8>(RADIUS + radiusAt(x, y), <u8>radius);
    if (radius >= RADII) continue;
    const at = RADIUS_COUNT + ((<usize>radius) << 2);
    store<i32>(at, load<i32>(at) + 1);
  }
}

/** Mean power by whole radius, smoothed over five, into the first half of RADIAL. */
function measureRadial(): void {
  const sums = RADIAL + RADII * 4;
  memory.fill(RADIAL, 0, RADII * 8);
  for (let y = 0; y < RADII; y++) {
    for (let x = 1 - RADII; x < RADII; x++) {
      const radius = <usize>load<u8>(RADIUS + radiusAt(x, y));
      if (radius >= <usize>RADII) continue;
      const at = sums + (radius << 2);
      store<f32>(at, load<f32>(at) + load<f32>(FOLD + tileAt(x, y)));
    }
  }
  for (let radius: usize = 0; radius < <usize>RADII; radius++) {
    const at = sums + (radius << 2);
    store<f32>(at, load<f32>(at) / <f32>load<i32>(RADIUS_COUNT + (radius << 2)));
  }
  for (let radius = 0; radius < RADII; radius++) {
    let sum: f32 = 0;
    for (let d = -2; d <= 2; d++) {
      const at = max<i32>(0, min<i32>(RADII - 1, radius + d));
      sum += load<f32>(sums + ((<usize>at) << 2));
    }
    store<f32>(RADIAL + ((<usize>radius) << 2), sum / 5);
  }
}

/**
 * Noise power per bin, half radial and half from its 9 x 9 neighbourhood (which takes out the directions
 * of strong lines), kept as 1 / sqrt.
 */
export function measureNoise(): void {
  measureRadial();
  for (let y = -NOISE_REACH; y <= HIGHEST + NOISE_REACH; y++) {
    for (let x = -HIGHEST; x <= HIGHEST; x++) {
      let sum: f32 = 0;
      for (let d = -NOISE_REACH; d <= NOISE_REACH; d++) sum += load<f32>(FOLD + tileAt(x + d, y));
      store<f32>(ROW_SUMS + noiseAt(x, y + NOISE_REACH), sum);
    }
  }
  for (let y = 0; y <= HIGHEST; y++) {
    for (let x = -HIGHEST; x <= HIGHEST; x++) {
      let sum: f32 = 0;
      for (let d = 0; d <= 2 * NOISE_REACH; d++) sum += load<f32>(ROW_SUMS + noiseAt(x, y + d));
      const radius = min<i32>(RADII - 1, <i32>load<u8>(RADIUS + radiusAt(x, y)));
      const power = <f32>0.5 * (sum / 81 + load<f32>(RADIAL + ((<usize>radius) << 2)));
      store<f32>(NOISE + noiseAt(x, y), 1 / Mathf.sqrt(power + <f32>1e-6));
    }
  }
}

/**
 * Takes the bins, divided by the noise, out of the spectrum in one of the eight orientations.
 * @param orientation bit 0: mirrored left to right; bits 1, 2: quarter turns. A plane pixel u then shows
 *   the tile at turn(mirror(u)) + shift
 */
export function takeBins(orientation: i32): void {
  for (let bin = 0; bin < BINS; bin++) {
    let x = binX(bin);
    let y = binY(bin);
    for (let turn = orientation >> 1; turn > 0; turn--) {
      const swap = x;
      x = y;
      y = -swap;
    }
    if (orientation & 1) x = -x;
    const noise = y > 0 || (y == 0 && x > 0) ? noiseAt(x, y) : noiseAt(-x, -y);
    const scale = load<f32>(NOISE + noise);
    const at = tileAt(x, y);
    store<f32>(BIN_VALUE + ((<usize>bin) << 3), load<f32>(SPECTRUM_RE + at) * scale);
    store<f32>(BIN_VALUE + ((<usize>bin) << 3), load<f32>(SPECTRUM_IM + at) * scale, 4);
  }
}
