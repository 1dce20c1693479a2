// PNG pixels to RGBA, or to reduced luma alone. Colours are left as they are: no gamma, no profile.
// W3C PNG Third Edition: 7.2 (packing), 11.3.1 (transparency), 13.12 (sample depth scaling).
import { LabelError } from "../error.ts";
import { type PngHead, readHead } from "./png-chunks.ts";
import { CHANNELS, checkClaim, readRows } from "./png-rows.ts";

/** RGBA, not premultiplied: 0..65535 where the file has 16 bits a sample, else 0..255. */
export interface PngPixels {
  readonly data: Uint8ClampedArray<ArrayBuffer> | Uint16Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
}

export interface PngLuma {
  readonly luma: Uint8Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
}

/** Largest factor of decodePngLuma. */
export const MAX_LUMA_FACTOR = 16;
/** BT.601, in thousandths. */
const RED = 299;
const GREEN = 587;
const BLUE = 114;

type Samples = Uint8Array | Uint16Array;

/**
 * Decodes all pixels.
 * @param bytes a whole file, of a size that the caller has checked
 * @throws LabelError `file-broken`, or `out-of-memory` when the picture is larger than an array can be
 */
export async function decodePng(bytes: Uint8Array): Promise<PngPixels> {
  const head = readHead(bytes);
  checkClaim(bytes, head);
  const { width, height, depth } = head;
  const data = allocate(head, () => makePixels(depth, width * height));
  const paint = painter(head);
  await readRows(bytes, head, (row, y, { left, top, stepX, stepY, width: count }) => {
    paint(row, count, data, ((top + y * stepY) * width + left) * 4, 4 * stepX);
  });
  return { data, width, height };
}

/**
 * Decodes only luma (BT.601) over white, averaged over squares; what fills no square is left out.
 * @param bytes a whole file that is not interlaced
 * @param factor side of a square, 1..MAX_LUMA_FACTOR
 * @throws LabelError as `decodePng`
 */
export async function decodePngLuma(bytes: Uint8Array, factor: number): Promise<PngLuma> {
  if (!Number.isInteger(factor) || factor < 1 || factor > MAX_LUMA_FACTOR) {
    throw new RangeError(`Luma is reduced by 1 to ${MAX_LUMA_FACTOR}, not by ${factor}.`);
  }
  const head = readHead(bytes);
  if (head.interlaced) throw new TypeError("An interlaced PNG has no rows to reduce in turn.");
  checkClaim(bytes, head);
  const width = Math.floor(head.width / factor);
  const height = Math.floor(head.height / factor);
  const luma = allocate(head, () => new Uint8Array(width * height));
  const pixels = makePixels(head.depth, width * factor);
  const opaque = opaqueOf(pixels);
  // One grey level in a square's sum; all is whole, so that halves are exact.
  const unit = ((1000 * opaque * opaque) / 255) * factor * factor;
  const sums = new Float64Array(width);
  const paint = painter(head);
  await readRows(bytes, head, (row, y) => {
    paint(row, width * factor, pixels, 0, 4);
    addLuma(pixels, sums, factor);
    if ((y + 1) % factor !== 0) return;
    const at = ((y + 1) / factor - 1) * width;
    for (let x = 0; x < width; x++) luma[at + x] = Math.floor(sums[x] / unit + 0.5);
    sums.fill(0);
  });
  return { luma, width, height };
}

/** Arrays have a limit, and so has memory: neither is the caller's error. */
function allocate<T>({ width, height }: PngHead, make: () => T): T {
  try {
    return make();
  } catch {
    throw new LabelError("out-of-memory", `There is no memory for a ${width} x ${height} picture.`);
  }
}

function makePixels(depth: number, count: number): PngPixels["data"] {
  return depth === 16 ? new Uint16Array(4 * count) : new Uint8ClampedArray(4 * count);
}

function opaqueOf(pixels: PngPixels["data"]): number {
  return pixels instanceof Uint16Array ? 65535 : 255;
}

/** What turns packed rows into pixels, `step` elements from one to the next. */
function painter(head: PngHead) {
  const unpack = unpacker(head);
  const table = tableOf(head);
  const key = keyOf(head);
  return (row: Uint8Array, count: number, out: PngPixels["data"], at: number, step: number) => {
    const samples = unpack(row, count);
    if (table) paintIndexed(samples, count, table, out, at, step);
    else paintDirect(samples, count, head.colourType, key, out, at, step);
  };
}

/** Makes one sample an element; the elements are valid until the next call. */
function unpacker({ depth, colourType, width }: PngHead) {
  if (depth === 8) return (row: Uint8Array): Samples => row;
  const channels = CHANNELS[colourType];
  if (depth === 16) {
    const samples = new Uint16Array(width * channels);
    return (row: Uint8Array, count: number): Samples => {
      const end = count * channels;
      for (let i = 0; i < end; i++) samples[i] = (row[2 * i] << 8) | row[2 * i + 1];
      return samples;
    };
  }
  const samples = new Uint8Array(width);
  const mask = (1 << depth) - 1;
  return (row: Uint8Array, count: number): Samples => {
    for (let i = 0, x = 0; x < count; i++) {
      for (let shift = 8 - depth; shift >= 0 && x < count; shift -= depth) {
        samples[x++] = (row[i] >> shift) & mask;
      }
    }
    return samples;
  };
}

/**
 * RGBA of every sample of a picture with a palette, or of grey of up to 8 bits; else null. Samples
 * beyond the palette are opaque black, as libpng shows them.
 */
function tableOf(head: PngHead): Uint8Array | null {
  const { depth, colourType, palette, transparency } = head;
  const table = new Uint8Array(4 * 256);
  for (let i = 3; i < table.length; i += 4) table[i] = 255;
  if (palette) {
    for (let i = 0; i < palette.length / 3; i++) {
      table.set(palette.subarray(3 * i, 3 * i + 3), 4 * i);
      table[4 * i + 3] = transparency?.[i] ?? 255;
    }
    return table;
  }
  if (colourType !== 0 || depth === 16) return null;
  const most = (1 << depth) - 1;
  for (let i = 0; i <= most; i++) table.fill((i * 255) / most, 4 * i, 4 * i + 3);
  const [key] = keyOf(head);
  if (key >= 0) table[4 * key + 3] = 0;
  return table;
}

/** The samples that mean transparent: one for grey, three for colour; -1 where none does. */
function keyOf({ depth, colourType, transparency }: PngHead): number[] {
  if (!transparency || colourType === 3) return [-1, -1, -1];
  const mask = (1 << depth) - 1;
  return Array.from(
    { length: transparency.length / 2 },
    (_, i) => ((transparency[2 * i] << 8) | transparency[2 * i + 1]) & mask,
  );
}

function paintIndexed(
  samples: Samples,
  count: number,
  table: Uint8Array,
  out: PngPixels["data"],
  from: number,
  step: number,
): void {
  for (let x = 0, at = from; x < count; x++, at += step) {
    const entry = 4 * samples[x];
    out[at] = table[entry];
    out[at + 1] = table[entry + 1];
    out[at + 2] = table[entry + 2];
    out[at + 3] = table[entry + 3];
  }
}

function paintDirect(
  samples: Samples,
  count: number,
  colourType: number,
  key: readonly number[],
  out: PngPixels["data"],
  from: number,
  step: number,
): void {
  const opaque = opaqueOf(out);
  const [keyRed, keyGreen, keyBlue] = key;
  let at = from;
  if (colourType === 0) {
    for (let x = 0; x < count; x++, at += step) {
      const grey = samples[x];
      out[at] = out[at + 1] = out[at + 2] = grey;
      out[at + 3] = grey === keyRed ? 0 : opaque;
    }
  } else if (colourType === 4) {
    for (let x = 0; x < 2 * count; x += 2, at += step) {
      out[at] = out[at + 1] = out[at + 2] = samples[x];
      out[at + 3] = samples[x + 1];
    }
  } else if (colourType === 2) {
    for (let x = 0; x < 3 * count; x += 3, at += step) {
      const red = samples[x];
      const green = samples[x + 1];
      const blue = samples[x + 2];
      out[at] = red;
      out[at + 1] = green;
      out[at + 2] = blue;
      out[at + 3] = red === keyRed && green === keyGreen && blue === keyBlue ? 0 : opaque;
    }
  } else {
    for (let x = 0; x < 4 * count; x += 4, at += step) {
      out[at] = samples[x];
      out[at + 1] = samples[x + 1];
      out[at + 2] = samples[x + 2];
      out[at + 3] = samples[x + 3];
    }
  }
}

/** Adds a row's luma over white to the squares that it crosses, times 1000 and opaque squared. */
function addLuma(pixels: PngPixels["data"], sums: Float64Array, factor: number): void {
  const opaque = opaqueOf(pixels);
  const white = 1000 * opaque;
  const step = 4 * factor;
  for (let x = 0, i = 0; x < sums.length; x++) {
    let sum = 0;
    for (const end = i + step; i < end; i += 4) {
      const luma = RED * pixels[i] + GREEN * pixels[i + 1] + BLUE * pixels[i + 2];
      sum += white * opaque - (white - luma) * pixels[i + 3];
    }
    sums[x] += sum;
  }
}
