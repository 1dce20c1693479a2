export * from "./engine.ts";
export * from "./error.ts";
export type { Geometry } from "./geometry.ts";
