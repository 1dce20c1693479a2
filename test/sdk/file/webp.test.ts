// The contract of sdk/file/webp.ts: a header that agrees with libwebp's (by sharp), metadata that exiftool
// finds again after the pixels were replaced, and damaged files that are refused by their code.
import sharp, { type Sharp } from "sharp";
import { describe, expect, it } from "vitest";
import { LabelError } from "../../../sdk/error.ts";
import { webp } from "../../../sdk/file/webp.ts";
import { readTags, validate } from "../../support/exiftool.ts";

const WIDTH = 50;
const HEIGHT = 33;
const XMP = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="Loom"/></rdf:RDF></x:xmpmeta>`;
const PLAIN = await paint(3).webp().toBuffer();
const CLEAR = await paint(4).webp().toBuffer();
const LOSSLESS = await paint(3).webp({ lossless: true }).toBuffer();
const CLEAR_LOSSLESS = await paint(4).webp({ lossless: true }).toBuffer();
const RICH = await paint(3)
  .withExif({
    IFD0: { Copyright: "Weaver" },
    IFD3: { GPSLatitudeRef: "N", GPSLatitude: "51/1 30/1 0/1" },
  })
  .withMetadata({ orientation: 6 })
  .withIccProfile("p3")
  .withXmp(XMP)
  .webp()
  .toBuffer();
/** The pixels that a codec would hand over: not those of the originals. */
const ENCODED = await paint(3, 90).webp().toBuffer();
const ENCODED_CLEAR = await paint(4, 90).webp().toBuffer();

type Chunk = [kind: string, data: Uint8Array];

function paint(channels: 3 | 4, shift = 0): Sharp {
  const data = Uint8Array.from(
    { length: WIDTH * HEIGHT * channels },
    (_, i) => shift + ((i * 5) % 97) + (i >> 6),
  );
  return sharp(data, { raw: { width: WIDTH, height: HEIGHT, channels } });
}

function split(file: Uint8Array): Chunk[] {
  const bytes = Buffer.from(file);
  const chunks: Chunk[] = [];
  for (let at = 12; at < bytes.length; ) {
    const size = bytes.readUInt32LE(at + 4);
    chunks.push([bytes.toString("latin1", at, at + 4), bytes.subarray(at + 8, at + 8 + size)]);
    at += 8 + size + (size & 1);
  }
  return chunks;
}

function join(chunks: Chunk[]): Uint8Array {
  const parts = chunks.map(([kind, data]) => {
    const header = Buffer.from(`${kind}0000`, "latin1");
    header.writeUInt32LE(data.length, 4);
    return Buffer.concat([header, data, new Uint8Array(data.length & 1)]);
  });
  const bytes = Buffer.concat([Buffer.from("RIFF0000WEBP"), ...parts]);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  return bytes;
}

/** A copy of a file in which some bits of one chunk are turned over. */
function flip(file: Uint8Array, kind: string, at: number, mask: number): Uint8Array {
  const chunks = split(Uint8Array.from(file));
  const data = chunks.find((chunk) => chunk[0] === kind)?.[1] ?? expect.fail(`no ${kind}`);
  data[at] ^= mask;
  return join(chunks);
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof LabelError) return error.code;
    throw error;
  }
  return "none";
}

async function pixels(file: Uint8Array): Promise<Buffer> {
  return sharp(file).raw().toBuffer();
}

describe("probe", () => {
  it.each([
    ["lossy", PLAIN, false, false],
    ["lossy with alpha", CLEAR, true, false],
    ["lossless", LOSSLESS, false, true],
    ["lossless with alpha", CLEAR_LOSSLESS, true, true],
  ])("reads %s", (_, file, alpha, lossless) => {
    expect(webp.probe(file)).toEqual({
      format: "webp",
      width: WIDTH,
      height: HEIGHT,
      orientation: 1,
      bitDepth: 8,
      colour: "rgb",
      alpha,
      animated: false,
      lossless,
      progressive: false,
      unsupported: null,
    });
  });

  it("reads the orientation of Exif, with and without JPEG's prefix", () => {
    const chunks = split(RICH);
    const exif = chunks.find(([kind]) => kind === "EXIF") as Chunk;
    const tiff = exif[1].subarray(exif[1][0] === 0x45 ? 6 : 0);
    for (const data of [tiff, Buffer.concat([Buffer.from("Exif\0\0"), tiff])]) {
      exif[1] = data;
      expect(webp.probe(join(chunks)).orientation).toBe(6);
    }
  });

  it("leaves alone an Exif that VP8X does not announce, as viewers do", async () => {
    const silent = flip(RICH, "VP8X", 0, 0x08);
    expect((await sharp(RICH).metadata()).orientation).toBe(6);
    expect((await sharp(silent).metadata()).orientation).toBeUndefined();
    expect(webp.probe(silent).orientation).toBe(1);
    const { bytes } = await webp.carry(silent, ENCODED, {});
    expect(webp.probe(bytes).orientation).toBe(1);
  });

  it("calls animated what has frames, even one", async () => {
    const film = sharp(await paint(3).extend({ bottom: HEIGHT }).raw().toBuffer(), {
      raw: { width: WIDTH, height: 2 * HEIGHT, channels: 3, pageHeight: HEIGHT },
    });
    const animation = await film.webp().toBuffer();
    expect(webp.probe(animation)).toMatchObject({ animated: true, width: WIDTH, height: HEIGHT });
    const chunks = split(animation);
    const first = chunks.findIndex(([kind]) => kind === "ANMF");
    expect(webp.probe(join(chunks.slice(0, first + 1))).animated).toBe(true);
  });

  it("passes over odd and unknown chunks and over what follows the file", () => {
    const odd = join([
      ...split(CLEAR).slice(0, 1),
      ["odd ", new Uint8Array(3)],
      ...split(CLEAR).slice(1),
    ]);
    expect(webp.probe(odd)).toEqual(webp.probe(CLEAR));
    expect(webp.probe(Buffer.concat([CLEAR, new Uint8Array(9)]))).toEqual(webp.probe(CLEAR));
  });

  it("refuses a file that was cut anywhere", () => {
    for (const file of [RICH, CLEAR_LOSSLESS]) {
      for (let length = 0; length < file.length; length++) {
        expect(codeOf(() => webp.probe(file.subarray(0, length)))).toBe("file-broken");
      }
    }
  });

  it.each<[string, Uint8Array]>([
    ["no picture", join([["EXIF", new Uint8Array(8)]])],
    ["only a canvas", join(split(RICH).slice(0, 1))],
    ["an empty picture", join([["VP8 ", new Uint8Array()]])],
    ["no key frame", flip(PLAIN, "VP8 ", 0, 0x01)],
    ["a hidden frame", flip(PLAIN, "VP8 ", 0, 0x10)],
    ["no start code", flip(PLAIN, "VP8 ", 3, 0xff)],
    ["no width", flip(PLAIN, "VP8 ", 6, WIDTH)],
    ["a first partition that is too long", flip(PLAIN, "VP8 ", 2, 0xff)],
    ["no VP8L signature", flip(LOSSLESS, "VP8L", 0, 0xff)],
    ["another VP8L version", flip(LOSSLESS, "VP8L", 4, 0x20)],
    ["two sizes", flip(RICH, "VP8X", 4, 0x01)],
    ["a short VP8X", join([["VP8X", new Uint8Array(9)], ...split(PLAIN)])],
    ["too many chunks", join([...split(PLAIN), ...Array(10_000).fill(["none", new Uint8Array()])])],
  ])("refuses %s", (_, file) => {
    expect(codeOf(() => webp.probe(file))).toBe("file-broken");
  });
});

describe("carry", () => {
  it("moves profile, Exif and XMP to the new pixels", async () => {
    const { bytes, dropped } = await webp.carry(RICH, ENCODED, { keepLocation: true });
    expect(dropped).toEqual([]);
    expect(split(bytes).map(([kind]) => kind)).toEqual(["VP8X", "ICCP", "VP8 ", "EXIF", "XMP "]);
    expect(readTags(bytes)).toEqual(readTags(RICH));
    expect(validate(bytes)).toEqual(validate(RICH));
    const bare = join(split(bytes).filter(([kind]) => kind === "VP8 "));
    expect(await pixels(bare)).toEqual(await pixels(ENCODED));
    expect(webp.probe(bytes)).toEqual(webp.probe(RICH));
  });

  it("leaves out the place and a C2PA manifest, and says so", async () => {
    const signed = join([...split(RICH), ["C2PA", new Uint8Array(5)]]);
    const { bytes, dropped } = await webp.carry(signed, ENCODED, {});
    expect(dropped).toEqual(["c2pa", "location"]);
    expect(split(bytes).map(([kind]) => kind)).not.toContain("C2PA");
    const tags = Object.keys(readTags(bytes));
    expect(tags.filter((name) => name.includes("GPS"))).toEqual([]);
    expect(tags).toContain("EXIF:Copyright");
  });

  it("writes rights and identifier where no XMP was", async () => {
    const edit = { rights: "© Weaver", identifier: "urn:x:1" };
    const { bytes } = await webp.carry(PLAIN, ENCODED_CLEAR, edit);
    expect(readTags(bytes)).toMatchObject({
      "XMP:Rights": "© Weaver",
      "XMP:Identifier": "urn:x:1",
    });
    expect(await pixels(bytes)).toEqual(await pixels(ENCODED_CLEAR));
    expect(webp.probe(bytes)).toMatchObject({ alpha: true, width: WIDTH, height: HEIGHT });
    expect(validate(bytes)).toEqual([]);
  });

  it("stays in the simple format where nothing needs more", async () => {
    const { bytes, dropped } = await webp.carry(PLAIN, CLEAR_LOSSLESS, {});
    expect([...bytes]).toEqual([...CLEAR_LOSSLESS]);
    expect(dropped).toEqual([]);
  });

  it("keeps Exif's prefix, but no second Exif and no unknown chunks", async () => {
    const chunks = split(RICH);
    const exif = chunks.find(([kind]) => kind === "EXIF") as Chunk;
    const tiff = exif[1].subarray(exif[1][0] === 0x45 ? 6 : 0);
    exif[1] = Buffer.concat([Buffer.from("Exif\0\0"), tiff]);
    const more: Chunk[] = [
      ["EXIF", tiff],
      ["\xe9odd", Uint8Array.of(1, 2, 3)],
    ];
    const { bytes } = await webp.carry(join([...chunks, ...more]), ENCODED, {});
    const written = split(bytes);
    expect(written.map(([kind]) => kind)).not.toContain("\xe9odd");
    const kept = written.filter(([kind]) => kind === "EXIF").map(([, data]) => data);
    expect(kept).toHaveLength(1);
    expect(Buffer.from(kept[0]).toString("latin1", 0, 6)).toBe("Exif\0\0");
  });

  it("refuses damaged originals by code, whatever is flipped in them", async () => {
    let seed = 1;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    for (let round = 0; round < 500; round++) {
      const file = Uint8Array.from(RICH);
      for (let flips = 0; flips < 4; flips++) file[random(file.length)] = random(256);
      const carried = webp.carry(file, ENCODED, { rights: "Weaver" });
      const error = await carried.then(() => null).catch((reason: unknown) => reason);
      if (error) expect(error).toBeInstanceOf(LabelError);
      expect(["none", "file-broken"]).toContain(codeOf(() => webp.probe(file)));
    }
  });
});
