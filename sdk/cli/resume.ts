// Going on where a run stopped: its record is cleaned of what never became an output, and what it left
// half-written is removed.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { readCsv, replaceCsv } from "./csv.ts";
import type { Plan } from "./outputs.ts";
import { removePart } from "./part.ts";
import { LABEL_COLUMNS } from "./records.ts";

/**
 * Drops the rows of planned work that has to be done again. Rows of other files stay, whatever became of
 * those: they may be the only place where a label is known.
 * @returns the outputs that have a row, as absolute paths
 */
export function cleanRecord(csv: string, plans: readonly Plan[]): Set<string> {
  const files = new Set(plans.map(({ file }) => resolve(file)));
  const outputs = new Set(plans.map(({ out }) => resolve(out)));
  const kept = readCsv(csv, LABEL_COLUMNS).filter(([file = "", out = "", label = ""]) => {
    const planned = label ? outputs.has(resolve(out)) : files.has(resolve(file));
    return !planned || (label !== "" && existsSync(out));
  });
  if (existsSync(csv)) replaceCsv(csv, [LABEL_COLUMNS, ...kept]);
  return new Set(kept.filter(([, , label]) => label).map(([, out = ""]) => resolve(out)));
}

/** Removes what a stopped run left of planned outputs. */
export function removeParts(plans: readonly Plan[]): void {
  for (const { out, refused } of plans) if (refused === null) removePart(out);
}
