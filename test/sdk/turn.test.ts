// Orientations against an independent judge: sharp's autoOrient.
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import type { Orientation } from "../../sdk/file/format.ts";
import { inverseOf, turn } from "../../sdk/turn.ts";
import { makeNoise } from "../support/engine.ts";

const ORIENTATIONS: readonly Orientation[] = [1, 2, 3, 4, 5, 6, 7, 8];
const WIDTH = 7;
const HEIGHT = 5;
const noise = makeNoise(WIDTH, HEIGHT);
const picture = { data: new Uint8ClampedArray(noise.data), width: WIDTH, height: HEIGHT };

describe.each(ORIENTATIONS)("orientation %i", (orientation) => {
  it("turns as viewers do", async () => {
    const file = await sharp(picture.data, { raw: { width: WIDTH, height: HEIGHT, channels: 4 } })
      .png()
      .withMetadata({ orientation })
      .toBuffer();
    const shown = await sharp(file).autoOrient().raw().toBuffer({ resolveWithObject: true });
    const turned = turn(picture, orientation);
    expect([turned.width, turned.height]).toEqual([shown.info.width, shown.info.height]);
    expect([...turned.data]).toEqual([...shown.data]);
  });

  it.each([
    ["luma", new Uint8Array(WIDTH * HEIGHT).map((_, i) => i)],
    ["8 bits", picture.data],
    ["16 bits", new Uint16Array(4 * WIDTH * HEIGHT).map((_, i) => 400 * i)],
  ] as const)("comes back: %s", (_, data) => {
    const there = turn({ data, width: WIDTH, height: HEIGHT }, orientation);
    const back = turn(there, inverseOf(orientation));
    expect(back).toEqual({ data, width: WIDTH, height: HEIGHT });
  });
});
