// WebP (RFC 9649): a RIFF file of chunks. The pixels stand in "VP8 " (RFC 6386), with their alpha apart in
// ALPH, or in VP8L; VP8X in front announces what else is there. What it does not announce is not shown, so
// an ICC profile or Exif that was silent before stays silent.
import { LabelError } from "../error.ts";
import { cleanExif, readOrientation } from "./exif.ts";
import type { Dropped, FileFormat } from "./format.ts";
import { editXmp } from "./xmp.ts";

interface Chunk {
  /** Four characters. */
  readonly kind: string;
  readonly data: Uint8Array;
}

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly alpha: boolean;
  readonly lossless: boolean;
}

/** "RIFF", the size of the rest, "WEBP" (RFC 9649, 2.4). */
const FILE_HEADER_BYTES = 12;
/** A four-character code and a size (2.3). */
const CHUNK_HEADER_BYTES = 8;
/** Our own limit: an animation has a chunk for every frame, a still picture has some ten. */
const MAX_CHUNKS = 10_000;
/** The flags of VP8X (2.7). */
const ICC = 0x20;
const ALPHA = 0x10;
const EXIF = 0x08;
const XMP = 0x04;
const ANIMATION = 0x02;
/** Flags, three reserved bytes, width - 1 and height - 1 of 24 bits (2.7). */
const CANVAS_BYTES = 10;
/** Frame tag, start code and sizes (RFC 6386, 9.1). */
const VP8_HEADER_BYTES = 10;
const VP8_START_CODE = 0x2a019d;
const VP8_LAST_VERSION = 3;
/** Signature and 32 bits: width - 1, height - 1, alpha_is_used, version (RFC 9649, 3.4). */
const VP8L_HEADER_BYTES = 5;
const VP8L_SIGNATURE = 0x2f;
/** Width and height of VP8 and VP8L. */
const SIDE_BITS = 14;
const SIDE_MASK = (1 << SIDE_BITS) - 1;
/** What some writers put before the TIFF header, as in JPEG. */
const EXIF_PREFIX = "Exif\0\0";

/** WebP: reads the header, and moves the metadata into a newly encoded file. */
export const webp: FileFormat = {
  probe(bytes) {
    const chunks = readChunks(bytes);
    const canvas = readCanvas(chunks);
    const flags = canvas?.flags ?? 0;
    const animated =
      (flags & ANIMATION) !== 0 || chunks.some(({ kind }) => /^AN(IM|MF)$/.test(kind));
    const image = chunks.find(({ kind }) => /^VP8[ L]$/.test(kind));
    const frame = image ? readFrame(image) : null;
    const size = canvas ?? frame;
    if (!size || !(frame || animated)) refuse("its picture is missing");
    const { width, height } = size;
    if (frame && !animated && (frame.width !== width || frame.height !== height)) {
      refuse("it tells two different sizes");
    }
    const exif = flags & EXIF ? chunkData(chunks, "EXIF") : null;
    return {
      format: "webp",
      width,
      height,
      orientation: exif ? readOrientation(exif.subarray(prefixBytes(exif))) : 1,
      bitDepth: 8,
      colour: "rgb",
      alpha: (flags & ALPHA) !== 0 || frame?.alpha === true || chunkData(chunks, "ALPH") !== null,
      animated,
      lossless: frame?.lossless === true,
      progressive: false,
      unsupported: null,
    };
  },

  async carry(original, encoded, edit) {
    const before = readChunks(original);
    const { width, height, alpha } = webp.probe(encoded);
    const picture = readChunks(encoded).filter(({ kind }) => /^(ALPH|VP8[ L])$/.test(kind));
    const claims: Dropped[] = chunkData(before, "C2PA") ? ["c2pa"] : [];

    const profile = keep("ICCP", chunkData(before, "ICCP"));
    const cleaned = cleanChunk(chunkData(before, "EXIF"), edit.keepLocation ?? false);
    const exif = keep("EXIF", cleaned.data);
    const packet = chunkData(before, "XMP ");
    const text = packet && new TextDecoder().decode(packet);
    const edited = editXmp(text, edit);
    const changed = edited.packet === null ? null : new TextEncoder().encode(edited.packet);
    const xmp = keep("XMP ", edited.packet === text ? packet : changed);
    const dropped = new Set([...claims, ...cleaned.dropped, ...edited.dropped]);

    // Chunks that are not known are left out: they may hold a place, a preview or a signature.
    const chunks = [...profile, ...picture, ...exif, ...xmp];
    if (chunks.length > 1) {
      const announced = readCanvas(before)?.flags ?? 0;
      const flags =
        (profile.length ? announced & ICC : 0) |
        (alpha ? ALPHA : 0) |
        (exif.length ? announced & EXIF : 0) |
        (xmp.length ? XMP : 0);
      chunks.unshift(makeCanvas(flags, width, height));
    }
    return { bytes: writeChunks(chunks), dropped: [...dropped].sort() };
  },
};

function refuse(why: string): never {
  throw new LabelError("file-broken", `The WebP file is damaged: ${why}.`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function textAt(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}

function letters(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** The chunks in their order; what follows the RIFF size is not part of the file. */
function readChunks(bytes: Uint8Array): Chunk[] {
  const view = viewOf(bytes);
  if (bytes.length < FILE_HEADER_BYTES || textAt(bytes, 0, 4) !== "RIFF") refuse("it is too short");
  if (textAt(bytes, 8, 4) !== "WEBP") refuse("it is another kind of file");
  const end = CHUNK_HEADER_BYTES + view.getUint32(4, true);
  if (end > bytes.length) refuse("it ends too early");
  const chunks: Chunk[] = [];
  for (let at = FILE_HEADER_BYTES; at + CHUNK_HEADER_BYTES <= end; ) {
    const from = at + CHUNK_HEADER_BYTES;
    const size = view.getUint32(at + 4, true);
    if (size > end - from) refuse("one of its parts ends too early");
    if (chunks.length === MAX_CHUNKS) refuse("it has too many parts");
    chunks.push({ kind: textAt(bytes, at, 4), data: bytes.subarray(from, from + size) });
    at = from + size + (size & 1);
  }
  return chunks;
}

function chunkData(chunks: readonly Chunk[], wanted: string): Uint8Array | null {
  return chunks.find(({ kind }) => kind === wanted)?.data ?? null;
}

/** VP8X counts only as the first chunk (2.7); null in the simple file formats. */
function readCanvas(chunks: readonly Chunk[]) {
  if (chunks[0]?.kind !== "VP8X") return null;
  const { data } = chunks[0];
  if (data.length < CANVAS_BYTES) refuse("its header is too short");
  const view = viewOf(data);
  return {
    flags: data[0],
    width: 1 + (view.getUint32(3, true) >>> 8),
    height: 1 + (view.getUint32(6, true) >>> 8),
  };
}

function makeCanvas(flags: number, width: number, height: number): Chunk {
  const [w, h] = [width - 1, height - 1];
  const data = Uint8Array.of(flags, 0, 0, 0, w, w >> 8, w >> 16, h, h >> 8, h >> 16);
  return { kind: "VP8X", data };
}

function readFrame({ kind, data }: Chunk): Frame {
  const frame = kind === "VP8L" ? readLossless(data) : readLossy(data);
  if (frame.width === 0 || frame.height === 0) refuse("its picture has no pixels");
  return frame;
}

/** The frame header of VP8 (RFC 6386, 9.1): a still picture is one key frame that is shown. */
function readLossy(data: Uint8Array): Frame {
  if (data.length < VP8_HEADER_BYTES) refuse("its picture ends too early");
  const view = viewOf(data);
  const tag = view.getUint32(0, true) & 0xffffff;
  const isKeyFrame = (tag & 1) === 0;
  const isShown = ((tag >> 4) & 1) === 1;
  if (!isKeyFrame || !isShown || ((tag >> 1) & 7) > VP8_LAST_VERSION) {
    refuse("its picture does not stand alone");
  }
  if (tag >> 5 >= data.length) refuse("its picture ends too early");
  if (view.getUint32(2, true) >>> 8 !== VP8_START_CODE) refuse("its picture has no start code");
  return {
    width: view.getUint16(6, true) & SIDE_MASK,
    height: view.getUint16(8, true) & SIDE_MASK,
    alpha: false,
    lossless: false,
  };
}

function readLossless(data: Uint8Array): Frame {
  if (data.length < VP8L_HEADER_BYTES) refuse("its picture ends too early");
  const bits = viewOf(data).getUint32(1, true);
  const version = bits >>> (2 * SIDE_BITS + 1);
  if (data[0] !== VP8L_SIGNATURE || version !== 0) refuse("its picture has no start code");
  return {
    width: 1 + (bits & SIDE_MASK),
    height: 1 + ((bits >>> SIDE_BITS) & SIDE_MASK),
    alpha: ((bits >>> (2 * SIDE_BITS)) & 1) === 1,
    lossless: true,
  };
}

function prefixBytes(exif: Uint8Array): number {
  return textAt(exif, 0, EXIF_PREFIX.length) === EXIF_PREFIX ? EXIF_PREFIX.length : 0;
}

/** Cleans an EXIF chunk and leaves its prefix as it was; data is null when nothing remains. */
function cleanChunk(
  exif: Uint8Array | null,
  keepLocation: boolean,
): { data: Uint8Array | null; dropped: readonly Dropped[] } {
  if (!exif) return { data: null, dropped: [] };
  const skip = prefixBytes(exif);
  const { tiff, dropped } = cleanExif(exif.subarray(skip), keepLocation);
  if (tiff.length === 0) return { data: null, dropped };
  const data = new Uint8Array(skip + tiff.length);
  data.set(exif.subarray(0, skip));
  data.set(tiff, skip);
  return { data, dropped };
}

function keep(kind: string, data: Uint8Array | null): Chunk[] {
  return data ? [{ kind, data }] : [];
}

function writeChunks(chunks: readonly Chunk[]): Uint8Array<ArrayBuffer> {
  const padded = (size: number) => CHUNK_HEADER_BYTES + size + (size & 1);
  const total = chunks.reduce((sum, { data }) => sum + padded(data.length), FILE_HEADER_BYTES);
  const bytes = new Uint8Array(total);
  bytes.set(letters("RIFF"));
  viewOf(bytes).setUint32(4, total - CHUNK_HEADER_BYTES, true);
  bytes.set(letters("WEBP"), 8);
  let at = FILE_HEADER_BYTES;
  for (const { kind, data } of chunks) {
    bytes.set(letters(kind), at);
    viewOf(bytes).setUint32(at + 4, data.length, true);
    bytes.set(data, at + CHUNK_HEADER_BYTES);
    at += padded(data.length);
  }
  return bytes;
}
