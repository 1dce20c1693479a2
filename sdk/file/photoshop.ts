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
    else if (EXIF.includes(number)) {
      if (cleanExif(data, false).dropped.includes("location")) dropped.add("location");
    } else if (number !== XMP) {
      out.set(block, end);
      end += block.length;
    }
  }
  return { resources: out.slice(0, end), dropped: [...dropped].sort() };
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
