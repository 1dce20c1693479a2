// The work on files in a Web Worker: files in, results out.
import {
  DEMO_KEY,
  detectFile,
  type Image,
  keyFromHex,
  LabelError,
  labelFile,
} from "../sdk/index.ts";
import { startTools } from "./tools.ts";
import type { Answer, Checked, Failure, Labelled, Request } from "./weaver.ts";

/** How many times stronger the difference is shown, about MID_GREY. */
const DIFFERENCE_GAIN = 16;
const MID_GREY = 128;

const key = keyFromHex(DEMO_KEY);

self.addEventListener("message", (event: MessageEvent<Request>) => {
  void answer(event.data);
});

async function answer({ id, task }: Request): Promise<void> {
  try {
    if (task.kind === "check") {
      send({ id, result: await check(task.file) });
    } else {
      const labelled = await weave(task.file, task.label);
      send({ id, result: labelled }, [labelled.difference]);
    }
  } catch (error) {
    send({ id, failure: toFailure(error) });
  }
}

function send(message: Answer, transfer: Transferable[] = []): void {
  self.postMessage(message, { transfer });
}

async function weave(file: Blob, label: string): Promise<Labelled> {
  const tools = await startTools();
  const changes: ImageData[] = [];
  const { bytes, format, psnr, ssim, margin, thin, dropped } = await labelFile(
    new Uint8Array(await file.arrayBuffer()),
    tools.engine.template(label, key),
    tools,
    { observe: (original, labelled) => changes.push(differenceOf(original, labelled)) },
  );
  const difference = await createImageBitmap(changes[0]);
  const made = new Blob([bytes], { type: `image/${format}` });
  return { label, file: made, difference, psnr, ssim, margin, thin, dropped };
}

async function check(file: Blob): Promise<Checked> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const { findings, width, height } = await detectFile(bytes, [key], await startTools());
  return { findings, width, height };
}

function differenceOf(original: Image, labelled: Image): ImageData {
  const shown = new ImageData(labelled.width, labelled.height);
  for (let i = 0; i < shown.data.length; i++) {
    const change = labelled.data[i] - original.data[i];
    shown.data[i] = i % 4 === 3 ? 255 : MID_GREY + DIFFERENCE_GAIN * change;
  }
  return shown;
}

function toFailure(error: unknown): Failure {
  if (error instanceof LabelError) return { code: error.code, message: error.message };
  console.error(error);
  return { code: "internal", message: String(error) };
}
