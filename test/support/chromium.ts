// Starts a Chromium for playwright-core: CHROMIUM's, the one that is there, or Debian's.
import { type Browser, chromium } from "playwright-core";
import { findProgram } from "./debian.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** No sandbox, because tests run as root in containers; the rest keeps it from using the network. */
const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts a browser; the caller closes it. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM || findProgram(NAMES, "chromium");
  return chromium.launch({ executablePath, args: ARGS });
}
