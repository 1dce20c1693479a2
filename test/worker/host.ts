// A Worker that does what the SDK can do with files, for the test beside it.
import JPEG_DECODE from "@cwasm/jpeg-turbo/jpeg-turbo.wasm";
import AVIF_DECODE from "@jsquash/avif/codec/dec/avif_dec.wasm";
import AVIF_ENCODE from "@jsquash/avif/codec/enc/avif_enc.wasm";
import JPEG_ENCODE from "@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm";
import WEBP_DECODE from "@jsquash/webp/codec/dec/webp_dec.wasm";
import WEBP_ENCODE from "@jsquash/webp/codec/enc/webp_enc_simd.wasm";
import KERNEL from "../../build/tessera.wasm";
import {
  type CodecName,
  createCodecs,
  createEngine,
  DEMO_KEY,
  detectFile,
  keyFromHex,
  LabelError,
  labelFile,
  WORKER_MAX_BYTES,
} from "../../sdk/index.ts";

const MODULES: Readonly<Record<CodecName, WebAssembly.Module>> = {
  "jpeg-decode": JPEG_DECODE,
  "jpeg-encode": JPEG_ENCODE,
  "webp-decode": WEBP_DECODE,
  "webp-encode": WEBP_ENCODE,
  "avif-decode": AVIF_DECODE,
  "avif-encode": AVIF_ENCODE,
};

const key = keyFromHex(DEMO_KEY);
const engine = createEngine(KERNEL);
const codecs = createCodecs((name) => MODULES[name], WORKER_MAX_BYTES);
const tools = { engine, codecs };

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const bytes = new Uint8Array(await request.arrayBuffer());
    try {
      if (pathname === "/detect") return Response.json(await detectFile(bytes, [key], tools));
      const template = engine.template(searchParams.get("label") ?? "", key);
      return new Response((await labelFile(bytes, template, tools)).bytes);
    } catch (error) {
      if (!(error instanceof LabelError)) throw error;
      return Response.json({ code: error.code, message: error.message }, { status: 422 });
    }
  },
};
