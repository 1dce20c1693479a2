// Files through labelling: the same format, depth, colours and metadata, and a label that is read back.
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { decodeStored, examine } from "../../sdk/decode.ts";
import { detectFile } from "../../sdk/detect-file.ts";
import { encode } from "../../sdk/encode.ts";
import { avif } from "../../sdk/file/avif.ts";
import { labelFile } from "../../sdk/label-file.ts";
import { build, PICTURE } from "../support/avif.ts";
import { engine, KEY, makeGradient, makeLabel } from "../support/engine.ts";
import { readTags, validate } from "../support/exiftool.ts";
import { fixturePath } from "../support/pictures.ts";
import { codeOfAsync, FORMATS, makeFile, tools } from "../support/tools.ts";

const LABEL = makeLabel("label-file");
const TEMPLATE = engine.template(LABEL, KEY);
const SIZES_AND_CODING =
  /Thumbnail|ImageWidth|ImageHeight|ImageSize|GPS|JFIF|Size$|Offset$|Length$|Pixels$/;

async function label(bytes: Uint8Array, options?: Parameters<typeof labelFile>[3]) {
  return labelFile(bytes, TEMPLATE, tools, options);
}

async function labelsIn(bytes: Uint8Array): Promise<string[]> {
  const { findings } = await detectFile(bytes, [KEY], tools);
  return findings.map((finding) => finding.label);
}

/** Stored pixels by another decoder, without any conversion of colours. */
async function rawPixels(bytes: Uint8Array): Promise<Buffer> {
  return sharp(bytes).ensureAlpha().raw().toBuffer();
}

/** The same with 16 bits. */
async function deepPixels(bytes: Uint8Array): Promise<Uint16Array> {
  const deep = sharp(bytes).toColourspace("rgb16").raw({ depth: "ushort" });
  const { buffer, byteOffset, byteLength } = await deep.toBuffer();
  return new Uint16Array(buffer, byteOffset, byteLength / 2);
}

describe.each(FORMATS)("%s", (format) => {
  it("stays what it was, with its label", async () => {
    const original = await makeFile(format);
    const made = await label(original);
    expect(made).toMatchObject({ format, width: 480, dropped: [] });
    expect(made.psnr).toBeGreaterThan(36);
    expect(await labelsIn(made.bytes)).toEqual([LABEL]);
    const [before, after] = [await sharp(original).metadata(), await sharp(made.bytes).metadata()];
    for (const property of [
      "format",
      "width",
      "height",
      "channels",
      "depth",
      "hasAlpha",
    ] as const) {
      expect(after[property], property).toBe(before[property]);
    }
    expect(validate(made.bytes)).toEqual(validate(original));
  });

  it("keeps its tags, but for what would be false", async () => {
    const icc = { icc: "p3", orientation: 6, density: 300 };
    const exif = {
      IFD0: { Copyright: "Somebody", Make: "Maker", ImageDescription: "Käse" },
      IFD3: { GPSLatitudeRef: "N", GPSLatitude: "51/1 30/1 0/1" },
    };
    const original = await sharp(await makeFile(format))
      .withMetadata(icc)
      .withExifMerge(exif)
      .toFormat(format)
      .toBuffer();
    const { bytes, dropped } = await label(original);
    expect(dropped).toEqual(["location"]);
    const [before, after] = [readTags(original), readTags(bytes)];
    expect(Object.keys(before).some((name) => name.includes("GPSLatitude"))).toBe(true);
    expect(Object.keys(after).filter((name) => name.includes("GPS"))).toEqual([]);
    const kept = (tags: object) =>
      Object.entries(tags)
        .filter(([name]) => /^(EXIF|ICC_Profile|XMP|IPTC)/.test(name))
        .filter(([name]) => !SIZES_AND_CODING.test(name));
    expect(kept(before).length).toBeGreaterThan(20);
    expect(kept(after)).toEqual(kept(before));
    expect((await sharp(bytes).metadata()).icc).toEqual((await sharp(original).metadata()).icc);
  });

  it("says whose it is when told to", async () => {
    const rights = "© 2026 Käse & Söhne <all rights>";
    const { bytes } = await label(await makeFile(format), {
      rights,
      identifier: `tessera:${LABEL}`,
    });
    expect(readTags(bytes)).toMatchObject({
      "XMP:Rights": rights,
      "XMP:Identifier": `tessera:${LABEL}`,
    });
    expect(await labelsIn(bytes)).toEqual([LABEL]);
  });
});

/** Labels a file, and expects the label upright where viewers show it. */
async function expectUpright(original: Uint8Array): Promise<Uint8Array> {
  const { bytes, width, height } = await label(original);
  const shown = await sharp(bytes)
    .autoOrient()
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect([width, height]).toEqual([shown.info.width, shown.info.height]);
  const asShown = engine.detect({ data: shown.data, width, height }, [KEY]).findings;
  const asFile = (await detectFile(bytes, [KEY], tools)).findings;
  for (const [finding] of [asShown, asFile]) {
    expect(finding?.label).toBe(LABEL);
    expect(finding?.geometry.mirrored).toBe(false);
    expect(finding?.geometry.rotation).toBeCloseTo(0, 1);
  }
  return bytes;
}

describe("orientation", () => {
  const ORIENTATIONS = [1, 2, 3, 4, 5, 6, 7, 8] as const;

  it.each([
    ...ORIENTATIONS.map((orientation) => ["jpeg", orientation] as const),
    ["png", 6] as const,
    ["webp", 8] as const,
  ])("labels a %s of orientation %i as it is shown", async (format, orientation) => {
    const original = await sharp(fixturePath("parrots.jpg"))
      .resize(480)
      .withMetadata({ orientation })
      .toFormat(format, { quality: 95 })
      .toBuffer();
    expect(readTags(await expectUpright(original))["EXIF:Orientation"]).toBe(orientation);
  });

  it.each([
    [1, null],
    [2, null],
    [3, null],
    [0, 1],
    [1, 0],
    [3, 1],
  ])(
    "labels an AVIF turned by %i quarters and mirrored by %s as it is shown",
    async (irot, imir) => {
      const properties = [...(PICTURE.properties ?? [])];
      properties.push(["irot", Uint8Array.of(irot), true]);
      if (imir !== null) properties.push(["imir", Uint8Array.of(imir), true]);
      const turned = build({ items: [{ ...PICTURE, properties }] });
      const { bytes } = await avif.carry(turned, await makeFile("avif"), {});
      await expectUpright(bytes);
    },
  );
});

describe("colours and depth", () => {
  it("changes a PNG by exactly what the engine changes", async () => {
    const original = await makeFile("png", "shoe.png", 400);
    const { data, info } = await sharp(original)
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const woven = engine.embed({ data, width: info.width, height: info.height }, TEMPLATE);
    const { bytes } = await label(original);
    expect((await rawPixels(bytes)).equals(Buffer.from(woven.data))).toBe(true);
  });

  it.each(["png", "jpeg"] as const)("keeps the colours of a wide gamut in %s", async (format) => {
    const original = await sharp(fixturePath("flowers.jpg"))
      .resize(480)
      .withIccProfile("p3")
      .toFormat(format, { quality: 95, chromaSubsampling: "4:4:4" })
      .toBuffer();
    const { bytes } = await label(original);
    const inSrgb = async (file: Uint8Array) =>
      (await sharp(await sharp(file).toColourspace("srgb").png().toBuffer()).stats()).channels;
    const [before, after] = [await inSrgb(original), await inSrgb(bytes)];
    for (const [channel, { mean }] of before.entries()) {
      expect(Math.abs(after[channel].mean - mean)).toBeLessThan(1);
    }
  });

  it("keeps alpha, and the colour of clear pixels, without loss", async () => {
    const alpha = await sharp(fixturePath("parrots.jpg")).resize(480).greyscale().raw().toBuffer();
    const { width, height, channels } = {
      width: 480,
      height: alpha.length / 480,
      channels: 1 as const,
    };
    const picture = sharp(fixturePath("flowers.jpg")).resize(width, height);
    const joined = picture.joinChannel(alpha, { raw: { width, height, channels } });
    const flat = await joined.raw().toBuffer();
    for (let at = 0; at < flat.length / 8; at += 4) flat[at + 3] = 0;
    const raw = { raw: { width, height, channels: 4 } } as const;
    const originals = [
      await sharp(flat, raw).png().toBuffer(),
      await sharp(flat, raw).webp({ lossless: true, exact: true }).toBuffer(),
    ];
    for (const original of originals) {
      const after = await rawPixels((await label(original)).bytes);
      const wrong = flat.filter((value, at) =>
        at % 4 === 3 ? after[at] !== value : flat[at | 3] === 0 && after[at] !== value,
      );
      expect(wrong.length).toBe(0);
    }
  });

  it("keeps 16 bits", async () => {
    const original = await sharp(await makeFile("png"))
      .toColourspace("rgb16")
      .linear(0.9, 12)
      .png()
      .toBuffer();
    const { bytes } = await label(original);
    expect(await sharp(bytes).metadata()).toMatchObject({ depth: "ushort", channels: 3 });
    const [before, after] = [await deepPixels(original), await deepPixels(bytes)];
    const worst = before.reduce(
      (most, value, at) => Math.max(most, Math.abs(after[at] - value)),
      0,
    );
    expect(worst).toBeGreaterThan(0);
    expect(worst).toBeLessThan(40 * 257);
    // The change is one of whole 8-bit levels; what lies below them stays.
    expect(
      before.every((value, at) => (after[at] - value) % 257 === 0 || after[at] % 65535 === 0),
    ).toBe(true);
    expect(await labelsIn(bytes)).toEqual([LABEL]);
  });

  it.each([10, 12] as const)("keeps %i bits of an AVIF", async (bitDepth) => {
    const plain = await makeFile("avif");
    const header = examine(plain, tools, "label");
    const { data, width, height } = await decodeStored(plain, header, tools);
    const deep = {
      data: Uint16Array.from(data, (value) => (value * (2 ** bitDepth - 1)) / 255),
      width,
      height,
    };
    const original = await encode(tools.codecs, deep, { ...header, bitDepth });
    const { bytes } = await label(original);
    expect(examine(bytes, tools, "label").bitDepth).toBe(bitDepth);
    expect(await labelsIn(bytes)).toEqual([LABEL]);
  });

  it.each(FORMATS)("keeps a grey %s grey", async (format) => {
    const original = await sharp(await makeFile(format))
      .toColourspace("b-w")
      .toFormat(format)
      .toBuffer();
    const { bytes } = await label(original);
    expect(examine(bytes, tools, "label").colour).toBe(examine(original, tools, "label").colour);
    const pixels = await rawPixels(bytes);
    const tint = pixels.reduce(
      (most, value, at) =>
        at % 4 === 3 ? most : Math.max(most, Math.abs(value - pixels[at & ~3])),
      0,
    );
    expect(tint).toBeLessThanOrEqual(format === "webp" ? 3 : 0);
  });
});

describe("refusals", () => {
  it.each([
    ["file-unknown", async () => Buffer.from("no picture")],
    [
      "file-unsupported",
      async () =>
        sharp(await makeFile("png"))
          .gif()
          .toBuffer(),
    ],
    [
      "file-unsupported",
      async () =>
        sharp(await makeFile("jpeg"))
          .toColourspace("cmyk")
          .jpeg()
          .toBuffer(),
    ],
    ["file-broken", async () => (await makeFile("jpeg")).subarray(0, 9000)],
    ["file-broken", async () => (await makeFile("png")).subarray(0, 9000)],
    ["file-broken", async () => (await makeFile("webp")).subarray(0, 9000)],
    ["file-broken", async () => (await makeFile("avif")).subarray(0, 9000)],
    ["picture-too-small", () => makeFile("jpeg", "parrots.jpg", 90)],
    [
      "picture-flat",
      () =>
        sharp({ create: { width: 300, height: 300, channels: 3, background: "#fff" } })
          .png()
          .toBuffer(),
    ],
  ])("says %s", async (code, make) => {
    expect(await codeOfAsync(label(await make()))).toBe(code);
  });

  it("says label-lost when the file would not hold the label", async () => {
    const { data, width, height } = makeGradient(300, 300);
    const file = await sharp(data, { raw: { width, height, channels: 4 } })
      .removeAlpha()
      .jpeg()
      .toBuffer();
    expect(await codeOfAsync(label(file, { quality: 1 }))).toBe("label-lost");
  });

  it("refuses a picture by its header when it would not fit", async () => {
    const codecs = { ...tools.codecs, maxBytes: 60 * 2 ** 20 };
    const refused = labelFile(await makeFile("avif"), TEMPLATE, { ...tools, codecs });
    expect(await codeOfAsync(refused)).toBe("picture-too-large");
  });

  it("takes a quality of 1 to 100 only", async () => {
    const file = await makeFile("jpeg");
    for (const quality of [0, 101, Number.NaN]) {
      await expect(label(file, { quality })).rejects.toThrow(RangeError);
    }
  });
});
