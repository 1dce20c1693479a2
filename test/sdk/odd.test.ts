// Every awkward file ends in a result or a typed error, in bounded time and memory, with nothing else
// written: the fixtures, or a larger set under TESSERA_IMAGES/odd, whole and cut at random places.
import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { imagesFolder } from "../../bench/pictures.ts";
import { seededRng } from "../../bench/random.ts";
import { DEMO_KEY, type LabelErrorCode } from "../../sdk/index.ts";
import { fixturePath } from "../support/pictures.ts";

/** A picture that can be labelled, at the end of every run. */
const SOUND = fixturePath("parrots.jpg");
const MAX_SECONDS = 10;
const MAX_RESIDENT_KIB = 512 * 1024;
const SUITE_TIMEOUT_MS = 900_000;

/** What a file may end in. Anything else, "internal" above all, is a fault. */
const REFUSALS: readonly LabelErrorCode[] = [
  "file-broken",
  "file-unknown",
  "file-unsupported",
  "label-lost",
  "picture-animated",
  "picture-empty",
  "picture-flat",
  "picture-too-large",
  "picture-too-small",
];

const CLI = fileURLToPath(new URL("../../sdk/cli.ts", import.meta.url));
const FIXTURES = fileURLToPath(new URL("../fixtures/odd", import.meta.url));
/** Writes the process's peak resident memory, KiB, as the last line of stderr. */
const TELL_PEAK =
  'data:text/javascript,process.on("exit",()=>console.error(process.resourceUsage().maxRSS))';

const shared = join(imagesFolder(), "odd");
const whole = existsSync(shared) ? shared : FIXTURES;
const folder = mkdtempSync(join(tmpdir(), "tessera-odd-"));
const cut = join(folder, "cut");

beforeAll(() => {
  for (const name of filesIn(whole)) {
    const bytes = readFileSync(join(whole, name));
    mkdirSync(dirname(join(cut, name)), { recursive: true });
    const kept = Math.floor(seededRng("cut", name)() * bytes.length);
    writeFileSync(join(cut, name), bytes.subarray(0, kept));
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function filesIn(path: string): string[] {
  if (!existsSync(path)) return [];
  const names = readdirSync(path, { recursive: true, encoding: "utf8" });
  return names.filter((name) => statSync(join(path, name)).isFile()).sort();
}

interface Line {
  readonly file: string;
  readonly out?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

interface Run {
  readonly lines: readonly Line[];
  readonly slowestSeconds: number;
  readonly residentKib: number;
}

/** Runs the command over one file after the other, and times each by when its line arrives. */
async function run(...command: string[]): Promise<Run> {
  const child = spawn(
    process.execPath,
    ["--import", TELL_PEAK, CLI, ...command, "--json", "--jobs", "1"],
    {
      env: { ...process.env, TESSERA_KEY: DEMO_KEY },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let told = "";
  child.stderr.on("data", (text) => {
    told += text;
  });
  const lines: Line[] = [];
  let slowest = 0;
  let last = performance.now();
  for await (const line of createInterface(child.stdout)) {
    lines.push(JSON.parse(line));
    slowest = Math.max(slowest, performance.now() - last);
    last = performance.now();
  }
  if (child.exitCode === null) await new Promise((resolve) => child.once("close", resolve));
  return {
    lines,
    slowestSeconds: slowest / 1000,
    residentKib: Number(told.trim().split("\n").at(-1)),
  };
}

describe.each([
  ["whole", whole],
  ["cut", cut],
])("odd files, %s", (state, path) => {
  it.each(["detect", "label"])(
    "%s ends in a result or a typed error",
    async (job) => {
      const out = join(folder, "out", state);
      const { lines, slowestSeconds, residentKib } = await run(
        job,
        path,
        SOUND,
        ...(job === "label" ? ["--out", out] : []),
      );
      const outcomes: Record<string, number> = {};
      for (const { error } of lines) {
        const outcome = error?.code ?? "handled";
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      }
      console.log(
        `${job}, ${lines.length} ${state} files: ${JSON.stringify(outcomes)}; slowest ` +
          `${slowestSeconds.toFixed(1)} s; peak ${Math.round(residentKib / 1024)} MiB`,
      );
      expect(lines.map(({ file }) => file).sort()).toEqual(
        [...filesIn(path).map((name) => join(path, name)), SOUND].sort(),
      );
      expect(lines.find(({ file }) => file === SOUND)).not.toHaveProperty("error");
      expect(
        Object.keys(outcomes).filter(
          (code) => code !== "handled" && !REFUSALS.includes(code as LabelErrorCode),
        ),
      ).toEqual([]);
      for (const { error } of lines)
        if (error) expect(error.message).toMatch(/^[A-Z0-9].{20,}\.$/s);
      expect(slowestSeconds).toBeLessThan(MAX_SECONDS);
      expect(residentKib).toBeLessThan(MAX_RESIDENT_KIB);
      const made = lines.flatMap((line) => line.out ?? []);
      expect(
        filesIn(out)
          .map((name) => join(out, name))
          .sort(),
      ).toEqual(made.sort());
    },
    SUITE_TIMEOUT_MS,
  );
});
