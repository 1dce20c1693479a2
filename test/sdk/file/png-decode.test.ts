// sdk/file/png-decode.ts against libpng (in sharp), on every kind of PNG, and on what is broken.
import { deflateSync, inflateSync } from "node:zlib";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { LabelError } from "../../../sdk/error.ts";
import { join, makeChunk, readChunks, SIGNATURE } from "../../../sdk/file/png-chunks.ts";
import { decodePng, decodePngLuma, type PngPixels } from "../../../sdk/file/png-decode.ts";
import { makeNoise, makeWaves, sha256 } from "../../support/engine.ts";
import { loadFixture } from "../../support/pictures.ts";

const EMPTY = new Uint8Array(0);
const END = makeChunk("IEND", EMPTY);

function ihdr(width: number, height: number, depth: number, type: number, interlace = 0) {
  const data = new Uint8Array(13);
  const view = new DataView(data.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  data.set([depth, type, 0, 0, interlace], 8);
  return makeChunk("IHDR", data);
}

/** A file of rows as they are packed, each with its filter byte. */
function build(head: Uint8Array, rows: number[] | Uint8Array, extra: Uint8Array[] = []) {
  const data = deflateSync(Uint8Array.from(rows));
  return join([SIGNATURE, head, ...extra, makeChunk("IDAT", data), END]);
}

/** A file taken apart: all before the pixels, the IDAT data, and the file with other IDAT chunks. */
function open(file: Uint8Array) {
  const chunks = [...readChunks(file)];
  const data = join(chunks.filter(({ type }) => type === "IDAT").map((chunk) => chunk.data));
  const before = chunks.slice(
    0,
    chunks.findIndex(({ type }) => type === "IDAT"),
  );
  const head = join([SIGNATURE, ...before.map(({ raw }) => raw)]);
  return { data, withData: (parts: Uint8Array[]) => join([head, ...parts, END]) };
}

async function byLibpng(file: Uint8Array) {
  const { depth } = await sharp(file).metadata();
  const deep = depth === "ushort";
  const { data, info } = await sharp(file, { failOn: "warning" })
    .toColourspace(deep ? "rgb16" : "srgb")
    .ensureAlpha()
    .raw({ depth: deep ? "ushort" : "uchar" })
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, deep };
}

function bytesOf({ data }: PngPixels): Uint8Array {
  return new Uint8Array(data.buffer);
}

async function expectAsLibpng(file: Uint8Array): Promise<void> {
  const [mine, theirs] = [await decodePng(file), await byLibpng(file)];
  expect([mine.width, mine.height]).toEqual([theirs.width, theirs.height]);
  expect(mine.data instanceof Uint16Array).toBe(theirs.deep);
  expect(sha256(bytesOf(mine))).toBe(sha256(theirs.data));
}

async function codeOf(run: Promise<unknown>): Promise<string> {
  try {
    await run;
  } catch (error) {
    if (error instanceof LabelError) return error.code;
    throw error;
  }
  return "none";
}

/** Waves whose alpha goes up and down. */
function makePicture(width: number, height: number) {
  const { data } = makeWaves(width, height);
  for (let i = 0; i < width * height; i++) data[4 * i + 3] = 128 + 127 * Math.sin(i / 31);
  return sharp(data, { raw: { width, height, channels: 4 } });
}

const photo = await loadFixture("shoe.png");
const photoFile = await sharp(photo.data, { raw: { ...photo, channels: 4 } })
  .removeAlpha()
  .png({ adaptiveFiltering: true })
  .toBuffer();
const small = await makePicture(37, 23).png({ adaptiveFiltering: true }).toBuffer();

describe("decodePng reads as libpng does", () => {
  it("a photograph with all filters", async () => {
    const rows = inflateSync(open(photoFile).data);
    const stride = 3 * photo.width + 1;
    const filters = new Set(Array.from({ length: photo.height }, (_, y) => rows[y * stride]));
    expect([...filters].sort()).toEqual(expect.arrayContaining([1, 2, 3, 4]));
    await expectAsLibpng(photoFile);
  });

  for (const progressive of [false, true]) {
    for (const adaptiveFiltering of [false, true]) {
      const options = { progressive, adaptiveFiltering };
      it(`direct colours, ${JSON.stringify(options)}`, async () => {
        for (const [width, height] of [
          [61, 47],
          [1, 1],
          [3, 2],
          [1, 9],
          [5, 1],
        ]) {
          for (const space of ["b-w", "srgb", "grey16", "rgb16"]) {
            const picture = makePicture(width, height).toColourspace(space);
            await expectAsLibpng(await picture.clone().png(options).toBuffer());
            await expectAsLibpng(await picture.clone().removeAlpha().png(options).toBuffer());
          }
        }
      });

      it(`palettes, ${JSON.stringify(options)}`, async () => {
        for (const colours of [2, 4, 16, 200]) {
          const file = await makePicture(43, 31)
            .png({ ...options, palette: true, colours })
            .toBuffer();
          expect(file[25]).toBe(3);
          await expectAsLibpng(file);
        }
      });
    }
  }

  it("interlaced grey of few bits", async () => {
    for (const depth of [1, 2, 4]) {
      const passes = [
        [2, 1],
        [1, 1],
        [3, 1],
        [2, 2],
        [5, 2],
        [4, 4],
        [9, 4],
      ];
      const rows = passes.flatMap(([width, height], p) =>
        Array.from({ length: height }, (_, y) => [
          0,
          ...Array.from(
            { length: Math.ceil((width * depth) / 8) },
            (_, i) => (77 * (p + y + i + 1)) & 255,
          ),
        ]).flat(),
      );
      await expectAsLibpng(build(ihdr(9, 8, depth, 0, 1), rows));
    }
  });
});

describe("decodePng scales and makes transparent", () => {
  const grey = async (file: Uint8Array) => {
    const { data } = await decodePng(file);
    return Array.from({ length: data.length / 4 }, (_, i) => [data[4 * i], data[4 * i + 3]]);
  };

  it("grey of 1, 2 and 4 bits, with its key", async () => {
    const key = (value: number) => [makeChunk("tRNS", Uint8Array.of(0, value))];
    expect(await grey(build(ihdr(3, 1, 1, 0), [0, 0b01011111], key(1)))).toEqual([
      [0, 255],
      [255, 0],
      [0, 255],
    ]);
    expect(await grey(build(ihdr(3, 1, 2, 0), [0, 0b00101100], key(2)))).toEqual([
      [0, 255],
      [170, 0],
      [255, 255],
    ]);
    expect(await grey(build(ihdr(3, 1, 4, 0), [0, 0x3f, 0x70], key(7)))).toEqual([
      [51, 255],
      [255, 255],
      [119, 0],
    ]);
  });

  it("keys of colours, of which only the low bits count", async () => {
    const head = ihdr(2, 1, 8, 2);
    const key = makeChunk("tRNS", Uint8Array.of(9, 1, 0, 2, 0, 3));
    const { data } = await decodePng(build(head, [0, 1, 2, 3, 1, 2, 4], [key]));
    expect([...data]).toEqual([1, 2, 3, 0, 1, 2, 4, 255]);
    const deep = makeChunk("tRNS", Uint8Array.of(1, 2, 3, 4, 5, 6));
    const rows = [0, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 7];
    const words = await decodePng(build(ihdr(2, 1, 16, 2), rows, [deep]));
    expect([...words.data]).toEqual([258, 772, 1286, 0, 258, 772, 1287, 65535]);
    const greys = [0, 1, 2, 1, 3];
    const one = build(ihdr(2, 1, 16, 0), greys, [makeChunk("tRNS", Uint8Array.of(1, 2))]);
    expect(await grey(one)).toEqual([
      [258, 0],
      [259, 65535],
    ]);
  });

  it("palettes shorter than their samples: opaque black beyond", async () => {
    const extra = [
      makeChunk("PLTE", Uint8Array.of(10, 20, 30, 40, 50, 60)),
      makeChunk("tRNS", Uint8Array.of(99)),
    ];
    const { data } = await decodePng(build(ihdr(3, 1, 8, 3), [0, 0, 1, 200], extra));
    expect([...data]).toEqual([10, 20, 30, 99, 40, 50, 60, 255, 0, 0, 0, 255]);
  });
});

describe("decodePng takes data however they are cut", () => {
  const { data, withData } = open(small);
  const [begin, rest] = [data.subarray(0, 100), data.subarray(100)];
  const whole = makeChunk("IDAT", data);
  const expectSmall = async (file: Uint8Array) =>
    expect(sha256(bytesOf(await decodePng(file)))).toBe(sha256((await byLibpng(small)).data));

  it("in one, in single bytes, with empty chunks between", async () => {
    await expectSmall(withData([whole]));
    await expectSmall(withData([...data].map((byte) => makeChunk("IDAT", Uint8Array.of(byte)))));
    const parts = [EMPTY, begin, EMPTY, rest, EMPTY];
    await expectSmall(withData(parts.map((part) => makeChunk("IDAT", part))));
  });

  it("with more behind: padding, another IDAT, text, no IEND", async () => {
    for (const length of [1, 4, 64, 900]) {
      const padding = new Uint8Array(length).fill(length);
      await expectSmall(withData([makeChunk("IDAT", join([data, padding]))]));
      await expectSmall(withData([whole, makeChunk("IDAT", padding)]));
      await expectSmall(join([withData([whole]), padding]));
    }
    await expectSmall(withData([whole, makeChunk("tEXt", EMPTY), whole]));
    await expectSmall(withData([whole]).slice(0, -END.length));
    await expectSmall(withData([whole]).slice(0, -1));
  });

  it("not when other chunks stand between, or bytes are missing or wrong", async () => {
    const text = makeChunk("tEXt", EMPTY);
    const broken = async (file: Uint8Array) =>
      expect(await codeOf(decodePng(file))).toBe("file-broken");
    await broken(withData([makeChunk("IDAT", begin), text, makeChunk("IDAT", rest)]));
    await broken(withData([makeChunk("IDAT", begin)]));
    await broken(withData([makeChunk("IDAT", rest)]));
    await broken(withData([makeChunk("IDAT", EMPTY)]));
    await broken(withData([]));
    const flipped = whole.slice();
    flipped[40] ^= 1;
    await broken(withData([flipped]));
    const adler = data.slice();
    adler[adler.length - 1] ^= 1;
    await broken(withData([makeChunk("IDAT", adler)]));
    await broken(build(ihdr(2, 2, 8, 0), [0, 1, 2, 5, 1, 2]));
    await broken(build(ihdr(2, 2, 8, 0), [0, 1, 2, 0, 1]));
  });

  it("never fails in another way", async () => {
    for (let end = 0; end < small.length - END.length - 8; end += 17) {
      expect(await codeOf(decodePng(small.subarray(0, end)))).toBe("file-broken");
    }
    for (let at = 0; at < data.length; at += 5) {
      const spoilt = data.slice();
      spoilt[at] ^= 1 << (at % 8);
      // With a right checksum about them, wrong bytes may still say some picture.
      const code = await codeOf(decodePng(withData([makeChunk("IDAT", spoilt)])));
      expect(["file-broken", "none"]).toContain(code);
      whole[8 + at] ^= 1 << (at % 8);
      expect(await codeOf(decodePng(withData([whole])))).toBe("file-broken");
      whole[8 + at] ^= 1 << (at % 8);
    }
  });
});

describe("decodePng spends nothing on", () => {
  it("what comes behind the last row", async () => {
    const bomb = deflateSync(new Uint8Array(1 << 27));
    const file = join([SIGNATURE, ihdr(4, 4, 8, 0), makeChunk("IDAT", bomb), END]);
    const start = performance.now();
    expect((await decodePng(file)).data).toHaveLength(64);
    expect(performance.now() - start).toBeLessThan(500);
  });

  it("sizes that the file cannot have", async () => {
    const most = 2 ** 31 - 1;
    for (const [width, height] of [
      [most, most],
      [most, 1],
      [1, most],
      [40000, 40000],
    ]) {
      for (const interlace of [0, 1]) {
        const file = build(ihdr(width, height, 16, 6, interlace), [0, 1, 2]);
        expect(await codeOf(decodePng(file))).toBe("file-broken");
      }
      const file = build(ihdr(width, height, 1, 0), [0, 1, 2]);
      expect(await codeOf(decodePngLuma(file, 16))).toBe("file-broken");
    }
  });
});

describe("decodePngLuma", () => {
  /** By the definition, from the decoded pixels. */
  function plainLuma({ data, width, height }: PngPixels, factor: number): number[] {
    const most = data instanceof Uint16Array ? 65535 : 255;
    const of = (at: number) => {
      const [red, green, blue, alpha] = data.subarray(at, at + 4);
      const luma = (299 * red + 587 * green + 114 * blue) / 1000;
      return ((luma * alpha + most * (most - alpha)) / most / most) * 255;
    };
    const out: number[] = [];
    for (let y = 0; y + factor <= height; y += factor) {
      for (let x = 0; x + factor <= width; x += factor) {
        let sum = 0;
        for (let k = 0; k < factor * factor; k++) {
          const row = y + Math.floor(k / factor);
          sum += of(4 * (row * width + x + (k % factor)));
        }
        out.push(sum / factor / factor);
      }
    }
    return out;
  }

  it("averages luma over white in squares, for every kind of pixels", async () => {
    const files: Uint8Array[] = [build(ihdr(3, 1, 1, 0), [0, 0b01011111])];
    for (const space of ["b-w", "srgb", "grey16", "rgb16"]) {
      const picture = makePicture(70, 53).toColourspace(space);
      files.push(await picture.clone().png().toBuffer());
      files.push(await picture.clone().removeAlpha().png().toBuffer());
    }
    files.push(await makePicture(70, 53).png({ palette: true, colours: 16 }).toBuffer());
    for (const file of files) {
      for (const factor of [1, 2, 3, 16]) {
        const { luma, width, height } = await decodePngLuma(file, factor);
        const whole = await decodePng(file);
        expect([width, height]).toEqual([
          Math.floor(whole.width / factor),
          Math.floor(whole.height / factor),
        ]);
        const plain = plainLuma(whole, factor);
        expect(luma).toHaveLength(plain.length);
        const worst = Math.max(0, ...plain.map((value, i) => Math.abs(value - luma[i])));
        expect(worst).toBeLessThanOrEqual(0.5 + 1e-9);
      }
    }
  });

  it("rounds halves up", async () => {
    const file = build(ihdr(4, 2, 8, 0), [0, 1, 2, 7, 7, 0, 1, 2, 7, 8]);
    expect([...(await decodePngLuma(file, 2)).luma]).toEqual([2, 7]);
    expect([...(await decodePngLuma(file, 1)).luma]).toEqual([1, 2, 7, 7, 1, 2, 7, 8]);
  });

  it("refuses other factors and interlaced files as a programmer's error", async () => {
    for (const factor of [0, -1, 1.5, 17, Number.NaN]) {
      await expect(decodePngLuma(small, factor)).rejects.toThrow(RangeError);
    }
    const interlaced = await makePicture(9, 9).png({ progressive: true }).toBuffer();
    await expect(decodePngLuma(interlaced, 2)).rejects.toThrow(TypeError);
  });

  it("refuses what is broken", async () => {
    const noise = makeNoise(64, 64);
    const file = await sharp(noise.data, { raw: { ...noise, channels: 4 } })
      .png()
      .toBuffer();
    expect(await codeOf(decodePngLuma(file.subarray(0, file.length / 2), 4))).toBe("file-broken");
  });
});
