// The tools of this page: kernel and codecs fetched from where the page came from, when first needed.

import jpegDecode from "@cwasm/jpeg-turbo/jpeg-turbo.wasm?url";
import avifDecode from "@jsquash/avif/codec/dec/avif_dec.wasm?url";
import avifEncode from "@jsquash/avif/codec/enc/avif_enc.wasm?url";
import jpegEncode from "@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm?url";
import webpDecode from "@jsquash/webp/codec/dec/webp_dec.wasm?url";
import webpEncode from "@jsquash/webp/codec/enc/webp_enc_simd.wasm?url";
import kernelUrl from "../build/tessera.wasm?url";
import {
  BROWSER_MAX_BYTES,
  type CodecName,
  createCodecs,
  createEngine,
  type Tools,
} from "../sdk/index.ts";

const URLS: Readonly<Record<CodecName, string>> = {
  "jpeg-decode": jpegDecode,
  "jpeg-encode": jpegEncode,
  "webp-decode": webpDecode,
  "webp-encode": webpEncode,
  "avif-decode": avifDecode,
  "avif-encode": avifEncode,
};

const kernel = WebAssembly.compileStreaming(fetch(kernelUrl));
const codecs = createCodecs(
  (name) => WebAssembly.compileStreaming(fetch(URLS[name])),
  BROWSER_MAX_BYTES,
);

/** Tools for one task: the engine's memory goes with it. */
export async function startTools(): Promise<Tools> {
  return { engine: createEngine(await kernel), codecs };
}
