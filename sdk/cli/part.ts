// Writing an output under a name of its own first, so that it is either whole on the disk or not there.
import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Refusal, reasonOf } from "./job.ts";

/** Ends the name of a file that is not finished. */
export const PART_SUFFIX = ".tessera-part";

/** Removes what a stopped run left of an output. */
export function removePart(out: string): void {
  try {
    rmSync(`${out}${PART_SUFFIX}`, { force: true });
  } catch {
    // A folder of that name is nobody's rest; writing there will fail and tell why.
  }
}

/** Writes a file and waits until it is on the disk; its folders are made, what is there is replaced. */
export function writeWhole(path: string, bytes: Uint8Array): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
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
