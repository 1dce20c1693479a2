// Exif (CIPA DC-008), a TIFF 6.0 block: reads the orientation and takes out the thumbnail and the place.
// Nothing is moved but entries within their own directory, since maker notes hold absolute offsets; what is
// dropped is zeroed where it lies, and cut off at the block's end. The thumbnail and the position that some
// maker notes repeat in forms of their own are not known here and stay.
import type { Dropped, Orientation } from "./format.ts";

const HEADER_BYTES = 8;
const ENTRY_BYTES = 12;
const LINK_BYTES = 4;
const TIFF_MAGIC = 42;
/** Bytes of a value by its type, TIFF 6.0 section 2; 13 is IFD (TIFF Technical Note 1). */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];
/** Ours: far more than cameras write (IFD0, Exif, GPS, Interoperability, IFD1), few enough to be quick. */
const MAX_DIRECTORIES = 16;
/** Ours: likewise, of one directory; cameras write under 100. */
const MAX_ENTRIES = 1000;
/** The last tag of the GPS directory, CIPA DC-008 4.6.6: GPSHPositioningError. */
const LAST_GPS_TAG = 0x1f;

const Tag = {
  StripOffsets: 0x0111,
  Orientation: 0x0112,
  StripByteCounts: 0x0117,
  SubIfds: 0x014a,
  JpegOffset: 0x0201,
  JpegBytes: 0x0202,
  Xmp: 0x02bc,
  Photoshop: 0x8649,
  Exif: 0x8769,
  Gps: 0x8825,
  Interoperability: 0xa005,
} as const;

/** Pictures have directories of their own, or their bytes are named right here. */
const PICTURE_TAGS: readonly number[] = [Tag.SubIfds, Tag.JpegOffset, Tag.JpegBytes];
/** TIFF's twins of what the file holds elsewhere; they may repeat the thumbnail and the place. */
const TWIN_TAGS: readonly number[] = [Tag.Xmp, Tag.Photoshop];

interface Block {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly little: boolean;
}

/** Bytes from..to, within the block. */
interface Range {
  readonly from: number;
  readonly to: number;
}

interface Entry {
  readonly at: number;
  readonly tag: number;
  readonly type: number;
  /** Where the value lies: in the entry itself when it has 4 bytes or fewer. */
  readonly value: Range;
}

interface Directory {
  readonly at: number;
  readonly entries: readonly Entry[];
  /** Whether all the entries that it claims are there. */
  readonly whole: boolean;
  /** The table with its link to the next directory. */
  readonly table: Range;
  /** Offset of the next directory, 0 for none. */
  readonly next: number;
}

interface Survey {
  readonly kept: Directory[];
  readonly thumbnail: Directory[];
  readonly location: Directory[];
}

/** How a picture is to be turned; 1 when nothing sound says so. */
export function readOrientation(tiff: Uint8Array): Orientation {
  const block = openBlock(tiff);
  const entry = block && firstDirectory(block)?.entries.find((e) => e.tag === Tag.Orientation);
  const [value] = block && entry ? numbersOf(block, entry, 1) : [];
  return value >= 1 && value <= 8 ? (value as Orientation) : 1;
}

/**
 * A copy without the thumbnail and, unless kept, without the GPS position.
 * @returns an empty tiff, to be left out of the file, when the block is too damaged to find them
 */
export function cleanExif(
  tiff: Uint8Array,
  keepLocation: boolean,
): { tiff: Uint8Array<ArrayBuffer>; dropped: Dropped[] } {
  const block = openBlock(tiff);
  const first = block && firstDirectory(block);
  const survey = first && walk(block, first, keepLocation);
  if (!survey) return { tiff: new Uint8Array(0), dropped: [] };
  const dropped: Dropped[] = [];
  if (survey.location.length > 0) dropped.push("location");
  const entries = survey.kept.flatMap((directory) => directory.entries);
  const pictured = entries.some((entry) => PICTURE_TAGS.includes(entry.tag));
  if (survey.thumbnail.length > 0 || pictured) dropped.push("thumbnail");

  const bytes = Uint8Array.from(tiff);
  const out = { bytes, view: new DataView(bytes.buffer), little: block.little };
  const end = zeroDropped(block, bytes, survey, keepLocation);
  for (const directory of survey.kept) removeEntries(out, directory, keepLocation);
  cutLink(out, first);
  const left = out.view.getUint16(first.at, out.little);
  return { tiff: bytes.slice(0, left > 0 ? end : 0), dropped };
}

function openBlock(bytes: Uint8Array): Block | null {
  if (bytes.length < HEADER_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const order = view.getUint16(0);
  const little = order === 0x4949;
  if ((!little && order !== 0x4d4d) || view.getUint16(2, little) !== TIFF_MAGIC) return null;
  return { bytes, view, little };
}

/** IFD0, when it is there to its last entry. */
function firstDirectory(block: Block): Directory | null {
  const directory = readDirectory(block, block.view.getUint32(4, block.little));
  return directory?.whole && directory.entries.length > 0 ? directory : null;
}

function readDirectory({ bytes, view, little }: Block, at: number): Directory | null {
  if (at < HEADER_BYTES || at + 2 > bytes.length) return null;
  const claimed = view.getUint16(at, little);
  const there = Math.floor((bytes.length - at - 2) / ENTRY_BYTES);
  const count = Math.min(claimed, there, MAX_ENTRIES);
  const end = at + 2 + count * ENTRY_BYTES;
  const linked = end + LINK_BYTES <= bytes.length;
  const entries = Array.from({ length: count }, (_, i): Entry => {
    const from = at + 2 + i * ENTRY_BYTES;
    const type = view.getUint16(from + 2, little);
    const count = view.getUint32(from + 4, little);
    const size = count * (TYPE_BYTES[type] ?? 0);
    const place = size > 4 ? view.getUint32(from + 8, little) : from + 8;
    const value = {
      from: Math.min(place, bytes.length),
      to: Math.min(place + size, bytes.length),
    };
    return { at: from, tag: view.getUint16(from, little), type, value };
  });
  return {
    at,
    entries,
    whole: count === claimed,
    table: { from: at, to: linked ? end + LINK_BYTES : end },
    next: linked ? view.getUint32(end, little) : 0,
  };
}

/** The first values of an entry of whole numbers: bytes, shorts and longs. */
function numbersOf({ view, little }: Block, entry: Entry, most: number): number[] {
  const { from, to } = entry.value;
  const size = TYPE_BYTES[entry.type] ?? 0;
  if (size === 0 || size > 4) return [];
  return Array.from({ length: Math.min(most, Math.floor((to - from) / size)) }, (_, i) => {
    const at = from + i * size;
    if (size === 1) return view.getUint8(at);
    return size === 2 ? view.getUint16(at, little) : view.getUint32(at, little);
  });
}

/** Finds all directories, each once; what is to be kept comes first. Null when there are too many. */
function walk(block: Block, first: Directory, keepLocation: boolean): Survey | null {
  const survey: Survey = { kept: [], thumbnail: [], location: [] };
  const ahead = { kept: [first.at], thumbnail: [first.next], location: [] as number[] };
  const seen = new Set<number>();
  for (const kind of ["kept", "thumbnail", "location"] as const) {
    for (const at of ahead[kind]) {
      const directory = seen.has(at) ? null : readDirectory(block, at);
      if (!directory) continue;
      if (seen.add(at).size > MAX_DIRECTORIES) return null;
      survey[kind].push(directory);
      if (kind === "thumbnail") ahead.thumbnail.push(directory.next);
      for (const entry of directory.entries) {
        const offsets = () => numbersOf(block, entry, MAX_DIRECTORIES + 1);
        if (kind === "location") continue;
        if (entry.tag === Tag.Gps) ahead[keepLocation ? kind : "location"].push(...offsets());
        else if (entry.tag === Tag.SubIfds) ahead.thumbnail.push(...offsets());
        else if (entry.tag === Tag.Exif || entry.tag === Tag.Interoperability) {
          ahead[kind].push(...offsets());
        }
      }
    }
  }
  return survey;
}

/** Whether an entry of a directory that is kept goes all the same. */
function goes(entry: Entry, keepLocation: boolean): boolean {
  if (entry.tag === Tag.Gps) return !keepLocation;
  return PICTURE_TAGS.includes(entry.tag) || TWIN_TAGS.includes(entry.tag);
}

/**
 * Zeroes what is dropped: pictures and their directories where nothing else lies, the position in any case.
 * @returns where the block ends when zeroed bytes at its end are cut off
 */
function zeroDropped(
  block: Block,
  out: Uint8Array,
  { kept, thumbnail, location }: Survey,
  keepLocation: boolean,
): number {
  const tables = [{ from: 0, to: HEADER_BYTES }, ...kept.map((directory) => directory.table)];
  const stays = kept.flatMap((d) => d.entries.filter((entry) => !goes(entry, keepLocation)));
  const values = stays.map((entry) => entry.value);
  const gone = kept.flatMap((d) => d.entries.filter((entry) => goes(entry, keepLocation)));
  const loose = [
    ...gone.map((entry) => entry.value),
    ...[...thumbnail, ...location].flatMap((d) => [d.table, ...d.entries.map((e) => e.value)]),
    ...[...thumbnail, ...kept].flatMap((directory) => pictureRanges(block, directory)),
  ];
  const position = location
    .flatMap((directory) => directory.entries)
    .filter((entry) => entry.tag <= LAST_GPS_TAG && TYPE_BYTES[entry.type] > 0)
    .flatMap((entry) => [{ from: entry.at, to: entry.at + ENTRY_BYTES }, entry.value]);

  for (const { from, to } of merge(loose)) out.fill(0, from, to);
  for (const { from, to } of merge(values)) out.set(block.bytes.subarray(from, to), from);
  for (const { from, to } of merge(position)) out.fill(0, from, to);
  for (const { from, to } of merge(tables)) out.set(block.bytes.subarray(from, to), from);

  const lastKept = [...tables, ...values].reduce((last, { to }) => Math.max(last, to), 0);
  let end = out.length;
  for (const { from, to } of merge([...loose, ...position]).reverse()) {
    if (from < lastKept || out.subarray(to, end).some((byte) => byte !== 0)) break;
    end = from;
  }
  return end;
}

/** Where the bytes of a directory's picture lie: one JPEG stream, or strips. */
function pictureRanges(block: Block, { entries }: Directory): Range[] {
  const list = (tag: number): number[] => {
    const entry = entries.find((e) => e.tag === tag);
    return entry ? numbersOf(block, entry, MAX_ENTRIES) : [];
  };
  const end = block.bytes.length;
  const pairs = [
    [list(Tag.JpegOffset), list(Tag.JpegBytes)],
    [list(Tag.StripOffsets), list(Tag.StripByteCounts)],
  ];
  return pairs.flatMap(([offsets, sizes]) =>
    offsets.map((from, i) => ({
      from: Math.min(from, end),
      to: Math.min(from + (sizes[i] ?? 0), end),
    })),
  );
}

/** The same bytes as ranges in order that do not meet, so that work on them is linear in the block. */
function merge(ranges: readonly Range[]): Range[] {
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else if (to > from) merged.push({ from, to });
  }
  return merged;
}

/** Moves the later entries and the link up over the entries that go. */
function removeEntries({ bytes, view, little }: Block, dir: Directory, keepLocation: boolean) {
  const stays = dir.entries.filter((entry) => !goes(entry, keepLocation));
  if (stays.length === dir.entries.length) return;
  let to = dir.at + 2;
  for (const entry of stays) {
    bytes.copyWithin(to, entry.at, entry.at + ENTRY_BYTES);
    to += ENTRY_BYTES;
  }
  const end = dir.at + 2 + dir.entries.length * ENTRY_BYTES;
  bytes.copyWithin(to, end, dir.table.to);
  bytes.fill(0, to + dir.table.to - end, dir.table.to);
  view.setUint16(dir.at, stays.length, little);
}

/** Ends the chain of directories at the first. */
function cutLink({ bytes, view, little }: Block, { at }: Directory): void {
  const link = at + 2 + view.getUint16(at, little) * ENTRY_BYTES;
  bytes.fill(0, link, link + LINK_BYTES);
}
