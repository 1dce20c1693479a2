// The machine that a bench runs on: the engine from the built kernel, and the words that say where and
// from which state of the repository numbers come.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { createEngine, type Engine } from "../sdk/engine.ts";

export const REPOSITORY = join(import.meta.dirname, "..");
export const KERNEL_FILE = join(REPOSITORY, "build/tessera.wasm");

/** Compiles the built kernel. */
export function loadKernel(): WebAssembly.Module {
  if (!existsSync(KERNEL_FILE)) throw new Error(`${KERNEL_FILE} is missing: npm run build:wasm`);
  return new WebAssembly.Module(readFileSync(KERNEL_FILE));
}

/** A new engine with memory of its own. */
export function startEngine(): Engine {
  return createEngine(loadKernel());
}

/** Processor, core count and Node version, in one line. */
export function describeMachine(): string {
  const model = cpus()[0]?.model.trim() || process.arch;
  return `${model}, ${availableParallelism()} cores, Node ${process.versions.node}`;
}

/** The commit's short name, with "+ changes" where files differ from it. */
export function describeCommit(): string {
  try {
    const git = (...args: string[]) =>
      execFileSync("git", args, { cwd: REPOSITORY, encoding: "utf8", stdio: "pipe" }).trim();
    const changed = git("status", "--porcelain", "--", "assembly", "sdk", "bench") !== "";
    return git("rev-parse", "--short", "HEAD") + (changed ? " + changes" : "");
  } catch {
    return "none";
  }
}

/**
 * Peak resident memory of this process, bytes. Linux's own count, where there is one: resourceUsage() also
 * has the memory of the parent from which this process was forked.
 */
export function peakResidentBytes(): number {
  const status = "/proc/self/status";
  const told = existsSync(status) && /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(status, "utf8"));
  return 1024 * (told ? Number(told[1]) : process.resourceUsage().maxRSS);
}
