// AVIF files with odd parts, built from an encoded picture's own.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import encode, { init } from "@jsquash/avif/encode.js";
import sharp, { type OutputInfo } from "sharp";
import { LabelError } from "../../sdk/error.ts";
import { itemData, readAvif } from "../../sdk/file/avif-read.ts";
import { concat, fields, letters, makeBox } from "../../sdk/file/boxes.ts";

export const WIDTH = 64;
export const HEIGHT = 48;
export const ALPHA = "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0";
export const C2PA = fields(4, 0xd8fec3d6, 0x1b0e483c, 0x92975828, 0x877ec481, 0);
export const XMP = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="Loom"/></rdf:RDF></x:xmpmeta>`;

await init(
  new WebAssembly.Module(
    readFileSync(createRequire(import.meta.url).resolve("@jsquash/avif/codec/enc/avif_enc.wasm")),
  ),
);
/** What the codec hands over for labelled pixels, without and with alpha. */
export const ENCODED = await compress(false, 8);
export const ENCODED_CLEAR = await compress(true, 8);
export const DEEP = await compress(false, 10);
export const RICH = await sharp(paint(3, 40), {
  raw: { width: WIDTH, height: HEIGHT, channels: 3 },
})
  .withExif({
    IFD0: { Copyright: "Weaver" },
    IFD3: { GPSLatitudeRef: "N", GPSLatitude: "51/1 30/1 0/1" },
  })
  .withIccProfile("p3")
  .withXmp(XMP)
  .avif({ effort: 0 })
  .toBuffer();

export const { primary } = readAvif(ENCODED);
/** Pixels and properties of an encoded picture, to build files from. */
export const PICTURE: Part = {
  type: "av01",
  data: itemData(primary),
  properties: primary.properties.map((own) => [own.type, own.data, own.essential]),
};
export const BARE: Part = {
  ...PICTURE,
  properties: PICTURE.properties?.filter(([type]) => type !== "colr"),
};

export interface Part {
  type: string;
  data?: Uint8Array;
  hidden?: boolean;
  properties?: [type: string, data: Uint8Array, essential?: boolean][];
  /** Construction method of iloc: 1 for idat. */
  method?: number;
}

export interface Sketch {
  items: Part[];
  references?: [type: string, from: number, ...to: number[]][];
  more?: Uint8Array[];
  /** A box to put in place of the one of its type in meta. */
  instead?: Record<string, Uint8Array>;
  /** The header of mdat. */
  mdat?: (length: number) => Uint8Array;
}

export function paint(channels: 3 | 4, shift = 0): Uint8ClampedArray<ArrayBuffer> {
  return Uint8ClampedArray.from(
    { length: WIDTH * HEIGHT * channels },
    (_, i) => shift + ((i * 5) % 97) + (i >> 6),
  );
}

export async function compress(alpha: boolean, bitDepth: 8 | 10): Promise<Uint8Array> {
  const size = { width: WIDTH, height: HEIGHT };
  const how = { quality: 60, speed: 10, subsample: 3 };
  const data = paint(4).map((value, i) => (i % 4 < 3 || alpha ? value : 255));
  if (bitDepth === 8) {
    return new Uint8Array(await encode({ data, ...size, colorSpace: "srgb" }, how));
  }
  const deep = Uint16Array.from(data, (value) => (value * 1023) / 255);
  return new Uint8Array(await encode({ data: deep, ...size }, { ...how, bitDepth }));
}

/** A file of items numbered from 1, the first of which is the primary one. */
export function build({
  items,
  references = [],
  more = [],
  instead = {},
  mdat,
}: Sketch): Uint8Array {
  const known = items.flatMap(({ properties = [] }) => properties);
  const inFile = items.filter(({ method }) => !method);
  const idat = items
    .filter(({ method }) => method === 1)
    .map(({ data = new Uint8Array() }) => data);
  const body = concat(inFile.map(({ data = new Uint8Array() }) => data));
  const header = mdat?.(body.length) ?? concat([fields(4, 8 + body.length), letters("mdat")]);
  const ftyp = makeBox("ftyp", letters("avif\0\0\0\0avifmif1miaf"));
  const meta = (from: number) => {
    const at = [from, 0, 0];
    const locations = items.map(({ method = 0, data = new Uint8Array() }, i) => {
      at[method] += data.length;
      const where = fields(4, at[method] - data.length, data.length);
      return concat([fields(2, i + 1, method, 0, 1), where]);
    });
    const entries = items.map(({ type, hidden }, i) =>
      makeBox(
        "infe",
        fields(4, 0x2000000 + Number(hidden ?? false)),
        fields(2, i + 1, 0),
        letters(`${type}\0`),
      ),
    );
    const owners = items.map(({ properties = [] }, i) => {
      const indices = properties.map((own) => (known.indexOf(own) + 1) | (own[2] ? 128 : 0));
      return concat([fields(2, i + 1), fields(1, indices.length, ...indices)]);
    });
    const boxes: Record<string, Uint8Array> = {
      hdlr: makeBox("hdlr", fields(4, 0, 0), letters("pict"), new Uint8Array(13)),
      pitm: makeBox("pitm", fields(4, 0), fields(2, 1)),
      iloc: makeBox("iloc", fields(4, 1 << 24), fields(2, 0x4400, items.length), ...locations),
      iinf: makeBox("iinf", fields(4, 0), fields(2, items.length), ...entries),
      iref: makeBox(
        "iref",
        fields(4, 0),
        ...references.map(([type, from, ...to]) =>
          makeBox(type, fields(2, from, to.length, ...to)),
        ),
      ),
      iprp: makeBox(
        "iprp",
        makeBox("ipco", ...known.map(([type, data]) => makeBox(type, data))),
        makeBox("ipma", fields(4, 0, owners.length), ...owners),
      ),
      idat: makeBox("idat", ...idat),
      ...instead,
    };
    return makeBox("meta", fields(4, 0), ...Object.values(boxes));
  };
  const front = concat([ftyp, ...more]);
  return concat([front, meta(front.length + meta(0).length + header.length), header, body]);
}

export function withProperty(type: string, data: Uint8Array, essential = true): Part {
  return { ...PICTURE, properties: [...(PICTURE.properties ?? []), [type, data, essential]] };
}

/** Two pictures side by side. */
export function grid(columns = 2, width = 2 * WIDTH): Sketch {
  const tile = { ...PICTURE, hidden: true };
  const ispe = concat([fields(4, 0, width, HEIGHT)]);
  const data = concat([fields(1, 0, 0, 0, columns - 1), fields(2, 2 * WIDTH, HEIGHT)]);
  return {
    items: [{ type: "grid", data, properties: [["ispe", ispe]], method: 1 }, tile, tile],
    references: [["dimg", 1, 2, 3]],
  };
}

export function nclx(...values: [primaries: number, transfer: number, matrix: number]): Uint8Array {
  return concat([letters("nclx"), fields(2, ...values), fields(1, 0x80)]);
}

export function icc(space: string): Uint8Array {
  const profile = new Uint8Array(128);
  profile.set(letters(space), 16);
  return concat([letters("prof"), profile]);
}

export function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof LabelError) return error.code;
    throw error;
  }
  return "none";
}

/** Pixels as they are shown, and those that a file shows when it is turned as Exif would tell. */
export async function shown(
  file: Uint8Array,
  orientation = 1,
): Promise<OutputInfo & { data: Buffer }> {
  const png = await sharp(file).png().withMetadata({ orientation }).toBuffer();
  const { data, info } = await sharp(png).autoOrient().raw().toBuffer({ resolveWithObject: true });
  return { ...info, data };
}

export function coloursOf(file: Uint8Array): string[] {
  return readAvif(file)
    .primary.properties.filter(({ type }) => type === "colr")
    .map(({ data }) =>
      Buffer.from(data.subarray(0, 11))
        .toString("latin1")
        .replace(/^prof.*/s, "prof"),
    );
}

export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
