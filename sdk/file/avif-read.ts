// What an AVIF file (AV1 Image File Format 1.1) says of its items: the picture, its tiles, its alpha, its
// metadata. The structure is that of HEIF: the meta box of ISO/IEC 14496-12, 8.11, with the properties of
// ISO/IEC 23008-12, 9.3. Section numbers below are of 14496-12 unless told otherwise.
import { type Box, Cursor, concat, findBox, readBoxes, refuse } from "./boxes.ts";

/** A property of an item; an essential one must be understood by whoever shows the item. */
export interface Property extends Box {
  readonly essential: boolean;
}

export interface Item {
  readonly id: number;
  /** "av01", "grid", "Exif", "mime" and the like. */
  readonly type: string;
  /** Of "mime" items that are not compressed: application/rdf+xml is XMP. Else empty. */
  readonly contentType: string;
  /** Not meant to be shown on its own. */
  readonly hidden: boolean;
  readonly properties: readonly Property[];
  /** Where its bytes lie, in order; null when that is in another file or in another item. */
  readonly extents: readonly Uint8Array[] | null;
}

export interface Reference {
  /** "auxl" from alpha to picture, "cdsc" from metadata, "dimg" to tiles, "thmb" from a thumbnail. */
  readonly type: string;
  readonly from: number;
  readonly to: readonly number[];
}

export interface Avif {
  /** Of the whole file. */
  readonly boxes: readonly Box[];
  readonly primary: Item;
  readonly items: ReadonlyMap<number, Item>;
  readonly references: readonly Reference[];
}

interface Entry {
  readonly type: string;
  readonly contentType: string;
  readonly hidden: boolean;
}

/** Our own limits; a picture of 48 megapixels in tiles of 512 x 512 has 200 items and references. */
const MAX_ITEMS = 1_000;
const MAX_REFERENCES = 4_000;
const MAX_EXTENTS = 4_000;
/** Files have some ten brands of four bytes. */
const MAX_BRANDS_BYTES = 1024;
/** Between the major brand and the compatible ones, in fours of bytes. */
const MINOR_VERSION_AT = 1;
/** Flags and name of the longest kind of auxiliary item that matters here, with room to be another. */
const MAX_AUXC_BYTES = 64;
const NO_AUXC = new Uint8Array(4);
/** How auxC names alpha: as AVIF does (section 4), and as HEVC does (ISO/IEC 23008-12, annex B). */
const ALPHA_TYPES = /^urn:mpeg:(mpegB:cicp:systems:auxiliary:alpha|hevc:2015:auxid:1)$/;
/** The lowest bit of infe's flags hides an item (ISO/IEC 23008-12, 6.4.2). */
const HIDDEN_FLAG = 1;
/** Version of infe from which items have types of four letters (8.11.6). */
const TYPED_ENTRY_VERSION = 2;
/** Construction methods of iloc (8.11.3): bytes of the file, and bytes of the idat box. */
const IN_FILE = 0;
const IN_IDAT = 1;

/** Reads the items of a file; every extent is checked to lie within it. */
export function readAvif(bytes: Uint8Array): Avif {
  const boxes = readBoxes(bytes);
  const brands = findBox(boxes, "ftyp");
  if (!brands || !(hasBrand(brands, "avif") || hasBrand(brands, "avis")))
    refuse("it is another kind of file");
  const meta = new Cursor(findBox(boxes, "meta") ?? refuse("it holds no still picture"));
  meta.version();
  const parts = readBoxes(meta.rest());
  const part = (type: string) => findBox(parts, type) ?? refuse(`its ${type} box is missing`);

  const properties = readProperties(part("iprp"));
  const extents = readLocations(part("iloc"), bytes, findBox(parts, "idat"));
  const items = new Map<number, Item>();
  for (const [id, entry] of readEntries(part("iinf"))) {
    const where = extents.get(id);
    items.set(id, {
      id,
      ...entry,
      properties: properties.get(id) ?? [],
      extents: where === undefined ? [] : where,
    });
  }
  const pitm = new Cursor(part("pitm"));
  const primary = items.get(pitm.uint(pitm.version() === 0 ? 2 : 4));
  if (!primary) refuse("its picture is missing");
  return { boxes, primary, items, references: readReferences(findBox(parts, "iref")) };
}

/** Whether ftyp (4.3) names a brand, as the major one or a compatible one. */
export function hasBrand(ftyp: Uint8Array, brand: string): boolean {
  const text = new TextDecoder("latin1").decode(ftyp.subarray(0, MAX_BRANDS_BYTES));
  const names = text.match(/.{4}/gs) ?? [];
  return names.some((name, i) => name === brand && i !== MINOR_VERSION_AT);
}

/** The content of an item's first property of a type; null when it has none. */
export function property(item: Item, type: string): Uint8Array | null {
  return findBox(item.properties, type);
}

/** The items that refer to one of `targets` in this way, each once. */
export function referring({ items, references }: Avif, type: string, targets: Item[]): Item[] {
  const ids = new Set(targets.map(({ id }) => id));
  const found = references
    .filter((reference) => reference.type === type && reference.to.some((id) => ids.has(id)))
    .flatMap(({ from }) => items.get(from) ?? []);
  return [...new Set(found)];
}

/** The items that one item is made of: the tiles of a grid, in order. */
export function tilesOf({ items, references }: Avif, item: Item): Item[] {
  const made = references.find(({ type, from }) => type === "dimg" && from === item.id);
  return (made?.to ?? []).flatMap((id) => items.get(id) ?? []);
}

/** The alpha of pictures: auxiliary items that say so (ISO/IEC 23008-12, 6.5.8). */
export function alphaOf(file: Avif, pictures: Item[]): Item[] {
  return referring(file, "auxl", pictures).filter((item) => {
    const auxC = new Cursor(property(item, "auxC")?.subarray(0, MAX_AUXC_BYTES) ?? NO_AUXC);
    auxC.version();
    return ALPHA_TYPES.test(auxC.text());
  });
}

/** An item's bytes. */
export function itemData(item: Item): Uint8Array {
  return concat(item.extents ?? []);
}

/** Item entries (8.11.6); those of the old versions, which have no type, are passed over. */
function readEntries(iinf: Uint8Array): Map<number, Entry> {
  const cursor = new Cursor(iinf);
  cursor.bytes(cursor.version() === 0 ? 2 : 4);
  const entries = new Map<number, Entry>();
  for (const { type, data } of readBoxes(cursor.rest())) {
    if (type !== "infe") continue;
    const entry = new Cursor(data);
    const version = entry.uint(1);
    const flags = entry.uint(3);
    if (version < TYPED_ENTRY_VERSION) continue;
    const id = entry.uint(version === TYPED_ENTRY_VERSION ? 2 : 4);
    entry.bytes(2);
    addOnce(entries, id, { ...readType(entry), hidden: (flags & HIDDEN_FLAG) !== 0 });
  }
  return entries;
}

/** What is told of an item is told once; this and the limit keep what is built from a file small. */
function addOnce<Value>(map: Map<number, Value>, id: number, value: Value): void {
  if (map.has(id)) refuse("it describes an item twice");
  if (map.size === MAX_ITEMS) refuse("it has too many items");
  map.set(id, value);
}

function readType(entry: Cursor): { type: string; contentType: string } {
  const type = entry.type();
  entry.text();
  if (type !== "mime") return { type, contentType: "" };
  const contentType = entry.text();
  return { type, contentType: entry.text() === "" ? contentType : "" };
}

/** Item locations (8.11.3). */
function readLocations(
  iloc: Uint8Array,
  file: Uint8Array,
  idat: Uint8Array | null,
): Map<number, Uint8Array[] | null> {
  const cursor = new Cursor(iloc);
  const version = cursor.version();
  const sizes = cursor.uint(2);
  const [offsetSize, lengthSize, baseSize] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
  const indexSize = version === 0 ? 0 : sizes & 15;
  const idSize = version < 2 ? 2 : 4;
  const locations = new Map<number, Uint8Array[] | null>();
  let extentsLeft = MAX_EXTENTS;
  for (let entries = cursor.uint(idSize); entries > 0; entries--) {
    const id = cursor.uint(idSize);
    const method = version === 0 ? IN_FILE : cursor.uint(2) & 15;
    const isHere = cursor.uint(2) === 0 && method <= IN_IDAT;
    const source = method === IN_IDAT ? (idat ?? new Uint8Array()) : file;
    const base = cursor.uint(baseSize);
    const count = cursor.uint(2);
    extentsLeft -= count;
    if (extentsLeft < 0) refuse("its items are in too many pieces");
    const extents = Array.from({ length: count }, () => {
      cursor.bytes(indexSize);
      const from = base + cursor.uint(offsetSize);
      const to = from + cursor.uint(lengthSize);
      if (isHere && to > source.length) refuse("it ends too early");
      return source.subarray(from, to);
    });
    // Pieces may overlap, but an item longer than its file is a trap for whoever puts it together.
    const length = extents.reduce((sum, extent) => sum + extent.length, 0);
    if (length > source.length) refuse("an item is larger than the file");
    addOnce(locations, id, isHere ? extents : null);
  }
  return locations;
}

/** Item properties and who has them, in the order of association (ISO/IEC 23008-12, 9.3). */
function readProperties(iprp: Uint8Array): Map<number, Property[]> {
  const parts = readBoxes(iprp);
  const known = readBoxes(findBox(parts, "ipco") ?? refuse("its properties are missing"));
  const properties = new Map<number, Property[]>();
  for (const { type, data } of parts) {
    if (type !== "ipma") continue;
    const cursor = new Cursor(data);
    const version = cursor.uint(1);
    const indexBytes = cursor.uint(3) & 1 ? 2 : 1;
    const essentialBit = indexBytes === 2 ? 0x8000 : 0x80;
    for (let entries = cursor.uint(4); entries > 0; entries--) {
      const id = cursor.uint(version === 0 ? 2 : 4);
      const own: Property[] = [];
      addOnce(properties, id, own);
      for (let count = cursor.uint(1); count > 0; count--) {
        const value = cursor.uint(indexBytes);
        const index = value & (essentialBit - 1);
        if (index > known.length) refuse("a property is missing");
        if (index > 0) own.push({ ...known[index - 1], essential: value >= essentialBit });
      }
    }
  }
  return properties;
}

/** Item references (8.11.12). */
function readReferences(iref: Uint8Array | null): Reference[] {
  if (!iref) return [];
  const cursor = new Cursor(iref);
  const idSize = cursor.version() === 0 ? 2 : 4;
  let left = MAX_REFERENCES;
  return readBoxes(cursor.rest()).map(({ type, data }) => {
    const reference = new Cursor(data);
    const from = reference.uint(idSize);
    const count = reference.uint(2);
    left -= count;
    if (left < 0) refuse("it has too many references");
    return { type, from, to: Array.from({ length: count }, () => reference.uint(idSize)) };
  });
}
