// What reading or labelling a file takes at its peak, known from its header: the measure by which a file is
// refused before memory is spent. Bytes per pixel as `npm run bench:memory` prints them, rounded up.
import type { Header } from "./file/format.ts";

const MIB = 2 ** 20;

/** What one picture may take in a Worker: its isolate has 128 MiB, of which code and requests take a part. */
export const WORKER_MAX_BYTES = 96 * MIB;
/** The same in a browser's tab, and in Node. */
export const BROWSER_MAX_BYTES = 1024 * MIB;
export const NODE_MAX_BYTES = 2048 * MIB;

/** Most pixels of any picture, whatever little memory it would take: the largest cameras make 200 million. */
export const MAX_PIXELS = 200_000_000;

/**
 * What every picture takes whatever its size: the kernel, which has 27.4 MiB at most when it looks and 41.1
 * when it weaves (at its longest plane, 2048 x 512), and an encoder's first 16.
 */
export const FIXED_BYTES = { detect: 28 * MIB, label: 58 * MIB } as const;
/** What the decoders of WebP and AVIF start with, before they see a picture. */
const DECODER_START_BYTES = 16 * MIB;

/** Scans of a progressive JPEG: encoders write about ten; every one passes over the whole picture. */
export const MAX_SCANS = 100;

/** A reduced JPEG or PNG has at most this many pixels per pixel of the canonical plane: 2 in each direction. */
const REDUCED_PIXELS = 4 * 512 * 2048;

/** Chunks of the platform's zlib lie about until they are collected, never more than these. */
const STREAMING_BYTES = 40 * MIB;

/** Coefficients that a progressive JPEG keeps until its last scan: two bytes for each of three components. */
const PROGRESSIVE_BYTES = 6;

/** Bytes per pixel: those of the WASM decoder and, for 8 and for more bits, of the pixels that it returns. */
function decodingBytes({ format, lossless, progressive, bitDepth }: Header): number {
  const pixels = bitDepth > 8 ? 8 : 4;
  switch (format) {
    case "jpeg":
      return 4 + pixels + (progressive ? PROGRESSIVE_BYTES : 0);
    case "png":
      return pixels + (progressive ? pixels + 1 : 1);
    case "webp":
      return (lossless ? 10 : 6) + pixels;
    case "avif":
      return (bitDepth > 8 ? 30 : 27) + pixels;
  }
}

/** Bytes per pixel that the encoder takes. */
function encodingBytes({ format, lossless }: Header): number {
  switch (format) {
    case "jpeg":
      return 25;
    case "png":
      return 5;
    case "webp":
      return lossless ? 46 : 21;
    case "avif":
      return 55;
  }
}

/** What a decoder keeps beside the reduced picture. */
function keptBytes({ format, progressive, bitDepth, width, height }: Header): number {
  const pixels = width * height;
  if (format === "png") return Math.min(STREAMING_BYTES, (bitDepth > 8 ? 8 : 4) * pixels);
  return progressive ? PROGRESSIVE_BYTES * pixels : 0;
}

/** Whether a decoder makes the picture smaller as it goes, so that its size costs no memory. */
export function isReduced({ format, progressive }: Header): boolean {
  return format === "jpeg" || (format === "png" && !progressive);
}

/**
 * Bytes that a file of this header takes at the peak of a job, beside the file itself.
 * @param job "detect" looks for labels, "label" decodes, weaves, encodes and reads back
 */
export function memoryOf(header: Header, job: "detect" | "label"): number {
  const pixels = header.width * header.height;
  const deep = header.bitDepth > 8;
  if (job === "label") {
    // Upright and labelled pixels, and both once more when they are turned or have more than 8 bits.
    const copies = 8 + (header.orientation > 1 ? 8 : 0) + (deep ? 8 : 0);
    return FIXED_BYTES.label + pixels * (decodingBytes(header) + copies + encodingBytes(header));
  }
  if (isReduced(header)) {
    return FIXED_BYTES.detect + 2 * Math.min(pixels, REDUCED_PIXELS) + keptBytes(header);
  }
  const start = header.format === "png" ? 0 : DECODER_START_BYTES;
  return FIXED_BYTES.detect + start + pixels * (decodingBytes(header) + (deep ? 4 : 0));
}
