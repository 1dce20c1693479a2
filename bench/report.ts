// The words and tables of a robustness run, as Markdown: the same text goes to the terminal and into
// docs/robustness.md.

import { GROUP_NAMES, type GroupName } from "./attacks.ts";
import { SET_NAMES } from "./pictures.ts";
import {
  areaUnderCurve,
  areaWithinAttacks,
  attackNames,
  bestPairs,
  byDecile,
  falseReadings,
  histogram,
  marginPairs,
  median,
  type Share,
  shareOf,
  summariseCost,
} from "./tally.ts";
import {
  CATALOGUE_TARGETS,
  FALSE_CALLS,
  judge,
  KODAK_TARGETS,
  ROW_TARGETS,
  toPercent,
} from "./targets.ts";
import type { PictureResult, Reading, Trial } from "./trial.ts";

const GROUP_TITLES: Record<GroupName, string> = {
  A: "A: plain changes",
  B: "B: geometry, each followed by JPEG 85",
  C: "C: hard cases",
};
const NAMES_PER_ROW = 6;
const NAME_LENGTH = 22;

/** The sections of a report, without its head. */
export function writeReport(results: readonly PictureResult[]): string {
  const groups = GROUP_NAMES.filter((group) => attackNames(results, group).length > 0);
  return [
    "## Targets",
    table(
      ["demand", "measured", ""],
      judge(results).map((v) => [v.demand, v.measured, v.ok ? "met" : "**missed**"]),
    ),
    "## What a label costs",
    costTable(results),
    ...groups.flatMap((group) => [`## ${GROUP_TITLES[group]}`, groupTable(results, group)]),
    ...falseSection(results),
    ...(groups.includes("C") ? marginSection(results) : []),
    ...refusalSection(results),
  ].join("\n\n");
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function costTable(results: readonly PictureResult[]): string {
  const rows = SET_NAMES.flatMap((set) => {
    const cost = summariseCost(results.filter((result) => result.set === set));
    if (!cost) return [];
    return [
      [
        `${set} (${cost.pictures})`,
        `${cost.meanPsnr.toFixed(2)} (${cost.leastPsnr.toFixed(2)})`,
        `${cost.meanSsim.toFixed(4)} (${cost.leastSsim.toFixed(4)})`,
        String(cost.touched),
        `${cost.psnrDifference.toFixed(3)}; ${cost.ssimDifference.toFixed(4)}`,
      ],
    ];
  });
  const head = [
    "set",
    "PSNR, dB: mean (least)",
    "SSIM: mean (least)",
    "white, alpha, clear pixels touched",
    "engine's report off by (dB; SSIM)",
  ];
  return table(head, rows);
}

function groupTable(results: readonly PictureResult[], group: GroupName): string {
  const row = (name: string, wanted: (trial: Trial) => boolean, target: string, names: string) => [
    name,
    ...SET_NAMES.map((set) =>
      showShare(
        shareOf(
          results.filter((result) => result.set === set),
          wanted,
        ),
      ),
    ),
    showShare(shareOf(results, wanted)),
    target,
    names,
  ];
  const [catalogue, kodak] = [CATALOGUE_TARGETS[group], KODAK_TARGETS[group]];
  const both = (a: number, b: number) => (a ? `${toPercent(a)}; kodak ${toPercent(b)}` : "");
  const rows = attackNames(results, group).map((name) =>
    row(
      name,
      (trial) => trial.attack === name,
      name in ROW_TARGETS ? toPercent(ROW_TARGETS[name]) : both(catalogue.row, kodak.row),
      failingNames(results, name),
    ),
  );
  const target = both(catalogue.group, kodak.group);
  rows.push(row("**all**", (trial) => trial.group === group, target, ""));
  return table(["attack", ...SET_NAMES, "all", "target", "lost"], rows);
}

function showShare({ survived, of, value }: Share): string {
  if (of === 0) return "";
  return survived === of ? "100 %" : `${toPercent(value)} (${survived}/${of})`;
}

function failingNames(results: readonly PictureResult[], attack: string): string {
  const lost = results
    .filter(({ trials }) => trials.some((t) => t.attack === attack && !t.survived))
    .map(({ name }) => name.slice(0, NAME_LENGTH));
  const more = lost.length > NAMES_PER_ROW ? ` +${lost.length - NAMES_PER_ROW}` : "";
  return lost.slice(0, NAMES_PER_ROW).join(", ") + more;
}

function falseSection(results: readonly PictureResult[]): string[] {
  const trials = results.flatMap((result) => result.trials);
  const kinds: [string, Reading[]][] = [
    ["labelled, its key", trials.flatMap(({ labelled }) => (labelled ? [labelled] : []))],
    ["unmarked", trials.flatMap(({ unmarked }) => (unmarked ? [unmarked] : []))],
    ["labelled, another key", trials.flatMap(({ otherKey }) => otherKey)],
  ];
  const rows = kinds.map(([name, readings], index) => [
    name,
    String(readings.length),
    String(readings.reduce((sum, { reads }) => sum + reads, 0)),
    index === 0 ? "" : String(readings.filter(({ labels }) => labels.length > 0).length),
    readings.length ? Math.max(...readings.map(({ best }) => best)).toFixed(2) : "",
    readings.length ? median(readings.map(({ best }) => best)).toFixed(2) : "",
  ]);
  const calls = falseReadings(results).length;
  const bins = histogram(kinds.map(([, readings]) => readings.map(({ best }) => best)));
  const columns = bins.map(([edge, ...counts]) =>
    [edge.toFixed(2).padStart(8), ...counts.map((count) => String(count || ".").padStart(9))].join(
      "",
    ),
  );
  const wrong = trials.reduce((sum, trial) => sum + trial.wrong.length, 0);
  return [
    "## What was found where it should not be",
    `Wrong labels found in labelled pictures: ${wrong}. Calls in which nothing may be found: ${calls}` +
      `${calls < FALSE_CALLS ? ` (a full run makes ${FALSE_CALLS} or more)` : ""}.`,
    table(["picture", "detect calls", "code words read", "accepted", "best", "median best"], rows),
    "Best normalised correlation per detect call (standard deviations; lower edge of each bin):",
    ["```", "    from labelled unmarked other key", ...columns, "```"].join("\n"),
  ];
}

function marginSection(results: readonly PictureResult[]): string[] {
  const pairs = marginPairs(results, "C");
  const best = bestPairs(results, "C");
  const rows = byDecile(pairs).map(({ from, to, share }, tenth) => [
    String(tenth + 1),
    `${from.toFixed(3)} .. ${to.toFixed(3)}`,
    showShare(share),
  ]);
  return [
    "## What the margin foretells",
    `Area under the curve between a picture's margin and its survival of group C (${pairs.length} pairs of ` +
      "picture and attack; 0.5 foretells nothing):",
    table(
      ["foretold by", "over all pairs", "within each attack"],
      [
        ["the margin", areaUnderCurve(pairs).toFixed(3), areaWithinAttacks(pairs).toFixed(3)],
        [
          "the share of group C that the picture did survive (the best that one number per picture can do)",
          areaUnderCurve(best).toFixed(3),
          areaWithinAttacks(best).toFixed(3),
        ],
      ],
    ),
    table(["tenth", "margin", "survived group C"], rows),
  ];
}

function refusalSection(results: readonly PictureResult[]): string[] {
  const lines = results.flatMap(({ set, name, refusal, trials }) =>
    refusal
      ? [`- ${set}/${name}: labelling refused, ${refusal}`]
      : trials
          .filter((trial) => trial.refusal)
          .map((trial) => `- ${set}/${name}, ${trial.attack}: reading refused, ${trial.refusal}`),
  );
  return ["## Refusals", lines.join("\n") || "None."];
}
