// Going on where a run stopped: its record is cleaned of failures that are tried again, and what it left
// half-written is removed.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { readCsv, replaceCsv } from "./csv.ts";
import type { Plan } from "./outputs.ts";
import { removeOldParts } from "./part.ts";
import { LABEL_COLUMNS } from "./records.ts";

/**
 * Drops the failures of planned work. Rows with a label stay, whatever became of their outputs: they may be
 * the only place where a label is known that is out in the world.
 * @returns the outputs that have a row, as absolute paths
 */
export function cleanRecord(csv: string, plans: readonly Plan[]): Set<string> {
  const files = new Set(plans.map(({ file }) => resolve(file)));
  const kept = readCsv(csv, LABEL_COLUMNS).filter(
    ([file = "", , label = ""]) => label !== "" || !files.has(resolve(file)),
  );
  if (existsSync(csv)) replaceCsv(csv, [LABEL_COLUMNS, ...kept]);
  return new Set(kept.filter(([, , label]) => label).map(([, out = ""]) => resolve(out)));
}

/** Removes what a stopped run left of planned outputs. */
export function removeParts(plans: readonly Plan[]): void {
  removeOldParts(plans.filter(({ refused }) => refused === null).map(({ out }) => out));
}
