// How results are told: as a line for people, as an object for programs, as rows of a table.
import type { Finding } from "../engine.ts";
import type { Cell } from "./csv.ts";
import type { Failed, Labelled, Looked } from "./job.ts";

/** Columns of the table that `tessera label --csv` writes. */
export const LABEL_COLUMNS = [
  ...["file", "out", "label", "width", "height", "psnr", "ssim", "margin", "ms", "error"],
] as const;
/** Columns of the table that `tessera detect --csv` writes. */
export const DETECT_COLUMNS = [
  ...["file", "label", "confidence", "rotation", "mirrored", "scale", "squeeze", "ms", "error"],
] as const;

/** A turn below this is what a whole frame's rounding shows, degrees. */
const SMALL_TURN = 0.5;
const SMALL_SQUEEZE = 0.01;

/** A labelled file: where it came from, where it went, and as what. */
export interface LabelRecord extends Labelled {
  readonly file: string;
  readonly out: string;
  readonly label: string;
}

/** A file that was looked at. */
export interface DetectRecord extends Looked {
  readonly file: string;
}

/** A file that was not handled. */
export interface FailureRecord extends Failed {
  readonly file: string;
}

/** What programs read of a labelled file. */
export function labelJson({ file, out, label, ...result }: LabelRecord): object {
  const { width, height } = result;
  return { file, out, label, width, height, ...rounded(result) };
}

/** The row of a labelled file; of one whose label was read back only what is known. */
export function labelRow({ file, out, label, ...result }: LabelRecord): Cell[] {
  const { psnr, ssim, margin, ms } = rounded(result);
  return [file, out, label, result.width, result.height, psnr, ssim, margin, ms, null];
}

/** The row of a file whose label was read back from its output: what it cost is not known any more. */
export function readBackRow(file: string, out: string, label: string, size: Looked): Cell[] {
  return [file, out, label, size.width, size.height, null, null, null, null, null];
}

/** What people read of a labelled file. */
export function labelLine({ file, out, label, psnr, thin, dropped }: LabelRecord): string {
  const quality = Number.isFinite(psnr) ? `${psnr.toFixed(2)} dB` : "unchanged";
  const notes = thin ? ["thin: strong changes may erase it"] : [];
  if (dropped.length > 0) notes.push(`left out: ${dropped.join(", ")}`);
  return [`${file} -> ${out}: ${label}, ${quality}`, ...notes].join("; ");
}

/** What programs read of a file that was looked at. */
export function detectJson({ file, findings, ms }: DetectRecord): object {
  return {
    file,
    findings: findings.map(({ label, confidence, geometry }) => ({
      label,
      confidence: round(confidence, 2),
      geometry,
    })),
    ms: { decode: round(ms.decode, 1), detect: round(ms.detect, 1) },
  };
}

/** The rows of a file that was looked at: one for each finding, or one that says that there is none. */
export function detectRows({ file, findings, ms }: DetectRecord): Cell[][] {
  const time = round(ms.decode + ms.detect, 1);
  if (findings.length === 0) return [[file, null, null, null, null, null, null, time, null]];
  return findings.map(({ label, confidence, geometry: { mirrored, ...geometry } }) => [
    ...[file, label, round(confidence, 2), round(geometry.rotation, 2), String(mirrored)],
    ...[round(geometry.scale, 4), round(geometry.squeeze, 4), time, null],
  ]);
}

/** What people read of a file that was looked at. */
export function detectLine({ file, findings }: DetectRecord): string {
  const labels = findings.map(findingWords).join("; ");
  return `${file}: ${labels || "no label found"}`;
}

/** What programs read of a file that was not handled. */
export function failureJson({ file, error }: FailureRecord): object {
  return { file, error: { code: error.code, message: error.message } };
}

/** The row of a file that was not handled: its name first, its error last. */
export function failureRow({ file, error }: FailureRecord, columns: readonly string[]): Cell[] {
  const between = columns.slice(2).map(() => null);
  return [file, ...between, `${error.code}: ${error.message}`];
}

/** What people read of a file that was not handled. */
export function failureLine({ file, error }: FailureRecord): string {
  return `${file}: ${error.message} [${error.code}]`;
}

function findingWords({ label, confidence, geometry }: Finding): string {
  const words = [`${label} (confidence ${confidence.toFixed(1)}`];
  if (geometry.mirrored) words.push("mirrored");
  if (Math.abs(geometry.rotation) >= SMALL_TURN) {
    words.push(`turned by ${geometry.rotation.toFixed(1)} degrees`);
  }
  if (Math.abs(geometry.squeeze - 1) >= SMALL_SQUEEZE) {
    words.push(`squeezed to ${geometry.squeeze.toFixed(2)}`);
  }
  return `${words.join(", ")})`;
}

function rounded({ psnr, ssim, margin, ms }: Labelled) {
  return {
    psnr: round(psnr, 2),
    ssim: round(ssim, 4),
    margin: round(margin, 3),
    ms: round(ms, 1),
  };
}

/** Null for what is not known and for the infinite PSNR of an unchanged picture, as JSON has no infinity. */
function round(value: number | null, digits: number): number | null {
  if (value === null || !Number.isFinite(value)) return null;
  return Number(value.toFixed(digits));
}
