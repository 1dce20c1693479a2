// What must hold for any label, key, size and template, tried on random ones (fast-check, fixed seed):
// a label comes back exactly, changes stay small, garbage is refused or holds nothing, time is linear.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Image } from "../../sdk/index.ts";
import {
  codeOf,
  cut,
  engine,
  KEY,
  labelsIn,
  makeLabel,
  makeNoise,
  makeWaves,
  OTHER_KEY,
  paint,
} from "../support/engine.ts";
import { loadFixture } from "../support/pictures.ts";

const SEED = 20260101;
/** Grey levels by which a label may change one value at the default strength. */
const MOST_CHANGE = 40;
const TEMPLATE = engine.template(makeLabel("properties"), KEY);
const HEADER_BYTES = 16;

const bagel = await loadFixture("bagel.jpg");
const parrots = await loadFixture("parrots.jpg");
const small = cut(parrots, 330, 120, 256, 256);

const label = fc
  .bigInt({ min: 0n, max: 2n ** 64n - 1n })
  .map((n) => n.toString(16).padStart(16, "0"));
const key = fc.uint8Array({ minLength: 16, maxLength: 16 });
const side = fc.integer({ min: 128, max: 400 });

const runs = (numRuns: number) => ({ seed: SEED, numRuns });

/** The largest change of any value; Infinity where white moved. */
function mostChange(before: Image, after: Image): number {
  let most = 0;
  for (let at = 0; at < before.data.length; at += 4) {
    const [r, g, b] = before.data.subarray(at, at + 3);
    for (let i = at; i < at + 4; i++) {
      const change = Math.abs(after.data[i] - before.data[i]);
      if (change > 0 && (i === at + 3 || (r === 255 && g === 255 && b === 255))) return Infinity;
      most = Math.max(most, change);
    }
  }
  return most;
}

/** Stripes of any period and direction, between two grey levels. */
const stripes = fc
  .record({
    width: side,
    height: side,
    period: fc.double({ min: 2, max: 70, noNaN: true }),
    turn: fc.double({ min: 0, max: Math.PI, noNaN: true }),
    dark: fc.integer({ min: 0, max: 120 }),
    light: fc.integer({ min: 130, max: 255 }),
  })
  .map(({ width, height, period, turn, dark, light }) =>
    paint(width, height, (x, y) => {
      const phase = (x * Math.cos(turn) + y * Math.sin(turn)) / period;
      const value = phase - Math.floor(phase) < 0.5 ? dark : light;
      return [value, value, value, 255];
    }),
  );

const noise = fc
  .record({ width: side, height: side, seed: fc.integer() })
  .map(({ width, height, seed }) => makeNoise(width, height, seed));

describe("any label under any key", () => {
  it("comes back exactly, and under no other key", () => {
    return fc.assert(
      fc.property(label, key, (text, bytes) => {
        const labelled = engine.embed(small, engine.template(text, bytes), { check: false });
        const { findings } = engine.detect(labelled, [OTHER_KEY, bytes], { search: "whole-frame" });
        expect(findings.map((found) => [found.label, found.keyIndex])).toEqual([[text, 1]]);
      }),
      runs(25),
    );
  });

  it.each(["0000000000000000", "ffffffffffffffff", "8000000000000001", "0001000000000000"])(
    "comes back at the edges: %s",
    (text) => {
      for (const bytes of [new Uint8Array(16), new Uint8Array(16).fill(255)]) {
        const labelled = engine.embed(small, engine.template(text, bytes), { check: false });
        expect(labelsIn(labelled, bytes)).toEqual([text]);
      }
    },
  );
});

it("any part of a picture keeps its size and its white, and changes little", () => {
  return fc.assert(
    fc.property(side, side, fc.nat(), fc.nat(), (width, height, x, y) => {
      const [left, top] = [x % (bagel.width - width + 1), y % (bagel.height - height + 1)];
      const image = cut(bagel, left, top, width, height);
      let result: Image | undefined;
      const code = codeOf(() => {
        result = engine.embed(image, TEMPLATE, { check: false });
      });
      if (!result) {
        expect(code).toBe("picture-flat");
        return;
      }
      expect([result.width, result.height, result.data.length]).toEqual([
        width,
        height,
        image.data.length,
      ]);
      expect(mostChange(image, result)).toBeLessThanOrEqual(MOST_CHANGE);
    }),
    runs(25),
  );
});

describe("garbage", () => {
  it("is no template, with or without a true header", () => {
    const bytes = fc.uint8Array({ minLength: TEMPLATE.length, maxLength: TEMPLATE.length });
    const refuse = (template: Uint8Array) =>
      expect(codeOf(() => engine.embed(small, template))).toBe("template-invalid");
    return fc.assert(
      fc.property(bytes, fc.uint8Array({ maxLength: 8000 }), (long, any) => {
        refuse(any);
        refuse(long);
        const headed = TEMPLATE.slice();
        headed.set(long.subarray(HEADER_BYTES), HEADER_BYTES);
        refuse(headed);
      }),
      runs(100),
    );
  });

  it("holds no label", () => {
    return fc.assert(
      fc.property(fc.oneof(noise, stripes), key, (picture, bytes) => {
        expect(engine.detect(picture, [KEY, bytes]).findings).toEqual([]);
      }),
      runs(40),
    );
  });
});

it("takes time about linear in the pixels", () => {
  const small = makeWaves(1024, 1024);
  const large = makeWaves(2048, 2048);
  const timeOf = (run: () => unknown) => {
    const start = performance.now();
    run();
    return performance.now() - start;
  };
  const medianOf = (run: () => unknown) => {
    run();
    return Array.from({ length: 5 }, () => timeOf(run)).sort((a, b) => a - b)[2];
  };
  const embed = (image: Image) => () => engine.embed(image, TEMPLATE);
  const detect = (image: Image) => () => engine.detect(image, [KEY]);
  // Four times the pixels; twice that again for a busy machine.
  for (const run of [embed, detect])
    expect(medianOf(run(large))).toBeLessThan(8 * medianOf(run(small)));
});
