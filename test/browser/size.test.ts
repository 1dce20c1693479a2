import sharp, { type Sharp } from "sharp";
import { expect, it } from "vitest";
import { readSize } from "../../pages/size.ts";

const WIDTH = 301;
const HEIGHT = 170;
const picture = sharp({
  create: { width: WIDTH, height: HEIGHT, channels: 4, background: "#4080c080" },
});

const KINDS: Record<string, (from: Sharp) => Sharp> = {
  JPEG: (from) => from.jpeg(),
  "progressive JPEG": (from) => from.jpeg({ progressive: true }),
  "JPEG with Exif": (from) => from.jpeg().withExif({ IFD0: { Copyright: "x".repeat(5000) } }),
  PNG: (from) => from.png(),
  GIF: (from) => from.gif(),
  "lossy WebP": (from) => from.clone().removeAlpha().webp(),
  "lossless WebP": (from) => from.webp({ lossless: true }),
  "WebP with alpha": (from) => from.webp(),
};

async function encode(kind: string): Promise<Uint8Array<ArrayBuffer>> {
  const coded = KINDS[kind]?.(picture.clone()) ?? picture;
  return new Uint8Array(await coded.toBuffer());
}

it.each(Object.keys(KINDS))("reads the size of a %s", async (kind) => {
  expect(await readSize(new Blob([await encode(kind)]))).toEqual({ width: WIDTH, height: HEIGHT });
});

it("says nothing about what it does not know", async () => {
  expect(await readSize(new Blob([]))).toBeNull();
  expect(await readSize(new Blob(["A short letter, which is not a picture."]))).toBeNull();
});

it("says nothing about a JPEG that ends before its frame header", async () => {
  const whole = await encode("JPEG with Exif");
  expect(await readSize(new Blob([whole.slice(0, 2000)]))).toBeNull();
});
