// One engine from the built kernel, the public demo key, and labels and pictures made from a seed alone.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { randomBelow, randomHex, seededRng } from "../../bench/random.ts";
import { createEngine, DEMO_KEY, type Image, keyFromHex, LabelError } from "../../sdk/index.ts";

/** The built kernel, compiled once. */
export const kernelModule = new WebAssembly.Module(
  readFileSync(fileURLToPath(new URL("../../build/tessera.wasm", import.meta.url))),
);
export const engine = createEngine(kernelModule);
export const KEY = keyFromHex(DEMO_KEY);
export const OTHER_KEY = keyFromHex("00112233445566778899aabbccddeeff");

/** A label that depends on nothing but the seed. */
export function makeLabel(seed: string | number): string {
  return randomHex(seededRng("label", seed), 16);
}

/** Independent values 0..255 in every colour of every pixel, opaque. */
export function makeNoise(width: number, height: number, seed: string | number = 0): Image {
  const rng = seededRng("noise", seed);
  return paint(width, height, () => [
    randomBelow(rng, 256),
    randomBelow(rng, 256),
    randomBelow(rng, 256),
    255,
  ]);
}

/** A smooth slope of 60..200 from the upper left to the lower right, opaque. */
export function makeGradient(width: number, height: number): Image {
  return paint(width, height, (x, y) => {
    const value = 60 + Math.round((70 * x) / width + (70 * y) / height);
    return [value, value, value, 255];
  });
}

/** Something to hide a label in: waves under a little noise, opaque, cheap at any size. */
export function makeWaves(width: number, height: number, seed: string | number = 0): Image {
  const rng = seededRng("waves", seed);
  return paint(width, height, (x, y) => {
    const value = 118 + 90 * Math.sin(x / 9) * Math.cos(y / 13) + 20 * rng();
    return [value, 0.9 * value, 0.8 * value, 255];
  });
}

/** A picture from a function of the place. */
export function paint(
  width: number,
  height: number,
  colour: (x: number, y: number) => readonly [number, number, number, number],
): Image {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) data.set(colour(x, y), at);
  }
  return { data, width, height };
}

/** A copy of a part of a picture. */
export function cut(image: Image, left: number, top: number, width: number, height: number): Image {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * image.width + left) * 4;
    data.set(image.data.subarray(from, from + width * 4), y * width * 4);
  }
  return { data, width, height };
}

/** SHA-256 as hex: pixels compared by it fail in one line, not in a million. */
export function sha256(bytes: Uint8Array | Uint8ClampedArray): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The code of the LabelError that is thrown, or undefined; other errors pass. */
export function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof LabelError) return error.code;
    throw error;
  }
  return undefined;
}

/** The labels found, sorted. */
export function labelsIn(image: Image, key: Uint8Array = KEY): string[] {
  return engine
    .detect(image, [key])
    .findings.map(({ label }) => label)
    .sort();
}
