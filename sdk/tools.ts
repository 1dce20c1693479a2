// What the work on files needs, and each host finds in its own way.
import type { Codecs } from "./codecs.ts";
import type { Engine } from "./engine.ts";

export interface Tools {
  readonly engine: Engine;
  readonly codecs: Codecs;
}
