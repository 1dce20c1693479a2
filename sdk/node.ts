// The tools of Node: the kernel and the codecs read from this package and its dependencies.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CODEC_FILES, type CodecName, createCodecs } from "./codecs.ts";
import { createEngine } from "./engine.ts";
import { NODE_MAX_BYTES } from "./limits.ts";
import type { Tools } from "./tools.ts";

export type { Tools } from "./tools.ts";

const KERNEL = new URL("../build/tessera.wasm", import.meta.url);

/** Compiles a codec from node_modules. */
export function loadCodec(name: CodecName): WebAssembly.Module {
  return compile(fileURLToPath(import.meta.resolve(CODEC_FILES[name])));
}

/** Starts an engine with its codecs; one per thread. */
export function startTools(maxBytes = NODE_MAX_BYTES): Tools {
  const engine = createEngine(compile(fileURLToPath(KERNEL)));
  return { engine, codecs: createCodecs(loadCodec, maxBytes) };
}

function compile(path: string): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(path));
}
