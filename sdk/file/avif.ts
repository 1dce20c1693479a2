// AVIF (AV1 Image File Format 1.1, on HEIF ISO/IEC 23008-12 and MIAF ISO/IEC 23000-22). The picture is
// turned as its irot and imir properties tell; an orientation in Exif has no effect (MIAF 7.3.10.1). What is
// described here is the primary item, stored as one AV1 picture or as a grid of them.
import { carryItems } from "./avif-carry.ts";
import {
  type Avif,
  alphaOf,
  hasBrand,
  type Item,
  itemData,
  property,
  readAvif,
  tilesOf,
} from "./avif-read.ts";
import { Cursor, findBox, refuse } from "./boxes.ts";
import type { FileFormat, Header, Orientation } from "./format.ts";

interface Size {
  readonly width: number;
  readonly height: number;
}

type Coding = Pick<Header, "bitDepth" | "colour">;

/**
 * What irot and then imir make of a picture, in the order of MIAF 7.3.6.7: by quarter turns anticlockwise
 * (23008-12, 6.5.10), each with no mirror, top and bottom exchanged, left and right exchanged (6.5.12).
 */
const ORIENTATIONS: readonly (readonly Orientation[])[] = [
  [1, 4, 2],
  [8, 5, 7],
  [3, 2, 4],
  [6, 7, 5],
];
/** Properties that the decoder (libavif) understands or that leave the pixels as they are. */
const UNDERSTOOD =
  /^(ispe|av1C|pixi|colr|pasp|clap|irot|imir|auxC|a1op|a1lx|lsel|clli|mdcv|cclv|amve)$/;
/** First byte of av1C: a marker bit and version 1 (AV1-ISOBMFF 2.3.3). */
const AV1C_MARKER = 0x81;
const HIGH_BITDEPTH = 0x40;
const TWELVE_BIT = 0x20;
const MONOCHROME = 0x10;
/** In the flags of a grid: its sides are of 32 bits (23008-12, 6.6.2.3). */
const LARGE_GRID_FLAG = 1;

/** AVIF: reads the header, and moves the metadata into a newly encoded file. */
export const avif: FileFormat = {
  probe(bytes) {
    const file = readAvif(bytes);
    const { primary } = file;
    const size = readSize(primary);
    const coded = codedItems(file, size);
    const unsupported = whyUnsupported(primary, coded, size);
    return {
      format: "avif",
      ...size,
      ...(unsupported ? ({ bitDepth: 8, colour: "rgb" } as const) : readCoding(primary, coded)),
      orientation: readTurn(primary),
      alpha: alphaOf(file, [primary, ...coded]).length > 0,
      animated: isAnimated(file),
      lossless: false,
      progressive: false,
      unsupported,
    };
  },

  async carry(original, encoded, edit) {
    return carryItems(readAvif(original), readAvif(encoded), edit);
  },
};

/** Image sequences have their frames in a track (AV1 Image File Format, 6.3). */
function isAnimated({ boxes }: Avif): boolean {
  const brands = findBox(boxes, "ftyp") ?? new Uint8Array();
  return hasBrand(brands, "avis") && findBox(boxes, "moov") !== null;
}

/** The stored size (23008-12, 6.5.3). */
function readSize(item: Item): Size {
  const ispe = new Cursor(property(item, "ispe") ?? refuse("its size is missing"));
  ispe.version();
  const size = { width: ispe.uint(4), height: ispe.uint(4) };
  if (size.width === 0 || size.height === 0) refuse("its picture has no pixels");
  return size;
}

/** The items that hold pixels: the primary one, or its tiles (23008-12, 6.6.2.3). */
function codedItems(file: Avif, size: Size): Item[] {
  const { primary } = file;
  if (primary.type !== "grid" || primary.extents === null) return [primary];
  const grid = new Cursor(itemData(primary));
  grid.bytes(1);
  const sideBytes = grid.uint(1) & LARGE_GRID_FLAG ? 4 : 2;
  const count = (1 + grid.uint(1)) * (1 + grid.uint(1));
  if (grid.uint(sideBytes) !== size.width || grid.uint(sideBytes) !== size.height) {
    refuse("it tells two different sizes");
  }
  const tiles = tilesOf(file, primary);
  if (tiles.length !== count) refuse("some of its tiles are missing");
  return tiles;
}

function whyUnsupported(primary: Item, coded: readonly Item[], size: Size): string | null {
  for (const item of new Set([primary, ...coded])) {
    const { type, extents, properties } = item;
    if (extents === null) return "pixels outside of the file";
    if (type !== "av01" && !(type === "grid" && item === primary)) {
      return `a picture of the type ${JSON.stringify(type)}`;
    }
    const strange = properties.find((own) => own.essential && !UNDERSTOOD.test(own.type));
    if (strange) return `a picture with the property ${JSON.stringify(strange.type)}`;
  }
  return isCropped(primary, size) ? "a cropped frame (clap)" : null;
}

/** Whether the clean aperture (ISO/IEC 14496-12, 12.1.4) is less than the whole picture. */
function isCropped(item: Item, { width, height }: Size): boolean {
  const clap = property(item, "clap");
  if (!clap) return false;
  const cursor = new Cursor(clap);
  const [wide, wideBy, high, highBy, right, , down] = Array.from({ length: 8 }, () =>
    cursor.uint(4),
  );
  return wide !== width * wideBy || high !== height * highBy || right !== 0 || down !== 0;
}

/** How the pixels are coded: av1C (AV1-ISOBMFF 2.3) of the first tile, which pixi must not contradict. */
function readCoding(primary: Item, coded: readonly Item[]): Coding {
  if (coded.some(({ extents }) => !extents?.some(({ length }) => length > 0))) {
    refuse("its pixels are missing");
  }
  const av1C = new Cursor(property(coded[0], "av1C") ?? refuse("its coding is not described"));
  if (av1C.uint(1) !== AV1C_MARKER) refuse("its coding is not described");
  av1C.bytes(1);
  const flags = av1C.uint(1);
  const bitDepth = flags & HIGH_BITDEPTH ? (flags & TWELVE_BIT ? 12 : 10) : 8;
  const pixi = property(primary, "pixi");
  if (pixi && readDepths(pixi).some((depth) => depth !== bitDepth)) {
    refuse("it tells two different bit depths");
  }
  return { bitDepth, colour: flags & MONOCHROME ? "grey" : "rgb" };
}

/** Bits of each channel (23008-12, 6.5.6). */
function readDepths(pixi: Uint8Array): number[] {
  const cursor = new Cursor(pixi);
  cursor.version();
  return [...cursor.bytes(cursor.uint(1))];
}

function readTurn(item: Item): Orientation {
  const [irot, imir] = [property(item, "irot"), property(item, "imir")];
  const quarters = irot ? new Cursor(irot).uint(1) & 3 : 0;
  const mirror = imir ? 1 + (new Cursor(imir).uint(1) & 1) : 0;
  return ORIENTATIONS[quarters][mirror];
}
