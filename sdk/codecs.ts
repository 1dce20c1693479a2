// The codec libraries, each one WASM module that the host hands in and that is started when first needed.
// PNG needs none: it is read and written in file/png-decode.ts and file/png-encode.ts.
import type { Format, Header } from "./file/format.ts";

/** libjpeg-turbo, MozJPEG, libwebp (SIMD), libavif with dav1d and libaom: bytes as published on npm. */
export const CODEC_FILES = {
  "jpeg-decode": "@cwasm/jpeg-turbo/jpeg-turbo.wasm",
  "jpeg-encode": "@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm",
  "webp-decode": "@jsquash/webp/codec/dec/webp_dec.wasm",
  "webp-encode": "@jsquash/webp/codec/enc/webp_enc_simd.wasm",
  "avif-decode": "@jsquash/avif/codec/dec/avif_dec.wasm",
  "avif-encode": "@jsquash/avif/codec/enc/avif_enc.wasm",
} as const;

export type CodecName = keyof typeof CODEC_FILES;

/** How a host finds and compiles a codec: it imports the file, fetches it, or reads it from a disk. */
export type LoadCodec = (name: CodecName) => WebAssembly.Module | Promise<WebAssembly.Module>;

/** RGBA, not premultiplied; Uint16Array with values up to 2^bitDepth - 1 for more than 8 bits. */
export interface Pixels<Data = Uint8ClampedArray<ArrayBuffer> | Uint16Array<ArrayBuffer>> {
  readonly data: Data;
  readonly width: number;
  readonly height: number;
}

/** What the Emscripten builds of @jsquash can do. */
interface Codec {
  decode(file: Uint8Array, bitDepth?: number): Pixels | null;
  encode(data: Uint8Array, width: number, height: number, options: object): Uint8Array | null;
}

interface Started {
  readonly codec: Codec;
  readonly memory: WebAssembly.Memory;
}

const FACTORIES = {
  "jpeg-encode": () => import("@jsquash/jpeg/codec/enc/mozjpeg_enc.js"),
  "webp-decode": () => import("@jsquash/webp/codec/dec/webp_dec.js"),
  "webp-encode": () => import("@jsquash/webp/codec/enc/webp_enc_simd.js"),
  "avif-decode": () => import("@jsquash/avif/codec/dec/avif_dec.js"),
  "avif-encode": () => import("@jsquash/avif/codec/enc/avif_enc.js"),
};

/** An idle instance with more memory is dropped, since WASM memory never shrinks; less where less is allowed. */
const MAX_IDLE_BYTES = 64 * 2 ** 20;
const MAX_IDLE_SHARE = 0.25;

/** WebAssembly's page. */
const PAGE_BYTES = 65_536;

export interface Codecs {
  /** What one picture may take at its peak, bytes; no codec's own memory grows beyond it. */
  readonly maxBytes: number;
  /** The compiled module of a codec, loaded once. */
  module(name: CodecName): Promise<WebAssembly.Module>;
  /**
   * Decodes a file in full.
   * @returns null when the decoder refuses it
   */
  decode(format: "webp" | "avif", file: Uint8Array, header: Header): Promise<Pixels | null>;
  /**
   * Encodes pixels.
   * @param options all of the codec's own, as in @jsquash's meta.js
   * @returns null when the encoder refuses them
   */
  encode(
    format: Exclude<Format, "png">,
    pixels: Pixels,
    options: object,
  ): Promise<Uint8Array<ArrayBuffer> | null>;
}

/**
 * Codecs of a host.
 * @param maxBytes what one picture may take at its peak: limits.ts has a value for each kind of host
 */
export function createCodecs(load: LoadCodec, maxBytes: number): Codecs {
  const modules = new Map<CodecName, Promise<WebAssembly.Module>>();
  const idle = new Map<CodecName, Started>();
  const mostIdle = Math.min(MAX_IDLE_BYTES, MAX_IDLE_SHARE * maxBytes);

  function module(name: CodecName): Promise<WebAssembly.Module> {
    const known = modules.get(name) ?? Promise.resolve(load(name));
    modules.set(name, known);
    known.catch(() => modules.delete(name));
    return known;
  }

  /** Runs a codec; an instance that fails or has grown is not used again. */
  async function run<T>(name: keyof typeof FACTORIES, act: (codec: Codec) => T): Promise<T | null> {
    const started = idle.get(name) ?? (await start(name));
    idle.delete(name);
    let result: T;
    try {
      result = act(started.codec);
    } catch {
      // A trap, an abort and a C++ exception all say the same: this file or these pixels are refused.
      return null;
    }
    if (started.memory.buffer.byteLength <= mostIdle) idle.set(name, started);
    return result;
  }

  async function start(name: keyof typeof FACTORIES): Promise<Started> {
    const [compiled, { default: factory }] = await Promise.all([module(name), FACTORIES[name]()]);
    const make = factory as unknown as (options: object) => Promise<Codec>;
    const memories: WebAssembly.Memory[] = [];
    const codec = await make({
      noInitialRun: true,
      instantiateWasm(
        imports: WebAssembly.Imports,
        use: (instance: WebAssembly.Instance) => void,
      ): WebAssembly.Exports {
        const instance = new WebAssembly.Instance(compiled, imports);
        const exported = Object.values(instance.exports);
        memories.push(...exported.filter((value) => value instanceof WebAssembly.Memory));
        use(instance);
        return instance.exports;
      },
    });
    const [memory] = memories;
    limitGrowth(memory, maxBytes);
    return { codec, memory };
  }

  return {
    maxBytes,

    module,

    decode(format, file, { bitDepth }) {
      return run(`${format}-decode`, (codec) =>
        format === "webp" ? codec.decode(file) : codec.decode(file, bitDepth),
      );
    },

    async encode(format, { data, width, height }, options) {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      const encoded = await run(`${format}-encode`, (codec) =>
        codec.encode(bytes, width, height, options),
      );
      return encoded && Uint8Array.from(encoded);
    },
  };
}

/** A header may tell a small picture and the coded data hold a large one: the decoder then runs out. */
function limitGrowth(memory: WebAssembly.Memory, maxBytes: number): void {
  const grow = memory.grow.bind(memory);
  memory.grow = (pages) => {
    if (memory.buffer.byteLength + pages * PAGE_BYTES > maxBytes) {
      throw new RangeError(`A codec wants more than ${maxBytes} bytes.`);
    }
    return grow(pages);
  };
}
