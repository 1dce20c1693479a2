// What is shown while files are worked on: results on standard output, everything else on standard error,
// and on a terminal a bar in its last line that makes way for every line.

import type { Key } from "./arguments.ts";

/** Widest bar, characters. */
const BAR_WIDTH = 24;
/** Escapes of ECMA-48: to the line's beginning, and erase to its end. */
const CLEAR_LINE = "\r\x1b[K";
// What could move the cursor, break the line or turn the writing around.
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** What the bar shows. */
export interface Tally {
  readonly done: number;
  readonly total: number;
  readonly failed: number;
  readonly seconds: number;
}

/** The bar, no wider than the terminal. */
export function barOf({ done, total, failed, seconds }: Tally, columns: number): string {
  const filled = total === 0 ? BAR_WIDTH : Math.floor((BAR_WIDTH * done) / total);
  const bar = "#".repeat(filled).padEnd(BAR_WIDTH, "-");
  const failures = failed > 0 ? `, ${failed} failed` : "";
  const left = done > 0 ? `, ${Math.ceil((seconds / done) * (total - done))} s left` : "";
  return `[${bar}] ${done}/${total}${failures}${left}`.slice(0, Math.max(0, columns - 1));
}

/** A text on one line without anything that a terminal would obey: file names may hold escapes. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, "?");
}

/** Standard output and standard error, with a bar if there is a terminal. */
export class Screen {
  readonly #total: number;
  readonly #start = performance.now();
  #done = 0;
  #failed = 0;

  /** @param total files to be worked on */
  constructor(total: number) {
    this.#total = total;
    this.#draw();
  }

  /** Counts a file that is done. */
  count(failed: boolean): void {
    this.#done++;
    if (failed) this.#failed++;
    this.#draw();
  }

  /** Writes a result for people. */
  line(text: string): void {
    this.#clear();
    process.stdout.write(`${printable(text)}\n`);
    this.#draw();
  }

  /** Writes a result for programs. */
  json(value: object): void {
    this.#clear();
    process.stdout.write(`${JSON.stringify(value)}\n`);
    this.#draw();
  }

  /** Takes the bar away for the last words. */
  end(words: string): void {
    this.#clear();
    process.stderr.write(`${words}\n`);
  }

  #draw(): void {
    if (!process.stderr.isTTY) return;
    const seconds = (performance.now() - this.#start) / 1000;
    const tally = { done: this.#done, total: this.#total, failed: this.#failed, seconds };
    process.stderr.write(CLEAR_LINE + barOf(tally, process.stderr.columns ?? 80));
  }

  #clear(): void {
    if (process.stderr.isTTY) process.stderr.write(CLEAR_LINE);
  }
}

/** Says so when everything is done with the public key. */
export function warnOfDemoKey(key: Key): void {
  if (!key.demo) return;
  process.stderr.write(
    "Warning: this is the public demo key; anyone can read and forge its labels.\n" +
      "Make a key of your own with: tessera keygen\n",
  );
}
