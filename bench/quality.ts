// What a label cost the picture, by reference code that shares nothing with the kernel: PSNR over the
// three colours of all pixels; SSIM of luma (Wang, Bovik, Sheikh, Simoncelli 2004: 11 x 11 Gaussian of
// sigma 1.5, K1 0.01, K2 0.03, only where the window fits); and the pixels that must not move at all.

import type { Image } from "../sdk/engine.ts";

/** Counts of pixels that changed although they must not. */
export interface Touched {
  /** Pure white pixels (255, 255, 255) whose colour changed. */
  readonly white: number;
  /** Pixels whose alpha changed. */
  readonly alpha: number;
  /** Fully transparent pixels whose colour changed. */
  readonly clear: number;
}

const SPAN = 11;
const C1 = (0.01 * 255) ** 2;
const C2 = (0.03 * 255) ** 2;
const WINDOW = gaussianWindow(1.5);
// Maps that SSIM smooths: x, y, x^2, y^2, x y.
const MAPS = 5;

/** Peak signal-to-noise ratio, dB; Infinity for equal pictures. */
export function psnr(before: Image, after: Image): number {
  let squares = 0;
  for (let i = 0; i < before.data.length; i += 4) {
    for (let channel = i; channel < i + 3; channel++) {
      const difference = after.data[channel] - before.data[channel];
      squares += difference * difference;
    }
  }
  return 10 * Math.log10((255 ** 2 * 3 * before.width * before.height) / squares);
}

/** Mean structural similarity of two pictures of one size (sides of 11 or more), 0..1. */
export function ssim(before: Image, after: Image): number {
  const { width, height } = before;
  const columns = width - SPAN + 1;
  const sums = Array.from({ length: MAPS }, () => new Float64Array(columns));
  const ring = Array.from({ length: SPAN }, () => smoothedRow(columns));
  const scratch = Array.from({ length: MAPS }, () => new Float32Array(width));
  let total = 0;
  for (let y = 0; y < height; y++) {
    multiplyRow(before, after, y, scratch);
    const newest = ring[y % SPAN];
    for (let map = 0; map < MAPS; map++) smoothRow(scratch[map], newest[map]);
    if (y < SPAN - 1) continue;
    for (const sum of sums) sum.fill(0);
    for (let tap = 0; tap < SPAN; tap++) {
      const row = ring[(y + 1 + tap) % SPAN];
      for (let map = 0; map < MAPS; map++) addScaled(sums[map], row[map], WINDOW[tap]);
    }
    total += similarityOfRow(sums);
  }
  return total / (columns * (height - SPAN + 1));
}

/** Counts the pixels that a label must leave alone and did not. */
export function countTouched(before: Image, after: Image): Touched {
  const [a, b] = [before.data, after.data];
  let [white, alpha, clear] = [0, 0, 0];
  for (let i = 0; i < a.length; i += 4) {
    if (a[i + 3] !== b[i + 3]) alpha++;
    if (a[i] === b[i] && a[i + 1] === b[i + 1] && a[i + 2] === b[i + 2]) continue;
    if (a[i] === 255 && a[i + 1] === 255 && a[i + 2] === 255) white++;
    if (a[i + 3] === 0) clear++;
  }
  return { white, alpha, clear };
}

function smoothedRow(columns: number): Float32Array[] {
  return Array.from({ length: MAPS }, () => new Float32Array(columns));
}

// Luma as BT.601 weighs it, of the picture put on white.
function lumaAt(data: Image["data"], at: number): number {
  const luma = 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
  const alpha = data[at + 3];
  return alpha === 255 ? luma : 255 + ((luma - 255) * alpha) / 255;
}

function multiplyRow(before: Image, after: Image, y: number, rows: Float32Array[]): void {
  const [xs, ys, xx, yy, xy] = rows;
  for (let column = 0, at = y * before.width * 4; column < before.width; column++, at += 4) {
    // Centred on mid grey: the variances are differences of squares, and 32 bits then are enough.
    const x = lumaAt(before.data, at) - 128;
    const z = lumaAt(after.data, at) - 128;
    xs[column] = x;
    ys[column] = z;
    xx[column] = x * x;
    yy[column] = z * z;
    xy[column] = x * z;
  }
}

function smoothRow(row: Float32Array, out: Float32Array): void {
  const [a, b, c, d, e, f] = WINDOW;
  for (let i = 0; i < out.length; i++) {
    out[i] =
      a * (row[i] + row[i + 10]) +
      b * (row[i + 1] + row[i + 9]) +
      c * (row[i + 2] + row[i + 8]) +
      d * (row[i + 3] + row[i + 7]) +
      e * (row[i + 4] + row[i + 6]) +
      f * row[i + 5];
  }
}

function addScaled(sum: Float64Array, row: Float32Array, weight: number): void {
  for (let i = 0; i < row.length; i++) sum[i] += weight * row[i];
}

function similarityOfRow([xs, ys, xx, yy, xy]: Float64Array[]): number {
  let total = 0;
  for (let i = 0; i < xs.length; i++) {
    const [x, y] = [xs[i], ys[i]];
    const covariance = xy[i] - x * y;
    const variances = xx[i] - x * x + yy[i] - y * y;
    const [meanX, meanY] = [x + 128, y + 128];
    total +=
      ((2 * meanX * meanY + C1) * (2 * covariance + C2)) /
      ((meanX * meanX + meanY * meanY + C1) * (variances + C2));
  }
  return total;
}

function gaussianWindow(sigma: number): number[] {
  const taps = Array.from({ length: SPAN }, (_, i) => Math.exp(-((i - 5) ** 2) / (2 * sigma ** 2)));
  const sum = taps.reduce((a, b) => a + b);
  return taps.map((tap) => tap / sum);
}
