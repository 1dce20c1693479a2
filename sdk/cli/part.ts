// Writing an output under a name of its own first, so that it is either whole on the disk or not there.
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { Refusal, reasonOf } from "./job.ts";

/** Ends the name of a file that is not finished. */
export const PART_SUFFIX = ".tessera-part";
/** Hex digits of the output's name in that of its part: names are short whatever the output is called. */
const DIGEST_DIGITS = 16;
/** The digits between a dot and a hyphen. */
const PREFIX_LETTERS = DIGEST_DIGITS + 2;

/** Where this process writes an output first: beside it, under a hidden name that no other process has. */
export function partOf(out: string): string {
  return join(dirname(out), `${partPrefix(out)}${process.pid}${PART_SUFFIX}`);
}

function partPrefix(out: string): string {
  const digest = createHash("sha256").update(basename(out)).digest("hex");
  return `.${digest.slice(0, DIGEST_DIGITS)}-`;
}

/** Removes what this process left of an output. */
export function removePart(out: string): void {
  rmSync(partOf(out), { force: true });
}

/** Removes what stopped processes left of outputs. */
export function removeOldParts(outs: readonly string[]): void {
  const prefixes = new Set(outs.map((out) => join(dirname(out), partPrefix(out))));
  for (const folder of new Set(outs.map((out) => dirname(out)))) {
    for (const name of namesIn(folder).filter((each) => each.endsWith(PART_SUFFIX))) {
      const prefix = join(folder, name.slice(0, PREFIX_LETTERS));
      if (prefixes.has(prefix)) rmSync(join(folder, name), { force: true });
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Makes a folder and those above it. Node's own way goes round for ever where a disk makes none (/proc). */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** Writes a file and waits until it is on the disk; its folders are made, what is there is replaced. */
export function writeWhole(path: string, bytes: Uint8Array): void {
  try {
    makeFolder(dirname(path));
    rmSync(path, { force: true });
    // "wx" after the removal: a link laid there meanwhile is not written through.
    const file = openSync(path, "wx");
    try {
      writeFileSync(file, bytes);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new Refusal("output-unwritable", `The output cannot be written: ${reasonOf(error)}.`);
  }
}

/**
 * Gives a finished part its name, at once and without replacing anything.
 * @throws Refusal `output-exists` when something of that name has appeared
 */
export function publish(part: string, out: string): void {
  try {
    linkSync(part, out);
  } catch {
    // There is something, or the disk knows no links.
    if (existsSync(out)) {
      throw new Refusal("output-exists", `The output ${out} has appeared meanwhile; it stays.`);
    }
    renameSync(part, out);
  }
  rmSync(part, { force: true });
}
