// Pixels to a file of a given format, at a quality that leaves about the same share of a label in each.
import { defaultOptions as AVIF_DEFAULTS } from "@jsquash/avif/meta.js";
import { defaultOptions as JPEG_DEFAULTS } from "@jsquash/jpeg/meta.js";
import { defaultOptions as WEBP_DEFAULTS } from "@jsquash/webp/meta.js";
import type { Codecs, Pixels } from "./codecs.ts";
import { LabelError } from "./error.ts";
import type { Header } from "./file/format.ts";
import { encodePng } from "./file/png-encode.ts";

/**
 * Quality on each encoder's own scale, 1..100; PNG and lossless WebP have none. On photographs and product
 * pictures these three keep 93 to 96 % of the label's amplitude, at about the same size of file.
 */
export const DEFAULT_QUALITY = { jpeg: 92, webp: 95, avif: 90 } as const;
/** What a label is made stronger by before a lossy encoder takes its part: the inverse of 93 %. */
export const LOSSY_GAIN = 1.07;

/** 4:4:4 in the words of each library: the label is in luma, but shops look at colours. */
const JPEG_FULL_CHROMA = { auto_subsample: false, chroma_subsample: 1 };
const AVIF_FULL_CHROMA = { subsample: 3 };
/** 4:0:0 */
const AVIF_GREY = { subsample: 0 };
/** MozJPEG's JCS_GRAYSCALE. */
const JPEG_GREY = { color_space: 1 };
/** libaom's speed: 6 takes four times as long for a few per cent of the bytes. */
const AVIF_SPEED = 8;
/** libwebp's effort for lossless pictures, 0..100. */
const WEBP_LOSSLESS_EFFORT = 75;

/**
 * Encodes pixels as a file without metadata.
 * @param like the header of the file whose format, colours and depth are wanted
 * @param quality 1..100; DEFAULT_QUALITY unless told
 */
export async function encode(
  codecs: Codecs,
  pixels: Pixels,
  like: Header,
  quality?: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { format, colour, alpha } = like;
  if (format === "png") {
    return encodePng(pixels, { colour: colour === "grey" ? "grey" : "rgb", alpha });
  }
  const encoded = await codecs.encode(
    format,
    pixels,
    optionsFor(like, quality ?? DEFAULT_QUALITY[format]),
  );
  if (encoded) return encoded;
  const size = `${pixels.width} x ${pixels.height}`;
  throw new LabelError("out-of-memory", `The ${size} picture could not be encoded as ${format}.`);
}

function optionsFor({ format, colour, lossless, bitDepth }: Header, quality: number): object {
  switch (format) {
    case "jpeg":
      return {
        ...JPEG_DEFAULTS,
        ...JPEG_FULL_CHROMA,
        ...(colour === "grey" ? JPEG_GREY : {}),
        quality,
      };
    case "webp":
      return lossless
        ? { ...WEBP_DEFAULTS, lossless: 1, exact: 1, quality: WEBP_LOSSLESS_EFFORT }
        : { ...WEBP_DEFAULTS, quality };
    default:
      return {
        ...AVIF_DEFAULTS,
        ...(colour === "grey" ? AVIF_GREY : AVIF_FULL_CHROMA),
        quality,
        qualityAlpha: 100,
        speed: AVIF_SPEED,
        bitDepth,
      };
  }
}
