// What the holder of one cohort's template can do to other cohorts' labels: forge them (must be
// impossible), read them (must be impossible), erase them (known to be possible in part: the pilots are
// common to all). `node bench/insider.ts` prints the report; robustness.ts --insider appends it.

import { DEMO_KEY, type Engine, type Image, keyFromHex } from "../sdk/engine.ts";
import { chain, crop, jpeg } from "./distort.ts";
import { startEngine } from "./host.ts";
import { listPictures, loadPicture, type PictureFile } from "./pictures.ts";
import { psnr } from "./quality.ts";
import { randomHex, seededRng } from "./random.ts";
import { table } from "./report.ts";
import { mean } from "./tally.ts";
import { toPercent } from "./targets.ts";
import { type Axis, readTemplate, withOuterOf } from "./template.ts";
import {
  addToPicture,
  axisValue,
  canonicalLuma,
  fold,
  highPass,
  map,
  patternOf,
  spread,
} from "./tile.ts";

export interface InsiderReport {
  readonly text: string;
  /** Labels of other cohorts that were forged; anything but 0 breaks a promise. */
  readonly forged: number;
}

const KEY = keyFromHex(DEMO_KEY);
/** The insider's cohort and the victim's: the first four digits of their labels. */
const INSIDER = "1111";
const VICTIM = "2222";
const EVERY_NTH = 3;
const CUT = chain(crop(0.5), jpeg(85));

/** How well some axes fit a picture, both in standard deviations of chance. */
interface Fit {
  /** Correlation with the signs of one label. */
  readonly correlation: number;
  /** Excess energy of the sums per coded bit: what the right carriers show whatever the label. */
  readonly coherence: number;
}

interface Outcome {
  /** Labels found after embedding with the insider's template as it is, and rewritten. */
  readonly plain: readonly string[];
  readonly forged: readonly string[];
  /** The label that the insider would like to forge. */
  readonly wanted: string;
  readonly fits: { readonly own: Fit; readonly sibling: Fit; readonly insider: Fit };
  readonly erased: Erasure;
}

interface Erasure {
  readonly decibel: number;
  readonly read: { readonly whole: boolean; readonly cut: boolean };
  readonly readBefore: { readonly whole: boolean; readonly cut: boolean };
}

/** Runs all three attempts over every third kodak and product picture. */
export async function reportInsider(engine: Engine): Promise<InsiderReport> {
  const outcomes: Outcome[] = [];
  for (const file of listPictures(["kodak", "product"], EVERY_NTH)) {
    outcomes.push(await tryInsider(engine, file));
  }
  const found = outcomes.flatMap(({ plain, forged }) => [...plain, ...forged]);
  const breaches = found.filter((label) => !label.startsWith(INSIDER)).length;
  const text = [
    "## What an insider can do",
    `${outcomes.length} pictures. The insider holds a template of cohort ${INSIDER}; the victim's labels ` +
      `are of cohort ${VICTIM}; one deployment key.`,
    describeForging(outcomes, breaches),
    describeReading(outcomes),
    describeErasing(outcomes),
  ].join("\n\n");
  return { text, forged: breaches };
}

async function tryInsider(engine: Engine, file: PictureFile): Promise<Outcome> {
  const original = await loadPicture(file);
  const draw = (cohort: string, purpose: string) =>
    cohort + randomHex(seededRng(file.name, purpose), 12);
  const wanted = draw(VICTIM, "victim");
  const victim = engine.template(wanted, KEY);
  const insider = engine.template(draw(INSIDER, "insider"), KEY);
  const sibling = engine.template(draw(VICTIM, "sibling"), KEY);
  const found = (template: Uint8Array) => labelsIn(engine, engine.embed(original, template));
  const labelled = engine.embed(original, victim);
  return {
    plain: found(insider),
    forged: found(withOuterOf(insider, victim)),
    wanted,
    fits: await fitTemplates(labelled, victim, sibling, insider),
    erased: await erase(engine, labelled, insider, { label: wanted, name: file.name }),
  };
}

function labelsIn(engine: Engine, image: Image): string[] {
  return engine.detect(image, [KEY]).findings.map(({ label }) => label);
}

async function fitTemplates(
  labelled: Image,
  own: Uint8Array,
  sibling: Uint8Array,
  insider: Uint8Array,
): Promise<Outcome["fits"]> {
  const { high, deviation } = highPass(await canonicalLuma(labelled));
  const tile = fold(map(high, (value, i) => value / deviation.values[i]));
  const fit = (template: Uint8Array) => fitAxes(tile, readTemplate(template).inner);
  return { own: fit(own), sibling: fit(sibling), insider: fit(insider) };
}

function fitAxes(tile: Float64Array, axes: readonly Axis[]): Fit {
  const values = axes.map((axis) => axisValue(tile, axis) * axis.sign);
  const power = mean(values.map((value) => value * value));
  const sums = new Map<number, { sum: number; count: number }>();
  axes.forEach(({ bit }, i) => {
    const entry = sums.get(bit) ?? { sum: 0, count: 0 };
    sums.set(bit, { sum: entry.sum + values[i], count: entry.count + 1 });
  });
  const energies = [...sums.values()].map(({ sum, count }) => sum ** 2 / (count * power));
  const sum = values.reduce((total, value) => total + value, 0);
  return {
    correlation: sum / Math.sqrt(values.length * power),
    coherence: (mean(energies) - 1) * Math.sqrt(energies.length / 2),
  };
}

/**
 * Takes the pilots out of a labelled picture, knowing them from a template: their common amplitude by
 * weighted least squares (weight: one over the local power), under a mask that grows with local activity
 * as the embedder's does, and subtracts them.
 */
async function removePilots(labelled: Image, template: Uint8Array): Promise<Image> {
  const luma = await canonicalLuma(labelled);
  const { high, deviation } = highPass(luma);
  // Like the embedder's own: a little in flat areas, up to six times as much in busy ones.
  const mask = map(deviation, (value, i) =>
    luma.values[i] > 254.5 ? 0 : Math.min(9, 1.6 + 0.36 * value),
  );
  const pilots = spread(patternOf(readTemplate(template).pilots), mask);
  let [fit, norm] = [0, 0];
  for (let i = 0; i < high.values.length; i++) {
    const weight = 1 / deviation.values[i] ** 2;
    fit += weight * high.values[i] * pilots.values[i];
    norm += weight * pilots.values[i] ** 2;
  }
  return addToPicture(
    labelled,
    map(pilots, (value) => (-fit / norm) * value),
  );
}

async function erase(
  engine: Engine,
  labelled: Image,
  template: Uint8Array,
  { label, name }: { readonly label: string; readonly name: string },
): Promise<Erasure> {
  const erased = await removePilots(labelled, template);
  const reads = async (image: Image) => ({
    whole: labelsIn(engine, image).includes(label),
    cut: labelsIn(engine, await CUT(image, seededRng(name, "cut"))).includes(label),
  });
  return {
    decibel: psnr(labelled, erased),
    read: await reads(erased),
    readBefore: await reads(labelled),
  };
}

function describeForging(outcomes: readonly Outcome[], breaches: number): string {
  const plain = outcomes.flatMap((outcome) => outcome.plain).length;
  const forged = outcomes.flatMap((outcome) => outcome.forged).length;
  const exact = outcomes.filter((outcome) => outcome.forged.includes(outcome.wanted)).length;
  return (
    `**Forging.** Labelled with the insider's template as it is: ${plain} findings. With its outer part ` +
    `rewritten to name the victim's cohort: ${forged} findings, ${exact} of them of the label wanted. ` +
    `Findings of any cohort but the insider's own, which must be none: ${breaches}.`
  );
}

function describeReading(outcomes: readonly Outcome[]): string {
  const row = (name: string, pick: (outcome: Outcome) => Fit) => {
    const fits = outcomes.map(pick);
    const spreadOf = (values: number[]) =>
      `${mean(values).toFixed(1)} (${Math.min(...values).toFixed(1)} .. ${Math.max(...values).toFixed(1)})`;
    return [
      name,
      spreadOf(fits.map(({ correlation }) => correlation)),
      spreadOf(fits.map(({ coherence }) => coherence)),
    ];
  };
  const rows = [
    row("the victim's own", ({ fits }) => fits.own),
    row("another of the victim's cohort", ({ fits }) => fits.sibling),
    row("the insider's", ({ fits }) => fits.insider),
  ];
  const head = [
    "inner carriers of the template",
    "correlation, mean (range)",
    "coherence, mean (range)",
  ];
  return (
    "**Reading.** The victim's labelled pictures against inner carriers, in standard deviations of " +
    "chance: correlation with the template's own label, and coherence per coded bit, which the right " +
    `carriers show whatever the label is.\n\n${table(head, rows)}`
  );
}

function describeErasing(outcomes: readonly Outcome[]): string {
  const erasures = outcomes.map(({ erased }) => erased);
  const share = (pick: (erasure: Erasure) => boolean) =>
    toPercent(erasures.filter(pick).length / erasures.length);
  const rows = [
    ["whole frame", share((e) => e.readBefore.whole), share((e) => e.read.whole)],
    ["cut to 50 %, JPEG 85", share((e) => e.readBefore.cut), share((e) => e.read.cut)],
  ];
  return (
    "**Erasing.** The pilots, known from the insider's template, subtracted from the victim's pictures " +
    `(mean ${mean(erasures.map(({ decibel }) => decibel)).toFixed(1)} dB to the labelled picture). This is ` +
    `a known limit.\n\n${table(["still read", "before", "after"], rows)}`
  );
}

if (import.meta.main) {
  const { text, forged } = await reportInsider(startEngine());
  console.log(text);
  process.exitCode = forged > 0 ? 1 : 0;
}
