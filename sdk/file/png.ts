// PNG (W3C PNG Third Edition): reads the header, and moves the metadata into a newly encoded file. The pixels
// are read and written by png-decode.ts and png-encode.ts.
import { cleanExif, readOrientation } from "./exif.ts";
import type { Dropped, FileFormat, MetadataEdit, Orientation } from "./format.ts";
import {
  type Chunk,
  isCritical,
  isSound,
  join,
  makeChunk,
  type PngHead,
  readChunks,
  readHead,
  SIGNATURE,
} from "./png-chunks.ts";
import {
  type CarriedChunk,
  carryText,
  createXmp,
  keywordOf,
  tiffOf,
  XMP_KEYWORD,
} from "./png-text.ts";

/** Colour and size: they must stand before the pixels, once (5.6, table 7). */
const BEFORE_PIXELS = /^(?:iCCP|sRGB|gAMA|cHRM|cICP|mDCV|cLLI|pHYs|sPLT|sBIT|bKGD)$/;
/** Counted in samples of the file, so only true for the same samples (11.3.2.6, 11.3.4.1). */
const BY_SAMPLES = /^(?:sBIT|bKGD)$/;
/** These may also stand behind the pixels; tEXt and its kind any number of times. */
const ANYWHERE = /^(?:tIME|eXIf|tEXt|zTXt|iTXt)$/;
const TEXT = /^(?:tEXt|zTXt|iTXt)$/;
/** About coded pixels that are gone; zxIf is Exif as an early proposal compressed it. */
const LEFT_OUT = /^(?:tRNS|hIST|acTL|fcTL|fdAT|zxIf)$/;
/** Parts whose loss is told (C2PA 2.1, A.3.3; 11.3.5). */
const TOLD: Readonly<Record<string, Dropped>> = {
  caBX: "c2pa",
  fdAT: "second-picture",
  gdAT: "second-picture",
};
/**
 * Extensions (PNG-Extensions 1.5, and ImageMagick's) that tell of sizes and scales. Chunks that are not known
 * are left out, safe to copy or not: they may hold a place, a preview or a signature.
 */
const HARMLESS = /^(?:oFFs|pCAL|sCAL|sTER|vpAg|caNv|orNT)$/;

/** PNG, with its header and its metadata. */
export const png: FileFormat = {
  probe(bytes) {
    const head = readHead(bytes);
    const { width, height, depth, colourType, interlaced, transparency, animated } = head;
    return {
      format: "png",
      width,
      height,
      orientation: orientationOf(bytes),
      bitDepth: depth === 16 ? 16 : 8,
      colour: isGrey(head) ? "grey" : "rgb",
      alpha: colourType >= 4 || transparency !== null,
      animated,
      lossless: true,
      progressive: interlaced,
      unsupported: null,
    };
  },

  async carry(original, encoded, edit) {
    const [from, to] = [readHead(original), readHead(encoded)];
    const before: Uint8Array[] = [];
    const after: Uint8Array[] = [];
    const dropped = new Set<Dropped>();
    const seen = new Set<string>();
    for (const chunk of readChunks(original)) {
      const behind = chunk.at > from.dataFrom;
      if (!chunk.whole || !mayCarry(chunk, behind, from, to)) {
        if (chunk.type in TOLD) dropped.add(TOLD[chunk.type]);
        continue;
      }
      const name = nameOf(chunk);
      if (!isSound(chunk) || (name !== null && seen.has(name))) continue;
      if (name !== null) seen.add(name);
      const carried = await carryChunk(chunk, edit);
      for (const what of carried.dropped) dropped.add(what);
      const side = behind && !ANYWHERE.test(chunk.type) ? after : before;
      if (carried.chunk) side.push(carried.chunk);
    }
    if (!seen.has(XMP_KEYWORD)) before.push(...[createXmp(edit)].filter((made) => made !== null));
    const bytes = join([...assemble(encoded, before, after)]);
    return { bytes, dropped: [...dropped].sort() };
  },
};

/** The first Exif chunk counts, wherever it stands. */
function orientationOf(bytes: Uint8Array): Orientation {
  for (const chunk of readChunks(bytes)) {
    if (chunk.type === "eXIf" && chunk.whole && isSound(chunk)) {
      return readOrientation(tiffOf(chunk.data));
    }
  }
  return 1;
}

function isGrey({ colourType }: PngHead): boolean {
  return colourType === 0 || colourType === 4;
}

/** Whether a chunk is still true of the new file, and lawful in it. */
function mayCarry({ type }: Chunk, behind: boolean, from: PngHead, to: PngHead): boolean {
  if (isCritical(type) || LEFT_OUT.test(type)) return false;
  if (BY_SAMPLES.test(type) && (from.colourType !== to.colourType || from.depth !== to.depth)) {
    return false;
  }
  // A profile is of the colour space of the samples: grey or RGB, which is also a palette's (11.3.2.3).
  if (type === "iCCP" && isGrey(from) !== isGrey(to)) return false;
  if (BEFORE_PIXELS.test(type)) return !behind;
  return ANYWHERE.test(type) || HARMLESS.test(type);
}

/** What may be there once only, by name; null when there may be more. */
function nameOf(chunk: Chunk): string | null {
  if (TEXT.test(chunk.type)) {
    const keyword = keywordOf(chunk);
    if (/^Raw profile /i.test(keyword)) return keyword.toLowerCase();
    return keyword === XMP_KEYWORD ? keyword : null;
  }
  const known = BEFORE_PIXELS.test(chunk.type) || ANYWHERE.test(chunk.type);
  return known && chunk.type !== "sPLT" ? chunk.type : null;
}

async function carryChunk(chunk: Chunk, edit: MetadataEdit): Promise<CarriedChunk> {
  if (TEXT.test(chunk.type)) return carryText(chunk, edit);
  if (chunk.type !== "eXIf") return { chunk: chunk.raw, dropped: [] };
  const { tiff, dropped } = cleanExif(tiffOf(chunk.data), edit.keepLocation ?? false);
  return { chunk: tiff.length > 0 ? makeChunk("eXIf", tiff) : null, dropped };
}

/** The new picture's own chunks with the others about them. */
function* assemble(encoded: Uint8Array, before: Uint8Array[], after: Uint8Array[]) {
  yield SIGNATURE;
  for (const { type, raw } of readChunks(encoded)) {
    if (type === "IEND") yield* after;
    if (type === "IHDR" || type === "IDAT" || type === "IEND") yield raw;
    if (type === "IHDR") yield* before;
  }
}
