// The contract of sdk/engine.ts: what goes in is left alone, what comes out is told truly, what cannot
// carry a label is refused by its code, and "no label" is an answer.
import { describe, expect, it } from "vitest";
import {
  createEngine,
  DEFAULT_STRENGTH,
  type Image,
  keyFromHex,
  MAX_STRENGTH,
  MIN_STRENGTH,
  THIN_MARGIN,
} from "../../sdk/index.ts";
import {
  codeOf,
  cut,
  engine,
  KEY,
  kernelModule,
  labelsIn,
  makeGradient,
  makeLabel,
  makeNoise,
  makeWaves,
  OTHER_KEY,
  paint,
  sha256,
} from "../support/engine.ts";
import { FIXTURE_NAMES, type FixtureName, loadFixture } from "../support/pictures.ts";

const LABEL = "00a1b2c3d4e5f607";
const TEMPLATE = engine.template(LABEL, KEY);
const HEADER_BYTES = 16;
/** Bytes 8..15 only repeat the label for people; only the signs behind them are woven. */
const CHECKED_HEADER_BYTES = 8;
const MAX_SIDE = 32768;
const MAX_KEYS = 16;
const MAX_FINDINGS = 4;

const parrots = await loadFixture("parrots.jpg");
const shoe = await loadFixture("shoe.png");
const labelled = engine.embed(parrots, TEMPLATE);
const small = cut(parrots, 300, 100, 200, 160);

/** The small crop with a clear disc, half-clear rings about it, and a pure white square. */
function withHoles(): Image {
  const data = new Uint8ClampedArray(small.data);
  for (let y = 0, at = 0; y < small.height; y++) {
    for (let x = 0; x < small.width; x++, at += 4) {
      data[at + 3] = 6 * (Math.hypot(x - 60, y - 80) - 30);
      if (x > 140 && y > 100) data.fill(255, at, at + 4);
    }
  }
  return { ...small, data };
}

/** BT.601 luma of opaque pixels. */
function lumaOf({ data, width, height }: Image): Float64Array {
  return Float64Array.from(
    { length: width * height },
    (_, i) => 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2],
  );
}

/** Mean SSIM of luma as Wang et al. 2004 define it, window by window. */
function plainSsim(before: Image, after: Image): number {
  const { width, height } = before;
  const [a, b] = [lumaOf(before), lumaOf(after)];
  const taps = Array.from({ length: 11 }, (_, i) => Math.exp(-((i - 5) ** 2) / (2 * 1.5 ** 2)));
  const norm = taps.reduce((sum, tap) => sum + tap) ** 2;
  let total = 0;
  for (let y = 0; y <= height - 11; y++) {
    for (let x = 0; x <= width - 11; x++) {
      let [ma, mb, aa, bb, ab] = [0, 0, 0, 0, 0];
      for (let k = 0; k < 121; k++) {
        const [i, j] = [k % 11, Math.floor(k / 11)];
        const at = (y + j) * width + x + i;
        const weight = (taps[i] * taps[j]) / norm;
        ma += weight * a[at];
        mb += weight * b[at];
        aa += weight * a[at] ** 2;
        bb += weight * b[at] ** 2;
        ab += weight * a[at] * b[at];
      }
      const [c1, c2] = [2.55 ** 2, 7.65 ** 2];
      const variances = aa - ma * ma + bb - mb * mb;
      total +=
        ((2 * ma * mb + c1) * (2 * (ab - ma * mb) + c2)) /
        ((ma * ma + mb * mb + c1) * (variances + c2));
    }
  }
  return total / ((width - 10) * (height - 10));
}

function plainPsnr(before: Image, after: Image): number {
  let squares = 0;
  before.data.forEach((value, i) => {
    if (i % 4 < 3) squares += (after.data[i] - value) ** 2;
  });
  return 10 * Math.log10((255 ** 2 * 3 * before.width * before.height) / squares);
}

/** Pictures set into a grid, `across` in a row, all of the first one's size. */
function collage(pictures: readonly Image[], across: number): Image {
  const { width, height } = pictures[0];
  return paint(width * across, (height * pictures.length) / across, (x, y) => {
    const picture = pictures[Math.floor(y / height) * across + Math.floor(x / width)];
    const at = ((y % height) * width + (x % width)) * 4;
    const { data } = picture;
    return [data[at], data[at + 1], data[at + 2], data[at + 3]];
  });
}

describe("template", () => {
  it("is the same bytes for the same label and key, others for another", () => {
    expect(engine.template(LABEL, KEY)).toEqual(TEMPLATE);
    const others = [
      engine.template("00a1b2c3d4e5f606", KEY),
      engine.template("01a1b2c3d4e5f607", KEY),
      engine.template(LABEL, OTHER_KEY),
    ];
    for (const other of others) {
      expect(other).toHaveLength(TEMPLATE.length);
      expect(other.subarray(HEADER_BYTES)).not.toEqual(TEMPLATE.subarray(HEADER_BYTES));
    }
  });

  it("is header and one word per axis, and no view of the kernel's memory", () => {
    // Bins of radius 5..30 in a half plane, two axes each.
    let bins = 0;
    for (let x = -30; x <= 30; x++) {
      for (let y = 0; y <= 30; y++) {
        const squared = x * x + y * y;
        if ((y > 0 || x > 0) && squared >= 25 && squared <= 900) bins++;
      }
    }
    expect(TEMPLATE).toHaveLength(HEADER_BYTES + 4 * bins);
    expect(TEMPLATE.buffer.byteLength).toBe(TEMPLATE.length);
  });

  it.each(["", "00a1", `${LABEL}0`, LABEL.toUpperCase(), "00a1b2c3d4e5f60g", ` ${LABEL.slice(1)}`])(
    "refuses the label %j",
    (label) => {
      expect(() => engine.template(label, KEY)).toThrow(TypeError);
    },
  );

  it("refuses keys that are not 16 bytes", () => {
    for (const key of [new Uint8Array(15), new Uint8Array(17), Array(16).fill(0), "x".repeat(16)]) {
      expect(() => engine.template(LABEL, key as Uint8Array)).toThrow(TypeError);
    }
    for (const hex of ["", "0".repeat(31), "0".repeat(33), "g".repeat(32)]) {
      expect(() => keyFromHex(hex)).toThrow(TypeError);
    }
  });
});

describe("embed", () => {
  it("leaves its inputs alone and gives the same bytes twice", () => {
    const holes = withHoles();
    const pixels = holes.data.slice();
    const template = TEMPLATE.slice();
    const first = engine.embed(holes, template);
    expect(sha256(engine.embed(holes, template).data)).toBe(sha256(first.data));
    expect(sha256(holes.data)).toBe(sha256(pixels));
    expect(template).toEqual(TEMPLATE);
  });

  it("answers the same whatever the engine did before", () => {
    const used = createEngine(kernelModule);
    used.embed(makeNoise(513, 260), TEMPLATE);
    used.detect(makeNoise(300, 900), [OTHER_KEY]);
    for (const [width, height] of [
      [183, 369],
      [203, 131],
      [645, 513],
    ]) {
      const picture = makeWaves(width, height);
      const fresh = createEngine(kernelModule);
      const ours = used.embed(picture, TEMPLATE);
      const theirs = fresh.embed(picture, TEMPLATE);
      expect({ ...ours, data: sha256(ours.data) }).toEqual({
        ...theirs,
        data: sha256(theirs.data),
      });
      expect(used.detect(ours, [KEY])).toEqual(fresh.detect(ours, [KEY]));
    }
  });

  it("changes no alpha, no fully transparent and no pure white pixel, but others", () => {
    for (const image of [withHoles(), shoe]) {
      const { data } = engine.embed(image, TEMPLATE);
      const [before, after] = [new Uint32Array(image.data.buffer), new Uint32Array(data.buffer)];
      const wrong = { alpha: 0, clear: 0, white: 0 };
      let changed = 0;
      before.forEach((pixel, i) => {
        if (pixel === after[i]) return;
        changed++;
        if (pixel >>> 24 !== after[i] >>> 24) wrong.alpha++;
        if (pixel >>> 24 === 0) wrong.clear++;
        if ((pixel & 0xffffff) === 0xffffff) wrong.white++;
      });
      expect(wrong).toEqual({ alpha: 0, clear: 0, white: 0 });
      expect(changed).toBeGreaterThan(before.length / 10);
    }
  });

  it("tells PSNR and SSIM as the pixels do", () => {
    const result = engine.embed(small, TEMPLATE);
    expect(result.psnr).toBeCloseTo(plainPsnr(small, result), 6);
    expect(Math.abs((result.ssim ?? 0) - plainSsim(small, result))).toBeLessThan(0.002);
    expect(result.ssim).toBeLessThan(1);
    const holes = withHoles();
    const unchecked = engine.embed(holes, TEMPLATE, { check: false });
    expect(unchecked.psnr).toBeCloseTo(plainPsnr(holes, unchecked), 6);
  });

  // Small cuts of dense or bare places, where a label has little room.
  it("calls thin what cannot even be read back", async () => {
    const cuts: [FixtureName, number, number][] = [
      ["flowers.jpg", 163, 358],
      ["flowers.jpg", 210, 81],
      ["flowers.jpg", 208, 224],
      ["bagel.jpg", 258, 48],
      ["shoe.png", 100, 350],
      ["shoe.png", 300, 200],
      ["parrots.jpg", 39, 8],
    ];
    const sound: unknown[] = [];
    for (const [name, left, top] of cuts) {
      const image = cut(await loadFixture(name), left, top, 160, 128);
      const result = engine.embed(image, engine.template("c0de5eed00000001", KEY));
      const { margin, thin } = result;
      expect(thin).toBe((margin ?? 0) < THIN_MARGIN);
      if (labelsIn(result).length === 0 && !thin) sound.push({ name, left, top, margin });
    }
    expect(sound).toEqual([]);
  });

  it("measures nothing without the check", () => {
    const result = engine.embed(parrots, TEMPLATE, { check: false });
    expect(result).toMatchObject({ ssim: null, margin: null, thin: false });
    expect(result.strength).toBe(DEFAULT_STRENGTH);
    expect(labelsIn(result)).toEqual([LABEL]);
  });

  it("takes a view into a larger buffer as well as a whole one", () => {
    const buffer = new Uint8Array(small.data.length + 12);
    buffer.set(small.data, 8);
    const view = { ...small, data: buffer.subarray(8, 8 + small.data.length) };
    const options = { check: false };
    const [theirs, ours] = [view, small].map((image) => engine.embed(image, TEMPLATE, options));
    expect(sha256(theirs.data)).toBe(sha256(ours.data));
  });

  it("changes more at a higher strength, and says which it was", () => {
    const run = (strength: number) => engine.embed(small, TEMPLATE, { strength, check: false });
    const [weak, strong] = [run(MIN_STRENGTH), run(MAX_STRENGTH)];
    expect([weak.strength, strong.strength]).toEqual([MIN_STRENGTH, MAX_STRENGTH]);
    expect(weak.psnr).toBeGreaterThan(strong.psnr + 10);
  });

  // A kernel of its own each time: room that a larger picture left behind would hide an overrun.
  it.each([
    [128, 4096],
    [4096, 128],
    [MAX_SIDE, 128],
    [128, MAX_SIDE],
    [5000, 300],
  ])("labels and checks a band of %i x %i", (width, height) => {
    const result = createEngine(kernelModule).embed(makeWaves(width, height), TEMPLATE);
    expect(result.margin).toBeGreaterThanOrEqual(-1);
    expect(result.psnr).toBeGreaterThan(30);
    if (Math.min(width, height) > 128) expect(labelsIn(result)).toEqual([LABEL]);
  });
});

describe("embed refuses", () => {
  const embed = (image: Image, template: Uint8Array = TEMPLATE) =>
    codeOf(() => engine.embed(image, template, { check: false }));

  it("what is too small, too large, empty or flat", () => {
    expect(embed(makeNoise(127, 300))).toBe("picture-too-small");
    expect(embed(makeNoise(300, 127))).toBe("picture-too-small");
    expect(embed(makeNoise(128, 128))).toBeUndefined();
    expect(embed({ data: new Uint8Array(0), width: 0, height: 0 })).toBe("picture-empty");
    expect(embed({ data: new Uint8Array(0), width: 200, height: 0 })).toBe("picture-empty");
    expect(embed(paint(160, 140, () => [90, 120, 30, 255]))).toBe("picture-flat");
    expect(embed(paint(160, 140, () => [255, 255, 255, 255]))).toBe("picture-flat");
    const clear = paint(160, 140, (x, y) => [x, y, 0, 0]);
    expect(embed(clear)).toBe("picture-empty");
  });

  it("sides beyond the limit before any memory is taken", () => {
    const own = createEngine(kernelModule);
    const before = own.memoryBytes();
    const data = new Uint8Array((MAX_SIDE + 1) * 128 * 4);
    for (const [width, height] of [
      [MAX_SIDE + 1, 128],
      [128, MAX_SIDE + 1],
    ]) {
      const image = { data, width, height };
      expect(codeOf(() => own.embed(image, TEMPLATE))).toBe("picture-too-large");
      expect(codeOf(() => own.detect(image, [KEY]))).toBe("picture-too-large");
    }
    expect(own.memoryBytes()).toBe(before);
  });

  it.each(Array.from({ length: CHECKED_HEADER_BYTES }, (_, at) => at))(
    "a template whose header byte %i is another",
    (at) => {
      const broken = TEMPLATE.slice();
      broken[at] ^= 1;
      expect(embed(small, broken)).toBe("template-invalid");
    },
  );

  it("a template of another length", () => {
    expect(embed(small, TEMPLATE.subarray(1))).toBe("template-invalid");
    expect(embed(small, TEMPLATE.subarray(0, -1))).toBe("template-invalid");
    expect(embed(small, new Uint8Array([...TEMPLATE, 0]))).toBe("template-invalid");
    expect(embed(small, new Uint8Array(0))).toBe("template-invalid");
    expect(embed(small, new Uint8Array(TEMPLATE.length))).toBe("template-invalid");
  });

  it("a template with an index that no code has, or with a pilot too few or too many", () => {
    const words = new Uint16Array(TEMPLATE.slice(HEADER_BYTES).buffer);
    const pilot = words.findIndex((word) => (word & 1023) === 1023);
    const data = words.findIndex((word, i) => i % 2 === 0 && (word & 1023) < 640);
    const withWords = (...changes: [at: number, word: number][]) => {
      const changed = words.slice();
      for (const [at, word] of changes) changed[at] = word;
      const template = TEMPLATE.slice();
      template.set(new Uint8Array(changed.buffer), HEADER_BYTES);
      return embed(small, template);
    };
    expect(withWords()).toBeUndefined();
    for (const index of [640, 1022]) expect(withWords([data, index])).toBe("template-invalid");
    expect(withWords([pilot, 0])).toBe("template-invalid");
    expect(withWords([pilot, 0], [pilot + 1, 0])).toBe("template-invalid");
    expect(withWords([data, 1023], [data + 1, 1023])).toBe("template-invalid");
  });

  it("wrong numbers as a programmer's error", () => {
    for (const strength of [
      Number.NaN,
      0,
      -1,
      MIN_STRENGTH - 0.01,
      MAX_STRENGTH + 0.01,
      Infinity,
    ]) {
      expect(() => engine.embed(small, TEMPLATE, { strength })).toThrow(RangeError);
    }
    const { data, width, height } = small;
    for (const wrong of [
      { data: data.subarray(1), width, height },
      { data, width: width + 1, height },
      { data: new Uint8Array(width * height * 3), width, height },
      { data, width: width + 0.5, height },
      { data, width, height: Number.NaN },
      { data, width: -width, height: -height },
    ]) {
      expect(() => engine.embed(wrong, TEMPLATE)).toThrow(RangeError);
      expect(() => engine.detect(wrong, [KEY])).toThrow(RangeError);
    }
  });

  it("and works afterwards", () => {
    const own = createEngine(kernelModule);
    const broken = TEMPLATE.slice();
    broken.fill(0xff, HEADER_BYTES);
    const picture = paint(160, 140, () => [9, 9, 9, 255]);
    expect(codeOf(() => own.embed(small, broken))).toBe("template-invalid");
    expect(codeOf(() => own.embed(picture, TEMPLATE))).toBe("picture-flat");
    expect(() => own.detect(small, [])).toThrow(RangeError);
    const ours = own.embed(small, TEMPLATE);
    expect(sha256(ours.data)).toBe(sha256(engine.embed(small, TEMPLATE).data));
  });
});

describe("detect", () => {
  it("finds the label, upright and whole, and leaves the pixels alone", () => {
    const pixels = labelled.data.slice();
    const { findings, searched } = engine.detect(labelled, [KEY]);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ label: LABEL, keyIndex: 0 });
    expect(findings[0].confidence).toBeGreaterThan(12);
    expect(findings[0].geometry).toMatchObject({ mirrored: false });
    expect(searched.best).toBeGreaterThanOrEqual(findings[0].confidence);
    expect(sha256(labelled.data)).toBe(sha256(pixels));
  });

  it("finds nothing where there is nothing, and says how far it looked", () => {
    for (const picture of [parrots, makeGradient(300, 200), makeNoise(300, 200)]) {
      const { findings, searched } = engine.detect(picture, [KEY]);
      expect(findings).toEqual([]);
      expect(searched.reads).toBeGreaterThan(0);
      expect(searched.best).toBeLessThan(12);
    }
    expect(engine.detect(labelled, [OTHER_KEY]).findings).toEqual([]);
  });

  it("looks at pictures of any size and shape", () => {
    for (const [width, height] of [
      [1, 1],
      [1, 2],
      [7, 1],
      [3, 5],
      [1, MAX_SIDE],
      [MAX_SIDE, 3],
      [9, 4000],
    ]) {
      expect(engine.detect(makeNoise(width, height), [KEY]).findings).toEqual([]);
    }
  });

  it("tells which of several keys it was", () => {
    const keys = Array.from({ length: MAX_KEYS }, (_, i) => new Uint8Array(16).fill(i));
    const where = (at: number) =>
      engine
        .detect(
          labelled,
          keys.map((key, i) => (i === at ? KEY : key)),
        )
        .findings.map(({ label, keyIndex }) => [label, keyIndex]);
    for (const at of [0, 1, MAX_KEYS - 1]) expect(where(at)).toEqual([[LABEL, at]]);
  });

  it("refuses too few or too many keys or findings", () => {
    expect(() => engine.detect(small, [])).toThrow(RangeError);
    expect(() => engine.detect(small, Array(MAX_KEYS + 1).fill(KEY))).toThrow(RangeError);
    expect(() => engine.detect(small, [KEY.subarray(1)])).toThrow(TypeError);
    for (const maxFindings of [0, -1, 1.5, MAX_FINDINGS + 1, Number.NaN]) {
      expect(() => engine.detect(small, [KEY], { maxFindings })).toThrow(RangeError);
    }
    expect(
      codeOf(() => engine.detect({ luma: new Uint8Array(0), width: 0, height: 0 }, [KEY])),
    ).toBe("picture-empty");
    expect(() => engine.detect({ luma: small.data, width: 200, height: 160 }, [KEY])).toThrow(
      RangeError,
    );
  });

  it("reads luma alone, and tells the place in the picture that it shows", () => {
    const { width, height } = labelled;
    const luma = Uint8ClampedArray.from(lumaOf(labelled));
    const [own] = engine.detect({ luma, width, height }, [KEY]).findings;
    const shown = { pictureWidth: 2 * width, pictureHeight: 2 * height };
    const [doubled] = engine.detect({ luma, width, height, ...shown }, [KEY]).findings;
    expect([own.label, doubled.label]).toEqual([LABEL, LABEL]);
    expect(own.geometry.scale).toBeCloseTo(1, 2);
    expect(doubled.geometry.scale).toBeCloseTo(2 * own.geometry.scale, 9);
    for (const i of [0, 1, 3, 4]) {
      expect(doubled.geometry.matrix[i]).toBeCloseTo(own.geometry.matrix[i] / 2, 9);
    }
  });

  it("looks for whole frames only, if told", () => {
    const part = cut(labelled, 200, 90, 420, 380);
    const shrunk = { search: "whole-frame" } as const;
    expect(labelsIn(part)).toEqual([LABEL]);
    expect(engine.detect(part, [KEY], shrunk).findings).toEqual([]);
    expect(engine.detect(labelled, [KEY], shrunk).findings).toHaveLength(1);
  });

  it("finds every label of a collage, or as many as are asked for", async () => {
    const labels = FIXTURE_NAMES.map((name) => makeLabel(name)).sort();
    const parts: Image[] = [];
    for (const [i, name] of FIXTURE_NAMES.entries()) {
      const fixture = await loadFixture(name);
      const [left, top] = [(fixture.width - 480) >> 1, (fixture.height - 480) >> 1];
      const template = engine.template(labels[i], KEY);
      parts.push(engine.embed(cut(fixture, left, top, 480, 480), template));
    }
    expect(labelsIn(collage(parts.slice(0, 2), 2))).toEqual(labels.slice(0, 2));
    expect(labelsIn(collage(parts.slice(2), 1))).toEqual(labels.slice(2));
    const four = collage(parts, 2);
    expect(labelsIn(four)).toEqual(labels);
    expect(engine.detect(four, [KEY], { maxFindings: 1 }).findings).toHaveLength(1);
    expect(engine.detect(four, [KEY], { maxFindings: 3 }).findings).toHaveLength(3);
  });
});

it("takes no more memory for the fiftieth picture than for the third", () => {
  const own = createEngine(kernelModule);
  const run = () => {
    const result = own.embed(small, TEMPLATE, { check: false });
    own.detect(result, [KEY]);
    own.detect(small, [KEY]);
  };
  own.embed(small, TEMPLATE);
  for (let i = 0; i < 2; i++) run();
  const before = own.memoryBytes();
  for (let i = 0; i < 50; i++) run();
  own.embed(small, TEMPLATE);
  expect(own.memoryBytes()).toBe(before);
});
