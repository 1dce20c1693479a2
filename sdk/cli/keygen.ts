// `tessera keygen`: a new deployment key.
import { randomBytes } from "node:crypto";
import { KEY_BYTES } from "../engine.ts";
import { refuseArguments } from "./arguments.ts";

/** Writes 32 random hex digits to standard output. */
export async function runKeygen(argv: readonly string[]): Promise<number> {
  refuseArguments(argv);
  process.stdout.write(`${randomBytes(KEY_BYTES).toString("hex")}\n`);
  process.stderr.write(
    "Keep this key safe and secret: who has it can read and forge your labels,\n" +
      "and without it nobody can read them.\n",
  );
  return 0;
}
