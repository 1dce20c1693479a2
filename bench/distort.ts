// The single changes that attacks are made of, each a function picture -> picture on RGBA pixels.
// By sharp (libvips) where it has them, else by plain reference code here; nothing of the engine is used.
// Opaque pictures go through sharp without their alpha; whatever needs a ground (JPEG, turning,
// padding) puts transparent pictures on white first.

import sharp, { type Sharp } from "sharp";
import type { Image } from "../sdk/engine.ts";
import { type Rng, randomBelow } from "./random.ts";

/** One change; the generator is for its free choices (place, sign, noise). */
export type Step = (image: Image, rng: Rng) => Promise<Image>;
export type Colour = { readonly r: number; readonly g: number; readonly b: number };

export const WHITE: Colour = { r: 255, g: 255, b: 255 };

/** Steps one after the other. */
export function chain(...steps: readonly Step[]): Step {
  return async (image, rng) => {
    let current = image;
    for (const step of steps) current = await step(current, rng);
    return current;
  };
}

/** A step made of one sharp pipeline with the alpha kept. */
export function piped(change: (pipeline: Sharp, image: Image, rng: Rng) => Sharp): Step {
  return (image, rng) => finish(change(isOpaque(image) ? flat(image) : open(image), image, rng));
}

/** A step made of one sharp pipeline on the picture put on white. */
export function pipedFlat(change: (pipeline: Sharp, image: Image, rng: Rng) => Sharp): Step {
  return (image, rng) => finish(change(flat(image), image, rng));
}

export const jpeg = (quality: number): Step => recoded((s) => s.jpeg({ quality }), true);
export const webp = (quality: number): Step =>
  recoded((s) => s.webp({ quality, effort: 2 }), false);
// The fastest encoder settings: they change the size of the file a little, the damage hardly.
export const avif = (quality: number): Step =>
  recoded((s) => s.avif({ quality, effort: 0 }), false);
export const palette = (colours: number): Step =>
  recoded((s) => s.png({ palette: true, colours, effort: 1, compressionLevel: 1 }), false);

/** Scales by factors of the width and of the height (Lanczos, antialiased). */
export function resize(across: number, down = across): Step {
  return piped((pipeline, { width, height }) =>
    pipeline.resize(scaled(width, across), scaled(height, down), { fit: "fill" }),
  );
}

/** Cuts out a rectangle of the picture's shape with `share` of its area, at a random place. */
export function crop(share: number): Step {
  return piped((pipeline, image, rng) => {
    const width = scaled(image.width, Math.sqrt(share));
    const height = scaled(image.height, Math.sqrt(share));
    const left = randomBelow(rng, image.width - width + 1);
    const top = randomBelow(rng, image.height - height + 1);
    return pipeline.extract({ left, top, width, height });
  });
}

/** Turns by any angle (degrees, clockwise); the frame grows, the corners are white. Bicubic. */
export function rotate(degrees: number): Step {
  if (degrees % 90 === 0) return pipedFlat((pipeline) => pipeline.rotate((degrees + 360) % 360));
  const cos = Math.cos((degrees * Math.PI) / 180);
  const sin = Math.sin((degrees * Math.PI) / 180);
  const matrix = [cos, -sin, sin, cos] as [number, number, number, number];
  return pipedFlat((pipeline) => pipeline.affine(matrix, { background: WHITE }));
}

/** Adds a border: shares of the width (left, right) and of the height (top, bottom). */
export function pad(share: number, background: Colour): Step {
  return pipedFlat((pipeline, { width, height }) => {
    const across = Math.round(width * share);
    const down = Math.round(height * share);
    return pipeline.extend({ left: across, right: across, top: down, bottom: down, background });
  });
}

/** Puts each RGB value through a function of 0..255, clipped and rounded; alpha stays. */
export function valueMap(makeMap: (image: Image) => (value: number) => number): Step {
  return async (image) => {
    const map = makeMap(image);
    const table = Uint8ClampedArray.from({ length: 256 }, (_, value) => map(value));
    const data = new Uint8Array(image.data);
    for (let i = 0; i < data.length; i += 4) {
      data[i] = table[data[i]];
      data[i + 1] = table[data[i + 1]];
      data[i + 2] = table[data[i + 2]];
    }
    return { ...image, data };
  };
}

/** Adds Gaussian noise to each of R, G and B; sigma in grey levels (of 255). */
export function noise(sigma: number): Step {
  const deviates = gaussianDeviates(sigma);
  return async (image, rng) => {
    const data = new Uint8ClampedArray(image.data);
    let state = randomBelow(rng, 2 ** 32) | 1;
    for (let i = 0; i < data.length; i += 4) {
      for (let channel = i; channel < i + 3; channel++) {
        // xorshift32 (Marsaglia 2003); its upper 12 bits pick one of 4096 equally likely deviates.
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        data[channel] += deviates[state >>> 20];
      }
    }
    return { ...image, data };
  };
}

/** True if every pixel has alpha 255. */
export function isOpaque({ data }: Image): boolean {
  for (let i = 3; i < data.length; i += 4) if (data[i] !== 255) return false;
  return true;
}

/** The mean of all R, G and B values of the picture put on white, 0..255. */
export function meanValue({ data, width, height }: Image): number {
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3];
    sum += (data[i] + data[i + 1] + data[i + 2]) * alpha + 765 * (255 - alpha);
  }
  return sum / (width * height * 765);
}

/** A sharp pipeline over the picture's pixels, alpha kept. */
export function open({ data, width, height }: Image): Sharp {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return sharp(bytes, { raw: { width, height, channels: 4 } });
}

/** A sharp pipeline over the picture put on white (RGB). */
export function flat(image: Image): Sharp {
  return open(image).flatten({ background: WHITE });
}

/** Runs a pipeline to RGBA pixels. */
export async function finish(pipeline: Sharp): Promise<Image> {
  const { data, info } = await pipeline
    .toColourspace("srgb")
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

function recoded(encode: (pipeline: Sharp) => Sharp, onWhite: boolean): Step {
  return async (image) => {
    const pipeline = onWhite || isOpaque(image) ? flat(image) : open(image);
    return finish(sharp(await encode(pipeline).toBuffer()));
  };
}

function scaled(side: number, factor: number): number {
  return Math.max(1, Math.round(side * factor));
}

// 4096 quantiles of the normal distribution, by Box-Muller over a lattice (64 radii by 64 angles).
function gaussianDeviates(sigma: number): Float32Array {
  return Float32Array.from({ length: 4096 }, (_, index) => {
    const radius = Math.sqrt(-2 * Math.log(((index >> 6) + 0.5) / 64));
    return sigma * radius * Math.cos((2 * Math.PI * ((index & 63) + 0.5)) / 64);
  });
}
