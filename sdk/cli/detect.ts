// `tessera detect`: looks for labels in many files.
import { type DetectArguments, readDetectArguments } from "./arguments.ts";
import { CsvFile, refuseExisting } from "./csv.ts";
import { findInputs, type Input, mayBeSkipped } from "./inputs.ts";
import { onInterrupt } from "./interrupts.ts";
import { inOrder, Pool, WINDOW_FILES } from "./pool.ts";
import {
  DETECT_COLUMNS,
  type DetectRecord,
  detectJson,
  detectLine,
  detectRows,
  type FailureRecord,
  failureJson,
  failureLine,
  failureRow,
} from "./records.ts";
import { Screen, warnOfDemoKey } from "./screen.ts";

/** A picture that was looked at or not, or a file that is none. */
type Outcome = DetectRecord | FailureRecord | "skipped";

/** Looks for labels in what the arguments name; resolves to the exit code. */
export async function runDetect(argv: readonly string[]): Promise<number> {
  const args = readDetectArguments(argv);
  if (args.csv !== undefined) refuseExisting(args.csv, "name another one");
  const inputs = findInputs(args.paths);
  const csv = args.csv === undefined ? null : new CsvFile(args.csv, DETECT_COLUMNS);
  warnOfDemoKey(args.key);
  const pool = new Pool(Math.min(args.jobs, inputs.length), { key: args.key.bytes });
  onInterrupt(() => pool.close(), "Stopped.");
  try {
    return await detectAll(inputs, args, pool, csv);
  } finally {
    await pool.close();
    csv?.close();
  }
}

async function detectAll(
  inputs: readonly Input[],
  args: DetectArguments,
  pool: Pool,
  csv: CsvFile | null,
): Promise<number> {
  const screen = new Screen(inputs.length);
  const counts = { found: 0, none: 0, failed: 0, skipped: 0 };
  const work = async (input: Input) => {
    const outcome = await detectOne(input, args.fast, pool);
    screen.count(typeof outcome === "object" && "error" in outcome);
    return outcome;
  };
  for await (const outcome of inOrder(inputs, WINDOW_FILES, work)) {
    counts[kindOf(outcome)]++;
    if (outcome === "skipped") continue;
    for (const row of rowsOf(outcome)) csv?.add(row);
    if (args.json) screen.json("error" in outcome ? failureJson(outcome) : detectJson(outcome));
    else screen.line("error" in outcome ? failureLine(outcome) : detectLine(outcome));
  }
  const { found, none, failed, skipped } = counts;
  const words = `with a label ${found}, without ${none}, failed ${failed}`;
  screen.end(`${words}, skipped ${skipped} non-pictures`);
  return failed > 0 ? 1 : 0;
}

async function detectOne(input: Input, fast: boolean, pool: Pool): Promise<Outcome> {
  const { file } = input;
  const options = fast ? ({ search: "whole-frame" } as const) : {};
  const answer = await pool.run({ kind: "detect", file, options });
  if (!("error" in answer)) return { ...answer, file };
  if (answer.error.code === "file-unknown" && mayBeSkipped(input)) return "skipped";
  return { file, error: answer.error };
}

function kindOf(outcome: Outcome): "found" | "none" | "failed" | "skipped" {
  if (outcome === "skipped") return outcome;
  if ("error" in outcome) return "failed";
  return outcome.findings.length > 0 ? "found" : "none";
}

function rowsOf(outcome: DetectRecord | FailureRecord) {
  return "error" in outcome ? [failureRow(outcome, DETECT_COLUMNS)] : detectRows(outcome);
}
