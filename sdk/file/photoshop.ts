// Photoshop's image resources (Photoshop File Formats Specification, "Image Resource Blocks"): takes out the
// thumbnails, and the Exif and XMP that repeat what the file holds elsewhere. IPTC and all else stays.
import { cleanExif } from "./exif.ts";
import type { Dropped } from "./format.ts";

/** Signatures of blocks: Photoshop's own, and those that other programs write in its place (as exiftool knows). */
const SIGNATURES = ["8BIM", "MeSa", "AgHg", "PHUT", "DCSR"];
/** Signature, number, and the shortest name, which is empty: a length of 0 and its padding. */
const SHORTEST_HEAD_BYTES = 8;
const SIZE_BYTES = 4;

/** Numbers of the resources that go, from the specification's table "Image resource IDs". */
const THUMBNAILS: readonly number[] = [0x0409, 0x040c];
const EXIF: readonly number[] = [0x0422, 0x0423];
const XMP = 0x0424;
const IPTC = 0x0404;

/** A dataset of IPTC (IIM 4.1, chapter 3): this marker, record, number, and a length of two bytes. */
const DATASET = 0x1c;
const DATASET_HEAD_BYTES = 5;
/** Set in the length of an extended dataset: the rest tells how many bytes of length follow. */
const EXTENDED = 0x8000;
/** Record 2, datasets 200 to 202: an object's preview with its format (IIM 4.1, chapter 6). */
const APPLICATION_RECORD = 2;
const PREVIEW = { from: 200, to: 202 } as const;

interface Resource {
  readonly number: number;
  readonly data: Uint8Array;
  /** The whole block, with its padding. */
  readonly block: Uint8Array;
}

/**
 * Cleans a run of resource blocks; what follows a damaged one is left out.
 * "location" tells of a position in the repeated Exif, which goes whether or not the true one stays.
 */
export function cleanResources(resources: Uint8Array): {
  resources: Uint8Array<ArrayBuffer>;
  dropped: Dropped[];
} {
  const out = new Uint8Array(resources.length);
  const dropped = new Set<Dropped>();
  let end = 0;
  for (const { number, data, block } of readResources(resources)) {
    if (THUMBNAILS.includes(number)) dropped.add("thumbnail");
    else if (number === IPTC) {
      const cleaned = withoutPreview(data);
      if (cleaned.length < data.length) dropped.add("thumbnail");
      end = put(out, end, cleaned.length < data.length ? resize(block, data, cleaned) : block);
    } else if (EXIF.includes(number)) {
      if (cleanExif(data, false).dropped.includes("location")) dropped.add("location");
    } else if (number !== XMP) {
      end = put(out, end, block);
    }
  }
  return { resources: out.slice(0, end), dropped: [...dropped].sort() };
}

function put(out: Uint8Array, at: number, block: Uint8Array): number {
  out.set(block, at);
  return at + block.length;
}

/** A block with shorter data: its head, the new size, the data and their padding. */
function resize(block: Uint8Array, old: Uint8Array, data: Uint8Array): Uint8Array {
  const headBytes = old.byteOffset - block.byteOffset;
  const resized = new Uint8Array(headBytes + data.length + (data.length & 1));
  resized.set(block.subarray(0, headBytes));
  new DataView(resized.buffer).setUint32(headBytes - SIZE_BYTES, data.length);
  resized.set(data, headBytes);
  return resized;
}

/** IPTC without the preview; the same array when there is none. What cannot be read stays as it is. */
function withoutPreview(iptc: Uint8Array): Uint8Array {
  const out = new Uint8Array(iptc.length);
  let end = 0;
  let at = 0;
  for (let to = endOfDataset(iptc, 0); to > at; to = endOfDataset(iptc, at)) {
    const [, record, dataset] = iptc.subarray(at, to);
    const inPreview = dataset >= PREVIEW.from && dataset <= PREVIEW.to;
    if (record !== APPLICATION_RECORD || !inPreview) end = put(out, end, iptc.subarray(at, to));
    at = to;
  }
  if (end === at) return iptc;
  return out.subarray(0, put(out, end, iptc.subarray(at)));
}

/** Where a dataset ends; where it begins when there is none, or a damaged one. */
function endOfDataset(iptc: Uint8Array, at: number): number {
  if (iptc[at] !== DATASET || at + DATASET_HEAD_BYTES > iptc.length) return at;
  const length = (iptc[at + 3] << 8) | iptc[at + 4];
  const extra = length & EXTENDED ? length & ~EXTENDED : 0;
  let size = extra > 0 ? 0 : length;
  for (let i = 0; i < Math.min(extra, SIZE_BYTES); i++) {
    size = size * 256 + (iptc[at + DATASET_HEAD_BYTES + i] ?? 0);
  }
  const to = at + DATASET_HEAD_BYTES + extra + size;
  return to <= iptc.length ? to : at;
}

/** All blocks up to the first that is damaged. */
function* readResources(bytes: Uint8Array): Generator<Resource> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let from = 0; from + SHORTEST_HEAD_BYTES + SIZE_BYTES <= bytes.length; ) {
    const signature = String.fromCharCode(...bytes.subarray(from, from + 4));
    // A Pascal string: its length, its letters, and padding to an even number of bytes.
    const nameBytes = (bytes[from + 6] + 2) & ~1;
    const start = from + 6 + nameBytes + SIZE_BYTES;
    if (!SIGNATURES.includes(signature) || start > bytes.length) return;
    const end = start + view.getUint32(start - SIZE_BYTES);
    if (end > bytes.length) return;
    // The padding of the last block is missing in some files.
    const to = Math.min(end + ((end - start) & 1), bytes.length);
    const data = bytes.subarray(start, end);
    yield { number: view.getUint16(from + 4), data, block: bytes.subarray(from, to) };
    from = to;
  }
}
