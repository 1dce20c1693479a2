// Serves the built page as `npm start` does: wrangler with the project's own configuration, on a free port.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createTestHarness } from "wrangler";

const ROOT = new URL("../../", import.meta.url);

export interface Server {
  readonly url: URL;
  close(): Promise<void>;
}

/** Starts the server; the caller closes it. */
export async function startServer(): Promise<Server> {
  if (!existsSync(new URL("worker/public/index.html", ROOT))) {
    throw new Error("There is no page to serve: run `npm run build` first.");
  }
  const configPath = fileURLToPath(new URL("wrangler.toml", ROOT));
  const harness = createTestHarness({ workers: [{ configPath }] });
  const { url } = await harness.listen();
  return { url, close: () => harness.close() };
}
