// Which files the user means: those that are named, and those in folders that are named, in sorted order.
import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";
import { PART_SUFFIX } from "./part.ts";

/** A file to work on. */
export interface Input {
  /** As given, or joined to the folder as given. */
  readonly file: string;
  /** Its name below the folder that was named, or its own name. */
  readonly below: string;
  /** Found in a folder, not named itself. */
  readonly found: boolean;
}

/** Names that promise a picture, readable or not. */
const PICTURE_NAME =
  /\.(jpe?g|jpe|jfif|png|apng|webp|avif|gif|hei[cf]|tiff?|bmp|svgz?|jxl|jp2|psd|ico|raw|dng|cr[23w]|nef|arw)$/i;

/** Whether a file that turns out to be no picture may be passed over in silence. */
export function mayBeSkipped({ file, found }: Input): boolean {
  return found && !PICTURE_NAME.test(extname(file));
}

/**
 * Lists the files of all paths, each file once. In folders, hidden entries, links and unfinished files are
 * passed over; what does not exist or is no file is listed all the same and fails when it is opened.
 * @param without a folder that is not walked: the one that is written to
 */
export function findInputs(paths: readonly string[], without?: string): Input[] {
  const closed = without === undefined ? undefined : realPath(without);
  const inputs = new Map<string, Input>();
  const add = (input: Input) => {
    const place = resolve(input.file);
    if (!inputs.has(place)) inputs.set(place, input);
  };
  const walk = (folder: string, below: string) => {
    if (closed !== undefined && realPath(folder) === closed) return;
    const entries = list(folder);
    if (entries === null) add({ file: folder, below: basename(folder), found: false });
    for (const entry of entries ?? []) {
      const [file, name] = [join(folder, entry.name), join(below, entry.name)];
      if (entry.isDirectory()) walk(file, name);
      else if (entry.isFile()) add({ file, below: name, found: true });
    }
  };
  for (const path of paths) {
    if (isFolder(path)) walk(path, "");
    else add({ file: path, below: basename(path), found: false });
  }
  return [...inputs.values()];
}

/** Whether there is a folder of this name, or a link to one. */
export function isFolder(path: string): boolean {
  return statOf(path)?.isDirectory() ?? false;
}

/**
 * What there is under a name, or undefined when there is nothing or it cannot be looked at.
 * @param look `lstatSync` to look at a link itself
 */
export function statOf(path: string, look: (path: string) => Stats = statSync): Stats | undefined {
  try {
    return look(path);
  } catch {
    return undefined;
  }
}

/** A path without links and in the case of the disk, or undefined when there is nothing. */
export function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}

/** What is to be walked of a folder, sorted by the names' code units; null when it cannot be read. */
function list(folder: string): Dirent[] | null {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => !name.startsWith(".") && !name.endsWith(PART_SUFFIX))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return null;
  }
}
