// Where every labelled picture goes, decided before anything is written: no input is ever overwritten, no
// two inputs share an output, and what is there already stays.
import { lstatSync } from "node:fs";
import { join, resolve } from "node:path";
import { UsageError } from "./arguments.ts";
import { type Input, isFolder, realPath, statOf } from "./inputs.ts";
import type { Failure } from "./job.ts";
import { PART_SUFFIX } from "./part.ts";

/** An input and its output. */
export interface Plan extends Input {
  readonly out: string;
  /** Why it is refused, or null. */
  readonly refused: Failure | null;
  /** The output is there already. */
  readonly exists: boolean;
}

/** Whether --out names a folder to put pictures into, and not the output itself. */
export function goesIntoFolder(paths: readonly string[], out: string): boolean {
  const many = paths.length > 1 || paths.some(isFolder);
  if (many && paths.some((path) => isFolder(path) && realPath(path) === realPath(out))) {
    throw new UsageError("--out is a folder that is read from; name another one.");
  }
  if (many && isFile(out)) throw new UsageError("--out is a file; several pictures need a folder.");
  return many || isFolder(out) || /[/\\]$/.test(out);
}

/**
 * Plans the output of each input.
 * @param into whether `out` is a folder
 * @param csv the record's file, which no output may replace
 */
export function planOutputs(
  inputs: readonly Input[],
  out: string,
  into: boolean,
  csv?: string,
): Plan[] {
  const places = new Map<string, number>();
  const count = (path: string) => places.set(placeOf(path), (places.get(placeOf(path)) ?? 0) + 1);
  const outputs = inputs.map(({ below }) => (into ? join(out, below) : out));
  for (const path of outputs) count(path);
  if (csv !== undefined) count(csv);
  const read = new Set(inputs.map(({ file }) => realPath(file)));
  return inputs.map((input, i) => {
    const output = outputs[i] as string;
    const there = statOf(output, lstatSync);
    const exists = there !== undefined;
    const shared = (places.get(placeOf(output)) ?? 0) > 1;
    const overwrites = exists && read.has(realPath(output));
    const reasons = { shared, overwrites, isFolder: there?.isDirectory() ?? false };
    return { ...input, out: output, exists, refused: refusalOf(input.file, output, reasons) };
  });
}

function refusalOf(
  file: string,
  out: string,
  reasons: { shared: boolean; overwrites: boolean; isFolder: boolean },
): Failure | null {
  if (file.endsWith(PART_SUFFIX)) {
    return {
      code: "file-unknown",
      message: "This is an unfinished file of a run that was stopped.",
    };
  }
  if (reasons.overwrites) {
    const message = `The output ${out} is a picture that is read; originals are never overwritten.`;
    return { code: "output-is-input", message };
  }
  if (reasons.shared) {
    const message = `Several files would be written to ${out}; label them into different folders.`;
    return { code: "output-collision", message };
  }
  const message = `There is a folder where the output ${out} would be.`;
  return reasons.isFolder ? { code: "output-exists", message } : null;
}

/** Some disks hold names for equal that differ in case or in how accents are written. */
function placeOf(path: string): string {
  return resolve(path).normalize("NFC").toLowerCase();
}

function isFile(path: string): boolean {
  return statOf(path) !== undefined && !isFolder(path);
}
