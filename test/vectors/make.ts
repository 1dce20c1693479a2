// Writes the golden vectors beside it: README.md tells what they are and when they may be written anew.
// Usage: node test/vectors/make.ts [--force]
import { existsSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { DEMO_KEY, keyFromHex } from "../../sdk/index.ts";
import { cut, engine, sha256 } from "../support/engine.ts";
import { loadFixture } from "../support/pictures.ts";

const KEYS = [DEMO_KEY, "00112233445566778899aabbccddeeff", "00000000000000000000000000000000"];
const LABELS = ["0123456789abcdef", "00a1b2c3d4e5f607", "ffffffffffffffff"];
/** Words told in clear: first and last, and some between. */
const WORDS = [0, 1, 2, 3, 100, 1000, 2000, -1];
const HEADER_BYTES = 16;
const MAX_PICTURE_BYTES = 60_000;
const PICTURE = { file: "v1-parrots.png", label: "c0de5eed00000001", key: DEMO_KEY };
const CUT = { left: 39, top: 8, width: 160, height: 128 };

const force = process.argv.includes("--force");
const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));

function write(file: string, bytes: string | Uint8Array, mayChange: boolean): void {
  if (existsSync(path(file)) && !mayChange && !force) {
    console.log(`${file} is kept; --force overwrites it.`);
    return;
  }
  writeFileSync(path(file), bytes);
  console.log(`${file} is written.`);
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

const templates = KEYS.flatMap((key) =>
  LABELS.map((label) => {
    const bytes = engine.template(label, keyFromHex(key));
    const view = new DataView(bytes.buffer, HEADER_BYTES);
    const axes = (bytes.length - HEADER_BYTES) / 2;
    const words = WORDS.map((at) => {
      const axis = (at + axes) % axes;
      return [
        axis,
        view
          .getUint16(2 * axis, true)
          .toString(16)
          .padStart(4, "0"),
      ] as const;
    });
    return { key, label, sha256: sha256(bytes), words: Object.fromEntries(words) };
  }),
);

const { left, top, width, height } = CUT;
const key = keyFromHex(PICTURE.key);
const part = cut(await loadFixture("parrots.jpg"), left, top, width, height);
const labelled = engine.embed(part, engine.template(PICTURE.label, key));
const found = engine.detect(labelled, [key]).findings.map(({ label }) => label);
if (found.join() !== PICTURE.label)
  throw new Error(`The picture reads as ${found.join() || "none"}.`);
const picture = await sharp(labelled.data, { raw: { width, height, channels: 4 } })
  .png({ compressionLevel: 9, adaptiveFiltering: true })
  .toBuffer();
const decoded = await sharp(picture).ensureAlpha().raw().toBuffer();
if (sha256(decoded) !== sha256(labelled.data))
  throw new Error("The picture was not stored as it is.");
if (picture.length >= MAX_PICTURE_BYTES)
  throw new Error(`The picture has ${picture.length} bytes.`);

// One decision for both files of the version: neither is true without the other.
const versionMayChange = !existsSync(path("v1.json")) || !existsSync(path(PICTURE.file));
const version = {
  version: 1,
  picture: { ...PICTURE, width, height, sha256: sha256(labelled.data) },
  templates,
};
write("v1.json", toJson(version), versionMayChange);
write(PICTURE.file, picture, versionMayChange);

const shoe = await loadFixture("shoe.png");
const embedded = engine.embed(shoe, engine.template(LABELS[0], keyFromHex(KEYS[0])));
const embedder = {
  fixture: "shoe.png",
  key: KEYS[0],
  label: LABELS[0],
  strength: embedded.strength,
  original: sha256(shoe.data),
  labelled: sha256(embedded.data),
};
write("embedder.json", toJson(embedder), true);
