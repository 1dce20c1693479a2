// Counts and statistics over the results of a run. Pure; nothing here knows a threshold.

import { ATTACKS, type GroupName } from "./attacks.ts";
import type { PictureResult, Reading, Trial } from "./trial.ts";

export interface Share {
  readonly survived: number;
  readonly of: number;
  /** survived / of; 0 of nothing. */
  readonly value: number;
}

export interface CostSummary {
  readonly pictures: number;
  readonly meanPsnr: number;
  readonly leastPsnr: number;
  readonly meanSsim: number;
  readonly leastSsim: number;
  /** Pixels that changed although they must not. */
  readonly touched: number;
  /** Largest differences between the engine's report and the bench's measure. */
  readonly psnrDifference: number;
  readonly ssimDifference: number;
}

/** One tenth of the pairs of picture and attack, by margin. */
export interface Decile {
  readonly from: number;
  readonly to: number;
  readonly share: Share;
}

/** How many of the trials wanted were survived. */
export function shareOf(
  results: readonly PictureResult[],
  wanted: (trial: Trial) => boolean,
): Share {
  return share(results.flatMap((result) => result.trials.filter(wanted)));
}

/** The attacks of a group that were run, in the order of the tables. */
export function attackNames(results: readonly PictureResult[], group: GroupName): string[] {
  const run = new Set(results.flatMap(({ trials }) => trials.map(({ attack }) => attack)));
  return ATTACKS.filter((a) => a.group === group && run.has(a.name)).map(({ name }) => name);
}

/** Quality over pictures; null if none was labelled. */
export function summariseCost(results: readonly PictureResult[]): CostSummary | null {
  const costs = results.flatMap(({ cost }) => (cost ? [cost] : []));
  if (costs.length === 0) return null;
  const psnrs = costs.map((cost) => cost.psnr);
  const ssims = costs.map((cost) => cost.ssim);
  return {
    pictures: costs.length,
    meanPsnr: mean(psnrs),
    leastPsnr: Math.min(...psnrs),
    meanSsim: mean(ssims),
    leastSsim: Math.min(...ssims),
    touched:
      mean(costs.map((c) => c.touched.white + c.touched.alpha + c.touched.clear)) * costs.length,
    psnrDifference: Math.max(...costs.map((c) => apart(c.reported.psnr, c.psnr))),
    ssimDifference: Math.max(...costs.map((c) => apart(c.reported.ssim ?? c.ssim, c.ssim))),
  };
}

/** Every reading in which nothing may be found. */
export function falseReadings(results: readonly PictureResult[]): Reading[] {
  const trials = results.flatMap((result) => result.trials);
  return trials.flatMap(({ unmarked, otherKey }) => [...(unmarked ? [unmarked] : []), ...otherKey]);
}

/** One attack on one picture, and what was foretold of the picture. */
export interface Pair {
  readonly margin: number;
  readonly trial: Trial;
}

/** Pairs of a picture's margin and whether it survived one attack of a group. */
export function marginPairs(results: readonly PictureResult[], group: GroupName): Pair[] {
  return results.flatMap(({ cost, trials }) => {
    const margin = cost?.reported.margin ?? null;
    if (margin === null) return [];
    return trials.filter((t) => t.group === group).map((trial) => ({ margin, trial }));
  });
}

/**
 * The same pairs as one who knew every result could foretell them with one number per picture: the share
 * of the group's attacks that it survived. What this misses is due to the attacks, not to the pictures.
 */
export function bestPairs(results: readonly PictureResult[], group: GroupName): Pair[] {
  return results.flatMap(({ trials }) => {
    const own = trials.filter((trial) => trial.group === group);
    const margin = share(own).value;
    return own.map((trial) => ({ margin, trial }));
  });
}

/** The area under the curve within each attack, averaged over attacks by their pairs. */
export function areaWithinAttacks(pairs: readonly Pair[]): number {
  const byAttack = Map.groupBy(pairs, ({ trial }) => trial.attack);
  let sum = 0;
  let weights = 0;
  for (const own of byAttack.values()) {
    const survived = own.filter(({ trial }) => trial.survived).length;
    const weight = survived * (own.length - survived);
    if (weight === 0) continue;
    sum += weight * areaUnderCurve(own);
    weights += weight;
  }
  return sum / weights;
}

/** Chance that a survivor's margin is above a casualty's (ties half); NaN without both. */
export function areaUnderCurve(pairs: readonly Pair[]): number {
  const survivors = pairs.filter(({ trial }) => trial.survived);
  const casualties = pairs.filter(({ trial }) => !trial.survived);
  let wins = 0;
  for (const a of survivors) {
    for (const b of casualties) wins += a.margin > b.margin ? 1 : a.margin === b.margin ? 0.5 : 0;
  }
  return wins / (survivors.length * casualties.length);
}

/** Survival by tenths of margin, the thinnest first. */
export function byDecile(pairs: readonly Pair[]): Decile[] {
  const sorted = pairs.toSorted((a, b) => a.margin - b.margin);
  return Array.from({ length: 10 }, (_, tenth) =>
    sorted.slice((sorted.length * tenth) / 10, (sorted.length * (tenth + 1)) / 10),
  )
    .filter((part) => part.length > 0)
    .map((part) => ({
      from: part[0].margin,
      to: part[part.length - 1].margin,
      share: share(part.map(({ trial }) => trial)),
    }));
}

/** Counts of several series over common bins: bin edges below, then one count per series. */
export function histogram(series: readonly (readonly number[])[]): number[][] {
  const values = series.flat();
  if (values.length === 0) return [];
  const [low, high] = values.reduce(
    ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5].find((s) => (high - low) / s <= 40) ?? 10;
  const first = Math.floor(low / step);
  const bins = Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => [
    (first + i) * step,
    ...series.map(() => 0),
  ]);
  series.forEach((numbers, column) => {
    for (const value of numbers) bins[Math.floor(value / step) - first][column + 1]++;
  });
  return bins;
}

function share(trials: readonly Trial[]): Share {
  const survived = trials.filter((trial) => trial.survived).length;
  return { survived, of: trials.length, value: trials.length ? survived / trials.length : 0 };
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The middle value (of an even count: the mean of the middle two). */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// Both infinite (nothing changed) is no difference.
function apart(a: number, b: number): number {
  return a === b ? 0 : Math.abs(a - b);
}
