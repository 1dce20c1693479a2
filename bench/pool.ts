// Spreads jobs over worker threads: each idle worker gets the next job, results keep the jobs' order.

import { Worker } from "node:worker_threads";

/**
 * Runs every job in a worker and resolves to the results in the order of the jobs.
 * @param script the worker's file: it answers each message (a job) with one message (its result)
 * @param onDone called after each result with how many are there
 */
export async function runInWorkers<Job, Result>(
  script: URL,
  workerData: unknown,
  jobs: readonly Job[],
  workers: number,
  onDone: (done: number) => void,
): Promise<Result[]> {
  const results: Result[] = new Array(jobs.length);
  let next = 0;
  let done = 0;
  const runOne = async () => {
    const worker = new Worker(script, { workerData });
    try {
      while (next < jobs.length) {
        const index = next++;
        results[index] = await ask<Result>(worker, jobs[index]);
        onDone(++done);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, jobs.length) }, runOne));
  return results;
}

function ask<Result>(worker: Worker, job: unknown): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onMessage = (result: Result) => settle(() => resolve(result));
    const onError = (error: unknown) => settle(() => reject(error));
    const onExit = (code: number) => onError(new Error(`A worker ended with ${code}.`));
    const settle = (act: () => void) => {
      worker.off("message", onMessage).off("error", onError).off("exit", onExit);
      act();
    };
    worker.on("message", onMessage).on("error", onError).on("exit", onExit);
    worker.postMessage(job);
  });
}
