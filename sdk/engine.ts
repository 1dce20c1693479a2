// The engine: pixels in, labelled pixels or findings out. The only TypeScript that knows the kernel's
// addresses. Inputs are never changed. One engine is one WASM instance: calls do not overlap.
import { LabelError } from "./error.ts";
import { canonicalScale, type Geometry, geometryOf } from "./geometry.ts";
import type { Kernel } from "./kernel.ts";

/** RGBA, four bytes a pixel, row-major, not premultiplied. */
export interface Image {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** Luma alone, one byte a pixel, at any scale: a decoder's reduced grey picture will do. */
export interface Plane {
  readonly luma: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  /** Size of the picture that the plane shows, for the geometry; the plane's own by default. */
  readonly pictureWidth?: number;
  readonly pictureHeight?: number;
}

export interface EmbedOptions {
  /** Perceptual strength, MIN_STRENGTH..MAX_STRENGTH; DEFAULT_STRENGTH unless told. */
  readonly strength?: number;
  /** Whether the label is read back from simulated attacks and strengthened where it is thin (default). */
  readonly check?: boolean;
}

export interface Embedded extends Image {
  readonly data: Uint8ClampedArray<ArrayBuffer>;
  /** Peak signal-to-noise ratio over the three colours, dB; Infinity when nothing changed. */
  readonly psnr: number;
  /** Structural similarity of luma (Wang 2004), 0..1; null without the check. */
  readonly ssim: number | null;
  /** How far the label was above the acceptance threshold in the worst simulated attack; null without. */
  readonly margin: number | null;
  /** The label may be lost to strong changes: the picture has little to hold it. */
  readonly thin: boolean;
  /** Strength that was used in the end. */
  readonly strength: number;
}

export interface Verified {
  /** Whether the label is read from the picture as it is. */
  readonly read: boolean;
  /** How far it is above the acceptance threshold in the worst simulated attack, in units of it. */
  readonly margin: number;
}

export interface DetectOptions {
  /** "whole-frame" looks only for pictures that were not cut, turned freely or squeezed. */
  readonly search?: "full" | "whole-frame";
  /** 1..MAX_FINDINGS. */
  readonly maxFindings?: number;
}

export interface Finding {
  /** 16 lower-case hex digits. */
  readonly label: string;
  /** Index into the keys that were handed in. */
  readonly keyIndex: number;
  /** Normalised correlation of the code word: standard deviations above chance, 12 or more. */
  readonly confidence: number;
  readonly geometry: Geometry;
}

export interface Detected {
  readonly findings: readonly Finding[];
  readonly searched: {
    /** Code words that were decoded and compared. */
    readonly reads: number;
    /** Best correlation of them all, accepted or not, standard deviations. */
    readonly best: number;
    /** Best pilot score of any place, standard deviations. */
    readonly pilots: number;
  };
}

export interface Engine {
  /**
   * The template of one label: all that an embedder needs instead of the key.
   * @param label 16 lower-case hex digits, the first four naming the cohort
   * @param key KEY_BYTES bytes
   */
  template(label: string, key: Uint8Array): Uint8Array<ArrayBuffer>;
  /**
   * Weaves a template's label into a picture.
   * @throws LabelError when the picture cannot carry a label
   */
  embed(image: Image, template: Uint8Array, options?: EmbedOptions): Embedded;
  /**
   * Reads a template's own label back from a picture that was made from labelled pixels, then from simulated
   * attacks on it. Needs no key.
   */
  verify(picture: Image | Plane, template: Uint8Array): Verified;
  /** Looks for labels under each of the keys (1..MAX_KEYS). An unlabelled picture has no findings. */
  detect(picture: Image | Plane, keys: readonly Uint8Array[], options?: DetectOptions): Detected;
  /** Bytes of the kernel's memory at this moment. */
  memoryBytes(): number;
}

export const KEY_BYTES = 16;
export const DEFAULT_STRENGTH = 0.41;
export const MIN_STRENGTH = 0.1;
export const MAX_STRENGTH = 1.5;
/** Short side under which a picture cannot carry a label, pixels. */
export const MIN_SIDE = 128;
/** Margin below which a label is called thin: a simulated attack lost it. */
export const THIN_MARGIN = 0;
/** Grey levels between the lightest and the darkest place under which a picture is one flat colour. */
export const FLAT_RANGE = 1;
/** A public key for demonstrations and tests: whoever reads this can read and forge its labels. */
export const DEMO_KEY = "7465737365726120707562206b657921";

/** Reads 32 hex digits as a deployment key. */
export function keyFromHex(hex: string): Uint8Array<ArrayBuffer> {
  if (!/^[0-9a-fA-F]{32}$/.test(hex)) throw new TypeError("A key is 32 hex digits.");
  return Uint8Array.from({ length: KEY_BYTES }, (_, i) =>
    Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  );
}

/**
 * Starts an engine.
 * @param module build/tessera.wasm, compiled by the host
 */
export function createEngine(module: WebAssembly.Module): Engine {
  const kernel = new WebAssembly.Instance(module, {}).exports as unknown as Kernel;
  const strip = kernel.STRIP.value as number;
  const stripPixels = kernel.STRIP_PIXELS.value as number;

  /** Hands pixels through the kernel's strip in whole rows; `visit` runs the kernel on each strip. */
  function eachStrip(
    data: Uint8Array | Uint8ClampedArray,
    pixelBytes: number,
    width: number,
    height: number,
    visit: (rows: number, from: number, bytes: number) => void,
  ): void {
    const rowBytes = width * pixelBytes;
    const most = Math.max(1, Math.floor(stripPixels / width));
    for (let y = 0; y < height; y += most) {
      const rows = Math.min(most, height - y);
      const from = y * rowBytes;
      const bytes = rows * rowBytes;
      new Uint8Array(kernel.memory.buffer, strip, bytes).set(data.subarray(from, from + bytes));
      visit(rows, from, bytes);
    }
  }

  /** Makes the canonical plane of a picture. */
  function push(picture: Image | Plane, embedding: boolean): void {
    const { width, height } = picture;
    if (!kernel.beginPicture(width, height, embedding)) {
      throw new LabelError(
        "out-of-memory",
        `There is no memory for a ${width} x ${height} picture.`,
      );
    }
    if ("luma" in picture) {
      eachStrip(picture.luma, 1, width, height, (rows) => kernel.pushGrey(rows));
    } else {
      eachStrip(picture.data, 4, width, height, (rows) => kernel.pushRgba(rows));
    }
    kernel.endPicture();
  }

  /** Checks what is looked at; returns the size of the picture that it shows. */
  function checkPicture(picture: Image | Plane): { width: number; height: number } {
    const { width, height } = picture;
    if ("luma" in picture) checkPixels(picture.luma, 1, width, height);
    else checkPixels(picture.data, 4, width, height);
    checkSize(width, height);
    return shownSize(picture);
  }

  function checkSize(width: number, height: number): void {
    const longest = kernel.MAX_SIDE.value as number;
    if (Math.max(width, height) > longest) {
      const message = `The picture is ${width} x ${height}; sides up to ${longest} pixels are handled.`;
      throw new LabelError("picture-too-large", message);
    }
  }

  function loadTemplate(template: Uint8Array): void {
    const bytes = kernel.TEMPLATE_BYTES.value as number;
    const right = template.length === bytes;
    if (right) {
      new Uint8Array(kernel.memory.buffer, kernel.TEMPLATE.value as number, bytes).set(template);
    }
    if (!right || !kernel.useTemplate()) {
      throw new LabelError(
        "template-invalid",
        "These bytes are not a label template of this version.",
      );
    }
  }

  function label(view: DataView, at: number): string {
    return view.getBigUint64(at, true).toString(16).padStart(16, "0");
  }

  return {
    template(text, key) {
      if (!/^[0-9a-f]{16}$/.test(text)) {
        throw new TypeError(`A label is 16 lower-case hex digits, not ${JSON.stringify(text)}.`);
      }
      checkKey(key);
      const at = kernel.KEY.value as number;
      new Uint8Array(kernel.memory.buffer, at, KEY_BYTES).set(key);
      kernel.useKey(at);
      kernel.writeTemplate(BigInt(`0x${text}`));
      const from = kernel.TEMPLATE.value as number;
      return new Uint8Array(kernel.memory.buffer).slice(
        from,
        from + (kernel.TEMPLATE_BYTES.value as number),
      );
    },

    embed(image, template, options = {}) {
      const { width, height } = image;
      const strength = options.strength ?? DEFAULT_STRENGTH;
      const check = options.check ?? true;
      checkPixels(image.data, 4, width, height);
      if (!(strength >= MIN_STRENGTH && strength <= MAX_STRENGTH)) {
        throw new RangeError(`Strength is ${MIN_STRENGTH} to ${MAX_STRENGTH}, not ${strength}.`);
      }
      if (Math.min(width, height) < MIN_SIDE) {
        const message = `The picture is ${width} x ${height}; its short side must be ${MIN_SIDE} pixels or more.`;
        throw new LabelError("picture-too-small", message);
      }
      checkSize(width, height);
      loadTemplate(template);
      push(image, true);
      if (kernel.lumaRange() < FLAT_RANGE) refuseFlat(image);
      kernel.studyPlane();
      const factor = 1 / canonicalScale(width, height);
      if (check) kernel.weaveChecked(strength, factor);
      else kernel.weave(strength);
      const data = new Uint8ClampedArray(image.data.length);
      kernel.beginApply(width, height);
      eachStrip(image.data, 4, width, height, (rows, from, bytes) => {
        kernel.applyRows(rows, check);
        data.set(new Uint8Array(kernel.memory.buffer, strip, bytes), from);
      });
      if (check) kernel.addChange();
      const margin = check ? kernel.measureMargin(factor) : null;
      const psnr = 10 * Math.log10(255 ** 2 / kernel.meanSquare());
      return {
        data,
        width,
        height,
        psnr,
        ssim: check ? kernel.meanSsim() : null,
        margin,
        thin: margin !== null && margin < THIN_MARGIN,
        strength,
      };
    },

    verify(picture, template) {
      const shown = checkPicture(picture);
      loadTemplate(template);
      push(picture, true);
      const read = kernel.readBack() >= 0;
      const margin = kernel.measureMargin(1 / canonicalScale(shown.width, shown.height));
      return { read, margin };
    },

    detect(picture, keys, options = {}) {
      const { width, height } = picture;
      const shown = checkPicture(picture);
      const mostKeys = kernel.MAX_KEYS.value as number;
      if (keys.length < 1 || keys.length > mostKeys) {
        throw new RangeError(`One to ${mostKeys} keys can be tried at once, not ${keys.length}.`);
      }
      const mostFindings = kernel.MAX_FINDINGS.value as number;
      const most = options.maxFindings ?? mostFindings;
      if (!Number.isInteger(most) || most < 1 || most > mostFindings) {
        throw new RangeError(`One to ${mostFindings} findings can be asked for, not ${most}.`);
      }
      push(picture, false);
      keys.forEach((key, i) => {
        checkKey(key);
        const at = (kernel.KEYS.value as number) + i * KEY_BYTES;
        new Uint8Array(kernel.memory.buffer, at, KEY_BYTES).set(key);
      });
      const count = kernel.detect(keys.length, most, options.search === "whole-frame");
      const view = new DataView(kernel.memory.buffer);
      const findings = Array.from({ length: count }, (_, i): Finding => {
        const at = (kernel.FINDINGS.value as number) + i * (kernel.FINDING_BYTES.value as number);
        const map = Array.from({ length: 6 }, (_, k) => view.getFloat64(at + 16 + 8 * k, true));
        return {
          label: label(view, at),
          keyIndex: view.getInt32(at + 8, true),
          confidence: view.getFloat32(at + 12, true),
          geometry: geometryOf(map, width, height, shown.width, shown.height),
        };
      });
      return {
        findings,
        searched: {
          reads: kernel.readsMade(),
          best: kernel.bestCorrelation(),
          pilots: kernel.bestPilotScore(),
        },
      };
    },

    memoryBytes() {
      return kernel.memory.buffer.byteLength;
    },
  };
}

/** The size of the picture that is looked at, which a plane may show at another scale. */
function shownSize(picture: Image | Plane): { width: number; height: number } {
  const { width, height } = picture;
  if (!("luma" in picture)) return { width, height };
  const shown = {
    width: picture.pictureWidth ?? width,
    height: picture.pictureHeight ?? height,
  };
  if (!(shown.width > 0 && shown.height > 0)) {
    throw new RangeError(`A picture's sides are positive, not ${shown.width} x ${shown.height}.`);
  }
  return shown;
}

/** Throws why a picture of one colour cannot carry a label. */
function refuseFlat(image: Image): never {
  for (let at = 3; at < image.data.length; at += 4) {
    if (image.data[at] !== 0) {
      throw new LabelError(
        "picture-flat",
        "The picture is one flat colour: it has nothing to hide a label in.",
      );
    }
  }
  throw new LabelError("picture-empty", "The picture is fully transparent.");
}

function checkKey(key: Uint8Array): void {
  if (!(key instanceof Uint8Array) || key.length !== KEY_BYTES) {
    throw new TypeError(`A key is a Uint8Array of ${KEY_BYTES} bytes.`);
  }
}

function checkPixels(
  data: Uint8Array | Uint8ClampedArray,
  pixelBytes: number,
  width: number,
  height: number,
): void {
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 0 || height < 0) {
    throw new RangeError(`A picture's sides are whole numbers, not ${width} x ${height}.`);
  }
  if (width === 0 || height === 0) {
    throw new LabelError("picture-empty", "The picture has no pixels.");
  }
  if (data.length !== width * height * pixelBytes) {
    const wanted = width * height * pixelBytes;
    throw new RangeError(`${width} x ${height} pixels are ${wanted} bytes, not ${data.length}.`);
  }
}
