// What a label survives, on the fixtures alone: a small matrix of everyday changes, every label exact.
// The wide tables over many pictures are bench/robustness.ts.
import { beforeAll, describe, expect, it } from "vitest";
import {
  chain,
  crop,
  jpeg,
  noise,
  pad,
  piped,
  resize,
  rotate,
  type Step,
  valueMap,
  WHITE,
  webp,
} from "../../bench/distort.ts";
import { seededRng } from "../../bench/random.ts";
import type { Image } from "../../sdk/index.ts";
import { engine, KEY, labelsIn, makeLabel, OTHER_KEY } from "../support/engine.ts";
import { FIXTURE_NAMES, type FixtureName, loadFixture } from "../support/pictures.ts";

const ATTACKS: Record<string, Step> = {
  none: async (image) => image,
  "JPEG 90": jpeg(90),
  "JPEG 50": jpeg(50),
  "JPEG 30": jpeg(30),
  "WebP 50": webp(50),
  "half size + JPEG 75": chain(resize(0.5), jpeg(75)),
  "brightness x0.5": valueMap(() => (value) => 0.5 * value),
  grey: piped((pipeline) => {
    const row = [0.299, 0.587, 0.114] as [number, number, number];
    return pipeline.recomb([row, row, row]);
  }),
  noise: noise(0.05 * 255),
  "crop 50 %": chain(crop(0.5), jpeg(85)),
  "crop 25 %": chain(crop(0.25), jpeg(85)),
  "rotation 5": chain(rotate(5), jpeg(85)),
  "rotation 30": chain(rotate(-30), jpeg(85)),
  "rotation 90": chain(rotate(90), jpeg(85)),
  mirror: chain(
    piped((pipeline) => pipeline.flop()),
    jpeg(85),
  ),
  padding: chain(pad(0.15, WHITE), jpeg(85)),
  "squeeze 0.8": resize(0.8, 1),
  "crop 50 % + squeeze 0.9": chain(crop(0.5), resize(0.9, 1)),
};

/** Attacks that a fixture may fail, and why; a wrong label is never allowed. */
const MAY_FAIL: Partial<Record<FixtureName, Record<string, string>>> = {
  // Three of four random places are read.
  "flowers.jpg": { "crop 25 %": "dense edges everywhere drown the pattern of so small a part" },
};

describe.each(FIXTURE_NAMES)("%s", (name) => {
  const label = makeLabel(name);
  let original: Image;
  let labelled: Image;

  beforeAll(async () => {
    original = await loadFixture(name);
    labelled = engine.embed(original, engine.template(label, KEY));
  });

  it.each(Object.entries(ATTACKS))("survives %s", async (attack, run) => {
    const found = labelsIn(await run(labelled, seededRng("robustness", name, attack)));
    if (found.length === 0 && MAY_FAIL[name]?.[attack]) return;
    expect(found).toEqual([label]);
  });

  it.each(Object.entries(ATTACKS))(
    "shows no label without one, or to another key, after %s",
    async (attack, run) => {
      const rng = seededRng("robustness", name, attack);
      expect(labelsIn(await run(original, rng))).toEqual([]);
      expect(labelsIn(await run(labelled, rng), OTHER_KEY)).toEqual([]);
    },
  );
});
