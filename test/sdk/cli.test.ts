// The command line: looking, keys, differences and usage. Labelling is in cli/label.test.ts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { DETECT_COLUMNS } from "../../sdk/cli/records.ts";
import {
  CLI,
  has,
  KEY,
  LABEL,
  lines,
  list,
  objects,
  put,
  root,
  rows,
  tessera,
  useFolders,
  write,
} from "../support/cli.ts";
import { fixturePath } from "../support/pictures.ts";

useFolders();

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

  it("is not shown when it stands in the place of the command", async () => {
    const { code, stdout, stderr } = await tessera(`--${KEY}`);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).not.toContain(KEY);
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
