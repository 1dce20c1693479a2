// sdk/file/png-encode.ts: what libpng (in sharp) reads back, and how large it is beside libpng's own.
import { inflateSync } from "node:zlib";
import sharp from "sharp";
import { expect, it } from "vitest";
import { join, readChunks, SIGNATURE } from "../../../sdk/file/png-chunks.ts";
import { decodePng } from "../../../sdk/file/png-decode.ts";
import { encodePng, type PngKind } from "../../../sdk/file/png-encode.ts";
import { makeNoise, makeWaves, sha256 } from "../../support/engine.ts";
import { FIXTURE_NAMES, loadFixture } from "../../support/pictures.ts";

const MAX_IDAT_BYTES = 1 << 20;
const KINDS: readonly PngKind[] = [
  { colour: "grey", alpha: false },
  { colour: "rgb", alpha: false },
  { colour: "grey", alpha: true },
  { colour: "rgb", alpha: true },
];

/** Pixels that a kind can hold: grey ones for grey, opaque ones without alpha. */
function fit<T extends Uint8ClampedArray | Uint16Array>(data: T, kind: PngKind, opaque: number): T {
  for (let at = 0; at < data.length; at += 4) {
    if (kind.colour === "grey") data[at + 1] = data[at + 2] = data[at];
    data[at + 3] = kind.alpha ? data[at + 3] : opaque;
  }
  return data;
}

function hash({ buffer }: Uint8ClampedArray | Uint16Array): string {
  return sha256(new Uint8Array(buffer));
}

function makePixels(width: number, height: number, kind: PngKind, deep: boolean) {
  const data = Uint8ClampedArray.from(makeNoise(width, height).data);
  const waves = makeWaves(width, height).data;
  const half = data.length >> 1;
  data.set(waves.subarray(0, half));
  for (let at = 3; at < data.length; at += 4) data[at] = at;
  if (!deep) return { data: fit(data, kind, 255), width, height };
  const words = Uint16Array.from(data, (value, i) => value * 256 + ((i * 91) & 255));
  return { data: fit(words, kind, 65535), width, height };
}

for (const kind of KINDS) {
  for (const deep of [false, true]) {
    it(`${deep ? 16 : 8} bits, ${JSON.stringify(kind)}: comes back exactly`, async () => {
      for (const [width, height] of [
        [83, 61],
        [1, 1],
        [1, 50],
        [9000, 3],
      ]) {
        const pixels = makePixels(width, height, kind, deep);
        const file = await encodePng(pixels, kind);
        const { data, info } = await sharp(file, { failOn: "warning" })
          .toColourspace(deep ? "rgb16" : "srgb")
          .ensureAlpha()
          .raw({ depth: deep ? "ushort" : "uchar" })
          .toBuffer({ resolveWithObject: true });
        expect([info.width, info.height]).toEqual([width, height]);
        expect([file[24], file[25]]).toEqual([
          deep ? 16 : 8,
          (kind.colour === "rgb" ? 2 : 0) + (kind.alpha ? 4 : 0),
        ]);
        const before = hash(pixels.data);
        expect(sha256(data)).toBe(before);
        expect(hash((await decodePng(file)).data)).toBe(before);
      }
    });
  }
}

it("leaves alpha out, takes red for grey, and keeps the pixels as they were", async () => {
  const pixels = makePixels(20, 20, { colour: "rgb", alpha: true }, false);
  const before = hash(pixels.data);
  const { data } = await decodePng(await encodePng(pixels, { colour: "grey", alpha: false }));
  expect(hash(pixels.data)).toBe(before);
  const reds = pixels.data.filter((_, i) => i % 4 === 0);
  expect([...data.filter((_, i) => i % 4 === 2)]).toEqual([...reds]);
  expect([...data.filter((_, i) => i % 4 === 3)].every((alpha) => alpha === 255)).toBe(true);
});

it("writes header, bounded data and end, with right checksums, and nothing else", async () => {
  const file = await encodePng(makePixels(700, 700, KINDS[1], false), {
    colour: "rgb",
    alpha: false,
  });
  const chunks = [...readChunks(file)];
  expect(file.subarray(0, 8)).toEqual(SIGNATURE);
  expect(chunks.map(({ type }) => type).join()).toMatch(/^IHDR(,IDAT){2,},IEND$/);
  const data = chunks.filter(({ type }) => type === "IDAT").map((chunk) => chunk.data);
  expect(Math.max(...data.map(({ length }) => length))).toBeLessThanOrEqual(MAX_IDAT_BYTES);
  expect(inflateSync(join(data))).toHaveLength(700 * (1 + 3 * 700));
});

it("refuses pixels of another size as a programmer's error", async () => {
  const data = new Uint8ClampedArray(12);
  const run = encodePng({ data, width: 2, height: 2 }, { colour: "rgb", alpha: true });
  await expect(run).rejects.toThrow(RangeError);
});

it("is as small as libpng's own, within 5 %", async () => {
  for (const name of FIXTURE_NAMES) {
    const picture = await loadFixture(name);
    const file = await encodePng(picture, { colour: "rgb", alpha: false });
    const theirs = await sharp(picture.data, { raw: { ...picture, channels: 4 } })
      .removeAlpha()
      .png({ adaptiveFiltering: true, compressionLevel: 6 })
      .toBuffer();
    expect(file.length / theirs.length).toBeLessThan(1.05);
  }
});
