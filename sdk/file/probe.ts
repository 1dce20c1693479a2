// Tells what a file is by its first bytes, never by its name, and hands it to its format.
import { LabelError } from "../error.ts";
import { avif } from "./avif.ts";
import type { FileFormat, Format, Header } from "./format.ts";
import { jpeg } from "./jpeg.ts";
import { png } from "./png.ts";
import { webp } from "./webp.ts";

export const FORMATS: Readonly<Record<Format, FileFormat>> = { jpeg, png, webp, avif };

/** Enough for every signature, and for the root element of an SVG behind a declaration and comments. */
const SIGNATURE_BYTES = 1024;

/** What a file begins with, one character a byte. */
const SIGNATURES: readonly (readonly [RegExp, Format | (string & {})])[] = [
  [/^\xff\xd8/, "jpeg"],
  [/^\x89PNG\r\n\x1a\n/, "png"],
  [/^RIFF.{4}WEBP/s, "webp"],
  [/^GIF8[79]a/, "GIF"],
  [/^(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*<svg[\s>]/is, "SVG"],
  [/^(?:II\*\0|MM\0\*|II\+\0|MM\0\+)/, "TIFF or camera raw"],
  [/^(?:\xff\x0a|\0\0\0\x0cJXL )/, "JPEG XL"],
  [/^(?:\xff\x4f\xff\x51|\0\0\0\x0cjP {2})/, "JPEG 2000"],
  [/^BM.{8}.{4}(?:\x0c|\x28|\x6c|\x7c)\0\0\0/s, "BMP"],
  [/^\0\0[\x01\x02]\0[^\0]\0/, "ICO"],
  [/^8BPS/, "Photoshop"],
];

/** Brands of ISOBMFF (ISO/IEC 23008-12, annex B; AVIF, 6): the first that is among a file's tells its kind. */
const BRANDS: readonly (readonly [RegExp, Format | (string & {})])[] = [
  [/avi[fs]/, "avif"],
  [/hei[cxms]|hev[cx]|mif1|msf1/, "HEIC"],
];

/** What to do instead; for all others ADVICE. */
const ADVICE = "Save it as JPEG, PNG, WebP or AVIF and try again.";
const ADVICE_FOR: Readonly<Record<string, string>> = {
  GIF: "Save one frame of it as PNG and try again.",
  SVG: "Export it as PNG, two or three times as large as it is shown, and try again.",
  HEIC: "Let the phone take or share it as JPEG (its setting “most compatible”) and try again.",
};

/**
 * Reads a file's header.
 * @param bytes the whole file
 * @throws LabelError `file-unknown` when it is no picture, `file-unsupported` when it is one of another
 *   kind, `file-broken` when it is damaged
 */
export function probe(bytes: Uint8Array): Header {
  const head = String.fromCharCode(...bytes.subarray(0, SIGNATURE_BYTES));
  const kind = kindOf(head);
  if (kind === undefined) {
    throw new LabelError("file-unknown", `This is not a picture of a known kind. ${ADVICE}`);
  }
  if (kind in FORMATS) return FORMATS[kind as Format].probe(bytes);
  throw new LabelError(
    "file-unsupported",
    `${kind} pictures are not handled. ${ADVICE_FOR[kind] ?? ADVICE}`,
  );
}

function kindOf(head: string): string | undefined {
  const find = (table: typeof SIGNATURES, text: string) =>
    table.find(([pattern]) => pattern.test(text))?.[1];
  if (head.slice(4, 8) !== "ftyp") return find(SIGNATURES, head);
  const end = head.charCodeAt(2) * 256 + head.charCodeAt(3);
  const [major = "", , ...compatible] = head.slice(8, end).match(/.{4}/gs) ?? [];
  return find(BRANDS, [major, ...compatible].join(" "));
}
