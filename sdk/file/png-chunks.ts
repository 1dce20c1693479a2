// The chunks that a PNG file is made of, and what those before the pixels tell.
// W3C PNG Third Edition: 5 (file structure), 11.2 (critical chunks), 11.3.1 (transparency).
import { LabelError } from "../error.ts";

/** The first eight bytes of every PNG file (5.2). */
export const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
/** Length, type and CRC around a chunk's data (5.3). */
export const CHUNK_FRAME_BYTES = 12;
const IHDR_BYTES = 13;
/** Largest length and largest side (5.3, 11.2.1). */
const MAX_INT = 2 ** 31 - 1;
const MAX_PALETTE = 256;
/** Bit depths that each colour type may have (11.2.1, table 11.1). */
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};
/** CRC-32 as in ISO 3309, bits reversed (annex D). */
const CRC_POLYNOMIAL = 0xedb88320;
const CRC = makeCrcTables();

/** 0 grey, 2 colour, 3 palette, 4 grey and alpha, 6 colour and alpha (11.2.1). */
export type ColourType = 0 | 2 | 3 | 4 | 6;

export interface Chunk {
  /** Four letters; the case of the first says critical, that of the last safe to copy (5.4). */
  readonly type: string;
  readonly data: Uint8Array;
  /** All of it as it stands in the file. */
  readonly raw: Uint8Array;
  /** Where it begins in the file. */
  readonly at: number;
  /** False for the rest of a file that ends too early or is no chunk: it comes last. */
  readonly whole: boolean;
}

/** What is known when the pixels begin. */
export interface PngHead {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colourType: ColourType;
  readonly interlaced: boolean;
  /** Red, green, blue of each entry; null unless the colour type is 3. */
  readonly palette: Uint8Array | null;
  /** The tRNS chunk where it means something. */
  readonly transparency: Uint8Array | null;
  readonly animated: boolean;
  /** Where the first IDAT chunk begins. */
  readonly dataFrom: number;
}

/** The refusal of a damaged file. */
export function broken(what: string): LabelError {
  return new LabelError("file-broken", `The PNG file is damaged: ${what}.`);
}

/** The chunks from a place on, up to and with IEND; a last one may not be whole. */
export function* readChunks(bytes: Uint8Array, from = SIGNATURE.length): Generator<Chunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = from; at < bytes.length; ) {
    const header = bytes.subarray(at + 4, at + 8);
    const type = String.fromCharCode(...header);
    const length = at + CHUNK_FRAME_BYTES <= bytes.length ? view.getUint32(at) : MAX_INT;
    const end = at + CHUNK_FRAME_BYTES + length;
    const whole = end <= bytes.length && length <= MAX_INT && /^[A-Za-z]{4}$/.test(type);
    const data = bytes.subarray(at + 8, whole ? end - 4 : bytes.length);
    yield { type, data, raw: bytes.subarray(at, end), at, whole };
    if (!whole || type === "IEND") return;
    at = end;
  }
}

/** Whether a whole chunk has the CRC that it says. */
export function isSound({ raw }: Chunk): boolean {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const end = raw.length - 4;
  return view.getUint32(end) === crc32(raw.subarray(4, end));
}

/** A chunk of some data, ready for the file. */
export function makeChunk(type: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const chunk = new Uint8Array(data.length + CHUNK_FRAME_BYTES);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) chunk[4 + i] = type.charCodeAt(i);
  chunk.set(data, 8);
  view.setUint32(8 + data.length, crc32(chunk.subarray(4, 8 + data.length)));
  return chunk;
}

/** One array of many. */
export function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * Reads all that stands before the pixels.
 * @throws LabelError `file-broken` when the pixels could not be read with it, or there are none
 */
export function readHead(bytes: Uint8Array): PngHead {
  if (!SIGNATURE.every((byte, i) => bytes[i] === byte)) throw broken("its signature is wrong");
  const chunks = readChunks(bytes);
  const first = chunks.next().value;
  if (first?.type !== "IHDR" || !first.whole) throw broken("it does not begin with its header");
  const header = readHeader(first);
  let palette: Uint8Array | null = null;
  let transparency: Uint8Array | null = null;
  let animated = false;
  for (const chunk of chunks) {
    const { type, data, whole, at } = chunk;
    if (type === "IDAT") {
      if (header.colourType === 3 && !palette) throw broken("its colour table is missing");
      return { ...header, palette, transparency, animated, dataFrom: at };
    }
    if (!whole) throw broken("it ends before its pixels, or has something else in their place");
    if (isCritical(type)) {
      checkCritical(chunk);
      if (header.colourType === 3) palette = readPalette(data, palette);
    } else if (type === "tRNS" && fitsTransparency(chunk, header, palette)) {
      transparency ??= data;
    } else if (type === "acTL" && data.length === 8 && isSound(chunk)) {
      animated ||= new DataView(data.buffer, data.byteOffset).getUint32(0) > 1;
    }
  }
  throw broken("it has no pixels");
}

/** Whether a picture can only be shown by a reader that knows the chunk (5.4). */
export function isCritical(type: string): boolean {
  return type.charCodeAt(0) < 0x60;
}

/** The only critical chunk between the header and the pixels is the palette. */
function checkCritical(chunk: Chunk): void {
  const { type } = chunk;
  if (type === "IEND") throw broken("it has no pixels");
  if (type !== "PLTE") throw broken(`it has a part "${type}" where none may be`);
  if (!isSound(chunk)) throw broken("its colour table has a wrong checksum");
}

function readPalette(data: Uint8Array, before: Uint8Array | null): Uint8Array {
  const { length } = data;
  if (before || length === 0 || length % 3 !== 0 || length > 3 * MAX_PALETTE) {
    throw broken("its colour table is wrong");
  }
  return data;
}

/** A tRNS chunk that does not fit is ignored, as libpng does. */
function fitsTransparency(
  chunk: Chunk,
  header: { colourType: ColourType },
  palette: Uint8Array | null,
): boolean {
  const { length } = chunk.data;
  if (!isSound(chunk)) return false;
  if (header.colourType === 0) return length === 2;
  if (header.colourType === 2) return length === 6;
  return palette !== null && length > 0 && length <= palette.length / 3;
}

function readHeader(chunk: Chunk) {
  const { data } = chunk;
  if (data.length !== IHDR_BYTES || !isSound(chunk)) throw broken("its header is wrong");
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const width = view.getUint32(0);
  const height = view.getUint32(4);
  const [depth, type, compression, filter, interlace] = data.subarray(8);
  const sized = width >= 1 && width <= MAX_INT && height >= 1 && height <= MAX_INT;
  if (!sized) throw broken(`its size of ${width} x ${height} is impossible`);
  if (!DEPTHS[type]?.includes(depth)) throw broken("its kind of pixels does not exist");
  if (compression !== 0 || filter !== 0 || interlace > 1) throw broken("its coding does not exist");
  return { width, height, depth, colourType: type as ColourType, interlaced: interlace === 1 };
}

/** Four bytes a step: table k is table 0 moved on by k bytes (Kounavis and Berry 2005). */
function makeCrcTables(): Uint32Array[] {
  const tables = Array.from({ length: 4 }, () => new Uint32Array(256));
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ CRC_POLYNOMIAL : c >>> 1;
    tables[0][n] = c;
  }
  for (let k = 1; k < 4; k++) {
    for (let n = 0; n < 256; n++) {
      const c = tables[k - 1][n];
      tables[k][n] = (c >>> 8) ^ tables[0][c & 255];
    }
  }
  return tables;
}

/** The CRC of a chunk's type and data (5.5). */
function crc32(bytes: Uint8Array): number {
  const [t0, t1, t2, t3] = CRC;
  const end = bytes.length;
  let c = -1;
  let i = 0;
  for (; i + 4 <= end; i += 4) {
    c ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    c = t3[c & 255] ^ t2[(c >>> 8) & 255] ^ t1[(c >>> 16) & 255] ^ t0[c >>> 24];
  }
  for (; i < end; i++) c = (c >>> 8) ^ t0[(c ^ bytes[i]) & 255];
  return ~c >>> 0;
}
