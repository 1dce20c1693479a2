// `tessera label` over files and folders: what it writes, what it refuses, and how it goes on.
import { rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { partOf } from "../../../sdk/cli/part.ts";
import { MAX_FILE_BYTES } from "../../../sdk/cli/picture-file.ts";
import {
  codes,
  end,
  has,
  LABEL,
  labelsOf,
  lines,
  list,
  objects,
  put,
  read,
  root,
  rows,
  start,
  tessera,
  useFolders,
  write,
} from "../../support/cli.ts";
import { readTags } from "../../support/exiftool.ts";
import { fixturePath } from "../../support/pictures.ts";

const HEX = /^[0-9a-f]{16}$/;

useFolders();

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

  it("takes names as long as a disk does, and ends where no folder can be made", async () => {
    const name = `${"x".repeat(251)}.jpg`;
    put("parrots.jpg", `in/${name}`);
    expect((await tessera("label in --out out")).code).toBe(0);
    expect(list("out")).toEqual([name]);
    const nowhere = await tessera([
      "label",
      `in/${name}`,
      "--out",
      "/proc/nowhere/x.jpg",
      "--json",
    ]);
    expect(nowhere.code).toBe(1);
    expect(codes(nowhere.stdout)).toEqual(["output-unwritable"]);
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
    const left = partOf("out/c.jpg").replace(String(process.pid), "1");
    write(left, "");
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

  it("mends the record: failures, outputs without row, a row cut off; it keeps every label", async () => {
    put("parrots.jpg", "in/a.jpg", "in/b.jpg", "in/c.jpg", "in/d.jpg");
    expect((await tessera("label in --out out --csv t.csv")).code).toBe(0);
    const [first, ...done] = read("t.csv").toString().split("\r\n").filter(Boolean);
    const row = Object.fromEntries(done.map((line) => [line.slice(3, 4), line]));
    const label = (name: string) => row[name]?.split(",")[2];
    rmSync(join(root, "out/a.jpg"));
    const other = "in/z.jpg,gone/z.jpg,1111222233334444,1,1,,,,,";
    const failed = "in/d.jpg,,,,,,,,,file-broken: x";
    const text = [first, other, failed, row.a, row.b, `${row.d?.slice(0, -4)}`].join("\r\n");
    writeFileSync(join(root, "t.csv"), text);
    const run = await tessera("label in --out out --csv t.csv --resume");
    expect(run.code, run.stdout).toBe(0);
    expect(run.stderr).toBe("labelled 1, failed 0, skipped 0 non-pictures, resumed 3\n");
    const labels = (file: string) => rows("t.csv").filter((each) => each.file === file);
    expect(rows("t.csv")).toHaveLength(6);
    expect(labels("in/z.jpg")).toMatchObject([{ label: "1111222233334444" }]);
    expect(labels("in/b.jpg")).toMatchObject([{ label: label("b") }]);
    expect(labels("in/c.jpg")).toMatchObject([{ label: label("c"), psnr: "" }]);
    expect(labels("in/d.jpg")).toMatchObject([{ label: label("d"), width: "768", error: "" }]);
    // The first one may be out in the world.
    const [old, fresh] = labels("in/a.jpg");
    expect(old?.label).toBe(label("a"));
    expect(fresh?.label).not.toBe(label("a"));
    expect(await labelsOf("out/a.jpg")).toEqual([fresh?.label]);
  });

  it("does not replace an output that holds no label", async () => {
    put("parrots.jpg", "in/a.jpg", "out/a.jpg", "in/b.jpg");
    write("out/b.jpg", "my notes");
    const before = read("out/a.jpg");
    const run = await tessera("label in --out out --csv t.csv --resume --json");
    expect(run.code).toBe(1);
    expect(codes(run.stdout)).toEqual(["output-exists", "output-exists"]);
    expect(read("out/a.jpg").equals(before)).toBe(true);
    expect(read("out/b.jpg").toString()).toBe("my notes");
  });

  it("does not replace an output that appears meanwhile", async () => {
    put("parrots.jpg", "in/a.jpg", "in/b.jpg", "in/c.jpg");
    const child = start(["label", "in", "--out", "out", "--jobs", "1", "--json"]);
    const ended = end(child);
    while (!has("out/a.jpg")) await wait(2);
    write("out/c.jpg", "mine");
    const { code, stdout } = await ended;
    expect(code).toBe(1);
    expect(codes(stdout)).toEqual(["ok", "ok", "output-exists"]);
    expect(read("out/c.jpg").toString()).toBe("mine");
    expect(list("out")).toEqual(["a.jpg", "b.jpg", "c.jpg"]);
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
