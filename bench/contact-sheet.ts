// docs/images/contact-sheet.jpg: eight pictures at their own pixels (squares of 320), each as it was,
// labelled, and the difference 16 times amplified about mid grey. Chosen for what is hardest to hide a
// label in: flat gradients, white grounds, faces, haze.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import sharp from "sharp";
import { DEMO_KEY, type Engine, type Image, keyFromHex } from "../sdk/engine.ts";
import { flat } from "./distort.ts";
import { listPictures, loadPicture } from "./pictures.ts";

const CELL = 320;
const GAP = 6;
const AMPLIFICATION = 16;
const MAX_SHEET_BYTES = 900 * 1024;
const LABEL = "c0de000000000001";

/** Picture name and the middle of the square that is shown, as shares of width and height. */
const SHOWN: readonly [string, number, number][] = [
  ["kodim15", 0.5, 0.4],
  ["kodim23", 0.3, 0.45],
  ["bak_bagel", 0.85, 0.8],
  ["salold_mugs_7", 0.35, 0.45],
  ["sal_ascii-shirt-front", 0.4, 0.35],
  ["small_gb_haze", 0.6, 0.6],
  ["sway_blue_2048x1536", 0.45, 0.5],
];

/** Labels the pictures and writes the sheet. */
export async function writeContactSheet(engine: Engine, path: string): Promise<void> {
  const template = engine.template(LABEL, keyFromHex(DEMO_KEY));
  const files = listPictures(["kodak", "product", "photo"]);
  const columns: Buffer[][] = [await showOne(engine, template, flatGradient(), 0.5, 0.5)];
  for (const [name, x, y] of SHOWN) {
    const file = files.find((candidate) => candidate.name === name);
    if (!file) throw new Error(`The contact sheet's picture ${name} is not in the sets.`);
    columns.push(await showOne(engine, template, await loadPicture(file), x, y));
  }
  const sheet = await joinCells(columns);
  mkdirSync(dirname(path), { recursive: true });
  for (let quality = 88; quality > 10; quality -= 6) {
    const bytes = await sheet.clone().jpeg({ quality, chromaSubsampling: "4:4:4" }).toBuffer();
    if (bytes.length > MAX_SHEET_BYTES) continue;
    writeFileSync(path, bytes);
    return;
  }
}

async function showOne(
  engine: Engine,
  template: Uint8Array,
  original: Image,
  x: number,
  y: number,
): Promise<Buffer[]> {
  const labelled = engine.embed(original, template);
  const rows = [original, labelled, amplify(original, labelled)];
  const place = (side: number, share: number) =>
    Math.round(Math.min(side - CELL, Math.max(0, side * share - CELL / 2)));
  const left = place(original.width, x);
  const top = place(original.height, y);
  return Promise.all(
    rows.map((image) =>
      flat(image).extract({ left, top, width: CELL, height: CELL }).png().toBuffer(),
    ),
  );
}

function amplify(before: Image, after: Image): Image {
  const data = new Uint8ClampedArray(before.data.length).fill(255);
  for (let i = 0; i < data.length; i++) {
    if (i % 4 < 3) data[i] = 128 + AMPLIFICATION * (after.data[i] - before.data[i]);
  }
  return { ...before, data };
}

/** A sky without anything in it: no texture hides a label there. */
function flatGradient(width = 1024, height = 768): Image {
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      const fall = y / height;
      data[at] = 70 + 150 * fall;
      data[at + 1] = 120 + 90 * fall + 20 * (x / width);
      data[at + 2] = 210 - 30 * fall;
    }
  }
  return { data, width, height };
}

async function joinCells(columns: readonly (readonly Buffer[])[]) {
  const pitch = CELL + GAP;
  const canvas = {
    width: columns.length * pitch - GAP,
    height: columns[0].length * pitch - GAP,
    channels: 3 as const,
    background: "#ffffff",
  };
  const cells = columns.flatMap((rows, column) =>
    rows.map((input, row) => ({ input, left: column * pitch, top: row * pitch })),
  );
  const pixels = await sharp({ create: canvas }).composite(cells).png().toBuffer();
  return sharp(pixels).removeAlpha();
}
