// The only decoder, in browsers, Node and Workers: the header first, limits before memory is spent, then the
// picture as it is shown. Colours stay in the file's own space: nothing is converted.
import type { Pixels } from "./codecs.ts";
import type { Image, Plane } from "./engine.ts";
import { LabelError } from "./error.ts";
import type { Header } from "./file/format.ts";
import { countScans } from "./file/jpeg.ts";
import { decodePng, decodePngLuma } from "./file/png-decode.ts";
import { probe } from "./file/probe.ts";
import { canonicalScale } from "./geometry.ts";
import { decodeTurbo } from "./jpeg-turbo.ts";
import { isReduced, MAX_PIXELS, MAX_SCANS, memoryOf } from "./limits.ts";
import type { Tools } from "./tools.ts";
import { isSideways, turn } from "./turn.ts";

type EightBits = Pixels<Uint8ClampedArray<ArrayBuffer>>;
type Decoder = Pick<Tools, "codecs">;

/** Largest reduction of a PNG, as of a JPEG. */
const MAX_DIVISOR = 8;
const MIB = 2 ** 20;

/**
 * Reads a file's header and refuses what cannot be decoded here, before memory is spent.
 * @throws LabelError `file-unknown`, `file-unsupported`, `file-broken`, `picture-animated`,
 *   `picture-too-large`
 */
export function examine(
  bytes: Uint8Array,
  { codecs: { maxBytes } }: Decoder,
  job: "detect" | "label",
): Header {
  const header = probe(bytes);
  const { format, width, height, unsupported, animated } = header;
  if (animated) {
    const advice = "Save one frame of it as a still picture and try again.";
    throw new LabelError("picture-animated", `Animated pictures are not handled. ${advice}`);
  }
  if (unsupported) {
    const advice = "Save it again with ordinary settings and try again.";
    throw new LabelError(
      "file-unsupported",
      `Files with ${unsupported} are not handled. ${advice}`,
    );
  }
  if (job === "label" && header.colour === "cmyk") {
    const advice = "Convert it to RGB and try again.";
    throw new LabelError("file-unsupported", `CMYK pictures cannot be labelled. ${advice}`);
  }
  const size = `${width} x ${height} pixels`;
  if (width * height > MAX_PIXELS) {
    throw new LabelError("picture-too-large", `${size} are more than ${MAX_PIXELS / 1e6} million.`);
  }
  const wanted = memoryOf(header, job) + bytes.length;
  if (wanted > maxBytes) {
    const cost = `take ${Math.ceil(wanted / MIB)} MiB; ${Math.floor(maxBytes / MIB)} are allowed here`;
    throw new LabelError("picture-too-large", `${size} of ${format.toUpperCase()} ${cost}.`);
  }
  // A file of a few kilobytes can make a decoder pass over a large picture thousands of times.
  if (format === "jpeg" && header.progressive && countScans(bytes) > MAX_SCANS) {
    const message = `The JPEG has more than ${MAX_SCANS} scans, which no honest encoder makes.`;
    throw new LabelError("file-unsupported", message);
  }
  return header;
}

/**
 * Decodes a file in full, as it is stored.
 * @param header what `examine` said of it
 * @throws LabelError `file-broken`, `out-of-memory`
 */
export async function decodeStored(
  bytes: Uint8Array,
  header: Header,
  { codecs }: Decoder,
): Promise<Pixels> {
  if (header.format === "png") return decodePng(bytes);
  if (header.format === "jpeg") {
    const turbo = await codecs.module("jpeg-decode");
    const { data, width, height } = decodeTurbo(turbo, bytes, header, "rgba");
    return { data: new Uint8ClampedArray(data.buffer), width, height };
  }
  const pixels = await codecs.decode(header.format, bytes, header);
  if (pixels?.width === header.width && pixels.height === header.height) return pixels;
  const kind = header.format === "webp" ? "WebP" : "AVIF";
  throw new LabelError("file-broken", `The ${kind} file is damaged or incomplete.`);
}

/** Pixels of more than 8 bits as 8 bits; others as they are. */
export function toEightBits({ data, width, height }: Pixels, bitDepth: number): EightBits {
  if (!(data instanceof Uint16Array)) return { data, width, height };
  const scale = 255 / (2 ** bitDepth - 1);
  // The clamped array rounds.
  const eight = new Uint8ClampedArray(data.length);
  for (let i = 0; i < data.length; i++) eight[i] = data[i] * scale;
  return { data: eight, width, height };
}

/**
 * Decodes a file for looking: as shown, and no larger than a reader needs.
 * @throws LabelError as `examine` does, and `out-of-memory`
 */
export async function decodeForDetection(
  bytes: Uint8Array,
  decoder: Decoder,
): Promise<{ readonly header: Header; readonly picture: Image | Plane }> {
  const header = examine(bytes, decoder, "detect");
  if (isReduced(header)) return { header, picture: await decodeReduced(bytes, header, decoder) };
  const stored = await decodeStored(bytes, header, decoder);
  const eight = toEightBits(stored, header.bitDepth);
  return { header, picture: turn(eight, header.orientation) };
}

/** The luma of a picture, divided by a whole number as long as the canonical scale allows. */
async function decodeReduced(
  bytes: Uint8Array,
  header: Header,
  { codecs }: Decoder,
): Promise<Plane> {
  const { format, width, height, orientation } = header;
  const most = Math.min(MAX_DIVISOR, Math.floor(1 / canonicalScale(width, height)), width, height);
  // libjpeg's scaled transforms make 1, 1/2, 1/4 and 1/8; a mean of squares can be of any side.
  const divisor = format === "png" ? Math.max(1, most) : powerOfTwo(most);
  const { luma, ...size } =
    format === "png"
      ? await decodePngLuma(bytes, divisor)
      : reducedJpeg(await codecs.module("jpeg-decode"), bytes, header, divisor as 1 | 2 | 4 | 8);
  const plane = turn({ data: luma, ...size }, orientation);
  return {
    luma: plane.data,
    width: plane.width,
    height: plane.height,
    // What does not fill a square at the edges is not in the plane.
    pictureWidth: plane.width * divisor,
    pictureHeight: plane.height * divisor,
  };
}

function powerOfTwo(most: number): 1 | 2 | 4 | 8 {
  if (most >= 8) return 8;
  if (most >= 4) return 4;
  return most >= 2 ? 2 : 1;
}

type Luma = {
  readonly luma: Uint8Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
};

function reducedJpeg(
  turbo: WebAssembly.Module,
  bytes: Uint8Array,
  header: Header,
  divisor: 1 | 2 | 4 | 8,
): Luma {
  const inks = header.colour === "cmyk";
  const picture = decodeTurbo(turbo, bytes, header, inks ? "cmyk" : "grey", divisor);
  const width = Math.max(1, Math.floor(header.width / divisor));
  const height = Math.max(1, Math.floor(header.height / divisor));
  const all = inks ? lumaOfInks(picture.data) : picture.data;
  if (width === picture.width) return { luma: all.subarray(0, width * height), width, height };
  const luma = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const from = y * picture.width;
    luma.set(all.subarray(from, from + width), y * width);
  }
  return { luma, width, height };
}

/** Luma of CMYK as Adobe stores it, inverted: 255 is no ink. */
function lumaOfInks(cmyk: Uint8Array): Uint8Array<ArrayBuffer> {
  const luma = new Uint8Array(cmyk.length / 4);
  for (let i = 0, at = 0; i < luma.length; i++, at += 4) {
    const light = 0.299 * cmyk[at] + 0.587 * cmyk[at + 1] + 0.114 * cmyk[at + 2];
    luma[i] = Math.round((light * cmyk[at + 3]) / 255);
  }
  return luma;
}

/** Width and height of a file's picture as it is shown. */
export function shownSizeOf({ width, height, orientation }: Header): {
  readonly width: number;
  readonly height: number;
} {
  return isSideways(orientation) ? { width: height, height: width } : { width, height };
}

/**
 * Decodes a file in full, as it is shown, 8 bits.
 * @throws LabelError as `examine` does, and `out-of-memory`
 */
export async function decodeFile(
  bytes: Uint8Array,
  decoder: Decoder,
): Promise<{ readonly header: Header; readonly pixels: EightBits }> {
  const header = examine(bytes, decoder, "label");
  const stored = await decodeStored(bytes, header, decoder);
  const eight = toEightBits(stored, header.bitDepth);
  return { header, pixels: turn(eight, header.orientation) };
}
