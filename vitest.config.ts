// Four suites, one environment: plain Node. From there the worker suite drives workerd, and the browser
// suite a real Chromium.
import { defineConfig } from "vitest/config";

/** Starting Chromium (once, installing it) and labelling on a slow machine. */
const BROWSER_TIMEOUT_MS = 120_000;

/** Keeps wrangler from waiting for, and talking to, its makers; `npm start` sets the same. */
const OFFLINE = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_HIDE_BANNER: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
};

export default defineConfig({
  test: {
    projects: [
      { test: { name: "assembly", include: ["test/assembly/**/*.test.ts"], testTimeout: 30_000 } },
      {
        test: {
          name: "sdk",
          include: ["test/*.test.ts", "test/sdk/**/*.test.ts"],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "worker",
          include: ["test/worker/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          env: OFFLINE,
        },
      },
      {
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          testTimeout: BROWSER_TIMEOUT_MS,
          hookTimeout: BROWSER_TIMEOUT_MS,
          env: OFFLINE,
        },
      },
    ],
  },
});
