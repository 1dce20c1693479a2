// One picture labelled four times over with the same label: as pixels by the engine, and as JPEG, WebP and
// AVIF by the command line. Each is attacked in every way and read back, pixels as pixels, files as files.
// As a worker thread: one picture per message.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import sharp, { type Sharp } from "sharp";
import { detectFile } from "../sdk/detect-file.ts";
import { DEMO_KEY, type Image, keyFromHex } from "../sdk/engine.ts";
import { LabelError } from "../sdk/error.ts";
import { startTools } from "../sdk/node.ts";
import { ATTACKS, type Attack, type GroupName } from "./attacks.ts";
import { REPOSITORY } from "./host.ts";
import { loadPicture, type PictureFile, type SetName } from "./pictures.ts";
import { randomHex, seededRng } from "./random.ts";

export const WAYS = ["pixels", "jpeg", "webp", "avif"] as const;
export type Way = (typeof WAYS)[number];

export interface FilePlan {
  readonly seed: string;
  readonly attacks: readonly string[];
}

export interface FileTrial {
  readonly set: SetName;
  readonly name: string;
  readonly way: Way;
  readonly attack: string;
  readonly group: GroupName;
  readonly survived: boolean;
  readonly wrong: number;
}

/** Of the originals that the command line gets: as good as each format can do in reasonable time. */
const ORIGINAL = {
  jpeg: { quality: 100, chromaSubsampling: "4:4:4" },
  webp: { quality: 100 },
  avif: { quality: 95, chromaSubsampling: "4:4:4", effort: 2 },
} as const;

const tools = startTools();
const key = keyFromHex(DEMO_KEY);

/** Runs one picture through every way and attack. */
async function tryPicture(file: PictureFile, plan: FilePlan): Promise<FileTrial[]> {
  const original = await loadPicture(file);
  const label = randomHex(seededRng(file.name, "label", plan.seed), 16);
  const trials: FileTrial[] = [];
  for (const way of WAYS) {
    const marked = await mark(way, original, label);
    for (const attack of ATTACKS.filter(({ name }) => plan.attacks.includes(name))) {
      const labels = marked ? await readAttacked(way, marked, attack, file, plan) : [];
      const survived = labels.includes(label);
      const wrong = labels.filter((found) => found !== label).length;
      const { group } = attack;
      trials.push({
        set: file.set,
        name: file.name,
        way,
        attack: attack.name,
        group,
        survived,
        wrong,
      });
    }
  }
  return trials;
}

/** The labelled picture as another decoder sees it; null when it was refused. */
async function mark(way: Way, original: Image, label: string): Promise<Image | null> {
  if (way === "pixels") {
    try {
      return tools.engine.embed(original, tools.engine.template(label, key));
    } catch (error) {
      if (error instanceof LabelError) return null;
      throw error;
    }
  }
  const folder = mkdtempSync(join(tmpdir(), "tessera-bench-"));
  try {
    const source = join(folder, `original.${way}`);
    const flat = way === "jpeg" ? raw(original).flatten({ background: "#fff" }) : raw(original);
    writeFileSync(source, await flat.toFormat(way, ORIGINAL[way]).toBuffer());
    return labelByCommand(source, join(folder, `labelled.${way}`), label);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function labelByCommand(source: string, out: string, label: string): Promise<Image | null> {
  const command = [join(REPOSITORY, "sdk/cli.ts"), "label", source, "--out", out, "--label", label];
  try {
    execFileSync(process.execPath, [...command, "--jobs", "1", "--json"], {
      env: { ...process.env, TESSERA_KEY: DEMO_KEY },
      stdio: "pipe",
    });
  } catch (error) {
    if ((error as { status?: number }).status === 1) return null;
    throw error;
  }
  const { data, info } = await sharp(readFileSync(out))
    .ensureAlpha()
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

async function readAttacked(
  way: Way,
  marked: Image,
  attack: Attack,
  { name }: PictureFile,
  { seed }: FilePlan,
): Promise<string[]> {
  const attacked = await attack.run(marked, seededRng(name, attack.name, seed));
  try {
    const { findings } =
      way === "pixels"
        ? tools.engine.detect(attacked, [key])
        : await detectFile(
            await raw(attacked).png({ compressionLevel: 1 }).toBuffer(),
            [key],
            tools,
          );
    return findings.map(({ label }) => label);
  } catch (error) {
    if (error instanceof LabelError) return [];
    throw error;
  }
}

function raw({ data, width, height }: Image): Sharp {
  return sharp(data, { raw: { width, height, channels: 4 } });
}

if (parentPort) {
  const port = parentPort;
  // The pool gives each core a worker: libvips must not start threads of its own.
  sharp.concurrency(1);
  sharp.cache(false);
  port.on("message", (file: PictureFile) => {
    tryPicture(file, workerData as FilePlan).then(
      (trials) => port.postMessage(trials),
      (error: unknown) => {
        throw new Error(`${file.set}/${file.name}`, { cause: error });
      },
    );
  });
}
