// Boxes, of which AVIF files are built (ISO/IEC 14496-12, 4.2): a size, four letters, and what is inside.
// Reading checks every length against the bytes that are there; writing knows only small boxes.
import { LabelError } from "../error.ts";

export interface Box {
  /** Four letters. */
  readonly type: string;
  readonly data: Uint8Array;
}

/** Size and type; a size of 1 stands for 64 bits after the type, of 0 for all that follows (4.2.2). */
const HEADER_BYTES = 8;
const LARGE_HEADER_BYTES = 16;
/** Our own limit on boxes side by side: a picture of 200 tiles has some 250 item entries. */
const MAX_BOXES = 2_000;

/** Refuses a damaged file; `why` completes the sentence. */
export function refuse(why: string): never {
  throw new LabelError("file-broken", `The AVIF file is damaged: ${why}.`);
}

/** Big-endian fields one after the other, never beyond the end. */
export class Cursor {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bytes that are not read yet. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** The next `count` bytes, not copied. */
  bytes(count: number): Uint8Array {
    if (count > this.left) refuse("one of its parts ends too early");
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  /** An unsigned number of `size` bytes; above 2^53 it is not exact, but still larger than any file. */
  uint(size: number): number {
    return this.bytes(size).reduce((value, byte) => value * 256 + byte, 0);
  }

  /** Four letters. */
  type(): string {
    return String.fromCharCode(...this.bytes(4));
  }

  /** A text that ends with a zero byte or with the box. */
  text(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    const text = this.bytes((end < 0 ? this.#bytes.length : end) - this.#at);
    if (end >= 0) this.#at++;
    return new TextDecoder().decode(text);
  }

  /** All that is left. */
  rest(): Uint8Array {
    return this.bytes(this.left);
  }

  /** The version of a full box, whose flags follow it (4.2.2). */
  version(): number {
    const version = this.uint(1);
    this.bytes(3);
    return version;
  }
}

/** The boxes that stand side by side in some bytes. */
export function readBoxes(bytes: Uint8Array): Box[] {
  const cursor = new Cursor(bytes);
  const boxes: Box[] = [];
  while (cursor.left > 0) {
    if (boxes.length === MAX_BOXES) refuse("it has too many parts");
    const whole = cursor.left;
    const short = cursor.uint(4);
    const type = cursor.type();
    const size = short === 0 ? whole : short === 1 ? cursor.uint(8) : short;
    const header = short === 1 ? LARGE_HEADER_BYTES : HEADER_BYTES;
    if (size < header) refuse("one of its parts has an impossible size");
    boxes.push({ type, data: cursor.bytes(size - header) });
  }
  return boxes;
}

/** The content of the first box of a type; null when there is none. */
export function findBox(boxes: readonly Box[], type: string): Uint8Array | null {
  return boxes.find((box) => box.type === type)?.data ?? null;
}

/** Numbers as big-endian fields of `size` bytes each. */
export function fields(size: 1 | 2 | 4, ...values: number[]): Uint8Array {
  const bytes = new Uint8Array(size * values.length);
  values.forEach((value, i) => {
    for (let k = 0; k < size; k++) bytes[size * i + k] = value >>> (8 * (size - 1 - k));
  });
  return bytes;
}

/** Letters as single bytes. */
export function letters(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** The parts one after the other. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A box around its parts. */
export function makeBox(type: string, ...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const size = parts.reduce((sum, part) => sum + part.length, HEADER_BYTES);
  return concat([fields(4, size), letters(type), ...parts]);
}
