// File in, labelled File out: decoded, woven, encoded in the same format with its metadata, and read back
// before it counts as done.
import type { Pixels } from "./codecs.ts";
import { decodeForDetection, decodeStored, examine, shownSizeOf, toEightBits } from "./decode.ts";
import { encode, LOSSY_GAIN } from "./encode.ts";
import { DEFAULT_STRENGTH, type Embedded, type Image, MAX_STRENGTH } from "./engine.ts";
import { LabelError } from "./error.ts";
import type { Dropped, Format, Header, MetadataEdit } from "./file/format.ts";
import { FORMATS } from "./file/probe.ts";
import type { Tools } from "./tools.ts";
import { inverseOf, turn } from "./turn.ts";

export interface LabelFileOptions extends MetadataEdit {
  /**
   * Perceptual strength that the file should have, MIN_STRENGTH..MAX_STRENGTH; DEFAULT_STRENGTH unless told.
   * For a lossy format the weaving is stronger by what the encoder takes away.
   */
  readonly strength?: number;
  /** 1..100 on the encoder's own scale; DEFAULT_QUALITY unless told. */
  readonly quality?: number;
  /** Sees the pixels before and after weaving, as shown, 8 bits; keeps none of them. */
  readonly observe?: (original: Image, labelled: Image) => void;
}

export interface LabelledFile extends Pick<Embedded, "psnr" | "ssim" | "thin" | "strength"> {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly format: Format;
  /** As shown, pixels. */
  readonly width: number;
  readonly height: number;
  /** As Verified has it, of the file. */
  readonly margin: number;
  /** What the file no longer has, and why: format.ts. */
  readonly dropped: readonly Dropped[];
}

const MIN_QUALITY = 1;
const MAX_QUALITY = 100;

/**
 * Weaves a template's label into a picture file.
 * @param bytes JPEG, PNG, WebP or AVIF, not animated, RGB or grey, any orientation and bit depth
 * @throws LabelError when the file or its picture is refused; `label-lost` when the label cannot be read
 *   from the new file
 */
export async function labelFile(
  bytes: Uint8Array,
  template: Uint8Array,
  tools: Tools,
  options: LabelFileOptions = {},
): Promise<LabelledFile> {
  const { quality } = options;
  if (quality !== undefined && !(quality >= MIN_QUALITY && quality <= MAX_QUALITY)) {
    throw new RangeError(`Quality is ${MIN_QUALITY} to ${MAX_QUALITY}, not ${quality}.`);
  }
  const header = examine(bytes, tools, "label");
  const { format } = header;
  const stored = await decodeStored(bytes, header, tools);
  const { pixels, report } = weave(stored, template, tools, options, header);
  const plain = await encode(tools.codecs, pixels, header, quality);
  const { bytes: labelled, dropped } = await FORMATS[format].carry(bytes, plain, options);
  const { picture } = await decodeForDetection(labelled, tools);
  const { read, margin } = tools.engine.verify(picture, template);
  if (!read) {
    const advice = "It may be too small, too empty, or saved at too low a quality.";
    throw new LabelError("label-lost", `The picture does not hold the label. ${advice}`);
  }
  const thin = report.thin || margin < 0;
  return { bytes: labelled, format, ...shownSizeOf(header), ...report, thin, margin, dropped };
}

/** Weaves as the picture is shown; the pixels come back as they are stored. */
function weave(
  stored: Pixels,
  template: Uint8Array,
  { engine }: Tools,
  { strength = DEFAULT_STRENGTH, observe }: LabelFileOptions,
  { orientation, bitDepth, lossless }: Header,
): {
  readonly pixels: Pixels;
  readonly report: Pick<Embedded, "psnr" | "ssim" | "thin" | "strength">;
} {
  const before = toEightBits(stored, bitDepth);
  const upright = turn(before, orientation);
  const given = lossless
    ? strength
    : Math.min(strength * LOSSY_GAIN, Math.max(strength, MAX_STRENGTH));
  const woven = engine.embed(upright, template, { strength: given });
  observe?.(upright, woven);
  const { psnr, ssim, thin, strength: used } = woven;
  const after = turn<Uint8ClampedArray<ArrayBuffer>>(woven, inverseOf(orientation));
  const pixels =
    stored.data instanceof Uint16Array
      ? addChange(stored as Pixels<Uint16Array<ArrayBuffer>>, before, after, bitDepth)
      : after;
  return { pixels, report: { psnr, ssim, thin, strength: used } };
}

/** Pixels of more than 8 bits with the change that was made to them at 8 bits. */
function addChange(
  { data, width, height }: Pixels<Uint16Array<ArrayBuffer>>,
  before: Pixels,
  after: Pixels,
  bitDepth: number,
): Pixels {
  const most = 2 ** bitDepth - 1;
  const scale = most / 255;
  const changed = Uint16Array.from(data);
  for (let i = 0; i < changed.length; i++) {
    const change = after.data[i] - before.data[i];
    if (change !== 0)
      changed[i] = Math.max(0, Math.min(most, Math.round(data[i] + change * scale)));
  }
  return { data: changed, width, height };
}
