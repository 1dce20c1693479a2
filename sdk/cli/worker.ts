// The thread: reads a file, says what its picture will take, waits for the go-ahead, then labels it or
// looks for labels. Errors that nobody expects end the thread, as the kernel or a codec may be in disorder;
// the pool starts another.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parentPort, workerData } from "node:worker_threads";
import { examine } from "../decode.ts";
import { detectFile } from "../detect-file.ts";
import { labelFile } from "../label-file.ts";
import { memoryOf } from "../limits.ts";
import { startTools } from "../node.ts";
import {
  type DetectJob,
  type Failed,
  GO,
  type Job,
  type LabelJob,
  type Labelled,
  type Looked,
  type Message,
  type ThreadData,
  toFailure,
} from "./job.ts";
import { writeWhole } from "./part.ts";
import { readPicture } from "./picture-file.ts";

if (parentPort === null) throw new Error("This file is a thread of the command line.");
const port = parentPort;
const { key } = workerData as ThreadData;
const tools = startTools();
// Pixels of pictures that are done would lie about until V8 finds the time, and the next ones come on top.
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
let goAhead: (() => void) | null = null;

port.on("message", (message: Job | typeof GO) => {
  if (message === GO) goAhead?.();
  else void answer(message);
});

async function answer(job: Job): Promise<void> {
  const answer = await run(job);
  collect();
  send({ answer });
}

async function run(job: Job): Promise<Labelled | Looked | Failed> {
  try {
    return await (job.kind === "label" ? label(job) : detect(job));
  } catch (error) {
    return { error: toFailure(error) };
  }
}

async function label({ file, label, part, options }: LabelJob): Promise<Labelled> {
  const bytes = await open(file, "label");
  const start = performance.now();
  const template = tools.engine.template(label, key);
  const result = await labelFile(bytes, template, tools, options);
  writeWhole(part, result.bytes);
  const { width, height, psnr, ssim, margin, thin, dropped } = result;
  return { width, height, psnr, ssim, margin, thin, dropped, ms: performance.now() - start };
}

async function detect({ file, options }: DetectJob): Promise<Looked> {
  const bytes = await open(file, "detect");
  const { width, height, findings, ms } = await detectFile(bytes, [key], tools, options);
  return { width, height, findings, ms };
}

/** The file's bytes, as soon as there is memory for the rest. */
async function open(file: string, job: Job["kind"]): Promise<Uint8Array> {
  const bytes = readPicture(file);
  const granted = new Promise<void>((resolve) => {
    goAhead = resolve;
  });
  send({ bytes: memoryOf(examine(bytes, tools, job), job) });
  await granted;
  return bytes;
}

function send(message: Message): void {
  port.postMessage(message);
}
