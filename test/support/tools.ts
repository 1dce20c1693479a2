// Tools for files, and samples of every format made by another encoder.
import sharp from "sharp";
import { LabelError } from "../../sdk/index.ts";
import { startTools } from "../../sdk/node.ts";
import { type FixtureName, fixturePath } from "./pictures.ts";

export const tools = startTools();

export const FORMATS = ["jpeg", "png", "webp", "avif"] as const;

/** High quality, full chroma: what a label has to bear is then the SDK's doing alone. */
const OPTIONS = {
  jpeg: { quality: 98, chromaSubsampling: "4:4:4" },
  png: {},
  webp: { quality: 98 },
  avif: { quality: 90, chromaSubsampling: "4:4:4", effort: 2 },
} as const;

/** A fixture as a file of a format, scaled to a width. */
export async function makeFile(
  format: (typeof FORMATS)[number],
  name: FixtureName = "parrots.jpg",
  width = 480,
): Promise<Buffer> {
  return sharp(fixturePath(name)).resize(width).toFormat(format, OPTIONS[format]).toBuffer();
}

/** The code of the LabelError that a promise is rejected with, or undefined; other errors pass. */
export async function codeOfAsync(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof LabelError) return error.code;
    throw error;
  }
  return undefined;
}
