// Arrows point one way: worker -> sdk -> build/*.wasm <- assembly. Reads the imports of all sources and
// the WASM's own tables, and keeps it so.
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** What a page may wait for before it can label anything. */
const MAX_WASM_GZIP_BYTES = 64 * 1024;
const EXPORT_KINDS = ["function", "global", "memory"];

/** Folder of a source -> folders that it may import from. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  assembly: ["assembly"],
  sdk: ["sdk", "build"],
  worker: ["worker", "sdk", "build"],
  pages: ["pages", "sdk", "build"],
  bench: ["bench", "sdk"],
  test: ["test", "bench", "pages", "worker", "sdk", "build"],
};

const FOLDERS = [...Object.keys(MAY_IMPORT), "build"];

/**
 * The sources that may look into a WASM instance: the engine into the kernel, the others into a codec. Tests
 * of the kernel are not sources.
 */
const WASM_OWNERS = ["codecs.ts", "engine.ts", "jpeg-turbo.ts"].map((file) => join("sdk", file));
const WASM_ACCESS = /\bmemory\.buffer\b|\.exports\b|\bWebAssembly\.(Instance\(|instantiate)/;

const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*|\bnew URL\(\s*)["'](\.[^"']*)["']/g;

const sources = Object.keys(MAY_IMPORT)
  .flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: ROOT }))
  .filter((file) => !file.startsWith(join("worker", "public")))
  .map((file) => ({ file, text: readFileSync(join(ROOT, file), "utf8") }));

/** Files that a source imports, relative to the root, without what follows a question mark. */
function importsOf({ file, text }: (typeof sources)[number]): string[] {
  return [...text.matchAll(IMPORT)].map(([, path = ""]) =>
    normalize(join(dirname(file), path.replace(/\?.*$/, ""))),
  );
}

function folderOf(path: string): string {
  return relative("", path).split(sep)[0] ?? "";
}

describe("sources", () => {
  it("are found", () => {
    for (const folder of ["assembly", "sdk", "pages", "test"]) {
      expect(sources.map(({ file }) => folderOf(file))).toContain(folder);
    }
  });

  it("import in one direction only", () => {
    const wrong = sources.flatMap((source) =>
      importsOf(source)
        .filter((path) => FOLDERS.includes(folderOf(path)))
        .filter((path) => !MAY_IMPORT[folderOf(source.file)]?.includes(folderOf(path)))
        .map((path) => `${source.file} imports ${path}`),
    );
    expect(wrong).toEqual([]);
  });

  it("look into WASM in these places only", () => {
    const looking = sources
      .filter(({ file }) => !["assembly", "test"].includes(folderOf(file)))
      .filter(({ text }) => WASM_ACCESS.test(text))
      .map(({ file }) => file);
    expect(looking.sort()).toEqual(WASM_OWNERS);
  });
});

describe("build/tessera.wasm", () => {
  const bytes = readFileSync(join(ROOT, "build", "tessera.wasm"));
  const module = new WebAssembly.Module(bytes);

  it("imports nothing", () => {
    expect(WebAssembly.Module.imports(module)).toEqual([]);
  });

  it("exports functions, integers and one memory", () => {
    const table = WebAssembly.Module.exports(module);
    expect(table.filter(({ kind }) => !EXPORT_KINDS.includes(kind))).toEqual([]);
    expect(table.filter(({ kind }) => kind === "memory")).toHaveLength(1);
    const values = Object.entries(new WebAssembly.Instance(module).exports);
    for (const [name, value] of values) {
      if (value instanceof WebAssembly.Global)
        expect(value.value, name).toSatisfy(Number.isInteger);
    }
  });

  it(`is at most ${MAX_WASM_GZIP_BYTES} bytes as sent`, () => {
    expect(gzipSync(bytes).length).toBeLessThanOrEqual(MAX_WASM_GZIP_BYTES);
  });
});
