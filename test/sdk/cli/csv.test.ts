// Tables: quoting, formulas, and files that a crash cut off.
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UsageError } from "../../../sdk/cli/arguments.ts";
import { CsvFile, fromCsv, readCsv, replaceCsv, toCsv } from "../../../sdk/cli/csv.ts";

const HEADER = ["file", "label"];
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tessera-csv-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("rows", () => {
  it("are quoted where they must be", () => {
    const cells = ["a,b", 'say "x"', "two\nlines", "plain", "ü", 1.5, -0.25, null];
    const text = 'a,b","say ""x""","two\nlines",plain,ü,1.5,-0.25,\r\n';
    expect(toCsv(cells)).toBe(`"${text}`);
  });

  it("hold no formulas", () => {
    for (const text of ["=1+1", "+1", "-x", "@x", "\tx", "\rx", "'x"]) {
      expect(toCsv([text]).replace(/^"/, "")).toMatch(/^'/);
    }
    expect(toCsv(["-0.25", "-1", "-1+1"])).toBe("-0.25,-1,'-1+1\r\n");
  });

  it("come back as they were", () => {
    const cell = fc.string({ unit: fc.constantFrom(..."ab,\"'=-\r\n\t ü") });
    fc.assert(
      fc.property(fc.array(fc.array(cell, { minLength: 1, maxLength: 4 })), (rows) => {
        expect(fromCsv(rows.map((row) => toCsv(row)).join(""))).toEqual(rows);
      }),
    );
  });

  it("end where a crash cut them off, and are refused where they are damaged", () => {
    const text = 'a,b\r\n"c\r\n,""",d\r\n';
    for (let length = 0; length < text.length; length++) {
      const whole = length >= 5 ? [["a", "b"]] : [];
      if (length !== 4) expect(fromCsv(text.slice(0, length)), `${length}`).toEqual(whole);
    }
    expect(fromCsv('a,b\r\n"c"d,e\r\nf,g\r\n')).toBeNull();
    expect(fromCsv('a"b,c\n')).toEqual([['a"b', "c"]]);
  });

  it("are read in a time that grows with their length", () => {
    const start = performance.now();
    fromCsv(`${'""'.repeat(500_000)}x`);
    fromCsv(`"${'""'.repeat(500_000)}`);
    fromCsv(`"${'""\n'.repeat(300_000)}`);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe("files", () => {
  it("begin with a header, in folders that are made, and grow", () => {
    const path = join(folder, "new", "table.csv");
    for (const row of [
      ["a", "1"],
      ["b", "2"],
    ]) {
      const table = new CsvFile(path, HEADER);
      table.add(row);
      table.close();
    }
    expect(readFileSync(path, "utf8")).toBe("file,label\r\na,1\r\nb,2\r\n");
    appendFileSync(path, "c,");
    expect(readCsv(path, HEADER)).toEqual([
      ["a", "1"],
      ["b", "2"],
    ]);
    replaceCsv(path, [HEADER, ["b", "2"]]);
    expect(readFileSync(path, "utf8")).toBe("file,label\r\nb,2\r\n");
  });

  it("of another kind are refused and left alone", () => {
    const path = join(folder, "picture.jpg");
    for (const text of ["\xff\xd8", "other,label\r\n", 'file,label\r\n"a"b,c\r\nd,e\r\n']) {
      writeFileSync(path, text);
      expect(() => readCsv(path, HEADER)).toThrow(UsageError);
    }
    writeFileSync(path, "");
    expect(readCsv(path, HEADER)).toEqual([]);
    expect(readCsv(join(folder, "none"), HEADER)).toEqual([]);
    expect(() => new CsvFile(folder, HEADER)).toThrow(UsageError);
    for (const other of [folder, "/dev/zero"]) {
      expect(() => readCsv(other, HEADER)).toThrow(UsageError);
    }
  });
});
