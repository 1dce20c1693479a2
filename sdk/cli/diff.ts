// `tessera diff`: what the label changed, made visible: the difference of two pictures of the same size,
// amplified about mid grey.
import { existsSync } from "node:fs";
import { decodeFile } from "../decode.ts";
import type { Image } from "../engine.ts";
import { encodePng } from "../file/png-encode.ts";
import { startTools } from "../node.ts";
import type { Tools } from "../tools.ts";
import { readDiffArguments } from "./arguments.ts";
import { Refusal, reasonOf, toFailure } from "./job.ts";
import { partOf, publish, removePart, writeWhole } from "./part.ts";
import { readPicture } from "./picture-file.ts";

/** A label changes pixels by a few levels: this makes them visible and still keeps within a byte. */
const GAIN = 16;
const MID_GREY = 128;

/** What two pictures differ by, and its picture. */
export interface Difference {
  readonly picture: Image & { readonly data: Uint8ClampedArray };
  /** Over the three colours, dB; Infinity when nothing differs. */
  readonly psnr: number;
  /** Of any colour of any pixel, levels of 255. */
  readonly largest: number;
}

/** Compares two files, writes the picture of their difference and tells its size. */
export async function runDiff(argv: readonly string[]): Promise<number> {
  const { before, after, out } = readDiffArguments(argv);
  if (existsSync(out)) throw new Refusal("output-exists", `${out} exists already.`);
  const tools = startTools();
  const [a, b] = [await decode(before, tools), await decode(after, tools)];
  if (a.width !== b.width || a.height !== b.height) {
    const sizes = `${a.width} x ${a.height} and ${b.width} x ${b.height} pixels`;
    throw new Refusal("sizes-differ", `The pictures have ${sizes}; only equal sizes are compared.`);
  }
  const { picture, psnr, largest } = differenceOf(a, b);
  save(out, await encodePng(picture, { colour: "rgb", alpha: false }));
  const quality = psnr === Infinity ? "infinite (nothing differs)" : `${psnr.toFixed(2)} dB`;
  process.stdout.write(`PSNR ${quality}, largest difference ${largest} of 255\n`);
  return 0;
}

/** The amplified difference of two pictures of one size; where both are clear, colours do not count. */
export function differenceOf(a: Image, b: Image): Difference {
  const data = new Uint8ClampedArray(a.data.length);
  let squares = 0;
  let largest = 0;
  for (let pixel = 0; pixel < data.length; pixel += 4) {
    const clear = a.data[pixel + 3] === 0 && b.data[pixel + 3] === 0;
    for (let at = pixel; at < pixel + 3; at++) {
      const change = clear ? 0 : (b.data[at] as number) - (a.data[at] as number);
      data[at] = MID_GREY + GAIN * change;
      squares += change * change;
      largest = Math.max(largest, Math.abs(change));
    }
    data[pixel + 3] = 255;
  }
  const psnr = 10 * Math.log10((255 ** 2 * 3 * a.width * a.height) / squares);
  return { picture: { data, width: a.width, height: a.height }, psnr, largest };
}

async function decode(file: string, tools: Tools): Promise<Image> {
  try {
    return (await decodeFile(readPicture(file), tools)).pixels;
  } catch (error) {
    const { code, message } = toFailure(error);
    throw new Refusal(code, `${file}: ${message}`);
  }
}

function save(out: string, png: Uint8Array): void {
  try {
    writeWhole(partOf(out), png);
    publish(partOf(out), out);
  } catch (error) {
    removePart(out);
    if (error instanceof Refusal) throw error;
    throw new Refusal("output-unwritable", `The output cannot be written: ${reasonOf(error)}.`);
  }
}
