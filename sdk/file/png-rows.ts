// The rows of a PNG picture: from its IDAT chunks through zlib to samples without their filter, one by one.
// W3C PNG Third Edition: 8.1 (Adam7), 9.2 (filters), 10 (compression).
import { broken, type ColourType, isSound, type PngHead, readChunks } from "./png-chunks.ts";
import { inPieces, pump } from "./png-zlib.ts";

/** Deflate says at most 258 bytes in two bits: no stream is longer (zlib technical details, "limit"). */
const MAX_DEFLATE_RATIO = 1032;

/** Samples of a pixel. */
export const CHANNELS: Readonly<Record<ColourType, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** One of the reduced pictures that the file holds one after another. */
export interface Pass {
  /** Place of its first pixel, and steps to the next to the right and below. */
  readonly left: number;
  readonly top: number;
  readonly stepX: number;
  readonly stepY: number;
  readonly width: number;
  readonly height: number;
}

/** Left, top, step to the right, step down. */
const WHOLE = [[0, 0, 1, 1]] as const;
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/**
 * Reads all rows in the order of the file.
 * @param visit gets a row of samples as they are packed in the file, only for the time of the call
 * @throws LabelError `file-broken` when a row is missing or damaged
 */
export async function readRows(
  bytes: Uint8Array,
  head: PngHead,
  visit: (row: Uint8Array, y: number, pass: Pass) => void,
): Promise<void> {
  const take = rowTaker(head, visit);
  let complete = false;
  await pump(new DecompressionStream("deflate"), inPieces(dataChunks(bytes, head)), (chunk) => {
    complete = take(chunk);
    return complete;
  });
  if (!complete) throw broken("some of its pixels are missing or spoilt");
}

/** Refuses a size that the file has not the bytes for, before memory is taken for it. */
export function checkClaim(bytes: Uint8Array, head: PngHead): void {
  let size = 0;
  for (const pass of passesOf(head)) size += pass.height * (1 + rowBytes(head, pass.width));
  if (size > MAX_DEFLATE_RATIO * (bytes.length - head.dataFrom)) {
    throw broken(`it is too short for its ${head.width} x ${head.height} pixels`);
  }
}

/** Data of the IDAT chunks that follow each other; a damaged one ends them. */
function* dataChunks(bytes: Uint8Array, head: PngHead): Generator<Uint8Array> {
  for (const chunk of readChunks(bytes, head.dataFrom)) {
    if (chunk.type !== "IDAT") return;
    if (chunk.whole && !isSound(chunk)) return;
    yield chunk.data;
  }
}

/** Takes the bytes as they come, and says when it has the last row. */
function rowTaker(
  head: PngHead,
  visit: (row: Uint8Array, y: number, pass: Pass) => void,
): (chunk: Uint8Array) => boolean {
  const passes = passesOf(head);
  const pixelBytes = Math.max(1, (head.depth * CHANNELS[head.colourType]) >> 3);
  const widest = rowBytes(head, head.width);
  const buffers = [new Uint8Array(widest), new Uint8Array(widest)];
  let [row, above] = buffers;
  let passIndex = -1;
  let y = 0;
  let fill = 0;
  /** -1 while the row's first byte is awaited. */
  let filter = -1;

  function beginPass(): void {
    passIndex++;
    y = 0;
    if (passIndex === passes.length) return;
    const length = rowBytes(head, passes[passIndex].width);
    [row, above] = buffers.map((buffer) => buffer.subarray(0, length));
    above.fill(0);
  }

  function endRow(): void {
    const pass = passes[passIndex];
    unfilter(filter, row, above, pixelBytes);
    visit(row, y, pass);
    [row, above] = [above, row];
    filter = -1;
    fill = 0;
    y++;
    if (y === pass.height) beginPass();
  }

  beginPass();
  return (chunk) => {
    for (let at = 0; at < chunk.length && passIndex < passes.length; ) {
      if (filter < 0) filter = chunk[at++];
      const taken = Math.min(row.length - fill, chunk.length - at);
      row.set(chunk.subarray(at, at + taken), fill);
      at += taken;
      fill += taken;
      if (fill === row.length) endRow();
    }
    return passIndex === passes.length;
  };
}

function passesOf({ width, height, interlaced }: PngHead): Pass[] {
  return (interlaced ? ADAM7 : WHOLE)
    .map(([left, top, stepX, stepY]) => ({
      ...{ left, top, stepX, stepY },
      width: Math.ceil((width - left) / stepX),
      height: Math.ceil((height - top) / stepY),
    }))
    .filter((pass) => pass.width > 0 && pass.height > 0);
}

function rowBytes({ depth, colourType }: PngHead, width: number): number {
  return Math.ceil((width * depth * CHANNELS[colourType]) / 8);
}

/**
 * Turns a row of differences back into samples, in place (9.2).
 * @param above the row before it, zeros for the first
 * @param step bytes of a pixel, at least one
 */
function unfilter(filter: number, row: Uint8Array, above: Uint8Array, step: number): void {
  const end = row.length;
  const first = Math.min(step, end);
  switch (filter) {
    case 0:
      return;
    case 1:
      for (let i = step; i < end; i++) row[i] += row[i - step];
      return;
    case 2:
      for (let i = 0; i < end; i++) row[i] += above[i];
      return;
    case 3:
      for (let i = 0; i < first; i++) row[i] += above[i] >> 1;
      for (let i = step; i < end; i++) row[i] += (row[i - step] + above[i]) >> 1;
      return;
    case 4:
      for (let i = 0; i < first; i++) row[i] += above[i];
      for (let i = step; i < end; i++) {
        row[i] += paeth(row[i - step], above[i], above[i - step]);
      }
      return;
    default:
      throw broken("one of its rows is coded in an unknown way");
  }
}

/** Whichever of left, above and upper left is nearest to their slope (9.4). */
export function paeth(left: number, above: number, corner: number): number {
  const byLeft = Math.abs(above - corner);
  const byAbove = Math.abs(left - corner);
  const byCorner = Math.abs(left + above - 2 * corner);
  if (byLeft <= byAbove && byLeft <= byCorner) return left;
  return byAbove <= byCorner ? above : corner;
}
