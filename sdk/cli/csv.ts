// Tables as comma-separated values (RFC 4180), in files to which rows are added one by one so that each is
// on the disk before the next step. Texts that a spreadsheet would take for a formula are guarded by an
// apostrophe (OWASP, "CSV Injection").
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { UsageError } from "./arguments.ts";
import { statOf } from "./inputs.ts";
import { Refusal, reasonOf } from "./job.ts";
import { makeFolder, PART_SUFFIX } from "./part.ts";

/** A value of a row; null is an empty cell. */
export type Cell = string | number | null;

const NEEDS_QUOTES = /[",\r\n]/;
/** What begins a formula and is no number, and the guard itself, so that taking it off gives the text back. */
const NEEDS_GUARD = /^(?!-[\d.]+$)[=+\-@\t\r']/;

/** A row with its line break; texts are guarded, numbers are as they are. */
export function toCsv(cells: readonly Cell[]): string {
  const texts = cells.map((cell) => {
    const text = typeof cell === "string" && NEEDS_GUARD.test(cell) ? `'${cell}` : `${cell ?? ""}`;
    return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${texts.join(",")}\r\n`;
}

/**
 * The rows of a table, guards taken off; a last row that was cut off by a crash is left out.
 * @returns null when the text is no such table, as rows behind the damage would be lost silently
 */
export function fromCsv(text: string): string[][] | null {
  const rows: string[][] = [];
  let row: string[] = [];
  const cell = /("[^"]*(?:""[^"]*)*"|(?!")[^,\r\n]*)(,|\r?\n)/y;
  let end = 0;
  for (let match = cell.exec(text); match !== null; match = cell.exec(text)) {
    end = cell.lastIndex;
    const [, raw = "", separator] = match;
    const value = raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw;
    row.push(value.startsWith("'") ? value.slice(1) : value);
    if (separator === ",") continue;
    rows.push(row);
    row = [];
  }
  const cutOff = /^(?:"[^"]*(?:""[^"]*)*"?|(?!")[^,\r\n]*)\r?$/.test(text.slice(end));
  return cutOff ? rows : null;
}

/** A table's file, open for adding rows. */
export class CsvFile {
  readonly #file: number;

  /** Opens a file, which is begun with the header when it is not there; its folder is made. */
  constructor(path: string, header: readonly string[]) {
    try {
      makeFolder(dirname(path));
      this.#file = openSync(path, "a");
    } catch (error) {
      throw new UsageError(`The CSV file cannot be written: ${reasonOf(error)}.`);
    }
    if (fstatSync(this.#file).size === 0) this.add(header);
  }

  /**
   * Adds a row and waits until it is on the disk.
   * @throws Refusal `record-unwritable`, which ends a run: results must not get lost
   */
  add(cells: readonly Cell[]): void {
    try {
      writeAll(this.#file, toCsv(cells));
      fdatasyncSync(this.#file);
    } catch (error) {
      const message = `The CSV file cannot be written: ${reasonOf(error)}.`;
      throw new Refusal("record-unwritable", message);
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** Refuses to begin a table where there is a file already. */
export function refuseExisting(path: string, advice: string): void {
  if (existsSync(path)) throw new UsageError(`The CSV file ${path} exists already; ${advice}.`);
}

/** The rows of a table's file below its header; none of a file that is not there or empty. */
export function readCsv(path: string, header: readonly string[]): string[][] {
  if (!existsSync(path)) return [];
  const text = readText(path);
  // A crash may have cut off even the header.
  if (toCsv(header).startsWith(text)) return [];
  const [first = [], ...rows] = fromCsv(text) ?? [];
  if (first.join() === header.join()) return rows;
  throw new UsageError(`The CSV file ${path} is damaged or not a record of this command.`);
}

function readText(path: string): string {
  // A device might never end.
  if (!statOf(path)?.isFile()) throw new UsageError(`${path} is not a CSV file.`);
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`The CSV file cannot be read: ${reasonOf(error)}.`);
  }
}

/** Replaces a table's file by one with these rows, at once. */
export function replaceCsv(path: string, rows: readonly (readonly Cell[])[]): void {
  const part = `${path}${PART_SUFFIX}`;
  const file = openSync(part, "w");
  try {
    writeAll(file, rows.map(toCsv).join(""));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(part, path);
}

/** A write may take only a part of what it is given. */
function writeAll(file: number, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}
