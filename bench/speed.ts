// How long things take, as medians and as multiples of @jsquash/jpeg's decode of the same picture, the
// least that anybody pays before a label can be looked for. Every round runs every thing once, so that a
// busy moment of the machine meets them all. Prints tables; exits with 1 if a target is missed.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import decode, { init } from "@jsquash/jpeg/decode.js";
import sharp from "sharp";
import { createEngine, DEMO_KEY, type Image, keyFromHex } from "../sdk/engine.ts";
import { crop, resize, rotate } from "./distort.ts";
import { describeCommit, describeMachine, KERNEL_FILE, loadKernel, startEngine } from "./host.ts";
import { listPictures, loadPicture } from "./pictures.ts";
import { seededRng } from "./random.ts";
import { table } from "./report.ts";
import { median } from "./tally.ts";
import { DETECT_MEMORY_MIB, SPEED_RATIOS } from "./targets.ts";

const KEY = keyFromHex(DEMO_KEY);
const LABEL = "5eed5eed5eed5eed";
/** A large photograph with calm and busy parts, 7.9 MP. */
const PHOTO = "friends_by_Aitzol_Berasategi";
const DECODE = "JPEG decode";
const JPEG_QUALITY = 85;
const ROUNDS: Record<number, number> = { 1: 15, 4: 9, 12: 5 };
const MEBIBYTE = 2 ** 20;

const { values: options } = parseArgs({
  options: { sizes: { type: "string", default: "1,4,12" }, memory: { type: "string" } },
});

if (options.memory) console.log(JSON.stringify(measureMemory(options.memory)));
else await run();

async function run(): Promise<void> {
  console.log(`Machine: ${describeMachine()}. Commit: ${describeCommit()}.\n`);
  await startDecoder();
  const missed: string[] = [];
  for (const megapixels of options.sizes.split(",").map(Number)) {
    const original = await makePicture(megapixels);
    const medians = await timeAll(original, ROUNDS[megapixels] ?? 5);
    missed.push(...printTimes(megapixels, original, medians));
  }
  const wasm = readFileSync(KERNEL_FILE);
  console.log(`Kernel: ${wasm.length} bytes, ${gzipSync(wasm, { level: 9 }).length} gzipped.`);
  missed.push(...(await printMemory()));
  if (missed.length) console.log(`Missed: ${missed.join("; ")}`);
  process.exitCode = missed.length > 0 ? 1 : 0;
}

async function timeAll(original: Image, rounds: number): Promise<Map<string, number>> {
  const engine = startEngine();
  const template = engine.template(LABEL, KEY);
  const labelled = engine.embed(original, template);
  const rng = seededRng("speed");
  const cut = await crop(0.5)(labelled, rng);
  const turned = await rotate(10)(labelled, rng);
  const squeezed = await resize(0.9, 1)(labelled, rng);
  const bytes = await toJpeg(original);
  const mustFind = (picture: Image, search: "full" | "whole-frame" = "full") => {
    const { findings } = engine.detect(picture, [KEY], { search });
    if (findings[0]?.label !== LABEL)
      throw new Error("The label was not found: times mean nothing.");
  };
  const things = new Map<string, () => unknown>([
    [DECODE, () => decode(bytes)],
    ["embed, no check", () => engine.embed(original, template, { check: false })],
    ["embed with check", () => engine.embed(original, template)],
    ["detect, whole frame only", () => mustFind(labelled, "whole-frame")],
    ["detect, whole frame", () => mustFind(labelled)],
    ["detect, nothing there", () => engine.detect(original, [KEY])],
    ["detect, cut to 50 %", () => mustFind(cut)],
    ["detect, turned 10 degrees", () => mustFind(turned)],
    ["detect, squeezed to 0.9", () => mustFind(squeezed)],
  ]);
  const times = new Map([...things.keys()].map((name) => [name, [] as number[]]));
  // The first two rounds warm the code up and do not count.
  for (let round = -2; round < rounds; round++) {
    for (const [name, thing] of things) {
      const from = performance.now();
      await thing();
      if (round >= 0) times.get(name)?.push(performance.now() - from);
    }
  }
  return new Map([...times].map(([name, values]) => [name, median(values)]));
}

/** Prints one size's table; returns the targets missed (they hold for 1 MP). */
function printTimes(megapixels: number, { width, height }: Image, medians: Map<string, number>) {
  const decoding = medians.get(DECODE) ?? Number.NaN;
  const missed: string[] = [];
  const rows = [...medians].map(([name, milliseconds]) => {
    const ratio = milliseconds / decoding;
    const most = megapixels === 1 ? SPEED_RATIOS[name] : undefined;
    if (most !== undefined && !(ratio <= most)) missed.push(`${name} ${ratio.toFixed(2)} x`);
    const target = most === undefined ? "" : `at most ${most.toFixed(1)} x`;
    return [name, milliseconds.toFixed(1), `${ratio.toFixed(2)} x`, target];
  });
  console.log(`${megapixels} MP (${width} x ${height})\n`);
  console.log(`${table(["what", "median, ms", "of a decode", "target"], rows)}\n`);
  return missed;
}

/** A process of its own reads 12 MP and detects once: what that adds is the detection's. */
async function printMemory(): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "tessera-speed-"));
  try {
    const { data, width, height } = await makePicture(12);
    const path = join(folder, `${width}x${height}.rgba`);
    writeFileSync(path, data);
    const args = [import.meta.filename, "--memory", path];
    const text = execFileSync(process.execPath, args, { encoding: "utf8" });
    const { kernel, resident } = JSON.parse(text) as ReturnType<typeof measureMemory>;
    console.log(
      `12 MP detection from pixels adds: kernel memory ${kernel.toFixed(1)} MiB, resident ` +
        `${resident.toFixed(1)} MiB (target: at most ${DETECT_MEMORY_MIB}).`,
    );
    const most = Math.max(kernel, resident);
    return most > DETECT_MEMORY_MIB ? [`12 MP detection adds ${most.toFixed(1)} MiB`] : [];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Reads raw pixels, detects in a fresh instance; growth of the process's peak, MiB. */
function measureMemory(path: string) {
  const [width, height] = (/(\d+)x(\d+)\.rgba$/.exec(path) ?? []).slice(1).map(Number);
  const module = loadKernel();
  const small = { data: new Uint8Array(4 * 512 * 512), width: 512, height: 512 };
  createEngine(module).detect(small, [KEY]);
  const data = readFileSync(path);
  const before = process.resourceUsage().maxRSS;
  const engine = createEngine(module);
  engine.detect({ data, width, height }, [KEY]);
  const resident = (process.resourceUsage().maxRSS - before) / 1024;
  return { kernel: engine.memoryBytes() / MEBIBYTE, resident };
}

/** A photograph at about so many megapixels, once through JPEG. */
async function makePicture(megapixels: number): Promise<Image> {
  const file = listPictures(["photo"]).find(({ name }) => name.endsWith(PHOTO));
  if (!file) throw new Error(`The photo set has no ${PHOTO}.`);
  const photo = await loadPicture(file);
  const factor = Math.sqrt((megapixels * 1e6) / (photo.width * photo.height));
  const resized = await resize(factor)(photo, seededRng("speed"));
  const pixels = await decodeWithSharp(await toJpeg(resized));
  return { ...resized, data: pixels };
}

async function toJpeg({ data, width, height }: Image): Promise<ArrayBuffer> {
  const bytes = await sharp(data, { raw: { width, height, channels: 4 } })
    .flatten({ background: "#fff" })
    .jpeg({ quality: JPEG_QUALITY })
    .toBuffer();
  return new Uint8Array(bytes).buffer;
}

async function decodeWithSharp(bytes: ArrayBuffer): Promise<Uint8Array> {
  return new Uint8Array(await sharp(bytes).ensureAlpha().raw().toBuffer());
}

async function startDecoder(): Promise<void> {
  const path = createRequire(import.meta.url).resolve("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm");
  // The decoder makes its results with the browser's ImageData, which Node has not.
  Object.assign(globalThis, {
    ImageData: function ImageData(data: Uint8ClampedArray, width: number, height: number) {
      return { data, width, height };
    },
  });
  // Its types know the options alone; the code takes a compiled module first.
  const start = init as unknown as (module: WebAssembly.Module) => Promise<void>;
  await start(new WebAssembly.Module(readFileSync(path)));
}
