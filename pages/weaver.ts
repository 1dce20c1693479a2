// The page's side of the Web Worker: one promise per task.
import type { Dropped } from "../sdk/file/format.ts";
import type { Finding } from "../sdk/index.ts";

export type Task =
  | { readonly kind: "label"; readonly file: Blob; readonly label: string }
  | { readonly kind: "check"; readonly file: Blob };

export interface Labelled {
  readonly label: string;
  /** The labelled file, of the original's format. */
  readonly file: Blob;
  /** Labelled less original, amplified, about mid grey. */
  readonly difference: ImageBitmap;
  readonly psnr: number;
  readonly ssim: number | null;
  readonly margin: number;
  readonly thin: boolean;
  /** What the file no longer has. */
  readonly dropped: readonly Dropped[];
}

export interface Checked {
  readonly findings: readonly Finding[];
  /** Size of the picture as decoded. */
  readonly width: number;
  readonly height: number;
}

/** What was wrong: a code of LabelError, or "internal". */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

export interface Request {
  readonly id: number;
  readonly task: Task;
}

export type Answer =
  | { readonly id: number; readonly result: Labelled | Checked }
  | { readonly id: number; readonly failure: Failure };

const worker = new Worker(new URL("./weaver-worker.ts", import.meta.url), { type: "module" });
const waiting = new Map<number, PromiseWithResolvers<Labelled | Checked>>();
let lastId = 0;

worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
  const task = waiting.get(data.id);
  waiting.delete(data.id);
  if ("failure" in data) task?.reject(data.failure);
  else task?.resolve(data.result);
});

worker.addEventListener("error", (event) => {
  const failure: Failure = { code: "internal", message: event.message };
  for (const task of waiting.values()) task.reject(failure);
  waiting.clear();
});

/** Weaves a label into a picture file; rejects with a Failure. */
export async function weave(file: Blob, label: string): Promise<Labelled> {
  return (await run({ kind: "label", file, label })) as Labelled;
}

/** Looks for labels in a picture file; rejects with a Failure. */
export async function check(file: Blob): Promise<Checked> {
  return (await run({ kind: "check", file })) as Checked;
}

function run(task: Task): Promise<Labelled | Checked> {
  const id = ++lastId;
  const settled = Promise.withResolvers<Labelled | Checked>();
  waiting.set(id, settled);
  worker.postMessage({ id, task } satisfies Request);
  return settled.promise;
}
