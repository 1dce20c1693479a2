// Small low-pass filters, box filters convolved with each other: near enough to a Gaussian, and the
// same few additions along rows (step 4) and along columns (step = bytes a row).
import { take } from "./memory";
import { LONG_SIDE, MARGIN_ROWS } from "./planes";

/** Floats beyond both ends of a row buffer, repeated from its ends. */
const MARGIN: usize = 16;
/** f32 row with margins, for filters along rows. */
export const LINE: usize = take((<usize>LONG_SIDE + 4 * MARGIN) * 4) + MARGIN * 4;

/** Boxes of 5 and 7: (1 2 3 4 5 5 5 4 3 2 1), sum 35, sigma 2.45. */
export const SUM_11: f32 = 35;
export function smooth11(at: usize, step: usize): v128 {
  const fifth = f32x4.add(v128.load(at - 5 * step), v128.load(at + 5 * step));
  const fourth = f32x4.add(v128.load(at - 4 * step), v128.load(at + 4 * step));
  const third = f32x4.add(v128.load(at - 3 * step), v128.load(at + 3 * step));
  const second = f32x4.add(v128.load(at - 2 * step), v128.load(at + 2 * step));
  const first = f32x4.add(v128.load(at - step), v128.load(at + step));
  const centre = f32x4.add(first, v128.load(at));
  const a = f32x4.add(fifth, f32x4.mul(fourth, f32x4.splat(2)));
  const b = f32x4.add(f32x4.mul(third, f32x4.splat(3)), f32x4.mul(second, f32x4.splat(4)));
  return f32x4.add(f32x4.add(a, b), f32x4.mul(centre, f32x4.splat(5)));
}

/** Two boxes of 5: (1 2 3 4 5 4 3 2 1), sum 25, sigma 2. */
export const SUM_9: f32 = 25;
export function smooth9(at: usize, step: usize): v128 {
  const fourth = f32x4.add(v128.load(at - 4 * step), v128.load(at + 4 * step));
  const third = f32x4.add(v128.load(at - 3 * step), v128.load(at + 3 * step));
  const second = f32x4.add(v128.load(at - 2 * step), v128.load(at + 2 * step));
  const first = f32x4.add(v128.load(at - step), v128.load(at + step));
  const a = f32x4.add(fourth, f32x4.mul(third, f32x4.splat(2)));
  const b = f32x4.add(f32x4.mul(second, f32x4.splat(3)), f32x4.mul(first, f32x4.splat(4)));
  return f32x4.add(f32x4.add(a, b), f32x4.mul(v128.load(at), f32x4.splat(5)));
}

/** Repeats the ends of the row in LINE into its margins. */
export function extendLine(width: i32): void {
  const end = LINE + ((<usize>width) << 2);
  const first = load<f32>(LINE);
  const last = load<f32>(end - 4);
  for (let i: usize = 0; i < MARGIN; i++) {
    store<f32>(LINE - 4 - (i << 2), first);
    store<f32>(end + (i << 2), last);
  }
}

/** Repeats the first and last row of a scratch plane into the rows beyond them. */
export function extendRows(plane: usize, height: i32, rowBytes: usize): void {
  const last = plane + <usize>(height - 1) * rowBytes;
  for (let i: usize = 1; i <= <usize>MARGIN_ROWS; i++) {
    memory.copy(plane - i * rowBytes, plane, rowBytes);
    memory.copy(last + i * rowBytes, last, rowBytes);
  }
}

/** A box of 7, sum 7, deviation 2: cheaper where the shape does not matter. */
export const SUM_BOX: f32 = 7;
export const BOX_REACH: i32 = 3;
export function boxAlong(at: usize): v128 {
  const third = f32x4.add(v128.load(at - 12), v128.load(at + 12));
  const second = f32x4.add(v128.load(at - 8), v128.load(at + 8));
  const first = f32x4.add(v128.load(at - 4), v128.load(at + 4));
  return f32x4.add(f32x4.add(third, second), f32x4.add(first, v128.load(at)));
}
