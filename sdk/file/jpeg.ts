// JPEG files (ITU-T T.81): reads the header and moves the metadata segments. After JFIF 1.02, CIPA DC-008
// (Exif) and DC-007 (MPF), XMP part 3 (1.1.3), ISO 19566-5 (JUMBF) and ISO 21496-1 (gain maps). Segments are
// walked as libjpeg does: junk and fill bytes between them are passed over.
import { LabelError } from "../error.ts";
import { cleanExif, readOrientation } from "./exif.ts";
import type { Carried, Dropped, FileFormat, Header, MetadataEdit, Orientation } from "./format.ts";
import { cleanResources } from "./photoshop.ts";
import { editXmp, findDropped, withoutExtension } from "./xmp.ts";

// Markers, T.81 table B.1.
const TEM = 0x01;
const SOF0 = 0xc0;
const SOF2 = 0xc2;
const SOF3 = 0xc3;
const JPG = 0xc8;
const SOF15 = 0xcf;
const RST0 = 0xd0;
const RST7 = 0xd7;
const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const APP0 = 0xe0;
const APP15 = 0xef;
const COM = 0xfe;
/** Not frames though among SOF0..SOF15: DHT and DAC. */
const TABLES: readonly number[] = [0xc4, 0xcc];

/** The length field counts its own two bytes. */
const LENGTH_BYTES = 2;
const MAX_DATA_BYTES = 0xffff - LENGTH_BYTES;
/** Ours: 255 pieces of ICC and a few hundred of extended XMP are seen at most. */
const MAX_SEGMENTS = 10_000;

const EXIF = "Exif\0\0";
const XMP = "http://ns.adobe.com/xap/1.0/\0";
const XMP_EXTENSION = "http://ns.adobe.com/xmp/extension/\0";
/** An extension's 32 digits, its length and the piece's offset, XMP part 3, table 8. */
const EXTENSION_HEAD_BYTES = XMP_EXTENSION.length + 32 + 4 + 4;
const PHOTOSHOP = "Photoshop 3.0\0";
/** "JFIF\0", version, units, densities, and the width and height of a thumbnail that may follow. */
const JFIF_BYTES = 14;
/** Where behind the picture a film's first box, "ftyp", is looked for. */
const FILM_HEAD_BYTES = 4096;
const ICC = "ICC_PROFILE\0";
/** JUMBF's "JP", the number of its box, a counter, the box, its description's head and type: ISO 19566-5. */
const JUMBF_HEAD_BYTES = 64;

/** Kinds of segments that are not carried just as they are, by APPn and first letters. */
const KINDS = [
  [0, "JFIF\0", "jfif"],
  [0, "JFXX\0", "jfif-thumbnail"],
  [1, "Exif\0", "exif"],
  [1, XMP, "xmp"],
  [1, XMP_EXTENSION, "xmp-extension"],
  // Without the zero that ends the name: some readers take it for XMP all the same.
  [1, XMP.slice(0, -1), "xmp-misnamed"],
  [2, "MPF\0", "second-picture"],
  [2, "urn:iso:std:iso:ts:21496:-1\0", "second-picture"],
  [2, "FPXR\0", "second-picture"],
  [11, "HDR_RI", "second-picture"],
  [11, "JP", "jumbf"],
  [13, PHOTOSHOP, "photoshop"],
  [14, "Adobe", "adobe"],
] as const;

/** Those of them that are never carried. */
const GOING: readonly Segment["kind"][] = [
  "jfif",
  "jfif-thumbnail",
  "second-picture",
  "xmp-misnamed",
];
/** Adobe's colour transform, the last byte of its segment: YCbCr, as the new file's is too. */
const ADOBE_TRANSFORM_AT = 11;
const ADOBE_YCBCR = 1;

interface Segment {
  readonly marker: number;
  readonly kind: (typeof KINDS)[number][2] | null;
  readonly data: Uint8Array;
  /** Where the file goes on. */
  readonly end: number;
}

/** Reads and writes JPEG files. */
export const jpeg: FileFormat = { probe, carry };

function probe(bytes: Uint8Array): Header {
  let frame: Segment | null = null;
  let orientation: Orientation | null = null;
  for (const segment of readSegments(bytes)) {
    const { marker, kind, data } = segment;
    if (marker === SOS && frame) {
      return { ...readFrame(frame, data), orientation: orientation ?? 1 };
    }
    if (kind === "exif") orientation ??= readOrientation(data.subarray(EXIF.length));
    if (!isFrame(marker)) continue;
    if (frame) refuse("The JPEG file is damaged: it has two headers.");
    frame = segment;
  }
  refuse("The JPEG file is damaged: it ends before its picture begins.");
}

/** How many scans the picture has: a decoder of a progressive one passes over all of it for each. */
export function countScans(bytes: Uint8Array): number {
  let scans = 0;
  for (const { marker } of readSegments(bytes)) if (marker === SOS) scans++;
  return scans;
}

/** Frame header, T.81 B.2.2, and the number of components in the first scan, B.2.3. */
function readFrame({ marker, data }: Segment, scan: Uint8Array): Omit<Header, "orientation"> {
  const components = data.length < 6 ? 0 : data[5];
  if (components === 0 || data.length !== 6 + 3 * components) {
    refuse("The JPEG file is damaged: its header makes no sense.");
  }
  const [bits, high, low] = data;
  const height = (high << 8) | low;
  const width = (data[3] << 8) | data[4];
  if (width === 0) refuse("The JPEG file is damaged: its picture has no width.");
  return {
    format: "jpeg",
    width,
    height,
    bitDepth: bits <= 8 ? 8 : bits <= 12 ? 12 : 16,
    colour: components === 1 ? "grey" : components === 4 ? "cmyk" : "rgb",
    alpha: false,
    animated: false,
    lossless: false,
    // Components in scans of their own come one after the other, too.
    progressive: marker === SOF2 || scan[0] < components,
    unsupported: findObstacle(marker, bits, components, height),
  };
}

/** Why decoders do not read such a frame. */
function findObstacle(
  marker: number,
  bits: number,
  components: number,
  height: number,
): string | null {
  if (marker > JPG) return "arithmetic coding";
  if (marker === SOF3) return "lossless JPEG";
  if (marker > SOF3) return "hierarchical JPEG";
  if (bits !== 8) return `${bits} bits per sample`;
  if (![1, 3, 4].includes(components)) return `${components} colour components`;
  // T.81 B.2.5: a DNL segment tells it after the first scan.
  return height === 0 ? "no height in the header" : null;
}

async function carry(
  original: Uint8Array,
  encoded: Uint8Array,
  edit: MetadataEdit,
): Promise<Carried> {
  const dropped = new Set<Dropped>();
  const all = [...readSegments(original)];
  const end = all.at(-1);
  if (end?.marker === EOI && holdsPicture(original.subarray(end.end))) {
    dropped.add("second-picture");
  }
  const scan = all.findIndex(({ marker }) => marker === SOS);
  if (scan < 0) refuse("The JPEG file is damaged: it ends before its picture begins.");
  const old = all.slice(0, scan).filter(({ marker }) => isMetadata(marker));

  const steps = [dropCoding, editExif, editXmpSegments, editPhotoshop];
  const carried = steps.reduce((segments, step) => step(segments, edit, dropped), old);
  const written = [...findJfif(old), ...carried].flatMap(toParts);
  // The encoder's own JFIF segment tells a density that the original did not.
  const [first] = readSegments(encoded);
  const rest = encoded.subarray(first.kind === "jfif" ? first.end : 2);
  const bytes = join([Uint8Array.of(0xff, SOI), ...written, rest]);
  return { bytes, dropped: [...dropped].sort() };
}

/** All segments up to the end of the picture; damage after the first scan just ends them. */
function* readSegments(bytes: Uint8Array): Generator<Segment> {
  let scanned = false;
  let count = 0;
  for (let at = findMarker(bytes, 2); at >= 0; ) {
    const marker = bytes[at];
    let end = at + 1;
    if (marker === EOI) yield { marker, kind: null, data: new Uint8Array(0), end };
    if (marker === EOI) return;
    if (marker !== TEM && (marker < RST0 || marker > RST7)) {
      const start = end + LENGTH_BYTES;
      end += (bytes[at + 1] << 8) | bytes[at + 2];
      if (marker === SOI || end < start || end > bytes.length || ++count > MAX_SEGMENTS) {
        if (scanned) return;
        refuse("The JPEG file is damaged, or part of it is missing.");
      }
      const data = bytes.subarray(start, end);
      scanned ||= marker === SOS;
      yield { marker, kind: kindOf(marker, data), data, end };
    }
    at = findMarker(bytes, end);
  }
}

/** The place of the next marker's code: not after zero, as in coded data, nor a fill byte. -1 for none. */
function findMarker(bytes: Uint8Array, from: number): number {
  let at = bytes.indexOf(0xff, from);
  while (at >= 0) {
    while (bytes[at] === 0xff) at++;
    if (at >= bytes.length) return -1;
    if (bytes[at] !== 0) return at;
    at = bytes.indexOf(0xff, at);
  }
  return -1;
}

function isFrame(marker: number): boolean {
  return marker >= SOF0 && marker <= SOF15 && !TABLES.includes(marker);
}

function isMetadata(marker: number): boolean {
  return (marker >= APP0 && marker <= APP15) || marker === COM;
}

function kindOf(marker: number, data: Uint8Array): Segment["kind"] {
  const found = KINDS.find(
    ([n, start]) => marker === APP0 + n && toLetters(data.subarray(0, start.length)) === start,
  );
  return found?.[2] ?? null;
}

/** Whether bytes hold a JPEG or begin with a film: previews, gain maps, motion of cameras and telephones. */
function holdsPicture(bytes: Uint8Array): boolean {
  if (new TextDecoder("latin1").decode(bytes.subarray(0, FILM_HEAD_BYTES)).includes("ftyp")) {
    return true;
  }
  for (let at = bytes.indexOf(0xff); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    if (bytes[at + 1] === SOI && bytes[at + 2] === 0xff) return true;
  }
  return false;
}

/** The first sound JFIF segment, without the thumbnail that may follow it; JFIF wants it first of all. */
function findJfif(segments: readonly Segment[]): Segment[] {
  const known = segments.find(({ kind, data }) => kind === "jfif" && data.length >= JFIF_BYTES);
  if (!known) return [];
  const data = known.data.slice(0, JFIF_BYTES);
  data.fill(0, JFIF_BYTES - 2);
  return [{ ...known, data }];
}

/** Leaves out what belongs to the old coding, shows another picture, or vouches for the old one. */
function dropCoding(segments: Segment[], _edit: MetadataEdit, dropped: Set<Dropped>): Segment[] {
  const vouching = new Set(segments.filter(isC2pa).map(boxNumber));
  return segments.filter((segment) => {
    const { kind, data } = segment;
    if (kind === "jfif-thumbnail" || (kind === "jfif" && data[12] * data[13] > 0)) {
      dropped.add("thumbnail");
    }
    if (kind === "second-picture") dropped.add(kind);
    const unknown = kind === null && segment.marker !== COM;
    const profile = toLetters(data.subarray(0, ICC.length)) === ICC;
    const preview = unknown && !profile && holdsPicture(data);
    if (preview) dropped.add("thumbnail");
    const c2pa = kind === "jumbf" && vouching.has(boxNumber(segment));
    if (c2pa) dropped.add("c2pa");
    const otherColours = kind === "adobe" && data[ADOBE_TRANSFORM_AT] !== ADOBE_YCBCR;
    return !c2pa && !preview && !otherColours && !GOING.includes(kind);
  });
}

/** The first piece of a C2PA manifest store has its type, "c2pa" and more, in the description box. */
function isC2pa({ kind, data }: Segment): boolean {
  return kind === "jumbf" && toLetters(data.subarray(0, JUMBF_HEAD_BYTES)).includes("c2pa");
}

/** The number that all pieces of one JUMBF box share. */
function boxNumber({ data }: Segment): number {
  return (data[2] << 8) | data[3];
}

/** Cleans the first Exif segment, the one that counts. */
function editExif(segments: Segment[], edit: MetadataEdit, dropped: Set<Dropped>): Segment[] {
  const first = segments.find(({ kind }) => kind === "exif");
  return segments.flatMap((segment) => {
    if (segment.kind !== "exif") return segment;
    if (segment !== first) return [];
    const head = segment.data.subarray(0, EXIF.length);
    const cleaned = cleanExif(segment.data.subarray(EXIF.length), edit.keepLocation ?? false);
    for (const what of cleaned.dropped) dropped.add(what);
    return cleaned.tiff.length > 0 ? { ...segment, data: join([head, cleaned.tiff]) } : [];
  });
}

/** Edits the XMP packet, or makes one behind Exif; its extension is whole or left out. */
function editXmpSegments(
  segments: Segment[],
  edit: MetadataEdit,
  dropped: Set<Dropped>,
): Segment[] {
  const main = segments.find(({ kind }) => kind === "xmp");
  const before = main ? new TextDecoder().decode(main.data.subarray(XMP.length)) : null;
  const edited = editXmp(before, edit);
  const extension = segments.filter(({ kind }) => kind === "xmp-extension");
  const unfit = findDropped(readExtension(extension), edit.keepLocation ?? false);
  for (const what of [...edited.dropped, ...unfit]) dropped.add(what);

  const whole = unfit.length === 0;
  const packet = edited.packet && !whole ? withoutExtension(edited.packet) : edited.packet;
  const stays = ({ kind }: Segment) => kind !== "xmp" && (whole || kind !== "xmp-extension");
  if (packet === null) return segments.filter(stays);
  const data = main && packet === before ? main.data : join([toBytes(XMP), toBytes(packet)]);
  if (data.length > MAX_DATA_BYTES) {
    const message =
      "The XMP metadata would be too long for a JPEG file: nothing more can be added.";
    throw new LabelError("metadata-invalid", message);
  }
  const place = main
    ? segments.indexOf(main)
    : segments.findIndex(({ kind }) => kind === "exif") + 1;
  const [ahead, behind] = [segments.slice(0, place), segments.slice(place)];
  return [...ahead.filter(stays), newSegment(APP0 + 1, data), ...behind.filter(stays)];
}

/** The text of XMP's extension, its pieces in order of their offsets. */
function readExtension(pieces: readonly Segment[]): string {
  const texts = pieces.map(({ data }) => ({
    place: toLetters(data.subarray(XMP_EXTENSION.length, EXTENSION_HEAD_BYTES)),
    text: new TextDecoder("latin1").decode(data.subarray(EXTENSION_HEAD_BYTES)),
  }));
  texts.sort((a, b) => (a.place < b.place ? -1 : 1));
  return texts.map(({ text }) => text).join("");
}

/** Cleans Photoshop's resources, one run of blocks over all their segments. */
function editPhotoshop(segments: Segment[], edit: MetadataEdit, dropped: Set<Dropped>): Segment[] {
  const head = toBytes(PHOTOSHOP);
  const old = segments.filter(({ kind }) => kind === "photoshop");
  const blocks = join(old.map(({ data }) => data.subarray(head.length)));
  const cleaned = cleanResources(blocks);
  for (const what of cleaned.dropped) {
    if (what !== "location" || !edit.keepLocation) dropped.add(what);
  }
  if (cleaned.resources.length === blocks.length) return [...segments];
  const most = MAX_DATA_BYTES - head.length;
  const pieces = Array.from({ length: Math.ceil(cleaned.resources.length / most) }, (_, i) => {
    const piece = cleaned.resources.subarray(i * most, (i + 1) * most);
    return newSegment(APP0 + 13, join([head, piece]));
  });
  return segments.flatMap((segment) => {
    if (segment.kind !== "photoshop") return segment;
    return segment === old[0] ? pieces : [];
  });
}

function newSegment(marker: number, data: Uint8Array): Segment {
  return { marker, kind: null, data, end: 0 };
}

/** A segment as it is written. */
function toParts({ marker, data }: Segment): Uint8Array[] {
  const length = data.length + LENGTH_BYTES;
  return [Uint8Array.of(0xff, marker, length >> 8, length & 0xff), data];
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function toLetters(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function toBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function refuse(message: string): never {
  throw new LabelError("file-broken", message);
}
