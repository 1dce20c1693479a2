// Loads the fixtures as RGBA, not premultiplied, sRGB, 8 bits. Independent of the SDK's own code.
import { fileURLToPath } from "node:url";
import sharp from "sharp";

/** Pixels of a decoded fixture, four bytes each, row-major. */
export interface Fixture {
  readonly data: Uint8ClampedArray<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
}

export const FIXTURE_NAMES = ["parrots.jpg", "flowers.jpg", "bagel.jpg", "shoe.png"] as const;
export type FixtureName = (typeof FIXTURE_NAMES)[number];

/** Where a fixture's file lies. */
export function fixturePath(name: FixtureName): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
}

/** Decodes a fixture's file. */
export async function loadFixture(name: FixtureName): Promise<Fixture> {
  const { data, info } = await sharp(fixturePath(name))
    .toColourspace("srgb")
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data: new Uint8ClampedArray(data), width: info.width, height: info.height };
}
