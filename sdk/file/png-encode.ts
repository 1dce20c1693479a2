// Pixels to PNG: rows filtered by the least sum of differences, compressed by the platform's own zlib.
// W3C PNG Third Edition: 9.2 (filters), 12.7 (filter selection), 10 (compression).
import { join, makeChunk, SIGNATURE } from "./png-chunks.ts";
import { paeth } from "./png-rows.ts";
import { deflate } from "./png-zlib.ts";

/** RGBA, not premultiplied: 0..255, or 0..65535 in a Uint16Array. */
export interface PngSource {
  readonly data: Uint8ClampedArray | Uint16Array;
  readonly width: number;
  readonly height: number;
}

/** What is written of the pixels: grey is the red sample, and alpha may be left out. */
export interface PngKind {
  readonly colour: "grey" | "rgb";
  readonly alpha: boolean;
}

/** Data of one IDAT chunk at most. */
const IDAT_BYTES = 1 << 18;
/** Filtered rows that go to zlib in one piece, about. */
const STRIP_BYTES = 1 << 16;
const FILTERS = 5;

/** Encodes pixels as a PNG file without metadata: 16 bits a sample for a Uint16Array, else 8. */
export async function encodePng(
  pixels: PngSource,
  kind: PngKind,
): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height } = pixels;
  if (pixels.data.length !== 4 * width * height) {
    throw new RangeError(`${width} x ${height} pixels are not ${pixels.data.length} samples.`);
  }
  const data = join(await deflate(strips(pixels, kind)));
  const file: Uint8Array[] = [SIGNATURE, makeChunk("IHDR", headerOf(pixels, kind))];
  for (let at = 0; at < data.length; at += IDAT_BYTES) {
    file.push(makeChunk("IDAT", data.subarray(at, at + IDAT_BYTES)));
  }
  file.push(makeChunk("IEND", new Uint8Array(0)));
  return join(file);
}

/** The data of IHDR (11.2.1). */
function headerOf({ data, width, height }: PngSource, { colour, alpha }: PngKind): Uint8Array {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header[8] = 8 * data.BYTES_PER_ELEMENT;
  header[9] = (colour === "rgb" ? 2 : 0) + (alpha ? 4 : 0);
  return header;
}

/** All rows with their filters, some at a time. */
function* strips({ data, width, height }: PngSource, kind: PngKind): Generator<Uint8Array> {
  const channels = channelsOf(kind);
  const pixelBytes = channels.length * data.BYTES_PER_ELEMENT;
  const rowBytes = width * pixelBytes;
  const most = Math.max(1, Math.floor(STRIP_BYTES / (rowBytes + 1)));
  const filterRow = rowFilter(rowBytes, pixelBytes);
  let [row, above] = [new Uint8Array(rowBytes), new Uint8Array(rowBytes)];
  for (let top = 0; top < height; top += most) {
    const strip = new Uint8Array(Math.min(most, height - top) * (rowBytes + 1));
    for (let at = 0, y = top; at < strip.length; at += rowBytes + 1, y++) {
      packRow(data.subarray(4 * y * width, 4 * (y + 1) * width), channels, row);
      filterRow(row, above, strip.subarray(at, at + rowBytes + 1));
      [row, above] = [above, row];
    }
    yield strip;
  }
}

/** Which of red, green, blue and alpha are written. */
function channelsOf({ colour, alpha }: PngKind): number[] {
  return [...(colour === "rgb" ? [0, 1, 2] : [0]), ...(alpha ? [3] : [])];
}

/** Puts a row's samples as they stand in the file: high byte first (7.1). */
function packRow(pixels: PngSource["data"], channels: readonly number[], row: Uint8Array): void {
  const step = channels.length;
  if (pixels instanceof Uint16Array) {
    channels.forEach((channel, k) => {
      for (let from = channel, to = 2 * k; from < pixels.length; from += 4, to += 2 * step) {
        row[to] = pixels[from] >> 8;
        row[to + 1] = pixels[from];
      }
    });
  } else {
    channels.forEach((channel, k) => {
      for (let from = channel, to = k; from < pixels.length; from += 4, to += step) {
        row[to] = pixels[from];
      }
    });
  }
}

/** Writes a row with the filter whose differences, taken as signed, have the least sum (12.7). */
function rowFilter(rowBytes: number, pixelBytes: number) {
  const candidates = Array.from({ length: FILTERS }, () => new Uint8Array(rowBytes));
  return (row: Uint8Array, above: Uint8Array, out: Uint8Array): void => {
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let filter = 0; filter < FILTERS; filter++) {
      applyFilter(filter, row, above, pixelBytes, candidates[filter]);
      const sum = sumOf(candidates[filter], least);
      if (sum < least) [best, least] = [filter, sum];
    }
    out[0] = best;
    out.set(candidates[best], 1);
  };
}

/** Stops when it is no longer the least. */
function sumOf(differences: Uint8Array, least: number): number {
  const length = differences.length;
  let sum = 0;
  for (let at = 0; at < length && sum < least; ) {
    for (const end = Math.min(length, at + 256); at < end; at++) {
      const signed = (differences[at] << 24) >> 24;
      sum += signed < 0 ? -signed : signed;
    }
  }
  return sum;
}

/**
 * Turns a row of samples into differences (9.2).
 * @param above the row before it, zeros for the first
 * @param step bytes of a pixel
 */
function applyFilter(
  filter: number,
  row: Uint8Array,
  above: Uint8Array,
  step: number,
  out: Uint8Array,
): void {
  const end = row.length;
  switch (filter) {
    case 0:
      out.set(row);
      return;
    case 1:
      for (let i = 0; i < step; i++) out[i] = row[i];
      for (let i = step; i < end; i++) out[i] = row[i] - row[i - step];
      return;
    case 2:
      for (let i = 0; i < end; i++) out[i] = row[i] - above[i];
      return;
    case 3:
      for (let i = 0; i < step; i++) out[i] = row[i] - (above[i] >> 1);
      for (let i = step; i < end; i++) out[i] = row[i] - ((row[i - step] + above[i]) >> 1);
      return;
    default:
      for (let i = 0; i < step; i++) out[i] = row[i] - above[i];
      for (let i = step; i < end; i++) {
        out[i] = row[i] - paeth(row[i - step], above[i], above[i - step]);
      }
  }
}
