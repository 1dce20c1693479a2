// The command line as users run it: a process of its own on files in a temporary folder.
import { type ChildProcess, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fromCsv } from "../../sdk/cli/csv.ts";
import { MAX_FILE_BYTES } from "../../sdk/cli/picture-file.ts";
import { DETECT_COLUMNS, LABEL_COLUMNS } from "../../sdk/cli/records.ts";
import { readTags } from "../support/exiftool.ts";
import { type FixtureName, fixturePath } from "../support/pictures.ts";

const CLI = fileURLToPath(new URL("../../sdk/cli.ts", import.meta.url));
const KEY = "00112233445566778899aabbccddeeff";
const LABEL = "0123456789abcdef";
const HEX = /^[0-9a-f]{16}$/;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tessera-cli-"));
});
afterEach(() => rmSync(root, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[], environment: Record<string, string | undefined> = {}) {
  const env = { ...process.env, TESSERA_KEY: KEY, ...environment };
  return spawn(process.execPath, [CLI, ...args], { cwd: root, env });
}

async function end(child: ChildProcess): Promise<Ended> {
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (more: string) => {
      text[name] += more;
    });
  }
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, ...text })));
}

/** Runs the command line; words apart by single spaces, or as they are in a list. */
async function tessera(
  args: string | readonly string[],
  environment?: Record<string, string | undefined>,
): Promise<Ended> {
  return end(start(typeof args === "string" ? args.split(" ") : args, environment));
}

function put(name: FixtureName, ...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    cpSync(fixturePath(name), join(root, path));
  }
}

const write = (path: string, text: string) => {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), text, "latin1");
};
const read = (path: string) => readFileSync(join(root, path));
const has = (path: string) => existsSync(join(root, path));
const list = (path = ".") =>
  readdirSync(join(root, path), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(root, path).length + 1))
    .sort();

const lines = (text: string) => text.split("\n").filter(Boolean);
// biome-ignore lint/suspicious/noExplicitAny: the tests look at what is in there.
const objects = (text: string): any[] => lines(text).map((line) => JSON.parse(line));
const codes = (text: string) => objects(text).map(({ error }) => error?.code ?? "ok");

/** The rows of a table as objects, header checked. */
function rows(path: string, columns: readonly string[] = LABEL_COLUMNS): Record<string, string>[] {
  const [header, ...more] = fromCsv(read(path).toString()) ?? [];
  expect(header).toEqual([...columns]);
  return more.map((cells) => Object.fromEntries(columns.map((name, i) => [name, cells[i] ?? ""])));
}

/** The label that is read from each file. */
async function labelsOf(...paths: string[]): Promise<string[]> {
  const { code, stdout } = await tessera(["detect", "--json", ...paths]);
  expect(code).toBe(0);
  return objects(stdout).map(({ findings }) => findings.map((f: { label: string }) => f.label)[0]);
}

describe("label", () => {
  it("weaves the label that it is told into one picture, and tells of it", async () => {
    put("parrots.jpg", "a.jpg");
    const before = read("a.jpg");
    const args = `label a.jpg --out b.jpg --label ${LABEL.toUpperCase()} --json`;
    const { code, stdout, stderr } = await tessera(args);
    expect(code, stderr).toBe(0);
    const [result, ...more] = objects(stdout);
    expect(more).toEqual([]);
    const names = ["file", "out", "label", "width", "height", "psnr", "ssim", "margin", "ms"];
    expect(Object.keys(result)).toEqual(names);
    expect(result).toMatchObject({ file: "a.jpg", out: "b.jpg", label: LABEL });
    expect(result).toMatchObject({ width: 768, height: 512 });
    expect(result.psnr).toBeGreaterThan(38);
    expect(result.psnr).toBe(Number(result.psnr.toFixed(2)));
    expect(stderr).toBe("labelled 1, failed 0, skipped 0 non-pictures\n");
    expect(read("a.jpg").equals(before)).toBe(true);
    expect(await labelsOf("b.jpg", "a.jpg")).toEqual([LABEL, undefined]);
    expect(list()).toEqual(["a.jpg", "b.jpg"]);
  });

  it("walks folders, keeps names, skips what is no picture, and answers in order", async () => {
    put("parrots.jpg", "in/a.jpg", "in/sub/deep/b.jpg", "in/.hidden.jpg", "in/.git/c.jpg");
    put("bagel.jpg", "in/c.jpg");
    put("shoe.png", "in/sub/d.png", "elsewhere/e.png");
    write("in/notes.txt", "Not a picture.");
    write("in/empty", "");
    symlinkSync("../elsewhere", join(root, "in/link"));
    symlinkSync("a.jpg", join(root, "in/link.jpg"));
    const run = await tessera("label in --out in/out --cohort 00A1 --json --csv in/out/t.csv");
    expect(run.code, run.stdout).toBe(0);
    expect(run.stderr).toBe("labelled 4, failed 0, skipped 2 non-pictures\n");
    const files = ["a.jpg", "c.jpg", "sub/d.png", "sub/deep/b.jpg"];
    expect(list("in/out")).toEqual([...files, "t.csv"]);
    const results = objects(run.stdout);
    expect(results.map(({ file }) => file)).toEqual(files.map((file) => `in/${file}`));
    const labels = results.map(({ label }) => label);
    expect(new Set(labels).size).toBe(4);
    expect(labels.every((label) => HEX.test(label) && label.startsWith("00a1"))).toBe(true);
    expect(await labelsOf("in/out/a.jpg", "in/out/c.jpg", "in/out/sub")).toEqual(labels);
    const table = rows("in/out/t.csv").map(({ out, label, error }) => [out, label, error]);
    const expected = results.map(({ out, label }) => [out, label, ""]);
    expect(table.sort()).toEqual(expected.sort());
  });

  it("fails what is broken, empty, unsupported, too large or not there, and does the rest", async () => {
    put("parrots.jpg", "in/good.jpg", "in/cut.jpg");
    truncateSync(join(root, "in/cut.jpg"), 300);
    write("in/empty.png", "");
    write("in/a.gif", "GIF89a\x01\0\x01\0\0\0\0;");
    write("in/words.jpg", "Not a picture.");
    write("in/large.jpg", "\xff\xd8\xff");
    truncateSync(join(root, "in/large.jpg"), MAX_FILE_BYTES + 1);
    write("in/video.mp4", "\0\0\0\x18ftypmp42");
    truncateSync(join(root, "in/video.mp4"), MAX_FILE_BYTES + 1);
    write("notes.txt", "Not a picture.");
    const run = await tessera("label in notes.txt none.jpg --out out --json --csv t.csv");
    expect(run.code).toBe(1);
    const found = Object.fromEntries(
      objects(run.stdout).map(({ file, error }) => [file, error?.code ?? "ok"]),
    );
    expect(found).toEqual({
      "in/a.gif": "file-unsupported",
      "in/cut.jpg": "file-broken",
      "in/empty.png": "file-unknown",
      "in/good.jpg": "ok",
      "in/large.jpg": "file-too-large",
      "in/words.jpg": "file-unknown",
      "notes.txt": "file-unknown",
      "none.jpg": "file-unreadable",
    });
    expect(run.stderr).toBe("labelled 1, failed 7, skipped 1 non-pictures\n");
    expect(list("out")).toEqual(["good.jpg"]);
    expect(rows("t.csv").filter(({ error }) => error)).toHaveLength(7);
    const [first] = objects(run.stdout);
    expect(Object.keys(first)).toEqual(["file", "error"]);
    expect(Object.keys(first.error)).toEqual(["code", "message"]);
  });

  it("makes no folder when nothing is written", async () => {
    write("a.jpg", "");
    expect((await tessera("label a.jpg --out new/folder/")).code).toBe(1);
    expect(list()).toEqual(["a.jpg"]);
    expect(has("new")).toBe(false);
  });

  it("never overwrites originals or outputs, and refuses outputs that meet", async () => {
    put("parrots.jpg", "x/a.jpg", "y/A.jpg", "x/b.jpg", "x/c.jpg");
    for (const folder of ["x", "y"]) write(`${folder}/Thumbs.db`, "Not a picture.");
    put("bagel.jpg", "out/b.jpg");
    const before = ["x/a.jpg", "y/A.jpg", "x/b.jpg", "x/c.jpg", "out/b.jpg"].map(read);
    const all = await tessera("label x y --out out --json");
    expect(codes(all.stdout)).toEqual([
      ...["output-collision", "output-exists", "ok", "output-collision"],
    ]);
    expect(all.stdout).toMatch(/--resume/);
    expect(all.stderr).toMatch("labelled 1, failed 3, skipped 2 non-pictures");
    expect(all.code).toBe(1);
    expect(list("out")).toEqual(["b.jpg", "c.jpg"]);
    for (const resume of ["", " --resume --csv t.csv"]) {
      const into = await tessera(`label x/a.jpg x/b.jpg --out x --json${resume}`);
      expect(codes(into.stdout)).toEqual(["output-is-input", "output-is-input"]);
      const onto = await tessera(`label x/a.jpg --out y/../x/a.jpg --json${resume}`);
      expect(codes(onto.stdout)).toEqual(["output-is-input"]);
    }
    const after = ["x/a.jpg", "y/A.jpg", "x/b.jpg", "x/c.jpg", "out/b.jpg"].map(read);
    expect(after.every((bytes, i) => bytes.equals(before[i] as Buffer))).toBe(true);
  });

  it("hands on strength, quality, rights and the place", async () => {
    const source = await sharp(fixturePath("parrots.jpg"))
      .withExif({
        IFD0: { Artist: "A" },
        IFD3: { GPSLatitudeRef: "N", GPSLatitude: "52/1 0/1 0/1" },
      })
      .toBuffer();
    writeFileSync(join(root, "a.jpg"), source);
    const [plain, strong, poor] = await Promise.all(
      ["--keep-location", "--strength 1.2", "--quality 40"].map(async (option, i) => {
        const args = `label a.jpg --out ${i}.jpg --label ${LABEL} --json ${option}`.split(" ");
        const { stdout } = await tessera([...args, "--rights", "© Ümit, =1"]);
        return { ...objects(stdout)[0], bytes: statSync(join(root, `${i}.jpg`)).size };
      }),
    );
    expect(strong.psnr).toBeLessThan(plain.psnr - 3);
    expect(poor.bytes).toBeLessThan(0.7 * plain.bytes);
    const [kept, dropped] = [readTags(read("0.jpg")), readTags(read("1.jpg"))];
    expect(kept["EXIF:GPSLatitude"]).toBe(52);
    expect(dropped["EXIF:GPSLatitude"]).toBeUndefined();
    expect(dropped["XMP:Rights"]).toBe("© Ümit, =1");
    expect(dropped["XMP:Identifier"]).toBe(`tessera:${LABEL}`);
  });

  it("tells people one line each, whatever a file is called", async () => {
    put("parrots.jpg", "in/=a,\x1b[31m\n.jpg");
    write("in/b\n.jpg", "");
    const { stdout } = await tessera("label in --out out --csv t.csv");
    expect(lines(stdout)).toHaveLength(2);
    expect(stdout).toMatch(
      /^in\/=a,\?\[31m\?\.jpg -> out\/=a,\?\[31m\?\.jpg: [0-9a-f]{16}, \d+\.\d+ dB/,
    );
    expect(stdout).toMatch(/\nin\/b\?\.jpg: .* \[file-unknown\]\n$/);
    expect(stdout).not.toContain("\x1b");
    expect(
      rows("t.csv")
        .map(({ file }) => file)
        .sort(),
    ).toEqual(["in/=a,\x1b[31m\n.jpg", "in/b\n.jpg"]);
  });
});

describe("resume", () => {
  it("needs to be asked for, and then passes over what is done", async () => {
    put("parrots.jpg", "in/a.jpg", "in/b.jpg");
    expect((await tessera("label in --out out --csv t.csv")).code).toBe(0);
    const table = read("t.csv").toString();
    const again = await tessera("label in --out out --csv t.csv");
    expect(again).toMatchObject({ code: 2, stdout: "" });
    expect(again.stderr).toMatch(
      /^tessera: .*t\.csv exists already.* See: tessera label --help\n$/,
    );
    put("bagel.jpg", "in/c.jpg");
    write("out/d.jpg.tessera-part", "");
    write("out/c.jpg.tessera-part", "");
    for (const name of ["a.jpg", "b.jpg"]) utimesSync(join(root, "out", name), 1, 1);
    const resumed = await tessera("label in --out out --csv t.csv --resume --json");
    expect(resumed.code).toBe(0);
    expect(objects(resumed.stdout).map(({ out }) => out)).toEqual(["out/c.jpg"]);
    expect(resumed.stderr).toBe("labelled 1, failed 0, skipped 0 non-pictures, resumed 2\n");
    expect(read("t.csv").toString().startsWith(table)).toBe(true);
    expect(rows("t.csv")).toHaveLength(3);
    expect(statSync(join(root, "out/a.jpg")).mtimeMs).toBe(1000);
    expect(list("out")).toEqual(["a.jpg", "b.jpg", "c.jpg", "d.jpg.tessera-part"]);
    const without = await tessera("label in --out out --resume --json");
    expect(without).toMatchObject({ code: 0, stdout: "" });
  });

  it("mends the record: rows without output, outputs without row or label, a row cut off", async () => {
    put("parrots.jpg", "in/a.jpg", "in/b.jpg", "in/c.jpg", "in/d.jpg");
    put("bagel.jpg", "in/e.jpg");
    expect((await tessera("label in --out out --csv t.csv")).code).toBe(0);
    const [first, ...done] = read("t.csv").toString().split("\r\n").filter(Boolean);
    const row = Object.fromEntries(done.map((line) => [line.slice(3, 4), line]));
    const label = (name: string) => row[name]?.split(",")[2];
    rmSync(join(root, "out/a.jpg"));
    put("parrots.jpg", "out/c.jpg");
    write("out/e.jpg", "broken");
    const other = "in/z.jpg,gone/z.jpg,1111222233334444,1,1,,,,,";
    const failed = "in/d.jpg,,,,,,,,,file-broken: x";
    const text = [first, other, failed, row.a, row.b, `${row.d?.slice(0, -4)}`].join("\r\n");
    writeFileSync(join(root, "t.csv"), text);
    const run = await tessera("label in --out out --csv t.csv --resume");
    expect(run.code, run.stdout).toBe(0);
    expect(run.stderr).toBe("labelled 3, failed 0, skipped 0 non-pictures, resumed 2\n");
    const table = Object.fromEntries(rows("t.csv").map((cells) => [cells.file, cells]));
    expect(rows("t.csv")).toHaveLength(6);
    expect(table["in/z.jpg"]?.label).toBe("1111222233334444");
    expect(table["in/b.jpg"]?.label).toBe(label("b"));
    expect(table["in/d.jpg"]).toMatchObject({
      label: label("d"),
      width: "768",
      psnr: "",
      error: "",
    });
    expect(table["in/a.jpg"]?.label).not.toBe(label("a"));
    const names = ["a", "b", "c", "d", "e"];
    const found = await labelsOf(...names.map((name) => `out/${name}.jpg`));
    expect(found).toEqual(names.map((name) => table[`in/${name}.jpg`]?.label));
  });

  it("leaves a file alone that is no record", async () => {
    put("parrots.jpg", "a.jpg", "b.jpg");
    const before = read("b.jpg");
    const run = await tessera("label a.jpg --out c.jpg --csv b.jpg --resume");
    expect(run.code).toBe(2);
    expect(read("b.jpg").equals(before)).toBe(true);
    expect(list()).toEqual(["a.jpg", "b.jpg"]);
  });

  it("goes on after a kill at any moment, with every output whole and on record", async () => {
    const names = Array.from({ length: 12 }, (_, i) => `${10 + i}.jpg`);
    put("flowers.jpg", ...names.map((name) => `in/${name}`));
    const args = "label in --out out --csv t.csv --jobs 2 --resume".split(" ");
    for (const seen of [2, 6]) {
      const child = start(args);
      const ended = end(child);
      while (child.exitCode === null && (!has("out") || list("out").length < seen)) await wait(2);
      child.kill("SIGKILL");
      await ended;
    }
    expect(list("out").length).toBeLessThan(names.length);
    expect((await tessera(args)).code).toBe(0);
    expect(list("out")).toEqual(names);
    const table = rows("t.csv");
    expect(table.map(({ out }) => out).sort()).toEqual(names.map((name) => `out/${name}`));
    const byName = table.sort((a, b) => (a.out as string).localeCompare(b.out as string));
    expect(await labelsOf("out")).toEqual(byName.map(({ label }) => label));
    for (const name of names) {
      const { info } = await sharp(join(root, "out", name))
        .raw()
        .toBuffer({ resolveWithObject: true });
      expect([info.width, info.height]).toEqual([576, 576]);
    }
  });
});

describe("ends early", () => {
  const names = Array.from({ length: 40 }, (_, i) => `in/${10 + i}.jpg`);

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("at %s, leaving nothing unfinished", async (signal, expected) => {
    put("flowers.jpg", ...names);
    const child = start("label in --out out --csv t.csv".split(" "));
    const ended = end(child);
    while (child.exitCode === null && (!has("out") || list("out").length < 3)) await wait(2);
    child.kill(signal);
    const { code, stderr } = await ended;
    expect(code).toBe(expected);
    expect(stderr).toMatch(/--resume/);
    const left = list("out");
    expect(left.length).toBeLessThan(names.length);
    expect(left.filter((name) => !name.endsWith(".jpg"))).toEqual([]);
    expect(
      rows("t.csv")
        .map(({ out }) => out)
        .sort(),
    ).toEqual(left.map((name) => `out/${name}`));
  });

  it("when nobody reads its output, without a word", async () => {
    put("flowers.jpg", ...names);
    const child = start("label in --out out --json".split(" "));
    child.stdout.once("data", () => child.stdout.destroy());
    const { code, stderr } = await end(child);
    expect({ code, stderr }).toEqual({ code: 141, stderr: "" });
    expect(list("out").length).toBeLessThan(names.length);
    expect(list("out").filter((name) => !name.endsWith(".jpg"))).toEqual([]);
  });
});

describe("detect", () => {
  it("tells of findings, none, and failures", async () => {
    put("parrots.jpg", "a.jpg");
    write("in/notes.txt", "Not a picture.");
    write("in/broken.png", "\x89PNG");
    await tessera(`label a.jpg --out in/b.jpg --label ${LABEL}`);
    await sharp(join(root, "in/b.jpg")).flop().resize(500).toFile(join(root, "in/flop.webp"));
    const run = await tessera("detect in a.jpg --json --csv t.csv");
    expect(run.code).toBe(1);
    expect(run.stderr).toBe("with a label 2, without 1, failed 1, skipped 1 non-pictures\n");
    const [whole, broken, flop, none] = objects(run.stdout);
    expect(Object.keys(whole)).toEqual(["file", "findings", "ms"]);
    expect(Object.keys(whole.findings[0])).toEqual(["label", "confidence", "geometry"]);
    expect(Object.keys(whole.findings[0].geometry)).toEqual([
      ...["matrix", "scale", "rotation", "mirrored", "squeeze"],
    ]);
    expect(whole).toMatchObject({ file: "in/b.jpg", findings: [{ label: LABEL }] });
    expect(Object.keys(whole.ms)).toEqual(["decode", "detect"]);
    expect(broken).toMatchObject({ file: "in/broken.png", error: { code: /^file-/ } });
    expect(flop.findings[0]).toMatchObject({ label: LABEL, geometry: { mirrored: true } });
    expect(none).toMatchObject({ file: "a.jpg", findings: [] });
    const table = rows("t.csv", DETECT_COLUMNS);
    expect(table.map(({ file, label }) => [file, label])).toEqual([
      ...[
        ["in/b.jpg", LABEL],
        ["in/broken.png", ""],
        ["in/flop.webp", LABEL],
        ["a.jpg", ""],
      ],
    ]);
    expect(table[2]).toMatchObject({ mirrored: "true", squeeze: /^(1|0\.99\d*|1\.00\d*)$/ });
    const again = await tessera("detect a.jpg --csv t.csv");
    expect(again).toMatchObject({ code: 2, stdout: "" });
  });

  it("looks at whole frames only, if told, and tells people", async () => {
    put("parrots.jpg", "a.jpg");
    await tessera(`label a.jpg --out b.jpg --label ${LABEL}`);
    const part = { left: 150, top: 60, width: 500, height: 420 };
    await sharp(join(root, "b.jpg")).extract(part).toFile(join(root, "cut.png"));
    const full = await tessera("detect cut.png b.jpg");
    expect(lines(full.stdout)[0]).toMatch(/^cut\.png: 0123456789abcdef \(confidence \d+\.\d/);
    const fast = await tessera("detect cut.png b.jpg --fast --jobs 1");
    expect(lines(fast.stdout)[0]).toBe("cut.png: no label found");
    expect(lines(fast.stdout)[1]).toMatch(/^b\.jpg: 0123456789abcdef/);
    expect([full.code, fast.code]).toEqual([0, 0]);
  });
});

describe("the key", () => {
  it("comes from the file, the environment, or is the demo key with a warning", async () => {
    put("parrots.jpg", "a.jpg");
    write("key", `\n${"A0".repeat(16)}  \n`);
    const make = (out: string) => `label a.jpg --out ${out} --label ${LABEL}`;
    await tessera(`${make("file.jpg")} --key-file key`);
    await tessera(make("env.jpg"), { TESSERA_KEY: ` ${KEY}\n` });
    const demo = await tessera(make("demo.jpg"), { TESSERA_KEY: undefined });
    expect(demo.stderr).toMatch(/^Warning: .*demo key; anyone can read and forge/);
    const found = async (args: string, environment?: Record<string, string | undefined>) => {
      const run = await tessera(`detect file.jpg env.jpg demo.jpg --json ${args}`, environment);
      return objects(run.stdout).map(({ findings }) => findings.length);
    };
    expect(await found("--key-file key")).toEqual([1, 0, 0]);
    expect(await found("--jobs 1")).toEqual([0, 1, 0]);
    expect(await found("--jobs 2", { TESSERA_KEY: undefined })).toEqual([0, 0, 1]);
  });

  it("is refused when it is malformed, and not shown", async () => {
    put("parrots.jpg", "a.jpg");
    const wrong = `${KEY.slice(1)}x`;
    const run = await tessera("label a.jpg --out b.jpg", { TESSERA_KEY: wrong });
    expect(run).toMatchObject({ code: 2, stdout: "" });
    expect(run.stderr).not.toContain(wrong);
    expect(list()).toEqual(["a.jpg"]);
  });

  it("is made by keygen", async () => {
    const [one, two] = [await tessera("keygen"), await tessera("keygen")];
    expect(one).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[0-9a-f]{32}\n$/) });
    expect(one.stderr).toMatch(/safe/);
    expect(one.stdout).not.toBe(two.stdout);
  });
});

describe("diff", () => {
  it("shows and measures what differs", async () => {
    const pixels = { width: 2, height: 1, channels: 4 } as const;
    const save = (name: string, bytes: number[]) =>
      sharp(Buffer.from(bytes), { raw: pixels }).png().toFile(join(root, name));
    await save("a.png", [100, 100, 100, 255, 0, 0, 0, 128]);
    await save("b.png", [102, 99, 100, 255, 90, 0, 0, 128]);
    const run = await tessera("diff a.png b.png --out sub/d.png");
    expect(run).toMatchObject({ code: 0, stderr: "" });
    const psnr = 10 * Math.log10((255 ** 2 * 6) / (4 + 1 + 90 ** 2));
    expect(run.stdout).toBe(`PSNR ${psnr.toFixed(2)} dB, largest difference 90 of 255\n`);
    const { data, info } = await sharp(join(root, "sub/d.png"))
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(info.channels).toBe(3);
    expect([...data]).toEqual([160, 112, 128, 255, 128, 128]);
    expect((await tessera("diff a.png a.png --out same.png")).stdout).toMatch(
      /infinite.* 0 of 255/,
    );
    expect(await tessera("diff a.png b.png --out a.png")).toMatchObject({ code: 1, stdout: "" });
  });

  it("compares pictures as they are shown, of equal size only", async () => {
    put("parrots.jpg", "a.jpg");
    put("bagel.jpg", "b.jpg");
    await sharp(fixturePath("parrots.jpg"))
      .rotate(90)
      .withMetadata({ orientation: 8 })
      .png()
      .toFile(join(root, "turned.png"));
    const turned = await tessera("diff a.jpg turned.png --out d.png");
    expect(turned.stdout).toMatch(/^PSNR (infinite|[4-9]\d)/);
    const other = await tessera("diff a.jpg b.jpg --out e.png");
    expect(other.code).toBe(1);
    expect(other.stderr).toMatch(/768 x 512 and 640 x 554/);
    expect((await tessera("diff a.jpg none.jpg --out e.png")).stderr).toMatch(/none\.jpg: /);
    expect(has("e.png")).toBe(false);
  });
});

describe("usage", () => {
  it.each([
    ["", "tessera --help"],
    ["frob", "tessera --help"],
    ["label", "tessera label --help"],
    ["label in", "tessera label --help"],
    [`label in --out out --label ${LABEL}`, "tessera label --help"],
    [`label in/a.jpg in/b.jpg --out out --label ${LABEL}`, "tessera label --help"],
    ["label in --out in", "tessera label --help"],
    ["label in --out out --strength 9", "tessera label --help"],
    ["detect in --resume", "tessera detect --help"],
    ["diff in/a.jpg", "tessera diff --help"],
    ["keygen 16", "tessera keygen --help"],
  ])("is told when %j is wrong, and nothing is done", async (args, help) => {
    put("parrots.jpg", "in/a.jpg", "in/b.jpg");
    const run = await tessera(args === "" ? [] : args);
    expect(run).toMatchObject({ code: 2, stdout: "" });
    expect(run.stderr).toMatch(/^tessera: [A-Z-][^\n]*\. See: [^\n]*\n$/);
    expect(run.stderr).toContain(`See: ${help}\n`);
    expect(list()).toEqual(["in/a.jpg", "in/b.jpg"]);
  });

  it("is explained", async () => {
    for (const args of [
      "--help",
      "-h",
      "label --help",
      "label in -h",
      "detect --help",
      "diff -h",
    ]) {
      const run = await tessera(args);
      expect(run).toMatchObject({
        code: 0,
        stderr: "",
        stdout: expect.stringMatching(/\nUsage: /),
      });
    }
    const { version } = JSON.parse(readFileSync(join(CLI, "../../package.json"), "utf8"));
    expect((await tessera("--version")).stdout).toBe(`${version}\n`);
  });
});
