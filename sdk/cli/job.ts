// What the command line and its threads say to each other: a job goes in, the bytes that it will take
// come back, a go-ahead goes in, and the answer comes back.
import type { DetectOptions, Finding } from "../engine.ts";
import { LabelError } from "../error.ts";
import type { LabelFileOptions } from "../label-file.ts";

/** Why a file was not handled; codes are those of LabelError and of this command line. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** A file that was not handled. */
export interface Failed {
  readonly error: Failure;
}

/** Label a picture and write the result, synchronised to disk, to a path of its own. */
export interface LabelJob {
  readonly kind: "label";
  readonly file: string;
  readonly label: string;
  /** Where the labelled file is written; its folders are made, what is there is replaced. */
  readonly part: string;
  readonly options: LabelFileOptions;
}

/** Look for labels in a picture. */
export interface DetectJob {
  readonly kind: "detect";
  readonly file: string;
  readonly options: DetectOptions;
}

export type Job = LabelJob | DetectJob;

/** What became of a labelled picture. */
export interface Labelled {
  readonly width: number;
  readonly height: number;
  readonly psnr: number;
  readonly ssim: number | null;
  readonly margin: number | null;
  readonly thin: boolean;
  readonly dropped: readonly string[];
  readonly ms: number;
}

/** What was found in a picture. */
export interface Looked {
  readonly width: number;
  readonly height: number;
  readonly findings: readonly Finding[];
  readonly ms: { readonly decode: number; readonly detect: number };
}

/** The parent's word that there is memory for the job. */
export const GO = "go";
/** What a thread sends: first how much memory the picture takes, or at any time how the job ended. */
export type Message = { readonly bytes: number } | { readonly answer: Labelled | Looked | Failed };
/** What a thread is started with. */
export interface ThreadData {
  readonly key: Uint8Array;
}

/** A refusal of the command line itself, with a stable code as a LabelError has. */
export class Refusal extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "Refusal";
    this.code = code;
  }
}

/** The failure that an expected error tells of; any other error is thrown on. */
export function toFailure(error: unknown): Failure {
  if (!(error instanceof LabelError || error instanceof Refusal)) throw error;
  return { code: error.code, message: error.message };
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EEXIST: "there is something of that name",
  ENOTDIR: "a part of its path is a file, not a folder",
  EISDIR: "there is a folder of that name",
  EACCES: "permission is denied",
  EPERM: "permission is denied",
  EROFS: "the disk is read-only",
  ENOSPC: "the disk is full",
  ENAMETOOLONG: "its name is too long",
};

/** Why the operating system refused, in words that fit behind a colon. */
export function reasonOf(error: unknown): string {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? message;
}
