// The golden vectors of test/vectors (README.md there): templates byte for byte and the label of a stored
// picture for ever; the embedder's pixels until the embedder changes.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { keyFromHex } from "../../sdk/index.ts";
import { engine, OTHER_KEY, sha256 } from "../support/engine.ts";
import { loadFixture } from "../support/pictures.ts";

interface Version {
  readonly version: number;
  readonly picture: { file: string; label: string; key: string; width: number; height: number };
  /** `words`: axis -> its 16 bits as hex. */
  readonly templates: { key: string; label: string; sha256: string; words: object }[];
}

const HEADER_BYTES = 16;
const path = (file: string) => fileURLToPath(new URL(`../vectors/${file}`, import.meta.url));
const v1: Version = JSON.parse(readFileSync(path("v1.json"), "utf8"));
const embedder = JSON.parse(readFileSync(path("embedder.json"), "utf8"));

async function loadPicture(file: string) {
  const { data, info } = await sharp(path(file))
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data: new Uint8Array(data), width: info.width, height: info.height };
}

describe("format version 1", () => {
  it("has vectors of three keys and three labels", () => {
    expect(v1.version).toBe(1);
    expect(v1.templates).toHaveLength(9);
    expect(new Set(v1.templates.map((vector) => vector.sha256)).size).toBe(9);
  });

  it.each(v1.templates)("makes the template of $label under $key", (vector) => {
    const { key, label, words } = vector;
    const template = engine.template(label, keyFromHex(key));
    const view = new DataView(template.buffer);
    const header = [...template.subarray(0, HEADER_BYTES)];
    expect(String.fromCharCode(...header.slice(0, 4))).toBe("TSRA");
    expect(header.slice(4, 8)).toEqual([1, 0, 0, 0]);
    expect(view.getBigUint64(8).toString(16).padStart(16, "0")).toBe(label);
    for (const [axis, word] of Object.entries(words)) {
      const at = HEADER_BYTES + 2 * Number(axis);
      expect(view.getUint16(at, true).toString(16).padStart(4, "0"), `word ${axis}`).toBe(word);
    }
    expect(sha256(template)).toBe(vector.sha256);
  });

  it("reads the stored picture", async () => {
    const { file, label, key, ...expected } = v1.picture;
    const picture = await loadPicture(file);
    const { data, width, height } = picture;
    expect({ width, height, sha256: sha256(data) }).toEqual(expected);
    for (const search of ["full", "whole-frame"] as const) {
      const { findings } = engine.detect(picture, [OTHER_KEY, keyFromHex(key)], { search });
      expect(findings.map((found) => [found.label, found.keyIndex])).toEqual([[label, 1]]);
    }
  });
});

it("embeds today as embedder.json tells", async () => {
  const { fixture, key, label, strength } = embedder;
  const original = await loadFixture(fixture);
  expect(sha256(original.data)).toBe(embedder.original);
  const template = engine.template(label, keyFromHex(key));
  expect(sha256(engine.embed(original, template, { strength }).data)).toBe(embedder.labelled);
});
