// sdk/file/exif.ts on blocks made by hand: thumbnail and place go, every other byte stays where it was, and
// damage is never more than a loss.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cleanExif, readOrientation } from "../../../sdk/file/exif.ts";

/** Where the parts of the block lie; the thumbnail comes last, as cameras have it. */
const AT = { ifd0: 8, make: 80, exif: 90, note: 120, gps: 160, place: 200, ifd1: 250, jpeg: 290 };
const BLOCK_BYTES = 330;
const SHORT = 3;
const LONG = 4;
const LINK_OF_IFD0 = AT.ifd0 + 2 + 5 * 12;

type Entry = [tag: number, type: number, count: number, value: number];

/** Byte order, directories by offset with their links, and letters that fill ranges. */
function makeBlock(little: boolean, changes: Partial<Record<keyof typeof AT, Entry[]>> = {}) {
  const bytes = new Uint8Array(BLOCK_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, little ? 0x4949 : 0x4d4d);
  view.setUint16(2, 42, little);
  view.setUint32(4, AT.ifd0, little);
  const write = (at: number, entries: Entry[], next: number) => {
    view.setUint16(at, entries.length, little);
    entries.forEach(([tag, type, count, value], i) => {
      const from = at + 2 + i * 12;
      view.setUint16(from, tag, little);
      view.setUint16(from + 2, type, little);
      view.setUint32(from + 4, count, little);
      if (type === SHORT) view.setUint16(from + 8, value, little);
      else view.setUint32(from + 8, value, little);
    });
    view.setUint32(at + 2 + entries.length * 12, next, little);
  };
  const directories = {
    ifd0: [
      [0x010f, 2, 6, AT.make],
      [0x0112, SHORT, 1, 6],
      [0x8769, LONG, 1, AT.exif],
      [0x8825, LONG, 1, AT.gps],
      [0x9c9b, 1, 4, 0x41424344],
    ] satisfies Entry[],
    exif: [[0x927c, 7, 30, AT.note]] satisfies Entry[],
    gps: [
      [0x0001, 2, 2, 0x4e000000],
      [0x0002, 5, 3, AT.place],
    ] satisfies Entry[],
    ifd1: [
      [0x0201, LONG, 1, AT.jpeg],
      [0x0202, LONG, 1, BLOCK_BYTES - AT.jpeg],
    ] satisfies Entry[],
    ...changes,
  };
  bytes.fill("m".charCodeAt(0), AT.make, AT.make + 6);
  bytes.fill("n".charCodeAt(0), AT.note, AT.note + 30);
  bytes.fill("Q".charCodeAt(0), AT.place, AT.place + 24);
  bytes.fill("J".charCodeAt(0), AT.jpeg, BLOCK_BYTES);
  write(AT.ifd0, directories.ifd0, AT.ifd1);
  for (const name of ["exif", "gps", "ifd1"] as const) write(AT[name], directories[name], 0);
  return bytes;
}

const letters = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);
const countOf = (bytes: Uint8Array, letter: string) => letters(bytes).split(letter).length - 1;

describe("readOrientation", () => {
  it("reads all eight in both byte orders", () => {
    for (const little of [true, false]) {
      for (let turn = 1; turn <= 8; turn++) {
        const block = makeBlock(little, { ifd0: [[0x0112, SHORT, 1, turn]] });
        expect(readOrientation(block)).toBe(turn);
      }
    }
  });

  it("is 1 when absent, out of range or damaged", () => {
    expect(readOrientation(makeBlock(true, { ifd0: [[0x010f, 2, 6, AT.make]] }))).toBe(1);
    for (const turn of [0, 9, 65535]) {
      expect(readOrientation(makeBlock(true, { ifd0: [[0x0112, SHORT, 1, turn]] }))).toBe(1);
    }
    for (const size of [0, 3, 8, 9, 60]) {
      expect(readOrientation(makeBlock(true).subarray(0, size))).toBe(1);
    }
    expect(readOrientation(new TextEncoder().encode("not a TIFF block"))).toBe(1);
  });
});

describe.each([true, false])("cleanExif, little endian: %s", (little) => {
  const block = makeBlock(little);
  const view = (bytes: Uint8Array) => new DataView(bytes.buffer);

  it("leaves out thumbnail and place, and moves nothing else", () => {
    const { tiff, dropped } = cleanExif(block, false);
    expect(dropped).toEqual(["location", "thumbnail"]);
    expect(countOf(tiff, "Q") + countOf(tiff, "J")).toBe(0);
    expect(view(tiff).getUint16(AT.ifd0, little)).toBe(4);
    const before = block.subarray(AT.ifd0 + 2, AT.ifd0 + 2 + 3 * 12);
    expect(tiff.subarray(AT.ifd0 + 2, AT.ifd0 + 2 + 3 * 12)).toEqual(before);
    expect(view(tiff).getUint16(AT.ifd0 + 2 + 3 * 12, little)).toBe(0x9c9b);
    expect(view(tiff).getUint32(LINK_OF_IFD0 - 12, little)).toBe(0);
    expect(tiff.subarray(AT.make, AT.gps)).toEqual(block.subarray(AT.make, AT.gps));
    expect(tiff.length).toBeLessThanOrEqual(AT.gps);
    expect(block).toEqual(makeBlock(little));
  });

  it("keeps the place when asked, and every byte before the thumbnail's directory", () => {
    const { tiff, dropped } = cleanExif(block, true);
    expect(dropped).toEqual(["thumbnail"]);
    const expected = block.slice(0, tiff.length);
    expected.fill(0, LINK_OF_IFD0, LINK_OF_IFD0 + 4);
    expect(tiff).toEqual(expected);
    expect(tiff.length).toBeGreaterThanOrEqual(AT.place + 24);
    expect(tiff.length).toBeLessThanOrEqual(AT.ifd1);
  });

  it("says nothing and changes nothing when there is nothing to drop", () => {
    const { tiff } = cleanExif(block, false);
    expect(cleanExif(tiff, false)).toEqual({ tiff, dropped: [] });
  });

  it("leaves values alone that a wrong thumbnail lies over, and zeroes the rest of it", () => {
    const wrong = makeBlock(little, {
      ifd1: [
        [0x0201, LONG, 1, AT.make - 4],
        [0x0202, LONG, 1, BLOCK_BYTES],
      ],
    });
    const { tiff } = cleanExif(wrong, true);
    expect(countOf(tiff, "m") + countOf(tiff, "n")).toBe(36);
    expect(countOf(tiff, "Q")).toBe(24);
    expect(countOf(tiff, "J")).toBe(0);
  });

  it("takes the place out even of bytes that a maker note claims", () => {
    const claimed = makeBlock(little, { exif: [[0x927c, 7, 150, AT.note]] });
    const { tiff } = cleanExif(claimed, false);
    expect(countOf(tiff, "Q")).toBe(0);
    expect(countOf(tiff, "n")).toBe(30);
  });

  it("finds the place in a directory that claims too many entries", () => {
    const torn = makeBlock(little);
    view(torn).setUint16(AT.gps, 900, little);
    expect(countOf(cleanExif(torn, false).tiff, "Q")).toBe(0);
  });

  it("drops further pictures and the twins of other metadata from IFD0", () => {
    const ifd0: Entry[] = [
      [0x014a, LONG, 1, AT.ifd1],
      [0x02bc, 7, 24, AT.place],
      [0x010f, 2, 6, AT.make],
    ];
    const { tiff, dropped } = cleanExif(makeBlock(little, { ifd0 }), true);
    expect(dropped).toEqual(["thumbnail"]);
    expect(countOf(tiff, "J") + countOf(tiff, "Q")).toBe(0);
    expect(countOf(tiff, "m")).toBe(6);
  });

  it("leaves out a block whose first directory is damaged or holds nothing more", () => {
    const broken = [block.slice(0, 40), block.slice(0, 7), makeBlock(little, { ifd0: [] })];
    for (const bytes of [...broken, makeBlock(little, { ifd0: [[0x8825, LONG, 1, AT.gps]] })]) {
      expect(cleanExif(bytes, false).tiff.length).toBe(0);
    }
  });
});

describe("hostile blocks", () => {
  it("never throw, whatever bytes are changed or missing", () => {
    const changes = fc.array(fc.tuple(fc.nat(BLOCK_BYTES - 1), fc.nat(255)), { maxLength: 12 });
    fc.assert(
      fc.property(fc.boolean(), changes, fc.nat(BLOCK_BYTES), (little, changed, size) => {
        const bytes = makeBlock(little);
        for (const [at, value] of changed) bytes[at] = value;
        const { tiff } = cleanExif(bytes.subarray(0, size), false);
        readOrientation(bytes.subarray(0, size));
        expect(tiff.length).toBeLessThanOrEqual(size);
      }),
    );
  });

  it("take time in proportion to their size, however often they name the same bytes", () => {
    const size = 8_000_000;
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, 0x4d4d002a);
    view.setUint32(4, 8);
    for (let n = 0; n < 15; n++) {
      const at = 8 + n * 12_010;
      view.setUint16(at, 1000);
      for (let i = 0; i < 1000; i++) {
        const from = at + 2 + i * 12;
        view.setUint32(from, [0x8769_0004, 0x0111_0004, 0x927c_0007][i === 0 ? 0 : 1 + (i % 2)]);
        view.setUint32(from + 4, i === 0 ? 1 : size / 4);
        view.setUint32(from + 8, i === 0 ? at + 12_010 : 1000);
      }
    }
    const start = performance.now();
    expect(cleanExif(bytes, false).tiff.length).toBeGreaterThan(0);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
