// Decodes JPEG with libjpeg-turbo's TurboJPEG API (@cwasm/jpeg-turbo: its WASM, not its Node wrapper): in
// full, or grey and reduced inside the inverse DCT, which costs little time and next to no memory.
import { LabelError } from "./error.ts";

interface Turbo {
  readonly memory: WebAssembly.Memory;
  malloc(bytes: number): number;
  tjInitDecompress(): number;
  tjDecompress2(
    handle: number,
    jpeg: number,
    jpegBytes: number,
    pixels: number,
    width: number,
    pitch: number,
    height: number,
    format: number,
    flags: number,
  ): number;
}

/** turbojpeg.h, enum TJPF, with bytes per pixel. */
const FORMATS = {
  grey: { code: 6, bytes: 1 },
  rgba: { code: 7, bytes: 4 },
  cmyk: { code: 11, bytes: 4 },
} as const;

/** End of image (ITU-T T.81, B.1.1.3): appended, since files without it are common and harmless. */
const EOI = [0xff, 0xd9];
/** What the library's buffer for the last message holds before there is one. */
const NO_MESSAGE = "No error\0";
const MAX_MESSAGE_BYTES = 200;
/** Of the library's warnings (jerror.h, JWRN_*) those after which pixels are missing or wrong. */
const DAMAGE = /premature end|bad Huffman code|instead of RST/i;

export interface TurboPicture {
  readonly data: Uint8Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
}

/**
 * Decodes a JPEG file.
 * @param width,height as its frame header says
 * @param format grey: luma, 1 byte a pixel; rgba: 4 bytes; cmyk: 4 bytes, as stored
 * @param divisor the sides are divided by it, upwards: 1, 2, 4 or 8
 * @throws LabelError `file-broken` when pixels are missing or damaged, `out-of-memory`
 */
export function decodeTurbo(
  module: WebAssembly.Module,
  bytes: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
  format: keyof typeof FORMATS,
  divisor: 1 | 2 | 4 | 8 = 1,
): TurboPicture {
  // An instance takes 128 KiB and a fraction of a millisecond, and takes its memory along when it goes.
  const turbo = start(module);
  const { code, bytes: pixelBytes } = FORMATS[format];
  const wide = Math.ceil(width / divisor);
  const high = Math.ceil(height / divisor);
  const jpeg = turbo.malloc(bytes.length + EOI.length);
  const pixels = turbo.malloc(wide * high * pixelBytes);
  const handle = turbo.tjInitDecompress();
  if (jpeg === 0 || pixels === 0 || handle === 0) {
    throw new LabelError("out-of-memory", `There is no memory for a ${width} x ${height} JPEG.`);
  }
  const source = new Uint8Array(turbo.memory.buffer, jpeg, bytes.length + EOI.length);
  source.set(bytes);
  source.set(EOI, bytes.length);
  let status: number;
  try {
    const pitch = wide * pixelBytes;
    status = turbo.tjDecompress2(handle, jpeg, source.length, pixels, wide, pitch, high, code, 0);
  } catch (error) {
    throw broken(error);
  }
  const warning = status === 0 ? "" : lastMessage(module, turbo);
  if (DAMAGE.test(warning)) throw broken(warning);
  const data = new Uint8Array(turbo.memory.buffer, pixels, wide * high * pixelBytes).slice();
  return { data, width: wide, height: high };
}

function start(module: WebAssembly.Module): Turbo {
  const leave = (name: string) => () => {
    throw new Error(`the decoder gave up (${name})`);
  };
  return new WebAssembly.Instance(module, {
    env: { setjmp: () => 0, longjmp: leave("error") },
    wasi_snapshot_preview1: {
      environ_sizes_get: () => 0,
      environ_get: () => 0,
      proc_exit: leave("exit"),
      fd_close: leave("close"),
      fd_seek: leave("seek"),
      fd_write: leave("write"),
    },
  }).exports as unknown as Turbo;
}

/** The library's last message. This build exports no function for it, but its buffer has a fixed place. */
function lastMessage(module: WebAssembly.Module, turbo: Turbo): string {
  const latin = new TextDecoder("latin1");
  const at = latin.decode(start(module).memory.buffer).lastIndexOf(NO_MESSAGE);
  if (at < 0) throw new Error("This build of libjpeg-turbo keeps its messages elsewhere.");
  const text = new Uint8Array(turbo.memory.buffer, at, MAX_MESSAGE_BYTES);
  return latin.decode(text.subarray(0, text.indexOf(0)));
}

function broken(cause: unknown): LabelError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LabelError("file-broken", `The JPEG is damaged or incomplete (${reason}).`);
}
