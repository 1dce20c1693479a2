// sdk/file/png.ts: what is told of a file, and which chunks come along, as exiftool and libpng see them.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { deflateSync, inflateSync } from "node:zlib";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import type { MetadataEdit } from "../../../sdk/file/format.ts";
import { png } from "../../../sdk/file/png.ts";
import { join, makeChunk, readChunks, SIGNATURE } from "../../../sdk/file/png-chunks.ts";
import { decodePng } from "../../../sdk/file/png-decode.ts";
import { encodePng } from "../../../sdk/file/png-encode.ts";
import { findProgram } from "../../support/debian.ts";
import { codeOf, makeWaves, sha256 } from "../../support/engine.ts";
import { readTags, validate } from "../../support/exiftool.ts";

const waves = makeWaves(40, 30);
const picture = sharp(waves.data, { raw: { ...waves, channels: 4 } });
const rgb = bare(await picture.clone().removeAlpha().png().toBuffer());
const rgba = bare(await picture.clone().png().toBuffer());
const grey = bare(await picture.clone().removeAlpha().toColourspace("b-w").png().toBuffer());
const palette = bare(await picture.clone().png({ palette: true, colours: 4 }).toBuffer());

/** A file without metadata, in memory of its own. */
function bare(file: Uint8Array): Uint8Array {
  const chunks = [...readChunks(file)].filter(({ type }) => /^(IHDR|PLTE|IDAT|IEND)$/.test(type));
  return join([SIGNATURE, ...chunks.map(({ raw }) => raw)]);
}

const text = (keyword: string, value: string) =>
  makeChunk("tEXt", new TextEncoder().encode(`${keyword}\0${value}`));
const chunk = (type: string, ...bytes: number[]) => makeChunk(type, Uint8Array.from(bytes));
const animation = (frames: number) => chunk("acTL", 0, 0, 0, frames, 0, 0, 0, 0);
/** Big-endian Exif of one tag: the orientation. */
const exif = (orientation: number) =>
  chunk(
    "eXIf",
    77,
    77,
    0,
    42,
    0,
    0,
    0,
    8,
    0,
    1,
    1,
    18,
    0,
    3,
    0,
    0,
    0,
    1,
    0,
    orientation,
    0,
    0,
    0,
    0,
    0,
    0,
  );

/** A file with more chunks, behind its header or behind its pixels. */
function insert(file: Uint8Array, before: Uint8Array[], after: Uint8Array[] = []): Uint8Array {
  const parts = [...readChunks(file)].flatMap(({ type, raw }) => {
    if (type === "IHDR") return [raw, ...before];
    return type === "IEND" ? [...after, raw] : [raw];
  });
  return join([SIGNATURE, ...parts]);
}

/** A file whose tags exiftool has written. */
function tagged(file: Uint8Array, ...options: string[]): Uint8Array {
  const folder = mkdtempSync(joinPath(tmpdir(), "tessera-png-"));
  try {
    const path = joinPath(folder, "picture.png");
    writeFileSync(path, file);
    const program = findProgram(["exiftool"], "libimage-exiftool-perl");
    execFileSync(program, ["-q", "-overwrite_original", ...options, path]);
    return new Uint8Array(readFileSync(path));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The file carried into its own pixels, checked: sound, the same pixels. */
async function carry(file: Uint8Array, edit: MetadataEdit = {}) {
  const { colour, alpha } = png.probe(file);
  const pixels = await decodePng(file);
  const encoded = await encodePng(pixels, { colour: colour === "grey" ? "grey" : "rgb", alpha });
  const carried = await png.carry(file, encoded, edit);
  await sharp(carried.bytes, { failOn: "warning" }).raw().toBuffer();
  const again = await decodePng(carried.bytes);
  expect(sha256(new Uint8Array(again.data.buffer))).toBe(
    sha256(new Uint8Array(pixels.data.buffer)),
  );
  return carried;
}

const typesOf = (file: Uint8Array) => [...readChunks(file)].map(({ type }) => type);
const find = (file: Uint8Array, type: string) =>
  [...readChunks(file)].find((one) => one.type === type)?.data ?? new Uint8Array(0);

describe("probe", () => {
  it("tells size, colour, depth, alpha and order", async () => {
    const plain = { format: "png", width: 40, height: 30, orientation: 1, lossless: true };
    const still = { animated: false, progressive: false, unsupported: null };
    const told = { ...plain, ...still, bitDepth: 8, colour: "rgb", alpha: false };
    expect(png.probe(rgb)).toEqual(told);
    expect(png.probe(rgba)).toEqual({ ...told, alpha: true });
    expect(png.probe(grey)).toEqual({ ...told, colour: "grey" });
    expect(png.probe(palette)).toEqual(told);
    const deep = await picture.clone().toColourspace("rgb16").png({ progressive: true }).toBuffer();
    expect(png.probe(deep)).toEqual({ ...told, bitDepth: 16, alpha: true, progressive: true });
  });

  it("tells transparency by key, where it fits", () => {
    expect(png.probe(insert(rgb, [chunk("tRNS", 0, 1, 0, 2, 0, 3)])).alpha).toBe(true);
    expect(png.probe(insert(grey, [chunk("tRNS", 0, 1)])).alpha).toBe(true);
    expect(png.probe(insert(rgb, [chunk("tRNS", 0, 1)])).alpha).toBe(false);
    expect(png.probe(insert(rgb, [], [chunk("tRNS", 0, 1, 0, 2, 0, 3)])).alpha).toBe(false);
    expect(png.probe(insert(palette, [chunk("tRNS", 9)])).alpha).toBe(false);
  });

  it("tells the orientation wherever Exif stands, and animation of several frames", () => {
    expect(png.probe(insert(rgb, [exif(6)])).orientation).toBe(6);
    expect(png.probe(insert(rgb, [], [exif(8)])).orientation).toBe(8);
    expect(png.probe(insert(rgb, [chunk("eXIf", 1, 2, 3)])).orientation).toBe(1);
    expect(png.probe(insert(rgb, [animation(2)])).animated).toBe(true);
    expect(png.probe(insert(rgb, [animation(1)])).animated).toBe(false);
    expect(png.probe(insert(rgb, [], [animation(2)])).animated).toBe(false);
  });

  const dataFrom = Buffer.from(rgb).indexOf("IDAT");

  it("refuses what no reader shows", () => {
    const header = find(rgb, "IHDR");
    const data = chunk("IDAT", 1, 2, 3);
    const withHeader = (at: number, value: number) => {
      const wrong = header.slice();
      wrong[at] = value;
      return join([SIGNATURE, makeChunk("IHDR", wrong), data]);
    };
    expect(png.probe(withHeader(0, 0)).width).toBe(40);
    const wrongs = [
      ...[
        [0, 128],
        [3, 0],
        [7, 0],
        [8, 4],
        [8, 3],
        [9, 1],
        [9, 3],
        [9, 7],
        [10, 1],
        [11, 1],
        [12, 2],
      ].map(([at, value]) => withHeader(at, value)),
      join([SIGNATURE, data]),
      join([SIGNATURE, makeChunk("IHDR", header), chunk("IEND")]),
      join([SIGNATURE, makeChunk("IHDR", header)]),
      insert(rgb, [makeChunk("IHDR", header)]),
      insert(rgb, [chunk("NeWs", 1)]),
      insert(rgb, [chunk("te t", 1)]),
      insert(rgb, [Uint8Array.of(255, 255, 255, 255, 116, 69, 88, 116)]),
      insert(palette, [chunk("PLTE", 1, 2, 3)]),
      join([SIGNATURE, makeChunk("IHDR", find(palette, "IHDR")), chunk("PLTE", 1, 2), data]),
      rgb.subarray(1),
    ];
    for (const wrong of wrongs) expect(codeOf(() => png.probe(wrong))).toBe("file-broken");
    for (let end = 0; end < dataFrom + 4; end++) {
      expect(codeOf(() => png.probe(rgb.subarray(0, end)))).toBe("file-broken");
    }
    for (let at = 0; at < 33; at++) {
      const flipped = Uint8Array.from(rgb);
      flipped[at] ^= 16;
      expect(codeOf(() => png.probe(flipped))).toBe("file-broken");
    }
  });

  it("reads a header in front of spoilt pixels, and what stands behind the end", () => {
    expect(png.probe(rgb.subarray(0, dataFrom + 5)).width).toBe(40);
    expect(png.probe(join([rgb, new Uint8Array(9)])).height).toBe(30);
  });
});

describe("carry keeps", () => {
  const TAGS = [
    "-EXIF:Make=Maker",
    "-EXIF:Orientation#=6",
    "-XMP:Title=A title",
    "-PNG:Comment=A comment",
    "-PNG:PixelsPerUnitX=3000",
  ];

  it("every tag that exiftool knows, and is valid", async () => {
    const profiled = await picture.clone().withIccProfile("p3").png().toBuffer();
    const before = tagged(profiled, ...TAGS);
    const { bytes, dropped } = await carry(before);
    expect(dropped).toEqual([]);
    expect(readTags(bytes)).toEqual(readTags(before));
    expect(readTags(bytes)).toMatchObject({ "XMP:Title": "A title", "PNG:Comment": "A comment" });
    expect(validate(bytes)).toEqual([]);
    expect(png.probe(bytes).orientation).toBe(6);
    expect(find(bytes, "iCCP")).toEqual(find(before, "iCCP"));
  });

  it("chunks in lawful places, and of the unknown ones none", async () => {
    const single = [chunk("gAMA", 0, 0, 177, 143), chunk("pHYs", 0, 0, 11, 19, 0, 0, 11, 19, 1)];
    const before = [...single, chunk("abCd", 1), chunk("exIf", 1), text("Comment", "early")];
    const after = [
      chunk("vpAg", 0, 0, 0, 1, 0, 0, 0, 1, 0),
      chunk("seAl", 1),
      chunk("tIME", 7, 230, 1, 2, 3, 4, 5),
      text("Title", "late"),
    ];
    const { bytes } = await carry(insert(rgb, before, after));
    const types = ["IHDR", "gAMA", "pHYs", "tEXt", "tIME", "tEXt", "IDAT", "vpAg", "IEND"];
    expect(typesOf(bytes)).toEqual(types);
  });

  it("sample-bound chunks only for the same samples", async () => {
    const bound = [chunk("sBIT", 5, 6, 5), chunk("bKGD", 0, 1, 0, 2, 0, 3)];
    expect(typesOf((await carry(insert(rgb, bound))).bytes)).toEqual(
      expect.arrayContaining(["sBIT", "bKGD"]),
    );
    const keyed = insert(rgb, [...bound, chunk("tRNS", 0, 1, 0, 2, 0, 3)]);
    expect(typesOf((await carry(keyed)).bytes)).toEqual(["IHDR", "IDAT", "IEND"]);
  });

  it("a profile for pixels of the same colour alone", async () => {
    const profiled = await picture.clone().withIccProfile("p3").png().toBuffer();
    const turned = await encodePng(await decodePng(profiled), { colour: "grey", alpha: true });
    expect(typesOf((await png.carry(profiled, turned, {})).bytes)).not.toContain("iCCP");
  });
});

describe("carry leaves out", () => {
  it("what is no longer true, and tells of it", async () => {
    const frames = [animation(1), chunk("fcTL", ...new Uint8Array(26))];
    const file = insert(rgb, [...frames, chunk("caBX", 1, 2)], [chunk("fdAT", 0, 0, 0, 1, 9)]);
    const { bytes, dropped } = await carry(file);
    expect(typesOf(bytes)).toEqual(["IHDR", "IDAT", "IEND"]);
    expect(dropped).toEqual(["c2pa", "second-picture"]);
    const paletted = await carry(palette);
    expect(typesOf(paletted.bytes)).toEqual(["IHDR", "IDAT", "IEND"]);
  });

  it("chunks that are damaged, repeated or out of place", async () => {
    const wrong = text("Comment", "spoilt");
    wrong[10] ^= 1;
    const gamma = chunk("gAMA", 0, 0, 177, 143);
    const file = insert(rgb, [wrong, gamma, gamma], [chunk("sRGB", 0)]);
    expect(typesOf((await carry(file)).bytes)).toEqual(["IHDR", "gAMA", "IDAT", "IEND"]);
    const cut = insert(rgb, [], [text("Comment", "whole"), text("Comment", "cut")]).slice(0, -20);
    expect(typesOf((await carry(cut)).bytes)).toEqual(["IHDR", "tEXt", "IDAT", "IEND"]);
  });

  it("the location, unless it is to stay", async () => {
    const place = ["-EXIF:GPSLatitude=1", "-EXIF:GPSLatitudeRef=N", "-XMP:GPSLongitude=2"];
    const before = insert(tagged(rgb, "-EXIF:Make=Maker", ...place), [
      text("exif:GPSLatitude", "1/1"),
      text("GPS Latitude", "1/1"),
      text("Exif.GPSInfo.GPSLatitude", "1/1"),
    ]);
    const { bytes, dropped } = await carry(before);
    expect(dropped).toEqual(["location"]);
    const tags = readTags(bytes);
    expect(tags).toMatchObject({ "EXIF:Make": "Maker" });
    expect(JSON.stringify(tags)).not.toMatch(/gps/i);
    const kept = await carry(before, { keepLocation: true });
    expect(kept.dropped).toEqual([]);
    expect(readTags(kept.bytes)).toEqual(readTags(before));
  });
});

describe("carry edits XMP", () => {
  const edit = { rights: "© Ünsal & Co", identifier: "https://example.org/l/1" };

  it("that is there, plain or compressed, and says nothing twice", async () => {
    const plain = tagged(rgb, "-XMP:Title=A title", "-XMP-dc:Rights=Old");
    const [head, packet] = [find(plain, "iTXt").subarray(0, 22), find(plain, "iTXt").subarray(22)];
    expect(new TextDecoder().decode(head)).toBe("XML:com.adobe.xmp\0\0\0\0\0");
    const flagged = join([head.subarray(0, 18), Uint8Array.of(1), head.subarray(19)]);
    const zipped = makeChunk("iTXt", join([flagged, deflateSync(packet)]));
    for (const file of [plain, insert(rgb, [zipped]), insert(plain, [], [zipped])]) {
      const { bytes } = await carry(file, edit);
      expect(typesOf(bytes).filter((type) => type === "iTXt")).toHaveLength(1);
      expect(find(bytes, "iTXt")[18]).toBe(0);
      expect(readTags(bytes)).toMatchObject({
        "XMP:Title": "A title",
        "XMP:Rights": edit.rights,
        "XMP:Identifier": edit.identifier,
      });
      expect(validate(bytes)).toEqual([]);
    }
    expect(find((await carry(insert(rgb, [zipped]))).bytes, "iTXt")).toEqual(
      zipped.subarray(8, -4),
    );
  });

  it("that is not there, only when something is set", async () => {
    const { bytes } = await carry(grey, edit);
    expect(typesOf(bytes)).toEqual(["IHDR", "iTXt", "IDAT", "IEND"]);
    expect(readTags(bytes)).toMatchObject({ "XMP:Rights": edit.rights });
    expect(typesOf((await carry(grey)).bytes)).not.toContain("iTXt");
  });

  it("never beyond the limit of a text", async () => {
    const bomb = deflateSync(new Uint8Array(1 << 26).fill(32));
    const head = new TextEncoder().encode("XML:com.adobe.xmp\0\u0001\0\0\0");
    const { bytes } = await carry(insert(rgb, [makeChunk("iTXt", join([head, bomb]))]));
    expect(typesOf(bytes)).toEqual(["IHDR", "IDAT", "IEND"]);
  });
});

describe("carry cleans ImageMagick's profiles", () => {
  const profile = (name: string, bytes: Uint8Array, type: "tEXt" | "zTXt") => {
    const hex = (
      Buffer.from(bytes)
        .toString("hex")
        .match(/.{1,72}/g) ?? []
    ).join("\n");
    const value = `\n${name}\n${String(bytes.length).padStart(8)}\n${hex}\n`;
    const keyword = `Raw profile type ${name}\0`;
    if (type === "tEXt") return makeChunk("tEXt", Buffer.from(keyword + value));
    return makeChunk("zTXt", Buffer.concat([Buffer.from(`${keyword}\0`), deflateSync(value)]));
  };
  const source = tagged(
    rgb,
    "-EXIF:Make=Maker",
    "-EXIF:GPSLatitude=1",
    "-XMP:GPSLongitude=2",
    "-XMP:Title=T",
  );
  const block = Buffer.concat([Buffer.from("Exif\0\0"), find(source, "eXIf")]);
  const packet = find(source, "iTXt").subarray(22);
  const prefixed = Buffer.concat([Buffer.from("http://ns.adobe.com/xap/1.0/\0"), packet]);

  it("with Exif and XMP inside, of either kind and under either name", async () => {
    for (const type of ["tEXt", "zTXt"] as const) {
      for (const [first, second] of [
        [profile("exif", block, type), profile("xmp", packet, type)],
        [profile("APP1", block, type), profile("xmp", prefixed, type)],
        [profile("exif", block, type), profile("APP1", prefixed, type)],
      ]) {
        const { bytes, dropped } = await carry(insert(rgb, [first, second]));
        expect(dropped).toEqual(["location"]);
        expect(typesOf(bytes)).toEqual(["IHDR", "zTXt", "zTXt", "IDAT", "IEND"]);
        const tags = readTags(bytes);
        expect(tags).toMatchObject({ "EXIF:Make": "Maker", "XMP:Title": "T" });
        expect(JSON.stringify(tags)).not.toMatch(/gps/i);
        expect(validate(bytes).filter((line) => /wrong size|error/i.test(line))).toEqual([]);
      }
    }
  });

  it("and keeps others byte for byte, without those that cannot be read", async () => {
    const iptc = profile("iptc", Buffer.from("8BIM\u0004\u0004\0\0\0\0\0\0"), "zTXt");
    const icc = profile("icc", Buffer.from("anything"), "tEXt");
    const { bytes } = await carry(insert(rgb, [iptc, icc]));
    expect(inflateSync(find(bytes, "zTXt").subarray(23))).toBeTruthy();
    expect([find(bytes, "zTXt"), find(bytes, "tEXt")].map(sha256)).toEqual(
      [iptc, icc].map((one) => sha256(one.subarray(8, -4))),
    );
    const keyword = "Raw profile type exif";
    for (const value of ["", "\nexif\n    9999999\nabcd\n", "\nexif\n 2\nxyzz\n", "\nexif\n-1\n"]) {
      const spoilt = await carry(insert(rgb, [text(keyword, value)]));
      expect(typesOf(spoilt.bytes)).toEqual(["IHDR", "IDAT", "IEND"]);
    }
  });
});
