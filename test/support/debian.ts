// Finds a program that a test needs, or installs Debian's where this process may.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * The path of a program, installed if need be.
 * @param names what it may be called, best first
 * @param debianPackage what `apt-get install` gets
 */
export function findProgram(names: readonly string[], debianPackage: string): string {
  if (!lookUp(names)) install(debianPackage);
  const path = lookUp(names);
  if (path) return path;
  throw new Error(`No ${names[0]} was found: install ${debianPackage} first.`);
}

function lookUp(names: readonly string[]): string | undefined {
  const folders = ["/usr/bin", ...(process.env.PATH ?? "").split(delimiter)];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
}

function install(debianPackage: string): void {
  if (process.getuid?.() !== 0) return;
  execFileSync("apt-get", ["update"], { stdio: "inherit" });
  execFileSync("apt-get", ["install", "-y", debianPackage], { stdio: "inherit" });
}
