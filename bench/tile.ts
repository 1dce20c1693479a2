// A plain reader of the pattern, for the insider report: luma at canonical scale, whitened, folded onto
// one tile of 128, its spectrum at single axes. It follows docs/format.md in outline only and serves to
// measure what somebody with a template could; frames in their own place, nothing cut or turned.

import type { Image } from "../sdk/engine.ts";
import { flat } from "./distort.ts";
import type { Axis } from "./template.ts";

/** One number per canonical pixel. */
export interface Plane {
  readonly values: Float32Array;
  readonly width: number;
  readonly height: number;
}

const TILE = 128;
const SHORT_SIDE = 512;
const LONG_SIDE = 2048;
// About the reader's own filters: 11 and 9 taps of a binomial kind.
const LOW_PASS_SIGMA = 2.2;
const DEVIATION_SIGMA = 2;
/** Grey levels of deviation that count as noise even where the picture is flat. */
const DEVIATION_FLOOR = 0.5;

/** Luma of a picture on white, its short side scaled to 512 (its long side to 2048 at most). */
export async function canonicalLuma(image: Image): Promise<Plane> {
  const { width, height } = image;
  const scale = Math.min(SHORT_SIDE / Math.min(width, height), LONG_SIDE / Math.max(width, height));
  const { data, info } = await flat(image)
    .recomb([
      [0.299, 0.587, 0.114],
      [0.299, 0.587, 0.114],
      [0.299, 0.587, 0.114],
    ])
    .resize(Math.round(width * scale), Math.round(height * scale), { fit: "fill" })
    .extractChannel(0)
    .raw({ depth: "float" })
    .toBuffer({ resolveWithObject: true });
  const values = new Float32Array(data.buffer, data.byteOffset, info.width * info.height);
  return { values, width: info.width, height: info.height };
}

/** The plane without its low frequencies, and the local deviation of what is left. */
export function highPass(luma: Plane): { high: Plane; deviation: Plane } {
  const low = smooth(luma, LOW_PASS_SIGMA);
  const high = map(luma, (value, i) => value - low.values[i]);
  const power = smooth(
    map(high, (value) => value * value),
    DEVIATION_SIGMA,
  );
  return { high, deviation: map(power, (value) => Math.sqrt(value) + DEVIATION_FLOOR) };
}

/** Sums a plane over all its tiles. */
export function fold({ values, width, height }: Plane): Float64Array {
  const tile = new Float64Array(TILE * TILE);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) tile[(y % TILE) * TILE + (x % TILE)] += values[i];
  }
  return tile;
}

/** A tile's spectrum at one axis: the cosine (real) or minus sine (imaginary) sum. */
export function axisValue(tile: Float64Array, axis: Axis): number {
  let sum = 0;
  for (let y = 0, i = 0; y < TILE; y++) {
    for (let x = 0; x < TILE; x++, i++) sum += tile[i] * wave(axis, x, y);
  }
  return sum;
}

/** The pattern of some axes at equal amplitudes with their signs, one tile. */
export function patternOf(axes: readonly Axis[]): Float64Array {
  const tile = new Float64Array(TILE * TILE);
  for (const axis of axes) {
    for (let y = 0, i = 0; y < TILE; y++) {
      for (let x = 0; x < TILE; x++, i++) tile[i] += axis.sign * wave(axis, x, y);
    }
  }
  return tile;
}

/** The tile repeated over a plane's frame, times the plane. */
export function spread(tile: Float64Array, mask: Plane): Plane {
  return map(mask, (value, i) => {
    const [x, y] = [i % mask.width, Math.floor(i / mask.width)];
    return value * tile[(y % TILE) * TILE + (x % TILE)];
  });
}

/** A picture with a canonical plane of luma changes added to its colours (bilinear, rounded). */
export function addToPicture(image: Image, change: Plane): Image {
  const data = new Uint8ClampedArray(image.data);
  const across = samplesOf(image.width, change.width);
  samplesOf(image.height, change.height).forEach((row, y) => {
    across.forEach((column, x) => {
      const above = mix(change.values, row.first * change.width, column);
      const below = mix(change.values, row.second * change.width, column);
      const wanted = above + (below - above) * row.share;
      const at = 4 * (y * image.width + x);
      for (let channel = at; channel < at + 3; channel++) data[channel] += wanted;
    });
  });
  return { ...image, data };
}

/** A plane with each value changed. */
export function map(plane: Plane, change: (value: number, index: number) => number): Plane {
  return { ...plane, values: plane.values.map(change) };
}

const COSINES = Float64Array.from({ length: TILE }, (_, i) => Math.cos((2 * Math.PI * i) / TILE));

interface Sample {
  readonly first: number;
  readonly second: number;
  readonly share: number;
}

/** Where each of `count` pixels lies between two of `length` others over the same extent. */
function samplesOf(count: number, length: number): Sample[] {
  return Array.from({ length: count }, (_, i) => {
    const place = Math.min(length - 1, Math.max(0, ((i + 0.5) * length) / count - 0.5));
    const first = Math.floor(place);
    return { first, second: Math.min(length - 1, first + 1), share: place - first };
  });
}

function mix(values: Float32Array, row: number, { first, second, share }: Sample): number {
  return values[row + first] * (1 - share) + values[row + second] * share;
}

function wave({ kx, ky, part }: Axis, x: number, y: number): number {
  // Minus sine is the cosine a quarter further on.
  return COSINES[(kx * x + ky * y + part * (TILE / 4)) & (TILE - 1)];
}

function smooth(plane: Plane, sigma: number): Plane {
  const { width, height } = plane;
  const rows = smoothLines(plane.values, width, height, 1, width, sigma);
  return { ...plane, values: smoothLines(rows, height, width, width, 1, sigma) };
}

// Gaussian along lines; beyond the border the last value repeats.
function smoothLines(
  values: Float32Array,
  length: number,
  lines: number,
  step: number,
  pitch: number,
  sigma: number,
): Float32Array {
  const reach = Math.ceil(2.5 * sigma);
  const taps = Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-((i - reach) ** 2) / (2 * sigma ** 2)),
  );
  const sum = taps.reduce((a, b) => a + b);
  const out = new Float32Array(values.length);
  for (let line = 0; line < lines; line++) {
    for (let i = 0; i < length; i++) {
      let value = 0;
      for (let tap = 0; tap < taps.length; tap++) {
        const from = Math.min(length - 1, Math.max(0, i + tap - reach));
        value += taps[tap] * values[line * pitch + from * step];
      }
      out[line * pitch + i * step] = value / sum;
    }
  }
  return out;
}
