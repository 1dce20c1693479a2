// What the measurements must reach; every threshold of the bench is here. Each set is judged by itself;
// kodak less strictly, since its pictures are small and busy.

import { GROUP_NAMES, type GroupName } from "./attacks.ts";
import type { SetName } from "./pictures.ts";
import {
  areaUnderCurve,
  attackNames,
  falseReadings,
  marginPairs,
  shareOf,
  summariseCost,
} from "./tally.ts";
import type { PictureResult } from "./trial.ts";

interface ShareTarget {
  /** Least share over all attacks of the group. */
  readonly group: number;
  /** Least share of each attack; 0 asks for nothing. */
  readonly row: number;
}

/** One demand and what was measured; missed when `ok` is false. */
export interface Verdict {
  readonly demand: string;
  readonly measured: string;
  readonly ok: boolean;
}

export const CATALOGUE_TARGETS: Record<GroupName, ShareTarget> = {
  A: { group: 0.995, row: 0.97 },
  B: { group: 0.99, row: 0.96 },
  C: { group: 0.9, row: 0 },
};
export const KODAK_TARGETS: Record<GroupName, ShareTarget> = {
  A: { group: 0.99, row: 0.95 },
  B: { group: 0.98, row: 0.92 },
  C: { group: 0.8, row: 0 },
};
/** Rows with a target of their own, over all sets. */
export const ROW_TARGETS: Record<string, number> = { "crop 50 % + squeeze 0.9": 0.8 };

export const KODAK_MEAN_PSNR_DB = 41.5;
export const KODAK_MEAN_SSIM = 0.988;
export const PRODUCT_MEAN_PSNR_DB = 45.0;
export const LEAST_PSNR_DB = 37.5;
/** Least area under the curve between margin and survival of group C. */
export const LEAST_MARGIN_AREA = 0.85;
/** How far the engine's report may lie from the bench's measure. */
export const PSNR_DIFFERENCE_DB = 0.1;
export const SSIM_DIFFERENCE = 0.002;
/** Detect calls on unmarked pictures and under other keys in a full run. */
export const FALSE_CALLS = 10_000;

/** Medians at 1 MP as multiples of a JPEG decode of the same picture. */
export const SPEED_RATIOS: Record<string, number> = {
  "embed, no check": 2.0,
  "embed with check": 6.0,
  "detect, whole frame only": 0.5,
  "detect, nothing there": 2.0,
};
/** What detection from 12 MP of pixels may add, MiB. */
export const DETECT_MEMORY_MIB = 25;

export const toPercent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Holds results against every target that they can answer. */
export function judge(results: readonly PictureResult[]): Verdict[] {
  const groups = GROUP_NAMES.flatMap((group) => [
    ...judgeShares(results, group, "kodak", KODAK_TARGETS[group]),
    ...judgeShares(results, group, "product", CATALOGUE_TARGETS[group]),
    ...judgeShares(results, group, "photo", CATALOGUE_TARGETS[group]),
  ]);
  const rows = Object.entries(ROW_TARGETS).flatMap(([name, least]) => {
    const share = shareOf(results, (trial) => trial.attack === name);
    return share.of ? [atLeast(name, share.value, least, toPercent)] : [];
  });
  return [
    ...judgeCost(results),
    ...groups,
    ...rows,
    ...judgeMargin(results),
    ...judgeNever(results),
  ];
}

function judgeShares(
  all: readonly PictureResult[],
  group: GroupName,
  who: SetName,
  target: ShareTarget,
): Verdict[] {
  const results = all.filter(({ set }) => set === who);
  const total = shareOf(results, (trial) => trial.group === group);
  if (total.of === 0) return [];
  const rows = attackNames(results, group).map((name) => ({
    name,
    value: shareOf(results, (trial) => trial.attack === name).value,
  }));
  const misses = rows.filter(({ value }) => value < target.row);
  const named = misses.map(({ name, value }) => `${name} ${toPercent(value)}`).join(", ");
  return [
    atLeast(`group ${group}, ${who}`, total.value, target.group, toPercent),
    {
      demand: `each row of group ${group}, ${who}: at least ${toPercent(target.row)}`,
      measured: named || "all",
      ok: misses.length === 0,
    },
  ].filter(({ demand }) => !demand.endsWith(" 0.0 %"));
}

function judgeCost(results: readonly PictureResult[]): Verdict[] {
  const of = (set: SetName) => summariseCost(results.filter((result) => result.set === set));
  const [kodak, product, all] = [of("kodak"), of("product"), summariseCost(results)];
  const decibel = (value: number) => `${value.toFixed(2)} dB`;
  return [
    ...(kodak
      ? [
          atLeast("kodak mean PSNR", kodak.meanPsnr, KODAK_MEAN_PSNR_DB, decibel),
          atLeast("kodak mean SSIM", kodak.meanSsim, KODAK_MEAN_SSIM, (value) => value.toFixed(4)),
        ]
      : []),
    ...(product
      ? [atLeast("product mean PSNR", product.meanPsnr, PRODUCT_MEAN_PSNR_DB, decibel)]
      : []),
    ...(all ? [atLeast("every picture's PSNR", all.leastPsnr, LEAST_PSNR_DB, decibel)] : []),
    ...(all
      ? [
          never("pixels touched that must stay", all.touched),
          atMost("reported PSNR off by", all.psnrDifference, PSNR_DIFFERENCE_DB, 3),
          atMost("reported SSIM off by", all.ssimDifference, SSIM_DIFFERENCE, 4),
        ]
      : []),
  ];
}

function judgeMargin(results: readonly PictureResult[]): Verdict[] {
  const area = areaUnderCurve(marginPairs(results, "C"));
  if (Number.isNaN(area)) return [];
  const show = (value: number) => value.toFixed(3);
  return [atLeast("margin foretells survival of group C", area, LEAST_MARGIN_AREA, show)];
}

function judgeNever(results: readonly PictureResult[]): Verdict[] {
  const trials = results.flatMap((result) => result.trials);
  const wrong = trials.reduce((sum, trial) => sum + trial.wrong.length, 0);
  const readings = falseReadings(results);
  const accepted = readings.filter(({ labels }) => labels.length > 0).length;
  return [
    never("wrong labels", wrong),
    ...(readings.length ? [never("false acceptances", accepted)] : []),
  ];
}

function atLeast(
  what: string,
  value: number,
  least: number,
  show: (value: number) => string,
): Verdict {
  return { demand: `${what}: at least ${show(least)}`, measured: show(value), ok: value >= least };
}

function atMost(what: string, value: number, most: number, digits: number): Verdict {
  return { demand: `${what} at most ${most}`, measured: value.toFixed(digits), ok: value <= most };
}

function never(what: string, count: number): Verdict {
  return { demand: `${what}: none`, measured: String(count), ok: count === 0 };
}
