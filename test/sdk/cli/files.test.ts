// Which files are read, and where their outputs go.
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UsageError } from "../../../sdk/cli/arguments.ts";
import { findInputs, mayBeSkipped } from "../../../sdk/cli/inputs.ts";
import { goesIntoFolder, planOutputs } from "../../../sdk/cli/outputs.ts";

let root: string;
const home = process.cwd();

const make = (...paths: string[]) => {
  for (const path of paths) {
    mkdirSync(dirname(path), { recursive: true });
    if (!path.endsWith("/")) writeFileSync(path, path);
    else mkdirSync(path);
  }
};

/** Output, or the code of the refusal, of each input. */
const planOf = (paths: string[], out: string, csv?: string) => {
  const into = goesIntoFolder(paths, out);
  const plans = planOutputs(findInputs(paths, into ? out : undefined), out, into, csv);
  return Object.fromEntries(plans.map((plan) => [plan.file, plan.refused?.code ?? plan.out]));
};

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "tessera-files-")));
  process.chdir(root);
});
afterEach(() => {
  process.chdir(home);
  rmSync(root, { recursive: true });
});

describe("inputs", () => {
  it("are walked in sorted order, without what is hidden, linked or unfinished", () => {
    make(
      "in/b.jpg",
      "in/a/z.png",
      "in/B.jpg",
      "in/.hidden.jpg",
      "in/.git/x.jpg",
      "elsewhere/e.jpg",
    );
    make("in/c.jpg.tessera-part", "in/notes.txt");
    symlinkSync("../elsewhere", "in/folder-link");
    symlinkSync("b.jpg", "in/link.jpg");
    symlinkSync("..", "in/a/loop");
    const files = findInputs(["in"]).map(({ file }) => file);
    expect(files).toEqual(["in/B.jpg", "in/a/z.png", "in/b.jpg", "in/notes.txt"]);
    expect(findInputs(["in"]).map(({ below }) => below)[1]).toBe(join("a", "z.png"));
  });

  it("that are named count whatever they are, and each file once", () => {
    make("in/a.jpg", "in/.b.jpg");
    symlinkSync("a.jpg", "in/link.jpg");
    const paths = ["in/link.jpg", "in/.b.jpg", "none.jpg", "./in/../in/a.jpg", "in/a.jpg", "in"];
    const files = findInputs(paths).map(({ file }) => file);
    expect(files).toEqual(["in/link.jpg", "in/.b.jpg", "none.jpg", "./in/../in/a.jpg"]);
  });

  it("are passed over only where nobody named them or would take them for pictures", () => {
    make("in/notes.txt", "in/a.JPEG", "in/b.heic", "in/none");
    const skipped = [...findInputs(["in"]), ...findInputs(["in/notes.txt"])].map(mayBeSkipped);
    expect(skipped).toEqual([false, false, true, true, false]);
  });

  it("are not looked for in the output's folder", () => {
    make("in/a.jpg", "in/out/b.jpg", "in/sub/out/c.jpg");
    symlinkSync("in/out", "link");
    const files = ["in/a.jpg", "in/sub/out/c.jpg"];
    expect(findInputs(["in"], "in/out").map(({ file }) => file)).toEqual(files);
    expect(findInputs(["in"], "link").map(({ file }) => file)).toEqual(files);
  });
});

describe("outputs", () => {
  it("of one file are a file, or lie in a folder that is there or meant", () => {
    make("in/a.jpg", "there/");
    expect(planOf(["in/a.jpg"], "new.jpg")).toEqual({ "in/a.jpg": "new.jpg" });
    expect(planOf(["in/a.jpg"], "there")).toEqual({ "in/a.jpg": join("there", "a.jpg") });
    expect(planOf(["in/a.jpg"], "new/")).toEqual({ "in/a.jpg": join("new", "a.jpg") });
  });

  it("of folders keep their names below the folder", () => {
    make("in/sub/a.jpg", "b.jpg");
    const out = { "in/sub/a.jpg": "out/sub/a.jpg", "b.jpg": "out/b.jpg" };
    expect(planOf(["in", "b.jpg"], "out")).toEqual(out);
    expect(planOf(["in/"], "out")).toEqual({ "in/sub/a.jpg": "out/sub/a.jpg" });
  });

  it("never meet", () => {
    make("x/a.jpg", "y/A.JPG", "y/b.jpg", "x/\u00e9.jpg", "y/e\u0301.jpg", "t.csv");
    const refused = planOf(["x", "y"], "out");
    const all = ["x/a.jpg", "x/\u00e9.jpg", "y/A.JPG", "y/b.jpg", "y/e\u0301.jpg"];
    const collision = "output-collision";
    expect(all.map((file) => refused[file])).toEqual([
      ...[collision, collision, collision, "out/b.jpg", collision],
    ]);
    expect(planOf(["x/a.jpg"], "T.csv", "t.csv")).toEqual({ "x/a.jpg": collision });
  });

  it("never replace an input", () => {
    make("in/a.jpg", "in/b.jpg", "other/c.jpg");
    symlinkSync("in", "link");
    linkSync("other/c.jpg", "in/c.jpg");
    const kept = { "in/a.jpg": "output-is-input", "in/b.jpg": "output-is-input" };
    expect(planOf(["in/a.jpg", "in/b.jpg"], "in")).toEqual(kept);
    expect(planOf(["in/a.jpg", "in/b.jpg"], "link")).toEqual(kept);
    expect(planOf(["in/a.jpg"], "in/a.jpg")).toEqual({ "in/a.jpg": "output-is-input" });
    expect(planOf(["in/a.jpg", "in/b.jpg"], "other/../in/")).toEqual(kept);
    for (const out of ["in", "in/", "link"]) {
      expect(() => planOf(["in"], out)).toThrow(UsageError);
    }
  });

  it("are refused where something else is in the way", () => {
    make("in/a.jpg", "in/b.jpg", "out/a.jpg/", "file");
    expect(planOf(["in"], "out")["in/a.jpg"]).toBe("output-exists");
    expect(() => planOf(["in"], "file")).toThrow(UsageError);
    make("x.jpg.tessera-part");
    expect(planOf(["x.jpg.tessera-part"], "y")["x.jpg.tessera-part"]).toBe("file-unknown");
  });
});
