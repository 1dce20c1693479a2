// The README's examples run as printed, and print what it says.
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const README = readFileSync(`${ROOT}README.md`, "utf8");
/** What the examples write, in the folder of built things. */
const WRITTEN = `${ROOT}build/bagel.jpg`;

beforeAll(() => rmSync(WRITTEN, { force: true }));

/** The text of the code blocks of a kind, in their order. */
function blocks(kind: string): string[] {
  return [...README.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter(([, found]) => found === kind)
    .map(([, , text]) => text);
}

function run(program: string, ...args: string[]): string {
  const env = { ...process.env, TESSERA_KEY: undefined };
  return execFileSync(program, args, { cwd: ROOT, env, encoding: "utf8", stdio: "pipe" });
}

it("shows what the command line prints", () => {
  const [session] = blocks("console");
  const steps = session.split(/^\$ /m).slice(1);
  expect(steps.length).toBeGreaterThan(1);
  for (const step of steps) {
    const [command, ...lines] = step.split("\n");
    expect(`${command}\n${run("sh", "-c", command)}`).toBe(`${command}\n${lines.join("\n")}`);
  }
});

it("shows what the program prints", () => {
  const [program] = blocks("js");
  const [output] = blocks("");
  expect(run(process.execPath, "--input-type=module", "--eval", program)).toBe(output);
});
