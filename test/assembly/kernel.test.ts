// The bare kernel, by its exported functions alone: it imports nothing, and the same calls give the same
// bits in every instance, however the rows are cut into strips.
import { beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_STRENGTH, type Image } from "../../sdk/index.ts";
import {
  engine,
  KEY,
  kernelModule,
  makeLabel,
  makeNoise,
  makeWaves,
  sha256,
} from "../support/engine.ts";

type Call = (...args: (number | bigint | boolean)[]) => number;

/** An instance with its exports: functions to call, constants as numbers. */
function start() {
  const { exports } = new WebAssembly.Instance(kernelModule, {});
  const memory = exports.memory as WebAssembly.Memory;
  return {
    call: (name: string, ...args: Parameters<Call>) => (exports[name] as Call)(...args),
    read: (name: string, bytes: number) =>
      new Uint8Array(memory.buffer, constant(name), bytes).slice(),
    write: (name: string, bytes: Uint8Array | Uint8ClampedArray) =>
      new Uint8Array(memory.buffer).set(bytes, constant(name)),
    constant,
  };

  function constant(name: string): number {
    return (exports[name] as WebAssembly.Global).value;
  }
}

type Kernel = ReturnType<typeof start>;

function makeTemplate(kernel: Kernel, label: bigint): Uint8Array {
  kernel.write("KEY", KEY);
  kernel.call("useKey", kernel.constant("KEY"));
  kernel.call("writeTemplate", label);
  return kernel.read("TEMPLATE", kernel.constant("TEMPLATE_BYTES"));
}

/** Labels a picture, handing it through `rows` rows at a time. */
function labelPicture(
  kernel: Kernel,
  image: Image,
  template: Uint8Array,
  rows: number,
): Uint8Array {
  const { data, width, height } = image;
  const eachStrip = (visit: (count: number, from: number, to: number) => void) => {
    for (let y = 0; y < height; y += rows) {
      const count = Math.min(rows, height - y);
      const [from, to] = [y * width * 4, (y + count) * width * 4];
      kernel.write("STRIP", data.subarray(from, to));
      visit(count, from, to);
    }
  };
  kernel.write("TEMPLATE", template);
  expect(kernel.call("useTemplate")).toBe(1);
  expect(kernel.call("beginPicture", width, height, true)).toBe(1);
  eachStrip((count) => kernel.call("pushRgba", count));
  kernel.call("endPicture");
  kernel.call("studyPlane");
  kernel.call("weave", DEFAULT_STRENGTH);
  kernel.call("beginApply", width, height);
  const out = new Uint8Array(data.length);
  eachStrip((count, from, to) => {
    kernel.call("applyRows", count, false);
    out.set(kernel.read("STRIP", to - from), from);
  });
  return out;
}

/** The findings' bytes after a look under KEY. */
function look(kernel: Kernel, image: Image, rows: number): Uint8Array {
  const { data, width, height } = image;
  kernel.call("beginPicture", width, height, false);
  for (let y = 0; y < height; y += rows) {
    const count = Math.min(rows, height - y);
    kernel.write("STRIP", data.subarray(y * width * 4, (y + count) * width * 4));
    kernel.call("pushRgba", count);
  }
  kernel.call("endPicture");
  kernel.write("KEYS", KEY);
  const found = kernel.call("detect", 1, kernel.constant("MAX_FINDINGS"), false);
  expect(found).toBe(1);
  return kernel.read("FINDINGS", found * kernel.constant("FINDING_BYTES"));
}

const label = makeLabel("kernel");

it("imports nothing and exports one memory, functions and integers", () => {
  expect(WebAssembly.Module.imports(kernelModule)).toEqual([]);
  const { exports } = new WebAssembly.Instance(kernelModule, {});
  const kinds = Object.values(exports).map((value) => {
    if (value instanceof WebAssembly.Memory) return "memory";
    if (value instanceof WebAssembly.Global) return Number.isInteger(value.value) ? "integer" : "?";
    return typeof value;
  });
  expect(new Set(kinds)).toEqual(new Set(["memory", "integer", "function"]));
  expect(kinds.filter((kind) => kind === "memory")).toHaveLength(1);
});

it("has room for the widest row in a strip", () => {
  const kernel = start();
  expect(kernel.constant("STRIP_PIXELS")).toBeGreaterThanOrEqual(kernel.constant("MAX_SIDE"));
});

describe.each([
  ["smaller than the plane", 203, 151],
  ["larger than the plane", 811, 623],
])("a picture %s", (_, width, height) => {
  const picture = makeWaves(width, height);
  let template: Uint8Array;
  let labelled: Uint8Array;

  beforeAll(() => {
    const kernel = start();
    template = makeTemplate(kernel, BigInt(`0x${label}`));
    labelled = labelPicture(kernel, picture, template, 64);
  });

  it("is labelled bit for bit alike by two instances, and by the engine", () => {
    const other = start();
    expect(makeTemplate(other, BigInt(`0x${label}`))).toEqual(template);
    expect(sha256(labelPicture(other, picture, template, 64))).toBe(sha256(labelled));
    expect(engine.template(label, KEY)).toEqual(template);
    const byEngine = engine.embed(picture, template, { check: false });
    expect(sha256(byEngine.data)).toBe(sha256(labelled));
    expect(sha256(labelled)).not.toBe(sha256(picture.data));
  });

  it("is labelled and read alike whatever came before", () => {
    const [used, fresh] = [start(), start()];
    makeTemplate(used, 1n);
    labelPicture(used, makeNoise(450, 900), template, 7);
    expect(sha256(labelPicture(used, picture, template, 64))).toBe(sha256(labelled));
    const image = { data: labelled, width, height };
    expect(look(used, image, 64)).toEqual(look(fresh, image, 64));
  });

  it.each([1, 3, 100])("is labelled and read alike %i rows at a time", (rows) => {
    const kernel = start();
    expect(sha256(labelPicture(kernel, picture, template, rows))).toBe(sha256(labelled));
    const image = { data: labelled, width, height };
    expect(look(kernel, image, rows)).toEqual(look(start(), image, 64));
  });
});
