// The public surface. Hosts add their tools: Node has them in node.ts.
export { type CodecName, type Codecs, createCodecs, type LoadCodec } from "./codecs.ts";
export { type DetectedFile, detectFile } from "./detect-file.ts";
export * from "./engine.ts";
export * from "./error.ts";
export type { Dropped, Format, MetadataEdit } from "./file/format.ts";
export type { Geometry } from "./geometry.ts";
export { type LabelFileOptions, type LabelledFile, labelFile } from "./label-file.ts";
export { BROWSER_MAX_BYTES, NODE_MAX_BYTES, WORKER_MAX_BYTES } from "./limits.ts";
export type { Tools } from "./tools.ts";
