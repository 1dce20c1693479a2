// One picture through everything: label it, measure what that cost, attack it in every way wanted and
// read it back; on demand also the two ways in which nothing may be found: the unmarked original under the
// same attacks, and the labelled picture under other keys. As a worker thread: one picture per message.

import { parentPort, workerData } from "node:worker_threads";
import sharp from "sharp";
import {
  DEMO_KEY,
  type Detected,
  type Embedded,
  type Engine,
  type Image,
  keyFromHex,
} from "../sdk/engine.ts";
import { LabelError } from "../sdk/error.ts";
import { ATTACKS, type Attack, type GroupName } from "./attacks.ts";
import { startEngine } from "./host.ts";
import { loadPicture, type PictureFile, type SetName } from "./pictures.ts";
import { countTouched, psnr, ssim, type Touched } from "./quality.ts";
import { randomHex, seededRng } from "./random.ts";

/** What a run does with each picture. */
export interface Plan {
  readonly attacks: readonly string[];
  readonly seed: string;
  /** How many other keys each labelled picture is read with; 0 leaves out the unmarked one too. */
  readonly otherKeys: number;
}

/** What one detect call said. */
export interface Reading {
  readonly labels: readonly string[];
  readonly reads: number;
  readonly best: number;
  readonly milliseconds: number;
}

/** One attack on one picture; `labelled` is null where labelling or detection was refused. */
export interface Trial {
  readonly attack: string;
  readonly group: GroupName;
  readonly refusal: string | null;
  readonly survived: boolean;
  readonly wrong: readonly string[];
  readonly labelled: Reading | null;
  readonly unmarked: Reading | null;
  readonly otherKey: readonly Reading[];
}

/** What labelling did, by the bench's own measure and by the engine's. */
export interface Cost {
  readonly psnr: number;
  readonly ssim: number;
  readonly touched: Touched;
  readonly reported: Omit<Embedded, "data" | "width" | "height">;
  readonly milliseconds: number;
}

export interface PictureResult {
  readonly set: SetName;
  readonly name: string;
  readonly label: string;
  readonly refusal: string | null;
  readonly cost: Cost | null;
  readonly trials: readonly Trial[];
}

/** Runs one picture through the plan. */
export async function tryPicture(
  engine: Engine,
  file: PictureFile,
  plan: Plan,
): Promise<PictureResult> {
  const original = await loadPicture(file);
  const label = randomHex(seededRng(file.name, "label", plan.seed), 16);
  const template = engine.template(label, keyFromHex(DEMO_KEY));
  const from = performance.now();
  const embedded = orRefusal(() => engine.embed(original, template));
  const milliseconds = performance.now() - from;
  const marked = typeof embedded === "string" ? null : embedded;
  const refusal = typeof embedded === "string" ? embedded : null;
  const trials: Trial[] = [];
  for (const attack of ATTACKS.filter(({ name }) => plan.attacks.includes(name))) {
    trials.push(await tryAttack(engine, { file, plan, attack, original, marked, label, refusal }));
  }
  const cost = marked && measureCost(original, marked, milliseconds);
  return { set: file.set, name: file.name, label, refusal, cost, trials };
}

interface Case {
  readonly file: PictureFile;
  readonly plan: Plan;
  readonly attack: Attack;
  readonly original: Image;
  readonly marked: Embedded | null;
  readonly label: string;
  readonly refusal: string | null;
}

async function tryAttack(engine: Engine, c: Case): Promise<Trial> {
  const attacked = (image: Image) =>
    c.attack.run(image, seededRng(c.file.name, c.attack.name, c.plan.seed));
  const picture = c.marked && (await attacked(c.marked));
  const outcome = picture && orRefusal(() => readWith(engine, picture, DEMO_KEY));
  const labelled = typeof outcome === "string" ? null : outcome;
  const others = Array.from({ length: picture ? c.plan.otherKeys : 0 }, (_, i) =>
    randomHex(seededRng(c.file.name, c.attack.name, c.plan.seed, "key", i), 32),
  );
  const otherKey = others.map((key) => orRefusal(() => readWith(engine, picture as Image, key)));
  const plain = c.plan.otherKeys > 0 ? await attacked(c.original) : null;
  const unmarked = plain && orRefusal(() => readWith(engine, plain, DEMO_KEY));
  return {
    attack: c.attack.name,
    group: c.attack.group,
    refusal: c.refusal ?? (typeof outcome === "string" ? outcome : null),
    survived: labelled?.labels.includes(c.label) ?? false,
    wrong: labelled?.labels.filter((found) => found !== c.label) ?? [],
    labelled,
    unmarked: typeof unmarked === "string" ? null : unmarked,
    otherKey: otherKey.filter((reading) => typeof reading !== "string"),
  };
}

function readWith(engine: Engine, picture: Image, key: string): Reading {
  const from = performance.now();
  const { findings, searched }: Detected = engine.detect(picture, [keyFromHex(key)]);
  const milliseconds = performance.now() - from;
  const labels = findings.map(({ label }) => label);
  return { labels, reads: searched.reads, best: searched.best, milliseconds };
}

function measureCost(original: Image, marked: Embedded, milliseconds: number): Cost {
  const { data: _, width: __, height: ___, ...reported } = marked;
  return {
    psnr: psnr(original, marked),
    ssim: ssim(original, marked),
    touched: countTouched(original, marked),
    reported,
    milliseconds,
  };
}

/** The value of `act`, or the code of the refusal that it met. */
function orRefusal<T>(act: () => T): T | string {
  try {
    return act();
  } catch (error) {
    if (error instanceof LabelError) return error.code;
    throw error;
  }
}

if (parentPort) {
  const port = parentPort;
  // The pool gives each core a worker: libvips must not start threads of its own.
  sharp.concurrency(1);
  sharp.cache(false);
  const engine = startEngine();
  port.on("message", (file: PictureFile) => {
    tryPicture(engine, file, workerData as Plan).then(
      (result) => port.postMessage(result),
      (error: unknown) => {
        throw new Error(`${file.set}/${file.name}`, { cause: error });
      },
    );
  });
}
