// File in, findings out.
import { decodeForDetection, shownSizeOf } from "./decode.ts";
import type { Detected, DetectOptions } from "./engine.ts";
import type { Format } from "./file/format.ts";
import type { Tools } from "./tools.ts";

export interface DetectedFile extends Detected {
  readonly format: Format;
  /** As shown, pixels: those that the findings' geometry speaks of. */
  readonly width: number;
  readonly height: number;
  /** Milliseconds, by the host's clock (which stands still in Workers). */
  readonly ms: { readonly decode: number; readonly detect: number };
}

/**
 * Looks for labels in a picture file.
 * @param bytes JPEG (CMYK too), PNG, WebP or AVIF, not animated
 * @param keys 1..MAX_KEYS of them, KEY_BYTES each
 * @throws LabelError when the file is refused: that is not the same as no finding
 */
export async function detectFile(
  bytes: Uint8Array,
  keys: readonly Uint8Array[],
  tools: Tools,
  options: DetectOptions = {},
): Promise<DetectedFile> {
  const start = performance.now();
  const { header, picture } = await decodeForDetection(bytes, tools);
  const decoded = performance.now();
  const detected = tools.engine.detect(picture, keys, options);
  const ms = { decode: decoded - start, detect: performance.now() - decoded };
  return { ...detected, format: header.format, ...shownSizeOf(header), ms };
}
