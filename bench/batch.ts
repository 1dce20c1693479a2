// A shop's day: the command line labels 100 product pictures, is killed in the middle, and goes on. Prints the
// time and the peak resident memory of an undisturbed run, and what the killed one left; exits with 1 if the
// memory exceeds its bound or any output is missing, incomplete or does not hold the label on record.

import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import sharp from "sharp";
import { DEMO_KEY, keyFromHex } from "../sdk/engine.ts";
import { REPOSITORY, startEngine } from "./host.ts";
import { listPictures } from "./pictures.ts";

const PICTURES = 100;
const MAX_RESIDENT_MIB = 1024;
/** How much of the pictures is labelled when the run is killed. */
const KILLED_AFTER = 0.45;

const CLI = join(REPOSITORY, "sdk/cli.ts");
/** Writes the process's peak resident memory, KiB, as the last line of stderr. */
const TELL_PEAK =
  'data:text/javascript,process.on("exit",()=>console.error(process.resourceUsage().maxRSS))';

const folder = mkdtempSync(join(tmpdir(), "tessera-batch-"));
try {
  const originals = fill(join(folder, "originals"));
  const started = performance.now();
  const whole = label(join(folder, "whole"), "--csv", join(folder, "whole.csv"));
  const peak = Number((await ended(whole)).trim().split("\n").at(-1)) / 1024;
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `${originals} pictures in ${seconds.toFixed(1)} s; peak ${peak.toFixed(0)} MiB of ${MAX_RESIDENT_MIB}`,
  );

  const out = join(folder, "killed");
  const record = join(folder, "killed.csv");
  const first = label(out, "--csv", record);
  while (first.exitCode === null && filesIn(out).length < KILLED_AFTER * originals) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  first.kill("SIGKILL");
  await ended(first);
  console.log(`killed with ${filesIn(out).length} files written`);
  await ended(label(out, "--csv", record, "--resume"));
  const faults = await findFaults(out, record, originals);
  console.log(`resumed: ${filesIn(out).length} files, ${faults.length} faults`, ...faults);
  process.exitCode = peak > MAX_RESIDENT_MIB || faults.length > 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Copies the product pictures, again and again under new names, until there are enough. */
function fill(path: string): number {
  mkdirSync(path);
  const files = listPictures(["product"]);
  for (let i = 0; i < PICTURES; i++) {
    const file = files[i % files.length];
    cpSync(file.path, join(path, `${file.name}-${i}${extname(file.path)}`));
  }
  return PICTURES;
}

function label(out: string, ...options: string[]): ChildProcess {
  const command = ["label", join(folder, "originals"), "--out", out, ...options];
  return spawn(process.execPath, ["--import", TELL_PEAK, CLI, ...command], {
    env: { ...process.env, TESSERA_KEY: DEMO_KEY },
    stdio: ["ignore", "ignore", "pipe"],
  });
}

/** What a process wrote on stderr until it ended. */
async function ended(child: ChildProcess): Promise<string> {
  let told = "";
  child.stderr?.on("data", (text) => {
    told += text;
  });
  await new Promise((resolve) => child.once("close", resolve));
  return told;
}

function filesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** Outputs that are missing, cannot be decoded, or do not hold the label that the record tells of. */
async function findFaults(out: string, record: string, wanted: number): Promise<string[]> {
  const engine = startEngine();
  const rows = readFileSync(record, "utf8").trim().split("\r\n").slice(1);
  const labels = new Map(rows.map((row) => row.split(",").slice(1, 3) as [string, string]));
  const faults: string[] = [];
  if (filesIn(out).length !== wanted) faults.push(`${filesIn(out).length} of ${wanted} files`);
  for (const name of filesIn(out)) {
    const path = join(out, name);
    const { data, info } = await sharp(path, { failOn: "warning" })
      .autoOrient()
      .ensureAlpha()
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    const { findings } = engine.detect({ data, width: info.width, height: info.height }, [
      keyFromHex(DEMO_KEY),
    ]);
    if (findings[0]?.label !== labels.get(path)) faults.push(name);
  }
  return faults;
}
