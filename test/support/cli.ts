// The command line as users run it: a process of its own on files in a temporary folder.
import { type ChildProcess, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect } from "vitest";
import { fromCsv } from "../../sdk/cli/csv.ts";
import { LABEL_COLUMNS } from "../../sdk/cli/records.ts";
import { type FixtureName, fixturePath } from "./pictures.ts";

export const CLI = fileURLToPath(new URL("../../sdk/cli.ts", import.meta.url));
export const KEY = "00112233445566778899aabbccddeeff";
export const LABEL = "0123456789abcdef";

/** The folder of the test at hand. */
export let root: string;

/** Gives every test of the file a folder of its own. */
export function useFolders(): void {
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "tessera-cli-"));
  });
  afterEach(() => rmSync(root, { recursive: true }));
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function start(
  args: readonly string[],
  environment: Record<string, string | undefined> = {},
) {
  const env = { ...process.env, TESSERA_KEY: KEY, ...environment };
  return spawn(process.execPath, [CLI, ...args], { cwd: root, env });
}

export async function end(child: ChildProcess): Promise<Ended> {
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (more: string) => {
      text[name] += more;
    });
  }
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, ...text })));
}

/** Runs the command line; words apart by single spaces, or as they are in a list. */
export async function tessera(
  args: string | readonly string[],
  environment?: Record<string, string | undefined>,
): Promise<Ended> {
  return end(start(typeof args === "string" ? args.split(" ") : args, environment));
}

export function put(name: FixtureName, ...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    cpSync(fixturePath(name), join(root, path));
  }
}

export const write = (path: string, text: string) => {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), text, "latin1");
};
export const read = (path: string) => readFileSync(join(root, path));
export const has = (path: string) => existsSync(join(root, path));
export const list = (path = ".") =>
  readdirSync(join(root, path), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(root, path).length + 1))
    .sort();

export const lines = (text: string) => text.split("\n").filter(Boolean);
// biome-ignore lint/suspicious/noExplicitAny: the tests look at what is in there.
export const objects = (text: string): any[] => lines(text).map((line) => JSON.parse(line));
export const codes = (text: string) => objects(text).map(({ error }) => error?.code ?? "ok");

/** The rows of a table as objects, header checked. */
export function rows(
  path: string,
  columns: readonly string[] = LABEL_COLUMNS,
): Record<string, string>[] {
  const [header, ...more] = fromCsv(read(path).toString()) ?? [];
  expect(header).toEqual([...columns]);
  return more.map((cells) => Object.fromEntries(columns.map((name, i) => [name, cells[i] ?? ""])));
}

/** The label that is read from each file. */
export async function labelsOf(...paths: string[]): Promise<string[]> {
  const { code, stdout } = await tessera(["detect", "--json", ...paths]);
  expect(code).toBe(0);
  return objects(stdout).map(({ findings }) => findings.map((f: { label: string }) => f.label)[0]);
}
