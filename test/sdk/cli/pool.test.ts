// The pool with threads that only pretend to work: a job's file name says what it takes and how it ends.
import { afterEach, describe, expect, it } from "vitest";
import { Pool } from "../../../sdk/cli/pool.ts";

const MIB = 2 ** 20;
/** Well below what the pool gives to pictures, and more than half of it. */
const [SMALL, LARGE, HUGE] = [10, 600, 5000];

// "600 ok": says that it takes 600 MiB, waits for the go-ahead, works for a while, tells when.
const THREAD = `
  import { parentPort, threadId, workerData } from "node:worker_threads";
  const clock = () => performance.timeOrigin + performance.now();
  let go;
  parentPort.on("message", async (job) => {
    if (job === "go") return go();
    const [mib, end] = job.file.split(" ");
    if (end === "refuse") return parentPort.postMessage({ answer: { error: { code: "no" } } });
    if (end === "early") throw new Error("early");
    const granted = new Promise((resolve) => (go = resolve));
    parentPort.postMessage({ bytes: mib * ${MIB} });
    await granted;
    const from = clock();
    console.log("a codec prints");
    await new Promise((resolve) => setTimeout(resolve, 40));
    if (end === "throw") throw new Error("out of order");
    if (end === "exit") process.exit(3);
    const answer = { mib: Number(mib), from, to: clock(), thread: threadId, data: workerData };
    parentPort.postMessage({ answer });
  });`;

interface Answer {
  readonly mib: number;
  readonly from: number;
  readonly to: number;
  readonly thread: number;
  readonly error?: { code: string; message: string };
}

let pool: Pool;
afterEach(() => pool.close());

const start = (threads: number) => {
  const script = new URL(`data:text/javascript,${encodeURIComponent(THREAD)}`);
  pool = new Pool(threads, { key: new Uint8Array(16) }, script);
};
const run = async (...files: string[]) => {
  const jobs = files.map((file) => pool.run({ kind: "detect", file, options: {} }));
  return (await Promise.all(jobs)) as unknown as Answer[];
};

/** Most MiB, and most jobs, that were worked on at one moment. */
function peakOf(answers: readonly Answer[]) {
  const at = answers.map(({ from }) => answers.filter((a) => a.from <= from && from < a.to));
  const mib = at.map((running) => running.reduce((sum, answer) => sum + answer.mib, 0));
  return { mib: Math.max(...mib), jobs: Math.max(...at.map((running) => running.length)) };
}

describe("the pool", () => {
  it("works on as many files at once as there are threads", async () => {
    start(3);
    const answers = await run(...Array(9).fill(`${SMALL} ok`));
    expect(peakOf(answers).jobs).toBe(3);
    expect(new Set(answers.map(({ thread }) => thread)).size).toBe(3);
  });

  it("keeps within its memory, whatever the order, and lets what is larger run alone", async () => {
    start(4);
    const sizes = [SMALL, LARGE, SMALL, LARGE, HUGE, SMALL, LARGE, SMALL, SMALL, HUGE, HUGE, SMALL];
    const answers = await run(...sizes.map((mib) => `${mib} ok`));
    expect(answers.map(({ mib }) => mib)).toEqual(sizes);
    const small = answers.filter(({ mib }) => mib !== HUGE);
    expect(peakOf(small).mib).toBeLessThan(1024);
    expect(peakOf(small).jobs).toBeGreaterThan(1);
    for (const huge of answers.filter(({ mib }) => mib === HUGE)) {
      const others = answers.filter((a) => a !== huge && a.from < huge.to && huge.from < a.to);
      expect(others).toEqual([]);
    }
  });

  it("replaces threads that took much, as they keep it", async () => {
    start(2);
    const answers = [...(await run(`${LARGE} ok`)), ...(await run(`${LARGE} ok`, `${LARGE} ok`))];
    expect(new Set(answers.map(({ thread }) => thread)).size).toBe(3);
    const [first, second] = [...(await run(`${SMALL} ok`)), ...(await run(`${SMALL} ok`))];
    expect(second?.thread).toBe(first?.thread);
  });

  it("fails the file whose thread died, and goes on", async () => {
    start(2);
    const ends = ["ok", "throw", "ok", "exit", "refuse", "early", "ok", "throw", "exit", "ok"];
    const answers = await run(...ends.map((end) => `${SMALL} ${end}`));
    const codes = answers.map(({ error }) => error?.code ?? "ok");
    expect(codes).toEqual(
      ends.map((end) => (end === "ok" ? end : end === "refuse" ? "no" : "internal")),
    );
    expect(answers[1]?.error?.message).toContain("out of order");
  });

  it("answers nothing more once it is closed", async () => {
    start(2);
    const answers = run(...Array(5).fill(`${SMALL} ok`)).then(() => "answered");
    await pool.close();
    const late = new Promise((resolve) => setTimeout(() => resolve("silent"), 150));
    expect(await Promise.race([answers, late])).toBe("silent");
  });
});
