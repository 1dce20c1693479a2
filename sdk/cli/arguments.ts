// What the user typed, checked at the door: options with the right values, or one sentence of what is wrong.
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { DEMO_KEY, keyFromHex, MAX_STRENGTH, MIN_STRENGTH } from "../engine.ts";
import { reasonOf } from "./job.ts";

/** Wrong usage: nothing was done. */
export class UsageError extends Error {}

const TEXT = { type: "string" } as const;
const FLAG = { type: "boolean" } as const;
const EVERYWHERE = { json: FLAG, csv: TEXT, jobs: TEXT, "key-file": TEXT } as const;

/** The options of every command. */
export const OPTIONS = {
  label: {
    ...EVERYWHERE,
    out: TEXT,
    label: TEXT,
    cohort: TEXT,
    strength: TEXT,
    quality: TEXT,
    rights: TEXT,
    "keep-location": FLAG,
    resume: FLAG,
  },
  detect: { ...EVERYWHERE, fast: FLAG },
  diff: { out: TEXT },
  keygen: {},
} as const satisfies Record<string, ParseArgsOptionsConfig>;

/** Threads that can be asked for; more than any machine's cores gains nothing. */
const MAX_JOBS = 256;
const MAX_QUALITY = 100;

/** What `label` and `detect` have in common. */
export interface RunArguments {
  readonly paths: readonly string[];
  readonly key: Key;
  readonly csv: string | undefined;
  readonly json: boolean;
  readonly jobs: number;
}

export interface LabelArguments extends RunArguments {
  readonly out: string;
  readonly label: string | undefined;
  readonly cohort: string;
  readonly strength: number | undefined;
  readonly quality: number | undefined;
  readonly rights: string | undefined;
  readonly keepLocation: boolean;
  readonly resume: boolean;
}

export interface DetectArguments extends RunArguments {
  readonly fast: boolean;
}

export interface DiffArguments {
  readonly before: string;
  readonly after: string;
  readonly out: string;
}

/** A deployment key, and whether it is only the public one for demonstrations. */
export interface Key {
  readonly bytes: Uint8Array;
  readonly demo: boolean;
}

/** Reads the arguments of `tessera label`. */
export function readLabelArguments(argv: readonly string[]): LabelArguments {
  const { values, positionals } = parse(argv, OPTIONS.label);
  if (values.label !== undefined && values.cohort !== undefined) {
    throw new UsageError("--label names a whole label, so --cohort has no place beside it.");
  }
  return {
    ...runArguments(values, positionals),
    out: needed(values.out, "--out says where the labelled pictures go"),
    label: hex(values.label, "--label", 16),
    cohort: hex(values.cohort, "--cohort", 4) ?? "",
    strength: number(values.strength, "--strength", MIN_STRENGTH, MAX_STRENGTH),
    quality: number(values.quality, "--quality", 1, MAX_QUALITY),
    rights: notEmpty(values.rights, "--rights"),
    keepLocation: values["keep-location"] ?? false,
    resume: values.resume ?? false,
  };
}

function notEmpty(text: string | undefined, option: string): string | undefined {
  if (text?.trim() === "") throw new UsageError(`${option} wants a text.`);
  return text;
}

/** Reads the arguments of `tessera detect`. */
export function readDetectArguments(argv: readonly string[]): DetectArguments {
  const { values, positionals } = parse(argv, OPTIONS.detect);
  return { ...runArguments(values, positionals), fast: values.fast ?? false };
}

/** Reads the arguments of `tessera diff`. */
export function readDiffArguments(argv: readonly string[]): DiffArguments {
  const { values, positionals } = parse(argv, OPTIONS.diff);
  const [before, after, ...more] = positionals;
  if (before === undefined || after === undefined || more.length > 0) {
    throw new UsageError(`Two pictures are compared, not ${positionals.length}.`);
  }
  return { before, after, out: needed(values.out, "--out names the picture of the difference") };
}

/** Sees to it that a command that takes nothing was given nothing. */
export function refuseArguments(argv: readonly string[]): void {
  const { positionals } = parse(argv, OPTIONS.keygen);
  if (positionals.length > 0) throw new UsageError("A new key needs nothing to be made from.");
}

/**
 * The key to work with: of the file that is named, else of the environment, else the public one.
 * A variable that is there but empty is wrong, so that a forgotten secret never means the public key.
 */
export function readKey(file: string | undefined, environment: string | undefined): Key {
  const from = file === undefined ? "TESSERA_KEY" : "The key file";
  const text = file === undefined ? environment : readKeyFile(file);
  if (text === undefined) return { bytes: keyFromHex(DEMO_KEY), demo: true };
  try {
    return { bytes: keyFromHex(text.trim()), demo: false };
  } catch {
    throw new UsageError(`${from} must hold 32 hex digits and nothing else.`);
  }
}

function readKeyFile(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch (error) {
    throw new UsageError(`The key file cannot be read: ${reasonOf(error)}.`);
  }
}

function parse<Options extends ParseArgsOptionsConfig>(argv: readonly string[], options: Options) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (error) {
    // Node explains ways around in further sentences.
    throw new UsageError(`${(error as Error).message.split(/\.\s|\n/)[0]?.replace(/\.$/, "")}.`);
  }
}

function runArguments(
  values: { csv?: string; json?: boolean; jobs?: string; "key-file"?: string },
  paths: readonly string[],
): RunArguments {
  if (paths.length === 0) throw new UsageError("Name at least one picture or folder.");
  if (paths.includes("")) throw new UsageError("A file's name is empty.");
  return {
    paths,
    key: readKey(values["key-file"], process.env.TESSERA_KEY),
    csv: values.csv === undefined ? undefined : needed(values.csv, "--csv names a file"),
    json: values.json ?? false,
    jobs: whole(values.jobs, "--jobs", MAX_JOBS) ?? availableParallelism(),
  };
}

function needed(value: string | undefined, sentence: string): string {
  if (!value) throw new UsageError(`${sentence}; it is missing.`);
  return value;
}

function hex(value: string | undefined, name: string, digits: number): string | undefined {
  if (value === undefined || new RegExp(`^[0-9a-f]{${digits}}$`, "i").test(value)) {
    return value?.toLowerCase();
  }
  throw new UsageError(`${name} is ${digits} hex digits, not ${JSON.stringify(value)}.`);
}

function number(
  value: string | undefined,
  name: string,
  least: number,
  most: number,
): number | undefined {
  if (value === undefined) return undefined;
  const parsed = /^\d*\.?\d+$/.test(value) ? Number(value) : Number.NaN;
  if (parsed >= least && parsed <= most) return parsed;
  throw new UsageError(`${name} is ${least} to ${most}, not ${JSON.stringify(value)}.`);
}

function whole(value: string | undefined, name: string, most: number): number | undefined {
  const parsed = number(value, name, 1, most);
  if (parsed === undefined || Number.isInteger(parsed)) return parsed;
  throw new UsageError(`${name} is a whole number, not ${JSON.stringify(value)}.`);
}
