// Writes an AVIF file of few items: ftyp, meta (ISO/IEC 14496-12, 8.11) and one mdat behind it. Items are
// numbered as they come, from 1; the first is the picture that is shown.
import type { Property } from "./avif-read.ts";
import { type Box, concat, fields, letters, makeBox } from "./boxes.ts";

export interface NewItem {
  /** "av01", "Exif", "mime". */
  readonly type: string;
  /** Of "mime" items. */
  readonly contentType?: string;
  readonly properties?: readonly Property[];
  /** How the item belongs to the first one: "auxl", "cdsc". */
  readonly reference?: string;
  readonly data: Uint8Array;
}

/** Version 0 and flags 0 of a full box (4.2.2). */
const FULL = fields(4, 0);
/** Item entries have types from version 2 on (8.11.6). */
const TYPED_ENTRY = fields(4, 2 << 24);
/** iloc: offsets and lengths of 4 bytes, no base offset (8.11.3). */
const LOCATION_SIZES = 0x4400;
/** The box header in front of mdat's content. */
const BOX_HEADER_BYTES = 8;
const ESSENTIAL_BIT = 0x80;

/** The bytes of a file with these items. */
export function writeAvif(ftyp: Uint8Array, items: readonly NewItem[]): Uint8Array<ArrayBuffer> {
  const brands = makeBox("ftyp", ftyp);
  const meta = (dataAt: number) =>
    makeBox(
      "meta",
      FULL,
      makeBox("hdlr", FULL, fields(4, 0), letters("pict"), fields(4, 0, 0, 0), fields(1, 0)),
      makeBox("pitm", FULL, fields(2, 1)),
      makeLocations(items, dataAt),
      makeBox("iinf", FULL, fields(2, items.length), ...items.map(makeEntry)),
      makeReferences(items),
      makeProperties(items),
    );
  const dataAt = brands.length + meta(0).length + BOX_HEADER_BYTES;
  return concat([brands, meta(dataAt), makeBox("mdat", ...items.map(({ data }) => data))]);
}

function makeLocations(items: readonly NewItem[], dataAt: number): Uint8Array {
  let at = dataAt;
  const locations = items.map(({ data }, i) => {
    const where = fields(4, at, data.length);
    at += data.length;
    return concat([fields(2, i + 1, 0, 1), where]);
  });
  return makeBox("iloc", FULL, fields(2, LOCATION_SIZES, items.length), ...locations);
}

function makeEntry({ type, contentType }: NewItem, i: number): Uint8Array {
  const content = contentType ? letters(`${contentType}\0`) : new Uint8Array();
  return makeBox("infe", TYPED_ENTRY, fields(2, i + 1, 0), letters(`${type}\0`), content);
}

/** An empty iref box is left out: it must hold a reference (8.11.12). */
function makeReferences(items: readonly NewItem[]): Uint8Array {
  const references = items.flatMap(({ reference }, i) =>
    reference ? [makeBox(reference, fields(2, i + 1, 1, 1))] : [],
  );
  return references.length ? makeBox("iref", FULL, ...references) : new Uint8Array();
}

/** The properties of all items, shared ones once, and who has them (23008-12, 9.3). */
function makeProperties(items: readonly NewItem[]): Uint8Array {
  const known = new Map<Uint8Array, Box>();
  const owners = items.flatMap(({ properties = [] }, i) => {
    if (properties.length === 0) return [];
    const indices = properties.map((own) => {
      if (!known.has(own.data)) known.set(own.data, own);
      const index = 1 + [...known.keys()].indexOf(own.data);
      return own.essential ? index | ESSENTIAL_BIT : index;
    });
    return [concat([fields(2, i + 1), fields(1, indices.length, ...indices)])];
  });
  const boxes = [...known.values()].map(({ type, data }) => makeBox(type, data));
  return makeBox(
    "iprp",
    makeBox("ipco", ...boxes),
    makeBox("ipma", FULL, fields(4, owners.length), ...owners),
  );
}
