#!/usr/bin/env node
// The command line (Node): finds the command, runs it, and turns how it ends into an exit code.
import { UsageError } from "./cli/arguments.ts";
import { runDetect } from "./cli/detect.ts";
import { runDiff } from "./cli/diff.ts";
import { HELP, versionOf } from "./cli/help.ts";
import { onInterrupt } from "./cli/interrupts.ts";
import { Refusal } from "./cli/job.ts";
import { runKeygen } from "./cli/keygen.ts";
import { runLabel } from "./cli/label.ts";
import { printable } from "./cli/screen.ts";

const COMMANDS = { label: runLabel, detect: runDetect, diff: runDiff, keygen: runKeygen } as const;
const FAILED = 1;
const WRONG_USAGE = 2;

async function main([first, ...rest]: readonly string[]): Promise<number> {
  const command = isCommand(first) ? first : "tessera";
  try {
    if (first === "--version") return print(`${versionOf()}\n`);
    if (asksForHelp(command === "tessera" ? [first ?? ""] : rest)) return print(HELP[command]);
    if (command !== "tessera") return await COMMANDS[command](rest);
    // What was written there is not repeated: it may be a key in the wrong place.
    throw new UsageError(
      first === undefined ? "A command is missing." : "There is no such command.",
    );
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof Refusal)) throw error;
    const usage = error instanceof UsageError;
    const name = command === "tessera" ? command : `tessera ${command}`;
    const advice = usage ? ` See: ${name} --help` : ` [${error.code}]`;
    process.stderr.write(`tessera: ${printable(error.message)}${advice}\n`);
    return usage ? WRONG_USAGE : FAILED;
  }
}

function isCommand(name: string | undefined): name is keyof typeof COMMANDS {
  return name !== undefined && Object.hasOwn(COMMANDS, name);
}

function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  const options = end < 0 ? argv : argv.slice(0, end);
  return options.includes("--help") || options.includes("-h");
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

onInterrupt(async () => {}, "Stopped.");
process.exitCode = await main(process.argv.slice(2));
