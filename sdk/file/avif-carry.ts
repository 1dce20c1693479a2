// Builds the labelled AVIF file: the pixels of the newly encoded one, and from the original what tells how
// they are to be seen (colour, turn, light levels) and its Exif and XMP. Every other item is left behind: a
// thumbnail, a gain map or a second picture would show the picture without its label.
import {
  type Avif,
  alphaOf,
  type Item,
  itemData,
  type Property,
  referring,
  tilesOf,
} from "./avif-read.ts";
import { type NewItem, writeAvif } from "./avif-write.ts";
import { type Box, Cursor, concat, fields, findBox, letters, refuse } from "./boxes.ts";
import { cleanExif } from "./exif.ts";
import type { Carried, Dropped, MetadataEdit } from "./format.ts";
import { editXmp } from "./xmp.ts";

interface Moved {
  readonly items: readonly NewItem[];
  readonly dropped: readonly Dropped[];
}

/** Content type of XMP items (XMP part 3, and ISO/IEC 23008-12, annex A.3). */
const XMP_TYPE = "application/rdf+xml";
/** The extended type of the uuid box that holds a C2PA manifest (C2PA 2.1, annex A, BMFF-based assets). */
const C2PA_UUID = fields(4, 0xd8fec3d6, 0x1b0e483c, 0x92975828, 0x877ec481);
/** Items that are not pictures. */
const NO_PICTURE = /^(Exif|mime|uri )$/;
/** What describes the picture and stays true of the new pixels. */
const DESCRIPTIVE = /^(clli|mdcv|pasp)$/;
/** How the picture is turned; alpha has the same turn (MIAF 7.3.6.7). */
const TURNS = /^(irot|imir)$/;
/** "Unspecified" colour primaries and transfer characteristics (ISO/IEC 23091-2, 8.1 and 8.2). */
const UNSPECIFIED = fields(2, 2, 2);
/** Where an ICC profile names its colour space (ICC.1:2022, 7.2). */
const ICC_SPACE_AT = 16;
/** In the third byte of av1C (AV1-ISOBMFF 2.3.3). */
const MONOCHROME = 0x10;

/** Joins the original's metadata to the encoded picture. */
export function carryItems(original: Avif, encoded: Avif, edit: MetadataEdit): Carried {
  const old = original.primary.properties;
  const turns = old.filter(({ type }) => TURNS.test(type));
  const own = [
    ...recolour(encoded.primary.properties, old),
    ...old
      .filter(({ type }) => DESCRIPTIVE.test(type))
      .map((kept) => ({ ...kept, essential: false })),
  ];
  const [alpha] = alphaOf(encoded, [encoded.primary]);
  const exif = moveExif(original, edit.keepLocation ?? false);
  const xmp = moveXmp(original, edit);
  const items: NewItem[] = [
    copy(encoded.primary, [...own, ...turns]),
    ...(alpha ? [{ ...copy(alpha, [...alpha.properties, ...turns]), reference: "auxl" }] : []),
    ...exif.items,
    ...xmp.items,
  ];
  const brands = findBox(encoded.boxes, "ftyp") ?? refuse("it is another kind of file");
  const dropped = new Set([...leftBehind(original), ...exif.dropped, ...xmp.dropped]);
  return { bytes: writeAvif(brands, items), dropped: [...dropped].sort() };
}

function copy(item: Item, properties: readonly Property[]): NewItem {
  return { type: item.type, properties, data: itemData(item) };
}

/** Whether a colr property (ISO/IEC 14496-12, 12.1.5) is of one of these kinds. */
function isColour({ type, data }: Property, kinds: RegExp): boolean {
  return type === "colr" && data.length >= 4 && kinds.test(new Cursor(data).type());
}

/**
 * The encoded picture's properties with the original's colours: its ICC profile, and of its nclx the primaries
 * and the transfer. Matrix and range tell how the new bits are coded, so they stay. Beside an ICC profile
 * without nclx, primaries and transfer are left open.
 */
function recolour(encoded: readonly Property[], original: readonly Property[]): Property[] {
  const profile = original.find((own) => isColour(own, /^(prof|rICC)$/) && suits(own, encoded));
  const nclx = original.find((own) => isColour(own, /^nclx$/) && own.data.length >= 8);
  const meaning = nclx?.data.subarray(4, 8) ?? (profile && UNSPECIFIED);
  const kept = encoded.flatMap((own) => {
    if (!isColour(own, /./s)) return own;
    if (!isColour(own, /^nclx$/)) return [];
    if (!meaning) return own;
    return { ...own, data: concat([letters("nclx"), meaning, own.data.subarray(8)]) };
  });
  return profile ? [...kept, { ...profile, essential: false }] : kept;
}

/** A grey profile says nothing about pixels that are coded in colour now. */
function suits({ data }: Property, encoded: readonly Property[]): boolean {
  const isGrey = /^GRAY/.test(
    String.fromCharCode(...data.subarray(4 + ICC_SPACE_AT).subarray(0, 4)),
  );
  const flags = findBox(encoded, "av1C")?.[2] ?? 0;
  return !isGrey || (flags & MONOCHROME) !== 0;
}

function findMetadata(file: Avif, test: (item: Item) => boolean): Uint8Array | null {
  const item = referring(file, "cdsc", [file.primary]).find(test);
  return item?.extents ? itemData(item) : null;
}

/** An Exif item begins with the distance from there to the TIFF header (23008-12, annex A.2.1). */
function moveExif(original: Avif, keepLocation: boolean): Moved {
  const exif = findMetadata(original, ({ type }) => type === "Exif");
  if (!exif || exif.length < 4) return { items: [], dropped: [] };
  const { tiff, dropped } = cleanExif(exif.subarray(4 + new Cursor(exif).uint(4)), keepLocation);
  const data = concat([fields(4, 0), tiff]);
  return { items: tiff.length ? [{ type: "Exif", reference: "cdsc", data }] : [], dropped };
}

function moveXmp(original: Avif, edit: MetadataEdit): Moved {
  const xmp = findMetadata(original, ({ contentType }) => contentType === XMP_TYPE);
  const text = xmp && new TextDecoder().decode(xmp);
  const { packet, dropped } = editXmp(text, edit);
  if (packet === null) return { items: [], dropped };
  const data = xmp && packet === text ? xmp : new TextEncoder().encode(packet);
  return { items: [{ type: "mime", contentType: XMP_TYPE, reference: "cdsc", data }], dropped };
}

/** What the original shows or claims beside its picture. */
function leftBehind(file: Avif): Dropped[] {
  const pictures = [file.primary, ...tilesOf(file, file.primary)];
  const alpha = alphaOf(file, pictures);
  const own = [...pictures, ...alpha, ...alpha.flatMap((item) => tilesOf(file, item))];
  const thumbnails = referring(file, "thmb", [file.primary]);
  const auxiliary = referring(file, "auxl", own);
  const known = new Set([...own, ...thumbnails]);
  const isSecond = (item: Item) =>
    !known.has(item) &&
    !NO_PICTURE.test(item.type) &&
    (!item.hidden || item.type === "tmap" || auxiliary.includes(item));
  return [
    ...(file.boxes.some(isManifest) ? (["c2pa"] as const) : []),
    ...(thumbnails.length ? (["thumbnail"] as const) : []),
    ...([...file.items.values()].some(isSecond) ? (["second-picture"] as const) : []),
  ];
}

function isManifest({ type, data }: Box): boolean {
  return type === "uuid" && C2PA_UUID.every((byte, i) => data[i] === byte);
}
