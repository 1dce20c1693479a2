// Worker threads that share the cores and one budget of memory. Files are opened one at a time: a thread
// reads its file and says what the picture will take, and goes on once the others leave room for that.
// WASM memory never shrinks, so a thread counts with the most it ever took and is replaced when that is much.
import { Worker } from "node:worker_threads";
import { statOf } from "./inputs.ts";
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
} from "./job.ts";

/** What the whole process may take. */
const MAX_PROCESS_BYTES = 1024 * 2 ** 20;
/** What the process takes without threads, and every idle thread besides (measured, Node 24). */
const PROCESS_BYTES = 96 * 2 ** 20;
const THREAD_BYTES = 40 * 2 ** 20;

/** Files that are begun before the first of them was told of: the others wait for it, in order. */
export const WINDOW_FILES = 256;
/** A thread whose picture took more is replaced: a large codec stays in memory beside the next one. */
const KEPT_BYTES = 128 * 2 ** 20;

/** The threads' own file: TypeScript as it is in the sources, JavaScript when it was compiled. */
const SCRIPT = new URL(
  import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js",
  import.meta.url,
);

interface Task {
  readonly job: Job;
  readonly fileBytes: number;
  readonly resolve: (answer: Labelled | Looked | Failed) => void;
}

interface Thread {
  readonly worker: Worker;
  /** The most that its jobs ever took. */
  heldBytes: number;
  task: Task | null;
}

/** Runs jobs in threads, at most so many at once, in the order in which they came. */
export class Pool {
  readonly #most: number;
  readonly #data: ThreadData;
  readonly #script: URL;
  readonly #threads = new Set<Thread>();
  #queue: Task[] = [];
  /** The thread whose file was opened last and does not run yet, and what it needs once that is known. */
  #entering: { readonly thread: Thread; bytes: number | null } | null = null;
  /** Memory of threads that are ended and not gone yet. */
  #leavingBytes = 0;
  #closed = false;

  /** @param script the threads' file: it answers jobs as worker.ts does */
  constructor(threads: number, data: ThreadData, script = SCRIPT) {
    const fitting = Math.floor((MAX_PROCESS_BYTES - PROCESS_BYTES) / (2 * THREAD_BYTES));
    this.#most = Math.min(threads, fitting);
    this.#data = data;
    this.#script = script;
  }

  /** Resolves to the job's answer; a thread that died answers with the code `internal`. */
  run(job: LabelJob): Promise<Labelled | Failed>;
  run(job: DetectJob): Promise<Looked | Failed>;
  run(job: Job): Promise<Labelled | Looked | Failed> {
    return new Promise((resolve) => {
      // What cannot be looked at here fails in the thread, with a reason.
      const fileBytes = statOf(job.file)?.size ?? 0;
      this.#queue.push({ job, fileBytes, resolve });
      this.#advance();
    });
  }

  /** Ends all threads; what still runs is never answered. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#queue = [];
    const threads = [...this.#threads];
    this.#threads.clear();
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }

  /** Starts what can be started now: first the file that waits for memory, then the next one. */
  #advance(): void {
    if (this.#closed) return;
    const entering = this.#entering;
    if (entering !== null) {
      if (entering.bytes === null || !this.#reserve(entering.thread, entering.bytes)) return;
      this.#entering = null;
      entering.thread.worker.postMessage(GO);
    }
    const [task] = this.#queue;
    const thread = task && this.#idleThread();
    if (!thread || !this.#reserve(thread, task.fileBytes)) return;
    this.#queue.shift();
    thread.task = task;
    this.#entering = { thread, bytes: null };
    thread.worker.postMessage(task.job);
  }

  /** Sets memory aside for a thread; idle ones are ended to make room, and one alone gets any amount. */
  #reserve(thread: Thread, bytes: number): boolean {
    const needed = Math.max(bytes, thread.heldBytes);
    const others = [...this.#threads].filter((other) => other !== thread);
    let kept = PROCESS_BYTES + THREAD_BYTES + needed;
    for (const other of others) kept += THREAD_BYTES + other.heldBytes;
    for (const idle of others.filter(({ task }) => task === null)) {
      if (kept <= MAX_PROCESS_BYTES) break;
      this.#drop(idle);
      kept -= THREAD_BYTES + idle.heldBytes;
    }
    const alone = this.#leavingBytes === 0 && others.every(({ task }) => task === null);
    if (kept + this.#leavingBytes > MAX_PROCESS_BYTES && !alone) return false;
    thread.heldBytes = needed;
    return true;
  }

  #idleThread(): Thread | null {
    for (const thread of this.#threads) if (thread.task === null) return thread;
    return this.#threads.size < this.#most ? this.#start() : null;
  }

  #start(): Thread {
    // Codecs may print; only this command line writes to standard output.
    const worker = new Worker(this.#script, { workerData: this.#data, stdout: true, stderr: true });
    worker.stdout.resume();
    worker.stderr.resume();
    const thread: Thread = { worker, heldBytes: 0, task: null };
    this.#threads.add(thread);
    worker.on("message", (message: Message) => this.#hear(thread, message));
    worker.on("error", (error) => this.#lose(thread, String(error)));
    worker.on("exit", () => this.#lose(thread, "its thread ended"));
    return thread;
  }

  #hear(thread: Thread, message: Message): void {
    if (!this.#threads.has(thread)) return;
    if ("bytes" in message) {
      if (this.#entering?.thread === thread) {
        this.#entering.bytes = message.bytes + (thread.task?.fileBytes ?? 0);
      }
    } else {
      const task = this.#release(thread);
      if (thread.heldBytes > KEPT_BYTES) this.#drop(thread);
      task?.resolve(message.answer);
    }
    this.#advance();
  }

  #lose(thread: Thread, reason: string): void {
    if (!this.#threads.delete(thread)) return;
    const message = `The picture could not be handled: ${reason}.`;
    this.#release(thread)?.resolve({ error: { code: "internal", message } });
    this.#advance();
  }

  #release(thread: Thread): Task | null {
    if (this.#entering?.thread === thread) this.#entering = null;
    const { task } = thread;
    thread.task = null;
    return task;
  }

  #drop(thread: Thread): void {
    const bytes = THREAD_BYTES + thread.heldBytes;
    this.#threads.delete(thread);
    this.#leavingBytes += bytes;
    void thread.worker.terminate().then(() => {
      this.#leavingBytes -= bytes;
      this.#advance();
    });
  }
}

/** Works on items, at most `window` at once, and yields the results in the order of the items. */
export async function* inOrder<Item, Result>(
  items: Iterable<Item>,
  window: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const running: Promise<Result>[] = [];
  for (const item of items) {
    const result = work(item);
    // It is awaited when its turn comes; one that fails before must not end the process.
    result.catch(() => {});
    running.push(result);
    if (running.length >= window) yield (await running.shift()) as Result;
  }
  for (const result of running) yield await result;
}
