// What exiftool (Debian's libimage-exiftool-perl) reads in a file: the independent judge of our metadata.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "./debian.ts";

/** Tags that tell about the file and its coding, not about the picture. */
const CODING = /^(SourceFile|ExifTool:|File:|Composite:)/;

/** Every tag of a file by group and name ("EXIF:Make"), numbers and texts raw, binary values in base64. */
export function readTags(bytes: Uint8Array): Record<string, unknown> {
  const folder = mkdtempSync(join(tmpdir(), "tessera-exiftool-"));
  try {
    const path = join(folder, "picture");
    writeFileSync(path, bytes);
    const text = execFileSync(
      findProgram(["exiftool"], "libimage-exiftool-perl"),
      ["-json", "-G0", "-a", "-n", "-b", "-u", path],
      { encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "pipe"] },
    );
    const [tags = {}] = JSON.parse(text) as Record<string, unknown>[];
    return Object.fromEntries(Object.entries(tags).filter(([name]) => !CODING.test(name)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The warnings and errors of exiftool's own validation of a file. */
export function validate(bytes: Uint8Array): string[] {
  const folder = mkdtempSync(join(tmpdir(), "tessera-exiftool-"));
  try {
    const path = join(folder, "picture");
    writeFileSync(path, bytes);
    const text = execFileSync(
      findProgram(["exiftool"], "libimage-exiftool-perl"),
      ["-validate", "-warning", "-error", "-a", "-s3", path],
      { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] },
    );
    return text.split("\n").filter((line) => line !== "" && line !== "OK");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
