import { expect, it } from "vitest";
import { describe, describeDropped, explain } from "../../pages/words.ts";
import type { Geometry } from "../../sdk/index.ts";

/** A picture of 1024 x 1536, whose canonical frame is half as large. */
const WIDTH = 1024;
const HEIGHT = 1536;
const WHOLE: Geometry = {
  matrix: [0.5, 0, 0, 0, 0.5, 0],
  scale: 2,
  rotation: 0,
  mirrored: false,
  squeeze: 1,
};

it.each<[string, Partial<Geometry>]>([
  ["upright, its short side whole", {}],
  ["mirrored", { mirrored: true }],
  ["turned 30° clockwise", { rotation: 30.2 }],
  ["mirrored, turned 90° anticlockwise", { mirrored: true, rotation: -90 }],
  ["squeezed to 80 % of its width", { squeeze: 0.8 }],
  ["stretched to 125 % of its width", { squeeze: 1.25 }],
  ["cut to 50 % of its short side", { scale: 4 }],
  ["set in a frame of which it fills 75 %", { scale: 1.5 }],
])("says %s", (words, geometry) => {
  expect(describe({ ...WHOLE, ...geometry }, WIDTH, HEIGHT)).toBe(words);
});

it("has a sentence for every failure", () => {
  expect(explain({ code: "picture-too-small", message: "" })).toContain("at least 128 pixels");
  expect(explain({ code: "internal", message: "" })).toContain("Please try again");
  const advice = "GIF pictures are not handled. Save one frame of it as PNG and try again.";
  expect(explain({ code: "file-unsupported", message: advice })).toBe(advice);
});

it("names what a labelled file no longer has", () => {
  expect(describeDropped(["location", "thumbnail"])).toBe(
    "where it was taken; its small preview, which had no label",
  );
});
