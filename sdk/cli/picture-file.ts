// Reading a picture's file: never a device or a pipe, never more than a picture may have, and of what is no
// picture only the first bytes.
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { LabelError } from "../error.ts";
import { probe } from "../file/probe.ts";
import { Refusal, reasonOf, toFailure } from "./job.ts";

/** Files beyond this are refused unread: four times the largest picture of a phone or a studio camera. */
export const MAX_FILE_BYTES = 256 * 2 ** 20;
/** What is read to tell whether a file is a picture at all; all signatures lie well within. */
const HEAD_BYTES = 4096;

/**
 * Reads a picture's file; what is no picture is left after its first bytes.
 * @throws LabelError or Refusal when it cannot or must not be read
 */
export function readPicture(path: string): Uint8Array<ArrayBuffer> {
  const file = open(path);
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new Refusal("file-unreadable", "This is not a file.");
    refuseUnknown(readFrom(file, Math.min(stat.size, HEAD_BYTES)));
    if (stat.size > MAX_FILE_BYTES) {
      const message = `The file has ${toMib(stat.size)} MB; up to ${toMib(MAX_FILE_BYTES)} are read.`;
      throw new Refusal("file-too-large", message);
    }
    return readFrom(file, stat.size);
  } finally {
    closeSync(file);
  }
}

/** Whether a file begins like a picture, of whatever kind; what cannot be read may be one. */
export function mayBePicture(path: string): boolean {
  try {
    const file = open(path);
    try {
      refuseUnknown(readFrom(file, HEAD_BYTES));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    return toFailure(error).code !== "file-unknown";
  }
  return true;
}

/** Not blocking: opening a named pipe would wait for somebody to write into it. */
function open(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw new Refusal("file-unreadable", `The file cannot be read: ${reasonOf(error)}.`);
  }
}

/** The first bytes of a file; fewer when it became shorter. */
function readFrom(file: number, bytes: number): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(bytes);
  let length = 0;
  try {
    while (length < bytes) {
      const more = readSync(file, data, length, bytes - length, length);
      if (more === 0) break;
      length += more;
    }
  } catch (error) {
    throw new Refusal("file-unreadable", `The file cannot be read: ${reasonOf(error)}.`);
  }
  return data.subarray(0, length);
}

/** Of a head alone only that it is no picture is to be believed; a sound file may seem broken by its end. */
function refuseUnknown(head: Uint8Array): void {
  try {
    probe(head);
  } catch (error) {
    if (!(error instanceof LabelError) || error.code === "file-unknown") throw error;
  }
}

function toMib(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}
