// Ends in good order when the user or the system stops the program, or when nobody reads its output.
import { reasonOf } from "./job.ts";

/** Exit codes of a program that was ended by a signal: 128 and the signal's number (POSIX, 2.8.2). */
const EXIT_CODES = { SIGINT: 130, SIGPIPE: 141, SIGTERM: 143 } as const;

/** How long cleaning up may take: a thread may be stuck in the operating system. */
const CLEAN_UP_MS = 3000;

/**
 * Sets what is done before the program ends early; replaces what was set before.
 * @param cleanUp runs first; a second signal does not wait for it
 * @param advice what the user is told, or nothing
 */
export function onInterrupt(cleanUp: () => Promise<void>, advice: string): void {
  let stopping = false;
  const stop = async (code: number, words: string) => {
    stopping = true;
    const late = new Promise((resolve) => setTimeout(resolve, CLEAN_UP_MS));
    await Promise.race([cleanUp().catch(() => {}), late]);
    if (words) process.stderr.write(`\n${words}\n`);
    process.exit(code);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.removeAllListeners(signal);
    process.on(signal, () => {
      if (stopping) process.exit(EXIT_CODES[signal]);
      void stop(EXIT_CODES[signal], advice);
    });
  }
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners("error");
    stream.on("error", (error: NodeJS.ErrnoException) => {
      const unread = error.code === "EPIPE";
      const words = unread ? "" : `Results cannot be written: ${reasonOf(error)}.`;
      if (!stopping) void stop(unread ? EXIT_CODES.SIGPIPE : 1, words);
    });
  }
}
