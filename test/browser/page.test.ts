// The page in a real browser, as a seller uses it.
import { crc32 } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { launchChromium } from "../support/chromium.ts";
import { fixturePath } from "../support/pictures.ts";
import { type Server, startServer } from "../support/server.ts";

const LABEL = "00a1b2c3d4e5f607";

let server: Server;
let browser: Browser;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  server = await startServer();
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

beforeEach(async () => {
  complaints = [];
  page = await browser.newPage();
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("requestfailed", (request) => complaints.push(`${request.url()} failed`));
  await page.goto(String(server.url));
});

afterEach(async () => {
  await page.close();
  expect(complaints).toEqual([]);
});

/** Chooses a file in one of the panels. */
async function choose(panel: string, file: Parameters<Page["setInputFiles"]>[1]): Promise<void> {
  await page.setInputFiles(`${panel} input[type=file]`, file);
}

async function waitForAnswer(panel: string): Promise<string> {
  await page.waitForSelector(`${panel} .answer ul, ${panel} .failure:not([hidden])`, {
    state: "attached",
  });
  return page.innerText(`${panel} .answer`);
}

it("labels a picture and reads the label back, also from the downloaded file", async () => {
  await page.fill("#label-text", LABEL);
  await choose("#label-panel", fixturePath("parrots.jpg"));
  await page.waitForSelector("#made:not([hidden])");
  expect(await page.innerText("#fact-label")).toBe(LABEL);
  expect(Number.parseFloat(await page.innerText("#fact-psnr"))).toBeGreaterThan(36);

  await page.click("#read-back");
  expect(await waitForAnswer("#label-panel")).toContain(LABEL);

  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#download")]);
  expect(download.suggestedFilename()).toBe("parrots-labelled.jpg");
  await choose("#check-panel", await download.path());
  const found = await waitForAnswer("#check-panel");
  expect(found).toContain(LABEL);
  expect(found).toContain("upright, its short side whole");
});

it("shows original, labelled picture and difference, by keyboard", async () => {
  await choose("#label-panel", fixturePath("shoe.png"));
  await page.waitForSelector("#made:not([hidden])");
  const shown = () =>
    page.$$eval("[data-view]:not([hidden])", (all) =>
      all.map((each) => each.getAttribute("data-view")),
    );
  expect(await shown()).toEqual(["labelled", "difference"]);
  await page.focus("input[name=view]:checked");
  for (const view of ["original", "labelled", "difference"]) {
    await page.keyboard.press("ArrowRight");
    expect(await shown()).toEqual([view]);
  }
});

it("finds nothing in a picture without a label", async () => {
  await choose("#check-panel", fixturePath("bagel.jpg"));
  expect(await waitForAnswer("#check-panel")).toContain("No label was found.");
});

it.each(["#label-panel", "#check-panel"])("explains a broken file in %s", async (panel) => {
  const buffer = Buffer.from("This is not a picture.");
  await choose(panel, { name: "broken.jpg", mimeType: "image/jpeg", buffer });
  await page.waitForSelector(`${panel} .failure:not([hidden])`);
  const text = await page.innerText(`${panel} .failure`);
  expect(text).toContain("This is not a picture of a known kind.");
  expect(text).toContain("file-unknown");
});

it("refuses a giant by its header, before decoding it", async () => {
  const buffer = await sharp(fixturePath("shoe.png")).png().toBuffer();
  // IHDR: its two sides, and the CRC over the chunk's type and data (PNG, 11.2.1 and 5.3).
  buffer.writeUInt32BE(100_000, 16);
  buffer.writeUInt32BE(100_000, 20);
  buffer.writeUInt32BE(crc32(buffer.subarray(12, 29)), 29);
  await choose("#check-panel", { name: "giant.png", mimeType: "image/png", buffer });
  await page.waitForSelector("#check-panel .failure:not([hidden])");
  expect(await page.innerText("#check-panel .failure")).toContain("too large for this browser");
});

it.each(["png", "webp", "avif"] as const)("labels %s, transparent parts too", async (kind) => {
  const buffer = await sharp(fixturePath("shoe.png")).toFormat(kind).toBuffer();
  await choose("#label-panel", { name: `shoe.${kind}`, mimeType: `image/${kind}`, buffer });
  await page.waitForSelector("#made:not([hidden])");
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#download")]);
  expect(download.suggestedFilename()).toBe(`shoe-labelled.${kind}`);
  const { format, hasAlpha } = await sharp(await download.path()).metadata();
  expect(format).toBe(kind === "avif" ? "heif" : kind);
  expect(hasAlpha).toBe((await sharp(buffer).metadata()).hasAlpha);
});

it("does not weave a label that is not 16 hex digits", async () => {
  await page.fill("#label-text", "not a label");
  await choose("#label-panel", fixturePath("bagel.jpg"));
  expect(await page.$eval("#label-text", (text) => text.matches(":invalid"))).toBe(true);
  await page.fill("#label-text", LABEL.toUpperCase());
  await page.click("#weave");
  await page.waitForSelector("#made:not([hidden])");
  expect(await page.innerText("#fact-label")).toBe(LABEL);
});
