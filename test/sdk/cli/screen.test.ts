// What is shown: numbers as they are rounded, lines that no file name can break, the bar.
import { describe, expect, it } from "vitest";
import { differenceOf } from "../../../sdk/cli/diff.ts";
import { inOrder } from "../../../sdk/cli/pool.ts";
import {
  DETECT_COLUMNS,
  detectJson,
  detectLine,
  detectRows,
  failureRow,
  LABEL_COLUMNS,
  labelJson,
  labelLine,
  labelRow,
} from "../../../sdk/cli/records.ts";
import { barOf, printable } from "../../../sdk/cli/screen.ts";
import { paint } from "../../support/engine.ts";

const LABELLED = {
  ...{ file: "a.jpg", out: "o/a.jpg", label: "0123456789abcdef", width: 30, height: 20 },
  ...{ psnr: 41.23456, ssim: 0.987654, margin: -0.12345, thin: true, dropped: ["c2pa"] },
  ms: 12.3456,
};
const GEOMETRY = {
  ...{ matrix: [1, 0, 0, 0, 1, 0] as const, scale: 1.23456, rotation: 0.123 },
  ...{ mirrored: true, squeeze: 1.1 },
};
const FINDING = { label: "0123456789abcdef", keyIndex: 0, confidence: 33.333, geometry: GEOMETRY };
const LOOKED = { file: "a.jpg", width: 30, height: 20, findings: [FINDING] };
const FOUND = { ...LOOKED, ms: { decode: 1.26, detect: 2.04 } };

describe("records", () => {
  it("tell of a label", () => {
    expect(JSON.stringify(labelJson(LABELLED))).toBe(
      '{"file":"a.jpg","out":"o/a.jpg","label":"0123456789abcdef","width":30,"height":20,' +
        '"psnr":41.23,"ssim":0.9877,"margin":-0.123,"ms":12.3}',
    );
    expect(labelJson({ ...LABELLED, psnr: Infinity })).toMatchObject({ psnr: null });
    expect(labelRow(LABELLED)).toHaveLength(LABEL_COLUMNS.length);
    expect(labelLine(LABELLED)).toMatch(
      /^a.jpg -> o\/a.jpg: 0123456789abcdef, 41.23 dB; thin.*c2pa/,
    );
  });

  it("tell of findings", () => {
    const { label } = FINDING;
    expect(detectJson(FOUND)).toEqual({
      file: "a.jpg",
      findings: [{ label, confidence: 33.33, geometry: GEOMETRY }],
      ms: { decode: 1.3, detect: 2 },
    });
    const row = ["a.jpg", label, 33.33, 0.12, "true", 1.2346, 1.1, 3.3, null];
    expect(detectRows({ ...FOUND, findings: [FINDING, FINDING] })).toEqual([row, row]);
    expect(detectRows({ ...FOUND, findings: [] })).toHaveLength(1);
    expect(row).toHaveLength(DETECT_COLUMNS.length);
    expect(detectLine(FOUND)).toBe(
      "a.jpg: 0123456789abcdef (confidence 33.3, mirrored, squeezed to 1.10)",
    );
    expect(detectLine({ ...FOUND, findings: [] })).toBe("a.jpg: no label found");
  });

  it("tell of failures in the last column", () => {
    const failed = { file: "a", error: { code: "file-broken", message: "No." } };
    expect(failureRow(failed, LABEL_COLUMNS)).toHaveLength(LABEL_COLUMNS.length);
    expect(failureRow(failed, DETECT_COLUMNS).at(-1)).toBe("file-broken: No.");
  });
});

describe("the screen", () => {
  it("shows names without what a terminal would obey", () => {
    expect(printable("a\x1b[2J\nb\u009b\u202ejpg.\u2028ü.jpg")).toBe("a?[2J?b??jpg.?ü.jpg");
  });

  it("shows how far it is, within the terminal's width", () => {
    const tally = { done: 3, total: 12, failed: 1, seconds: 6 };
    expect(barOf(tally, 80)).toBe("[######------------------] 3/12, 1 failed, 18 s left");
    expect(barOf({ ...tally, done: 0, failed: 0 }, 80)).toBe(`[${"-".repeat(24)}] 0/12`);
    expect(barOf({ ...tally, done: 0, total: 0 }, 80)).toContain("0/0");
    expect(barOf(tally, 20)).toHaveLength(19);
  });
});

describe("results in order", () => {
  it("come in the order of the items, never more at once than the window", async () => {
    let [running, most] = [0, 0];
    const work = async (item: number) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, (item * 7) % 5));
      running--;
      return item;
    };
    const items = Array.from({ length: 20 }, (_, i) => i);
    const seen: number[] = [];
    for await (const item of inOrder(items, 4, work)) seen.push(item);
    expect(seen).toEqual(items);
    expect(most).toBe(4);
  });

  it("end with the first that fails, in its turn, whatever becomes of the others", async () => {
    const seen: number[] = [];
    const work = async (item: number) => {
      if (item > 1) throw new Error(`${item}`);
      return item;
    };
    const run = async () => {
      for await (const item of inOrder([0, 1, 2, 3], 9, work)) seen.push(item);
    };
    await expect(run()).rejects.toThrow("2");
    expect(seen).toEqual([0, 1]);
  });
});

it("a difference is amplified about mid grey, and what is clear in both does not count", () => {
  const before = paint(2, 2, (x) => [100, 100, 100, x === 0 ? 255 : 0]);
  const after = paint(2, 2, (x, y) => [100 + 2 * y, 90, 100, x === 0 ? 255 : 0]);
  const { picture, psnr, largest } = differenceOf(before, after);
  expect([...picture.data.subarray(8)]).toEqual([160, 0, 128, 255, 128, 128, 128, 255]);
  expect(largest).toBe(10);
  expect(psnr).toBeCloseTo(10 * Math.log10((255 ** 2 * 12) / (100 + 104)), 9);
  expect(differenceOf(before, before)).toMatchObject({ psnr: Infinity, largest: 0 });
});
