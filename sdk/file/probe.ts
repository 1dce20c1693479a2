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

type Kind = Format | (string & {});

/** What a file begins with, one character a byte: text and place, and what it is then. First match wins. */
const SIGNATURES: readonly (readonly [string, number, Kind])[] = [
  ["\xff\xd8", 0, "jpeg"],
  ["\x89PNG\r\n\x1a\n", 0, "png"],
  ["WEBP", 8, "webp"],
  ["GIF87a", 0, "GIF"],
  ["GIF89a", 0, "GIF"],
  ["II*\0", 0, "TIFF or camera raw"],
  ["MM\0*", 0, "TIFF or camera raw"],
  ["\xff\x0a", 0, "JPEG XL"],
  ["\0\0\0\x0cJXL ", 0, "JPEG XL"],
  ["\xff\x4f\xff\x51", 0, "JPEG 2000"],
  ["\0\0\0\x0cjP  ", 0, "JPEG 2000"],
  ["\0\0\x01\0", 0, "ICO"],
  ["8BPS", 0, "Photoshop"],
];
/** BMP has two letters only; the next thing that is certain are four zeros. */
const BMP = { letters: "BM", zeros: "\0\0\0\0", at: 6 };
/** What may stand before an SVG's root element: white space, a declaration, a comment, a document type. */
const PROLOGUE = /^(?:\s+|<\?[^>]*>|<!--(?:[^-]|-(?!->))*-->|<!DOCTYPE[^>]*>)/i;
const SVG_ROOT = /^<svg[\s>]/i;
/** A byte order mark in UTF-8. */
const MARK = "\xef\xbb\xbf";

/** Brands of ISOBMFF (ISO/IEC 23008-12, annex B; AVIF, 6): the first that is among a file's tells its kind. */
const BRANDS: readonly (readonly [RegExp, Kind])[] = [
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

function kindOf(head: string): Kind | undefined {
  if (head.startsWith("ftyp", 4)) return kindOfBrands(head);
  const found = SIGNATURES.find(([text, at]) => head.startsWith(text, at));
  if (found) return found[2];
  if (head.startsWith(BMP.letters) && head.startsWith(BMP.zeros, BMP.at)) return "BMP";
  return isSvg(head) ? "SVG" : undefined;
}

function isSvg(head: string): boolean {
  let rest = head.startsWith(MARK) ? head.slice(MARK.length) : head;
  for (let found = PROLOGUE.exec(rest); found; found = PROLOGUE.exec(rest)) {
    rest = rest.slice(found[0].length);
  }
  return SVG_ROOT.test(rest);
}

/** The file type box (ISO/IEC 14496-12, 4.3): size, type, major brand, version, compatible brands. */
function kindOfBrands(head: string): Kind | undefined {
  const end = head.charCodeAt(2) * 256 + head.charCodeAt(3);
  const [major = "", , ...compatible] = head.slice(8, end).match(/.{4}/gs) ?? [];
  const brands = [major, ...compatible].join(" ");
  return BRANDS.find(([pattern]) => pattern.test(brands))?.[1];
}
