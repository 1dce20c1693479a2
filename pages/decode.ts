// Decodes a picture with what the browser has: EXIF orientation obeyed, colours converted to sRGB.
import { readSize, type Size } from "./size.ts";

/** 50 million pixels are 200 MB as RGBA, held three times while a label is woven. */
export const MAX_PICTURE_PIXELS = 50_000_000;

/** Why a file was not decoded. */
export class DecodeError extends Error {
  readonly code: "picture-unreadable" | "picture-too-large";

  constructor(code: DecodeError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** @throws DecodeError when the file is no picture that this browser opens, or a too large one */
export async function decode(file: Blob): Promise<ImageData> {
  const told = await readSize(file);
  if (told) checkSize(told);
  const bitmap = await openBitmap(file);
  try {
    checkSize(bitmap);
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d", {
      willReadFrequently: true,
    });
    if (!context) throw new DecodeError("picture-unreadable", "There is no memory to decode it.");
    context.drawImage(bitmap, 0, 0);
    return context.getImageData(0, 0, bitmap.width, bitmap.height);
  } finally {
    bitmap.close();
  }
}

async function openBitmap(file: Blob): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file, {
      imageOrientation: "from-image",
      colorSpaceConversion: "default",
    });
  } catch (error) {
    throw new DecodeError("picture-unreadable", String(error));
  }
}

function checkSize({ width, height }: Size): void {
  if (width * height > MAX_PICTURE_PIXELS) {
    throw new DecodeError("picture-too-large", `The picture is ${width} x ${height}.`);
  }
}
