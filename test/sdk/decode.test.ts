// The decoder against another one, its limits, and its recovery after damage.
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { createCodecs } from "../../sdk/codecs.ts";
import { decodeFile, decodeForDetection, examine } from "../../sdk/decode.ts";
import { detectFile } from "../../sdk/detect-file.ts";
import { createEngine, type Image, type Plane } from "../../sdk/engine.ts";
import { probe } from "../../sdk/file/probe.ts";
import {
  FIXED_BYTES,
  MAX_SCANS,
  memoryOf,
  NODE_MAX_BYTES,
  WORKER_MAX_BYTES,
} from "../../sdk/limits.ts";
import { loadCodec } from "../../sdk/node.ts";
import { engine, KEY, kernelModule, makeLabel, makeWaves } from "../support/engine.ts";
import { fixturePath } from "../support/pictures.ts";
import { codeOfAsync, FORMATS, makeFile, tools } from "../support/tools.ts";

/** Largest difference of any colour that two decoders of the same lossy file may have, grey levels. */
const TOLERANCE = { jpeg: 2, png: 0, webp: 3, avif: 3 } as const;

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]));
  return most;
}

async function planeOf(bytes: Uint8Array): Promise<Plane> {
  const { picture } = await decodeForDetection(bytes, tools);
  if (!("luma" in picture)) throw new Error("The picture was not reduced.");
  return picture;
}

describe.each(FORMATS)("%s", (format) => {
  it("has the pixels that another decoder sees", async () => {
    const bytes = await makeFile(format);
    const { data, info } = await sharp(bytes)
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const { pixels } = await decodeFile(bytes, tools);
    expect([pixels.width, pixels.height]).toEqual([info.width, info.height]);
    expect(largestDifference(pixels.data, data)).toBeLessThanOrEqual(TOLERANCE[format]);
  });

  it("is decoded again after a damaged file", async () => {
    const bytes = await makeFile(format);
    for (const share of [0.3, 0.6, 0.9]) {
      const cut = bytes.subarray(0, bytes.length * share);
      expect(await codeOfAsync(decodeFile(cut, tools))).toBe("file-broken");
    }
    expect((await decodeFile(bytes, tools)).pixels.width).toBe(480);
  });
});

describe("reduced planes", () => {
  it.each(["jpeg", "png"] as const)("show a large %s in whole squares", async (format) => {
    const bytes = await makeFile(format, "parrots.jpg", 2203);
    const plane = await planeOf(bytes);
    const { width = 0, height = 0 } = await sharp(bytes).metadata();
    const divisor = format === "jpeg" ? 2 : Math.floor(Math.min(width, height) / 512);
    expect(plane.width).toBe(Math.floor(width / divisor));
    expect(plane.height).toBe(Math.floor(height / divisor));
    expect(plane.pictureWidth).toBe(plane.width * divisor);
    const left = { left: 0, top: 0, width: plane.width * divisor, height: plane.height * divisor };
    const luma = [0.299, 0.587, 0.114] as [number, number, number];
    const grey = await sharp(bytes).extract(left).recomb([luma, luma, luma]).png().toBuffer();
    const mean = await sharp(grey)
      .resize(plane.width, plane.height, { kernel: "linear" })
      .extractChannel(0)
      .raw()
      .toBuffer();
    const squares = mean.reduce((sum, value, i) => sum + (value - plane.luma[i]) ** 2, 0);
    expect(Math.sqrt(squares / mean.length)).toBeLessThan(6);
  });

  it.each(["jpeg", "png"] as const)("hold the label of a large %s in its place", async (format) => {
    const label = makeLabel(`plane ${format}`);
    const { data, info } = await sharp(fixturePath("parrots.jpg"))
      .resize(2203)
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const { width, height } = info;
    const woven = engine.embed({ data, width, height }, engine.template(label, KEY));
    const bytes = await sharp(woven.data, { raw: { width, height, channels: 4 } })
      .withMetadata({ orientation: 8 })
      .toFormat(format, { quality: 90 })
      .toBuffer();
    const found = await detectFile(bytes, [KEY], tools);
    expect(found).toMatchObject({ width: height, height: width, findings: [{ label }] });
    const [{ geometry }] = found.findings;
    expect(geometry.rotation).toBeCloseTo(-90, 1);
    expect(geometry.scale).toBeCloseTo(Math.min(width, height) / 512, 2);
  });

  it("read a label from CMYK", async () => {
    const label = makeLabel("inks");
    const { data, info } = await sharp(fixturePath("parrots.jpg"))
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const woven = engine.embed({ ...info, data } as Image, engine.template(label, KEY));
    const raw = { width: info.width, height: info.height, channels: 4 } as const;
    const bytes = await sharp(woven.data, { raw })
      .removeAlpha()
      .toColourspace("cmyk")
      .jpeg({ quality: 90 })
      .toBuffer();
    expect(probe(bytes).colour).toBe("cmyk");
    expect(await detectFile(bytes, [KEY], tools)).toMatchObject({ findings: [{ label }] });
  });
});

describe("limits", () => {
  it("let 12 megapixels of baseline JPEG into a Worker, and of PNG", () => {
    const large = { ...probe(PROBED), width: 4000, height: 3000 };
    const png = { ...large, format: "png", progressive: false } as const;
    expect(memoryOf(large, "detect")).toBeLessThan(WORKER_MAX_BYTES / 2);
    expect(memoryOf(png, "detect")).toBeLessThan(WORKER_MAX_BYTES);
    expect(memoryOf({ ...large, format: "avif" }, "detect")).toBeGreaterThan(WORKER_MAX_BYTES);
    expect(memoryOf(large, "label")).toBeLessThan(NODE_MAX_BYTES);
  });

  it("grow with the picture", () => {
    for (const format of FORMATS) {
      const header = { ...probe(PROBED), format, progressive: true };
      for (const job of ["detect", "label"] as const) {
        const [small, large] = [1000, 2000].map((width) => memoryOf({ ...header, width }, job));
        expect(large, `${format} ${job}`).toBeGreaterThan(small);
      }
    }
  });

  it("refuse a JPEG of more scans than are honest", async () => {
    const bytes = await sharp(fixturePath("parrots.jpg"))
      .resize(200)
      .jpeg({ progressive: true })
      .toBuffer();
    const last = bytes.lastIndexOf(Buffer.from([0xff, 0xda]));
    const scan = bytes.subarray(last, -2);
    const many = Buffer.concat([
      bytes.subarray(0, -2),
      ...Array(MAX_SCANS).fill(scan),
      bytes.subarray(-2),
    ]);
    expect(examine(bytes, tools, "detect").progressive).toBe(true);
    const trailer = Buffer.alloc(1 << 16, Buffer.from([0xff, 0xda]));
    expect(examine(Buffer.concat([bytes, trailer]), tools, "detect").progressive).toBe(true);
    expect(await codeOfAsync(decodeForDetection(many, tools))).toBe("file-unsupported");
  });

  it("hold when a header tells less than the file has", async () => {
    const picture = sharp({
      create: { width: 3000, height: 3000, channels: 3, background: "#777" },
    });
    const bytes = await picture.avif({ effort: 0 }).toBuffer();
    const header = probe(bytes);
    const [worker, node] = [WORKER_MAX_BYTES, NODE_MAX_BYTES].map((most) =>
      createCodecs(loadCodec, most),
    );
    // Millions of pixels are not for a failure's message.
    expect((await worker.decode("avif", bytes, header)) === null).toBe(true);
    expect((await node.decode("avif", bytes, header))?.width).toBe(3000);
    // ispe (ISO/IEC 23008-12, 6.5.3): type, version and flags, width, height.
    const size = bytes.indexOf("ispe") + 8;
    bytes.writeUInt32BE(300, size);
    bytes.writeUInt32BE(300, size + 4);
    expect(examine(bytes, { codecs: worker }, "detect").width).toBe(300);
    expect(await codeOfAsync(decodeForDetection(bytes, { codecs: worker }))).toBe("file-broken");
  });

  it("count at least what the kernel takes at its longest plane", () => {
    const long = makeWaves(4096, 1024);
    const kernel = createEngine(kernelModule);
    kernel.detect(long, [KEY]);
    expect(kernel.memoryBytes()).toBeLessThanOrEqual(FIXED_BYTES.detect);
    kernel.embed(long, kernel.template(makeLabel("long"), KEY));
    expect(kernel.memoryBytes()).toBeLessThanOrEqual(FIXED_BYTES.label);
  });

  it.each([
    [6000, 1],
    [1, 6000],
  ])("look at %i x %i as well", async (width, height) => {
    const line = sharp({ create: { width, height, channels: 3, background: "#777" } });
    for (const bytes of [await line.png().toBuffer(), await line.jpeg().toBuffer()]) {
      expect(await detectFile(bytes, [KEY], tools)).toMatchObject({ width, height, findings: [] });
    }
  });

  it("refuse a giant by its header", async () => {
    const { data } = await sharp({
      create: { width: 16_000, height: 16_000, channels: 3, background: "#777" },
    })
      .jpeg({ quality: 20 })
      .toBuffer({ resolveWithObject: true });
    expect(await codeOfAsync(decodeForDetection(data, tools))).toBe("picture-too-large");
  });
});

/** A sound baseline JPEG. */
const PROBED = await makeFile("jpeg");
