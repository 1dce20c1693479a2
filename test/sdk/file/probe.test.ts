// Kinds of files by their content, whatever their name.
import { describe, expect, it } from "vitest";
import { probe } from "../../../sdk/file/probe.ts";
import { codeOf } from "../../support/engine.ts";
import { FORMATS, makeFile } from "../../support/tools.ts";

it.each(FORMATS)("knows %s", async (format) => {
  expect(probe(await makeFile(format, "shoe.png", 200))).toMatchObject({ format, width: 200 });
});

const latin = (text: string) => Buffer.from(text.padEnd(64, "\0"), "latin1");

describe("pictures of other kinds", () => {
  it.each([
    ["GIF", latin("GIF89a")],
    ["HEIC", latin("\0\0\0\x18ftypheic\0\0\0\0mif1heic")],
    [
      "SVG",
      latin('<?xml version="1.0"?>\n<!-- a drawing -->\n<svg xmlns="http://www.w3.org/2000/svg">'),
    ],
    ["TIFF or camera raw", latin("II*\0\x08\0\0\0")],
    ["JPEG XL", latin("\xff\x0a")],
    ["BMP", latin("BM\x36\x10\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0")],
    ["ICO", latin("\0\0\x01\0\x01\0")],
    ["Photoshop", latin("8BPS\0\x01")],
  ])("%s is named, with advice", (kind, bytes) => {
    expect(codeOf(() => probe(bytes))).toBe("file-unsupported");
    expect(() => probe(bytes)).toThrow(
      new RegExp(`^${kind} pictures are not handled\\. .*PNG|JPEG`),
    );
  });
});

it.each([
  ["nothing", Buffer.alloc(0)],
  ["text", latin("A picture is worth a thousand words.")],
  ["a film", latin("\0\0\0\x18ftypisom\0\0\x02\0isommp42")],
  ["a sound", latin("RIFF\x24\0\0\0WAVEfmt ")],
  ["a page", latin("<!DOCTYPE html><html><body><svg></svg></body></html>")],
])("%s is no picture", (_, bytes) => {
  expect(codeOf(() => probe(bytes))).toBe("file-unknown");
});

it("is quick on what looks like an endless drawing", () => {
  const start = performance.now();
  expect(codeOf(() => probe(Buffer.from("<!-- -->".repeat(100_000))))).toBe("file-unknown");
  expect(performance.now() - start).toBeLessThan(200);
});
