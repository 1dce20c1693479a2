// The engine in a Web Worker: files in, results out. Every task has an engine of its own, so its memory
// goes when the task is done.
import wasmUrl from "../build/tessera.wasm?url";
import { createEngine, DEMO_KEY, type Engine, keyFromHex, LabelError } from "../sdk/index.ts";
import { DecodeError, decode } from "./decode.ts";
import type { Answer, Checked, Failure, Labelled, Request } from "./weaver.ts";

/** How many times stronger the difference is shown, about MID_GREY. */
const DIFFERENCE_GAIN = 16;
const MID_GREY = 128;

const key = keyFromHex(DEMO_KEY);
const compiled = WebAssembly.compileStreaming(fetch(wasmUrl));

self.addEventListener("message", (event: MessageEvent<Request>) => {
  void answer(event.data);
});

async function answer({ id, task }: Request): Promise<void> {
  try {
    const engine = createEngine(await compiled);
    if (task.kind === "check") {
      send({ id, result: await check(engine, task.file) });
    } else {
      const labelled = await weave(engine, task.file, task.label);
      send({ id, result: labelled }, [labelled.difference]);
    }
  } catch (error) {
    send({ id, failure: toFailure(error) });
  }
}

function send(message: Answer, transfer: Transferable[] = []): void {
  self.postMessage(message, { transfer });
}

async function weave(engine: Engine, file: Blob, label: string): Promise<Labelled> {
  const original = await decode(file);
  const { data, psnr, ssim, margin, thin } = engine.embed(original, engine.template(label, key));
  const labelled = new ImageData(data, original.width, original.height);
  const difference = await createImageBitmap(differenceOf(original.data, labelled));
  return { label, png: await encode(labelled), difference, psnr, ssim, margin, thin };
}

async function check(engine: Engine, file: Blob): Promise<Checked> {
  const picture = await decode(file);
  const { findings } = engine.detect(picture, [key]);
  return { findings, width: picture.width, height: picture.height };
}

async function encode(picture: ImageData): Promise<Blob> {
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  canvas.getContext("2d", { willReadFrequently: true })?.putImageData(picture, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}

function differenceOf(original: ImageDataArray, labelled: ImageData): ImageData {
  const shown = new ImageData(labelled.width, labelled.height);
  for (let i = 0; i < original.length; i++) {
    const change = labelled.data[i] - original[i];
    shown.data[i] = i % 4 === 3 ? 255 : MID_GREY + DIFFERENCE_GAIN * change;
  }
  return shown;
}

function toFailure(error: unknown): Failure {
  if (error instanceof LabelError || error instanceof DecodeError) {
    return { code: error.code, message: error.message };
  }
  console.error(error);
  return { code: "internal", message: String(error) };
}
