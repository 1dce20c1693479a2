// What a finding says of its place: the fixtures are changed by sharp in ways whose map is known, and
// the map that is found must agree with it, modulo one tile.
import { beforeAll, describe, expect, it } from "vitest";
import { pad, piped, resize, rotate, type Step, WHITE } from "../../bench/distort.ts";
import { seededRng } from "../../bench/random.ts";
import { canonicalScale, type Geometry } from "../../sdk/geometry.ts";
import type { Image } from "../../sdk/index.ts";
import { cut, engine, KEY, makeLabel } from "../support/engine.ts";
import { FIXTURE_NAMES, type FixtureName, loadFixture } from "../support/pictures.ts";

const TILE = 128;
/** Canonical pixels by which a place may be off, anywhere in the middle half of the picture. */
const MOST_OFF = 1.5;
/** Degrees, and shares of scale and squeeze. */
const MOST_TURN = 0.1;
const MOST_STRETCH = 0.005;

type Point = readonly [x: number, y: number];

interface Change {
  readonly name: string;
  readonly run: Step;
  /** Where a point of the changed picture was in the original. */
  readonly back: (point: Point, changed: Image, original: Image) => Point;
  readonly expected: Partial<Omit<Geometry, "matrix" | "scale">>;
  /** Pixels of the changed picture per pixel of the original. */
  readonly size?: number;
}

function turned(degrees: number): Change["back"] {
  const c = Math.cos((degrees * Math.PI) / 180);
  const s = Math.sin((degrees * Math.PI) / 180);
  return ([x, y], changed, original) => {
    const [u, v] = [x - changed.width / 2, y - changed.height / 2];
    return [c * u + s * v + original.width / 2, c * v - s * u + original.height / 2];
  };
}

const stretched: Change["back"] = ([x, y], changed, original) => [
  (x * original.width) / changed.width,
  (y * original.height) / changed.height,
];

const CHANGES: readonly Change[] = [
  { name: "nothing", run: async (image) => image, back: (point) => point, expected: {} },
  {
    name: "mirror",
    run: piped((pipeline) => pipeline.flop()),
    back: ([x, y], { width }) => [width - x, y],
    expected: { mirrored: true },
  },
  { name: "rotation 90", run: rotate(90), back: turned(90), expected: { rotation: 90 } },
  { name: "rotation 180", run: rotate(180), back: turned(180), expected: { rotation: 180 } },
  { name: "rotation 10", run: rotate(10), back: turned(10), expected: { rotation: 10 } },
  { name: "rotation -10", run: rotate(-10), back: turned(-10), expected: { rotation: -10 } },
  {
    name: "mirror and rotation 10",
    run: async (image, rng) =>
      rotate(10)(await piped((pipeline) => pipeline.flop())(image, rng), rng),
    back: (point, changed, original) => {
      const [x, y] = turned(10)(point, changed, original);
      return [original.width - x, y];
    },
    expected: { mirrored: true, rotation: 10 },
  },
  {
    name: "crop",
    run: async (image) => cut(image, 61, 47, image.width - 150, image.height - 120),
    back: ([x, y]) => [x + 61, y + 47],
    expected: {},
  },
  {
    name: "squeeze 0.8",
    run: resize(0.8, 1),
    back: stretched,
    expected: { squeeze: 0.8 },
    size: Math.sqrt(0.8),
  },
  {
    name: "padding",
    run: pad(0.15, WHITE),
    back: ([x, y], _, { width, height }) => [
      x - Math.round(0.15 * width),
      y - Math.round(0.15 * height),
    ],
    expected: {},
  },
  { name: "half size", run: resize(0.5), back: stretched, expected: {}, size: 0.5 },
  { name: "size 1.7", run: resize(1.7), back: stretched, expected: {}, size: 1.7 },
];

/** How far two canonical places are apart, modulo the tile. */
function apart([x, y]: Point, [u, v]: Point): number {
  const fold = (value: number) => value - TILE * Math.round(value / TILE);
  return Math.hypot(fold(x - u), fold(y - v));
}

function farthest(found: Geometry, change: Change, changed: Image, original: Image): number {
  const { width, height } = original;
  const scale = canonicalScale(width, height);
  const [a, b, c, d, e, f] = found.matrix;
  const shares = [0.25, 0.5, 0.75];
  const points = shares.flatMap((across) =>
    shares.map((down): Point => [across * changed.width, down * changed.height]),
  );
  return Math.max(
    ...points.map((point) => {
      const [x, y] = point;
      const [u, v] = change.back(point, changed, original);
      return apart([a * x + b * y + c, d * x + e * y + f], [u * scale, v * scale]);
    }),
  );
}

describe.each(FIXTURE_NAMES)("%s", (name: FixtureName) => {
  const label = makeLabel(name);
  let labelled: Image;

  beforeAll(async () => {
    labelled = engine.embed(await loadFixture(name), engine.template(label, KEY));
  });

  it.each(CHANGES)("is found in its place after $name", async (change) => {
    const changed = await change.run(labelled, seededRng(name, change.name));
    const { findings } = engine.detect(changed, [KEY]);
    expect(findings.map((finding) => finding.label)).toEqual([label]);
    const { geometry } = findings[0];
    const { mirrored = false, rotation = 0, squeeze = 1 } = change.expected;
    const turn = geometry.rotation - rotation;
    expect(geometry.mirrored).toBe(mirrored);
    expect(Math.abs(turn - 360 * Math.round(turn / 360))).toBeLessThan(MOST_TURN);
    expect(Math.abs(geometry.squeeze / squeeze - 1)).toBeLessThan(MOST_STRETCH);
    const scale = (change.size ?? 1) / canonicalScale(labelled.width, labelled.height);
    expect(Math.abs(geometry.scale / scale - 1)).toBeLessThan(MOST_STRETCH);
    expect(farthest(geometry, change, changed, labelled)).toBeLessThan(MOST_OFF);
  });
});
