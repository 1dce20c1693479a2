// The bench's picture sets: kodak (24 photographs), product (55 shop pictures, half on white or
// transparent), photo (20 large photographs and screenshots). They lie under TESSERA_IMAGES, one folder
// per set; loaded as RGBA, not premultiplied, sRGB, 8 bits, EXIF orientation obeyed.

import { existsSync, readdirSync } from "node:fs";
import { join, parse } from "node:path";
import sharp from "sharp";
import type { Image } from "../sdk/engine.ts";

export const SET_NAMES = ["kodak", "product", "photo"] as const;
export type SetName = (typeof SET_NAMES)[number];

/** Where one picture of a set lies; `name` is its file name without the ending. */
export interface PictureFile {
  readonly set: SetName;
  readonly name: string;
  readonly path: string;
}

const EXPECTED_COUNT: Record<SetName, number> = { kodak: 24, product: 55, photo: 20 };
const PICTURE_ENDING = /\.(png|jpe?g|webp|avif)$/i;

/** The folder that holds the sets: TESSERA_IMAGES, else `shared/images` beside the repository. */
export function imagesFolder(): string {
  return process.env.TESSERA_IMAGES ?? join(import.meta.dirname, "../../shared/images");
}

/**
 * Lists the pictures of the sets in the order of their names.
 * @param sets which sets, in the order wanted
 * @param everyNth keeps the first of every `everyNth` pictures of each set
 */
export function listPictures(sets: readonly SetName[], everyNth = 1): PictureFile[] {
  return sets.flatMap((set) => listSet(set).filter((_, index) => index % everyNth === 0));
}

function listSet(set: SetName): PictureFile[] {
  const folder = join(imagesFolder(), set);
  const files = existsSync(folder) ? readdirSync(folder).filter((f) => PICTURE_ENDING.test(f)) : [];
  if (files.length !== EXPECTED_COUNT[set]) {
    throw new Error(
      `The picture set "${set}" needs ${EXPECTED_COUNT[set]} pictures in ${folder}, found ` +
        `${files.length}. Set TESSERA_IMAGES to the folder that holds ${SET_NAMES.join(", ")}.`,
    );
  }
  return files.sort().map((file) => ({ set, name: parse(file).name, path: join(folder, file) }));
}

/** Loads a picture as RGBA with its alpha kept; pictures without alpha get 255. */
export async function loadPicture(file: PictureFile): Promise<Image> {
  const { data, info } = await sharp(file.path)
    .autoOrient()
    .toColourspace("srgb")
    .ensureAlpha()
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}
