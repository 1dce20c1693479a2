// The command line's arguments: right values, and one sentence for each wrong one.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import {
  OPTIONS,
  readDetectArguments,
  readDiffArguments,
  readKey,
  readLabelArguments,
  refuseArguments,
  UsageError,
} from "../../../sdk/cli/arguments.ts";
import { HELP, versionOf } from "../../../sdk/cli/help.ts";
import { DEMO_KEY, keyFromHex } from "../../../sdk/index.ts";

const SECRET = "00112233445566778899aabbccddeeff";
const folder = mkdtempSync(join(tmpdir(), "tessera-arguments-"));
const keyFile = join(folder, "key");
writeFileSync(keyFile, `\n  ${SECRET}\r\n`);

beforeEach(() => vi.stubEnv("TESSERA_KEY", undefined));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const wrong = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "nothing was wrong";
};

describe("label", () => {
  it("takes every option", () => {
    const text =
      "a.jpg --out o --cohort 00A1 --strength .5 --quality 80 --csv c --resume --jobs 3 --json " +
      "--keep-location";
    const args = readLabelArguments([...text.split(" "), "--rights", "© A, B", "--", "-b.jpg"]);
    expect(args).toMatchObject({ paths: ["a.jpg", "-b.jpg"], out: "o", label: undefined });
    expect(args).toMatchObject({ cohort: "00a1", strength: 0.5, quality: 80, csv: "c", jobs: 3 });
    expect(args).toMatchObject({ resume: true, json: true, keepLocation: true, rights: "© A, B" });
  });

  it("does without", () => {
    const args = readLabelArguments(["a.jpg", "--out=o", "--label", "0123456789ABCDEF"]);
    expect(args).toMatchObject({ label: "0123456789abcdef", cohort: "", strength: undefined });
    expect(args).toMatchObject({ jobs: availableParallelism(), json: false, resume: false });
    expect(args.key).toEqual({ bytes: keyFromHex(DEMO_KEY), demo: true });
  });

  it.each([
    ["", /at least one picture/],
    ["a", /--out/],
    ["a --out=", /--out/],
    ["a --out o --label 0123", /--label is 16 hex digits, not "0123"/],
    ["a --out o --label 0123456789abcdeg", /--label/],
    ["a --out o --cohort 12345", /--cohort is 4/],
    ["a --out o --label 0123456789abcdef --cohort 0123", /--cohort has no place/],
    ["a --out o --strength 0.05", /--strength is 0.1 to 1.5, not "0.05"/],
    ["a --out o --strength x", /--strength/],
    ["a --out o --strength=", /--strength/],
    ["a --out o --strength 1e0", /--strength/],
    ["a --out o --quality 0", /--quality/],
    ["a --out o --quality 101", /--quality/],
    ["a --out o --jobs 0", /--jobs/],
    ["a --out o --jobs 1.5", /--jobs is a whole number/],
    ["a --out o --csv=", /--csv/],
    ["a --out o --frob", /Unknown option '--frob'\.$/],
    ["a --out o --strength -1", /^[^.]*\.$/],
    ["a --out o --key-file /no/such/file", /key file cannot be read: there is no such file/],
  ])("refuses %j", (text, message) => {
    expect(wrong(() => readLabelArguments(text.split(" ").filter(Boolean)))).toMatch(message);
  });
});

it("detect, diff and keygen take theirs alone", () => {
  expect(readDetectArguments(["a", "b", "--fast"])).toMatchObject({
    paths: ["a", "b"],
    fast: true,
  });
  expect(wrong(() => readDetectArguments(["a", "--out", "o"]))).toMatch(/--out/);
  const difference = readDiffArguments(["a", "b", "--out", "o"]);
  expect(difference).toEqual({ before: "a", after: "b", out: "o" });
  expect(wrong(() => readDiffArguments(["a", "b", "c", "--out", "o"]))).toMatch(/not 3/);
  expect(wrong(() => readDiffArguments(["a", "b"]))).toMatch(/--out/);
  expect(wrong(() => refuseArguments(["a"]))).toMatch(/nothing/);
  expect(wrong(() => refuseArguments(["--json"]))).toMatch(/--json/);
});

describe("the key", () => {
  it("is that of the file, else of the environment, else the public one", () => {
    const other = "f".repeat(32);
    expect(readKey(keyFile, other)).toEqual({ bytes: keyFromHex(SECRET), demo: false });
    expect(readKey(undefined, ` ${other} `)).toEqual({ bytes: keyFromHex(other), demo: false });
    expect(readKey(undefined, undefined).demo).toBe(true);
  });

  it("is never shown when it is wrong, and never the public one by mistake", () => {
    for (const key of ["", " ", SECRET.slice(1), `${SECRET}0`, `${SECRET.slice(1)}g`]) {
      writeFileSync(join(folder, "wrong"), key);
      for (const run of [() => readKey(undefined, key), () => readKey(join(folder, "wrong"), "")]) {
        const message = wrong(run);
        expect(message).toMatch(/32 hex digits/);
        if (key.trim()) expect(message).not.toContain(key.trim());
      }
    }
  });
});

describe("help", () => {
  it("fits into 80 columns", () => {
    const lines = Object.values(HELP).flatMap((text) => text.split("\n"));
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  it("has a line for every option, and no others", () => {
    for (const [command, options] of Object.entries(OPTIONS)) {
      const text = HELP[command as keyof typeof OPTIONS];
      const shown = [...text.matchAll(/^ {2}(?:-h, )?--([a-z-]+)/gm)].map(([, name]) => name);
      expect(shown.sort()).toEqual([...Object.keys(options), "help"].sort());
    }
  });

  it("tells the version", () => expect(versionOf()).toMatch(/^\d+\.\d+\.\d+/));
});
