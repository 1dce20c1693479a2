// Turns pixels as an Exif orientation tells (CIPA DC-008, 4.6.5), and back.
import type { Orientation } from "./file/format.ts";

/** The orientation that undoes another: all but the quarter turns undo themselves. */
export function inverseOf(orientation: Orientation): Orientation {
  if (orientation === 6) return 8;
  return orientation === 8 ? 6 : orientation;
}

/** Whether width and height change places. */
export function isSideways(orientation: Orientation): boolean {
  return orientation >= 5;
}

/** Index of the stored pixel that is shown first, and the steps to the next one along and down. */
function stepsOf(
  orientation: Orientation,
  width: number,
  height: number,
): readonly [number, number, number] {
  const right = width - 1;
  const bottom = (height - 1) * width;
  switch (orientation) {
    case 1:
      return [0, 1, width];
    case 2:
      return [right, -1, width];
    case 3:
      return [bottom + right, -1, -width];
    case 4:
      return [bottom, 1, -width];
    case 5:
      return [0, width, 1];
    case 6:
      return [bottom, -width, 1];
    case 7:
      return [bottom + right, -width, -1];
    case 8:
      return [right, width, -1];
  }
}

type Cells = Uint8Array | Uint32Array | BigUint64Array;

function turnCells<T extends Cells>(
  from: T,
  to: T,
  width: number,
  height: number,
  by: Orientation,
): void {
  const [first, along, down] = stepsOf(by, width, height);
  const [wide, high] = isSideways(by) ? [height, width] : [width, height];
  for (let y = 0, at = 0; y < high; y++) {
    for (let x = 0, source = first + y * down; x < wide; x++, source += along) {
      to[at++] = from[source] as T[number];
    }
  }
}

/**
 * Turns a picture of one, four or eight bytes a pixel; the same object comes back when nothing is to be done.
 * @param picture its data starts at a multiple of the pixel's bytes
 */
export function turn<
  Data extends Uint8Array<ArrayBuffer> | Uint8ClampedArray<ArrayBuffer> | Uint16Array<ArrayBuffer>,
>(
  picture: { readonly data: Data; readonly width: number; readonly height: number },
  orientation: Orientation,
): { readonly data: Data; readonly width: number; readonly height: number } {
  if (orientation === 1) return picture;
  const { data, width, height } = picture;
  const turned = new ArrayBuffer(data.byteLength);
  const Cell = { 1: Uint8Array, 4: Uint32Array, 8: BigUint64Array }[
    data.byteLength / (width * height)
  ] as Uint32ArrayConstructor;
  const from = new Cell(data.buffer, data.byteOffset, width * height);
  turnCells(from, new Cell(turned), width, height, orientation);
  const Kind = data.constructor as new (buffer: ArrayBuffer) => Data;
  const [wide, high] = isSideways(orientation) ? [height, width] : [width, height];
  return { data: new Kind(turned), width: wide, height: high };
}
