// Metadata in the text chunks of PNG (W3C PNG Third Edition, 11.3.3): XMP under Adobe's keyword (XMP part 3,
// 1.1.5), and the profiles that ImageMagick writes as hex digits (its coders/png.c): a name, a length and
// the digits, each on a line of its own.
import { cleanExif } from "./exif.ts";
import type { Dropped, MetadataEdit } from "./format.ts";
import { cleanResources } from "./photoshop.ts";
import { type Chunk, join, makeChunk } from "./png-chunks.ts";
import { deflate, inflate } from "./png-zlib.ts";
import { editXmp } from "./xmp.ts";

/** What a chunk has become; null when it is left out. */
export interface CarriedChunk {
  readonly chunk: Uint8Array | null;
  readonly dropped: readonly Dropped[];
}

interface CarriedBytes {
  readonly bytes: Uint8Array;
  readonly dropped: readonly Dropped[];
}

export const XMP_KEYWORD = "XML:com.adobe.xmp";
/** Some readers take it under this keyword too. */
const XMP_KEYWORDS: readonly string[] = [XMP_KEYWORD, "XMP"];
/** Profiles with something to clean or edit inside. */
const RAW_PROFILE = /^Raw profile type (?:exif|app1|xmp|iptc|8bim)$/i;
/** Single tags that ImageMagick and others copy out of Exif. */
const LOCATION_KEYWORD = /gps|latitude|longitude/i;
/** Longest keyword (11.3.3.1). */
const MAX_KEYWORD_BYTES = 79;
/** Our own limit on a text that is inflated: the largest metadata of real files are some megabytes. */
const MAX_TEXT_BYTES = 1 << 22;
/** Digits of a line, and room for the length, as ImageMagick writes them. */
const HEX_LINE = /.{1,72}/g;
const LENGTH_DIGITS = 8;
/** ASCII: spaces and line ends are not above it. */
const SPACE = 0x20;
/** First lines of a profile: some name, and how many bytes follow. */
const PROFILE_HEAD = /^\n[^\n]{0,80}\n *(\d{1,9})\n/;
/** What stands before a profile as in a JPEG's APP1 (CIPA DC-008, 4.7.2; XMP part 3, 1.1.3). */
const EXIF_PREFIX = "Exif\0\0";
const XMP_PREFIX = "http://ns.adobe.com/xap/1.0/\0";

/** The keyword of a text chunk; empty when it has none. */
export function keywordOf({ data }: Chunk): string {
  const end = data.subarray(0, MAX_KEYWORD_BYTES + 1).indexOf(0);
  return latin1(data.subarray(0, Math.max(end, 0)));
}

/**
 * Cleans and edits what a text chunk holds; one without such things comes back as it was.
 * @throws LabelError `metadata-invalid` as `editXmp`
 */
export async function carryText(chunk: Chunk, edit: MetadataEdit): Promise<CarriedChunk> {
  const keyword = keywordOf(chunk);
  if (LOCATION_KEYWORD.test(keyword) && !edit.keepLocation) {
    return { chunk: null, dropped: ["location"] };
  }
  const profile = RAW_PROFILE.test(keyword);
  if (!XMP_KEYWORDS.includes(keyword) && !profile) return { chunk: chunk.raw, dropped: [] };
  const text = await readText(chunk);
  const before = text && profile ? fromHex(text) : text;
  if (!before) return { chunk: null, dropped: [] };
  const { bytes, dropped } = profile ? carryProfile(before, edit) : carryXmp(before, edit);
  if (bytes.length === 0) return { chunk: null, dropped };
  if (bytes === before) return { chunk: chunk.raw, dropped };
  return { chunk: profile ? await makeProfile(keyword, bytes) : makeXmp(bytes), dropped };
}

/** A new XMP chunk for what is set; null when nothing is. */
export function createXmp(edit: MetadataEdit): Uint8Array | null {
  const { packet } = editXmp(null, edit);
  return packet === null ? null : makeXmp(new TextEncoder().encode(packet));
}

/** The Exif block without the prefix that some writers put before it. */
export function tiffOf(exif: Uint8Array): Uint8Array {
  return startsWith(exif, EXIF_PREFIX) ? exif.subarray(EXIF_PREFIX.length) : exif;
}

/** The text of any of the three kinds of chunk; null when it is damaged or too long. */
async function readText(chunk: Chunk): Promise<Uint8Array | null> {
  const data = chunk.data.subarray(keywordOf(chunk).length + 1);
  if (chunk.type === "tEXt") return data;
  if (chunk.type === "zTXt") return inflateText(data.subarray(1));
  // Compression flag and method, language and translated keyword, each with its zero (11.3.3.4).
  const language = data.indexOf(0, 2);
  const translated = language < 0 ? -1 : data.indexOf(0, language + 1);
  if (translated < 0) return null;
  const text = data.subarray(translated + 1);
  return data[0] === 0 ? text : inflateText(text);
}

async function inflateText(data: Uint8Array): Promise<Uint8Array | null> {
  const pieces = await inflate(data, MAX_TEXT_BYTES);
  return pieces && join(pieces);
}

/** Cleans the bytes of a profile by what they are, not by its name; the same array when nothing changed. */
function carryProfile(bytes: Uint8Array, edit: MetadataEdit): CarriedBytes {
  if (startsWith(bytes, "8BIM")) {
    const { resources, dropped } = cleanResources(bytes);
    return { bytes: unlessSame(resources, bytes), dropped };
  }
  if (startsWith(bytes, XMP_PREFIX)) return carryXmp(bytes, edit, XMP_PREFIX.length);
  if (startsWith(bytes, "<")) return carryXmp(bytes, edit);
  if (!/^(?:Exif\0\0|II\*\0|MM\0\*)/.test(latin1(bytes.subarray(0, 8)))) {
    return { bytes, dropped: [] };
  }
  const tiff = tiffOf(bytes);
  const clean = cleanExif(tiff, edit.keepLocation ?? false);
  const prefix = bytes.subarray(0, bytes.length - tiff.length);
  const whole = clean.tiff.length === 0 ? clean.tiff : join([prefix, clean.tiff]);
  return { bytes: unlessSame(whole, bytes), dropped: clean.dropped };
}

/** Edits a packet that begins at a place; empty when nothing of it may stay. */
function carryXmp(bytes: Uint8Array, edit: MetadataEdit, from = 0): CarriedBytes {
  const before = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(from));
  const { packet, dropped } = editXmp(before, edit);
  if (packet === before) return { bytes, dropped };
  if (packet === null) return { bytes: new Uint8Array(0), dropped };
  return { bytes: join([bytes.subarray(0, from), new TextEncoder().encode(packet)]), dropped };
}

/** Without compression, language or translated keyword, as XMP asks for (XMP part 3, 1.1.5). */
function makeXmp(packet: Uint8Array): Uint8Array {
  return makeChunk("iTXt", join([new TextEncoder().encode(`${XMP_KEYWORD}\0\0\0\0\0`), packet]));
}

async function makeProfile(keyword: string, bytes: Uint8Array): Promise<Uint8Array> {
  const lines = toHex(bytes).match(HEX_LINE) ?? [];
  const length = String(bytes.length).padStart(LENGTH_DIGITS);
  const name = keyword.slice(keyword.lastIndexOf(" ") + 1);
  const text = new TextEncoder().encode(`\n${name}\n${length}\n${lines.join("\n")}\n`);
  const head = new TextEncoder().encode(`${keyword}\0\0`);
  return makeChunk("zTXt", join([head, ...(await deflate([text]))]));
}

/** The bytes of a profile, whatever follows them; null when they are fewer than it says. */
function fromHex(text: Uint8Array): Uint8Array | null {
  const head = PROFILE_HEAD.exec(latin1(text.subarray(0, 128)));
  if (!head) return null;
  const length = Number(head[1]);
  const digits = text.subarray(head[0].length);
  if (2 * length > digits.length) return null;
  const bytes = new Uint8Array(length);
  let count = 0;
  for (const code of digits) {
    if (count === 2 * length) break;
    if (code <= SPACE) continue;
    const value = digitOf(code);
    if (value < 0) return null;
    bytes[count >> 1] = (bytes[count >> 1] << 4) | value;
    count++;
  }
  return count === 2 * length ? bytes : null;
}

/** The value of a hex digit by its ASCII code; -1 for anything else. */
function digitOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}

function toHex(bytes: Uint8Array): string {
  const pairs = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));
  let digits = "";
  for (const byte of bytes) digits += pairs[byte];
  return digits;
}

/** The array from before when the new one says the same. */
function unlessSame(now: Uint8Array, before: Uint8Array): Uint8Array {
  const same = now.length === before.length && now.every((byte, i) => byte === before[i]);
  return same ? before : now;
}

function startsWith(bytes: Uint8Array, prefix: string): boolean {
  return latin1(bytes.subarray(0, prefix.length)) === prefix;
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
