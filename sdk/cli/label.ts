// `tessera label`: weaves a label into each of many pictures. Of every picture, first the record is on the
// disk and then the output appears, whole: no label is ever lost, whenever the run is stopped.
import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { type LabelArguments, readLabelArguments, UsageError } from "./arguments.ts";
import { CsvFile, refuseExisting } from "./csv.ts";
import { findInputs, isFolder, mayBeSkipped } from "./inputs.ts";
import { onInterrupt } from "./interrupts.ts";
import { type Failure, type LabelJob, Refusal, reasonOf } from "./job.ts";
import { goesIntoFolder, type Plan, planOutputs } from "./outputs.ts";
import { partOf, publish, removePart } from "./part.ts";
import { mayBePicture } from "./picture-file.ts";
import { inOrder, Pool, WINDOW_FILES } from "./pool.ts";
import {
  type FailureRecord,
  failureJson,
  failureLine,
  failureRow,
  LABEL_COLUMNS,
  type LabelRecord,
  labelJson,
  labelLine,
  labelRow,
  readBackRow,
} from "./records.ts";
import { cleanRecord, removeParts } from "./resume.ts";
import { Screen, warnOfDemoKey } from "./screen.ts";

/** A picture that was labelled or not, or a file for which nothing was to be done. */
type Outcome = LabelRecord | FailureRecord | "resumed" | "skipped";

const LABEL_DIGITS = 16;
const ADVICE = "Stopped. The same command with --resume goes on where it stopped.";

/** Labels what the arguments name; resolves to the exit code. */
export async function runLabel(argv: readonly string[]): Promise<number> {
  const args = readLabelArguments(argv);
  const [path = "", ...more] = args.paths;
  if (args.label !== undefined && (more.length > 0 || isFolder(path))) {
    throw new UsageError("--label names the label of one picture; name one file.");
  }
  if (args.csv !== undefined && !args.resume) refuseExisting(args.csv, "--resume goes on with it");
  const plans = plan(args);
  if (args.resume) removeParts(plans);
  const recorded = args.csv && args.resume ? cleanRecord(args.csv, plans) : new Set<string>();
  const csv = args.csv === undefined ? null : new CsvFile(args.csv, LABEL_COLUMNS);
  warnOfDemoKey(args.key);
  const run = new LabelRun(args, csv, recorded, plans.length);
  onInterrupt(() => run.close(), ADVICE);
  try {
    return await run.all(plans);
  } finally {
    await run.close();
    csv?.close();
  }
}

function plan({ paths, out, csv }: LabelArguments): Plan[] {
  const into = goesIntoFolder(paths, out);
  return planOutputs(findInputs(paths, into ? out : undefined), out, into, csv);
}

class LabelRun {
  readonly #args: LabelArguments;
  readonly #csv: CsvFile | null;
  readonly #recorded: ReadonlySet<string>;
  readonly #pool: Pool;
  readonly #screen: Screen;
  /** Outputs that are not finished. */
  readonly #unfinished = new Set<string>();
  readonly #counts = { labelled: 0, failed: 0, skipped: 0, resumed: 0 };

  constructor(
    args: LabelArguments,
    csv: CsvFile | null,
    recorded: ReadonlySet<string>,
    files: number,
  ) {
    this.#args = args;
    this.#csv = csv;
    this.#recorded = recorded;
    this.#pool = new Pool(Math.min(args.jobs, files), { key: args.key.bytes });
    this.#screen = new Screen(files);
  }

  /** Works on all files and tells of them in their order; resolves to the exit code. */
  async all(plans: readonly Plan[]): Promise<number> {
    const work = async (plan: Plan) => {
      const outcome = await this.#work(plan);
      this.#screen.count(typeof outcome === "object" && "error" in outcome);
      return outcome;
    };
    for await (const outcome of inOrder(plans, WINDOW_FILES, work)) this.#tell(outcome);
    const { labelled, failed, skipped, resumed } = this.#counts;
    const words = `labelled ${labelled}, failed ${failed}, skipped ${skipped} non-pictures`;
    this.#screen.end(this.#args.resume ? `${words}, resumed ${resumed}` : words);
    return failed > 0 ? 1 : 0;
  }

  /** Stops all work and removes what is not finished. */
  async close(): Promise<void> {
    await this.#pool.close();
    for (const out of this.#unfinished) removePart(out);
  }

  async #work(plan: Plan): Promise<Outcome> {
    if (plan.refused !== null) return this.#fail(plan, plan.refused);
    if (plan.exists) {
      if (!this.#args.resume) {
        const message = `The output ${plan.out} exists already; --resume passes over what is done.`;
        return this.#fail(plan, { code: "output-exists", message });
      }
      if (await this.#isDone(plan)) return "resumed";
      const message = `The output ${plan.out} holds no label that this key reads; move it away.`;
      return this.#fail(plan, { code: "output-exists", message });
    }
    return await this.#label(plan);
  }

  /** Whether an output is on record, or can be put there because its label can be read. */
  async #isDone({ file, out }: Plan): Promise<boolean> {
    if (this.#csv === null || this.#recorded.has(resolve(out))) return true;
    const looked = await this.#pool.run({ kind: "detect", file: out, options: {} });
    const finding = "error" in looked ? undefined : looked.findings[0];
    if ("error" in looked || finding === undefined) return false;
    this.#csv.add(readBackRow(file, out, finding.label, looked));
    return true;
  }

  async #label(plan: Plan): Promise<Outcome> {
    const { file, out } = plan;
    const job = this.#jobOf(plan);
    this.#unfinished.add(out);
    const answer = await this.#pool.run(job);
    try {
      if ("error" in answer) return this.#fail(plan, answer.error);
      const record = { ...answer, file, out, label: job.label };
      this.#csv?.add(labelRow(record));
      publish(job.part, out);
      return record;
    } catch (error) {
      if (error instanceof Refusal && error.code === "output-exists") {
        return this.#fail(plan, error);
      }
      if (!(error as NodeJS.ErrnoException).syscall) throw error;
      const message = `The output cannot be written: ${reasonOf(error)}.`;
      return this.#fail(plan, { code: "output-unwritable", message });
    } finally {
      removePart(out);
      this.#unfinished.delete(out);
    }
  }

  #jobOf({ file, out }: Plan): LabelJob {
    const { cohort, strength, quality, rights, keepLocation } = this.#args;
    const random = randomBytes(LABEL_DIGITS / 2).toString("hex");
    const label = this.#args.label ?? cohort + random.slice(cohort.length);
    const identifier = rights === undefined ? undefined : `tessera:${label}`;
    const options = { strength, quality, rights, identifier, keepLocation };
    return { kind: "label", file, label, part: partOf(out), options };
  }

  /** A file that failed; or was passed over, as it was only found in a folder and is no picture. */
  #fail(plan: Plan, error: Failure): Outcome {
    const unknown = error.code === "file-unknown" || (plan.refused && !mayBePicture(plan.file));
    if (unknown && mayBeSkipped(plan)) return "skipped";
    this.#csv?.add(failureRow({ file: plan.file, error }, LABEL_COLUMNS));
    return { file: plan.file, error };
  }

  #tell(outcome: Outcome): void {
    if (typeof outcome === "string") {
      this.#counts[outcome]++;
    } else if ("error" in outcome) {
      this.#counts.failed++;
      if (this.#args.json) this.#screen.json(failureJson(outcome));
      else this.#screen.line(failureLine(outcome));
    } else {
      this.#counts.labelled++;
      if (this.#args.json) this.#screen.json(labelJson(outcome));
      else this.#screen.line(labelLine(outcome));
    }
  }
}
