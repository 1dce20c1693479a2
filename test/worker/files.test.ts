// Files inside workerd: the same code as in Node and in the browser, within a Worker's budget.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestHarness } from "wrangler";
import { fixturePath } from "../support/pictures.ts";

const LABEL = "00a1b2c3d4e5f607";
const configPath = fileURLToPath(new URL("wrangler.toml", import.meta.url));
const harness = createTestHarness({ workers: [{ configPath }] });
let url: URL;

beforeAll(async () => {
  ({ url } = await harness.listen());
});

afterAll(() => harness.close());

async function post(path: string, body: Uint8Array): Promise<Response> {
  return fetch(new URL(path, url), { method: "POST", body: Uint8Array.from(body) });
}

it.each(["jpeg", "png", "webp", "avif"] as const)("labels and reads %s", async (format) => {
  const small = sharp(fixturePath("parrots.jpg")).resize(480);
  const labelled = await post(`/label?label=${LABEL}`, await small.toFormat(format).toBuffer());
  expect(labelled.status).toBe(200);
  const bytes = new Uint8Array(await labelled.arrayBuffer());
  const found = await post("/detect", bytes);
  expect(await found.json()).toMatchObject({ format, findings: [{ label: LABEL }] });
});

it("refuses what would not fit into a Worker, before decoding", async () => {
  const large = { create: { width: 6000, height: 4000, channels: 3, background: "#777" } } as const;
  const refused = await post("/detect", await sharp(large).webp({ effort: 0 }).toBuffer());
  expect(refused.status).toBe(422);
  expect(await refused.json()).toMatchObject({ code: "picture-too-large" });
});

it("goes on after a broken file", async () => {
  const bytes = readFileSync(fixturePath("parrots.jpg"));
  const refused = await post("/detect", bytes.subarray(0, bytes.length / 2));
  expect(await refused.json()).toMatchObject({ code: "file-broken" });
  expect(await (await post("/detect", bytes)).json()).toMatchObject({ findings: [] });
});
