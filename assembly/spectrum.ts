// The two whole-plane spectra in which the geometry is looked for: of the whitened plane at half scale
// (for cuts, where the pattern is large) and at full scale (for padding, where it is small). Both are real,
// so one complex transform gives both (Numerical Recipes, section 12.3). Each is divided by its local
// mean; only kx >= 0 is kept.
import { fft2d } from "./fft";
import { take } from "./memory";
import * as planes from "./planes";

export const SIDE: i32 = 512;
const FULL_STRIDE = SIDE + 16;
/** Rows ky + SIDE / 2, columns kx = 0..SIDE / 2. */
export const STRIDE: i32 = 272;
export const LEVELS: i32 = 2;
const PLANE: usize = <usize>SIDE * STRIDE * 4;
/** f32[LEVELS][SIDE][STRIDE]: spectrum over root local mean; power over local mean, clipped. */
export const RE: usize = take(<usize>LEVELS * PLANE);
export const IM: usize = take(<usize>LEVELS * PLANE);
export const POWER: usize = take(<usize>LEVELS * PLANE);
/** u8[LEVELS][SIDE][STRIDE]: power smoothed 3 x 3, in units of 1 / UNIT. */
export const COARSE: usize = take(LEVELS * SIDE * STRIDE);
export const UNIT: f32 = 28;
/** A line of the picture may not outweigh eight times the mean. */
const CLIP: f32 = 8;
/** Half the side of the square over which the mean is taken. */
const REACH: i32 = 10;
/** Part of the window's sides that is tapered, as a raised cosine. */
const TAPER: f64 = 0.25;

const FULL_RE: usize = take(SIDE * FULL_STRIDE * 4);
const FULL_IM: usize = take(SIDE * FULL_STRIDE * 4);
const TAPER_X: usize = take(SIDE * 4);

/** Plane pixel at the phase origin of a level. */
export let originX0: i32 = 0;
export let originY0: i32 = 0;
export let originX1: i32 = 0;
export let originY1: i32 = 0;

export function levelPlane(base: usize, level: i32): usize {
  return base + <usize>level * PLANE;
}

function taperAt(i: i32, length: i32): f64 {
  const x = <f64>i / <f64>max<i32>(1, length - 1);
  const edge = Math.min(x, 1 - x) / (TAPER / 2);
  return edge >= 1 ? 1 : 0.5 * (1 - Math.cos(Math.PI * edge));
}

/** Puts the middle of a whitened plane, tapered, into `to` with its centre at index (0, 0). */
function place(from: usize, width: i32, height: i32, stride: i32, to: usize): void {
  memory.fill(to, 0, SIDE * FULL_STRIDE * 4);
  const w = min<i32>(width, SIDE);
  const h = min<i32>(height, SIDE);
  const left = (width - w) >> 1;
  const top = (height - h) >> 1;
  for (let x = 0; x < w; x++) store<f32>(TAPER_X + ((<usize>x) << 2), <f32>taperAt(x, w));
  const before = w >> 1;
  for (let y = 0; y < h; y++) {
    const row = from + ((<usize>((top + y) * stride + left)) << 2);
    const out = to + ((<usize>(((y - (h >> 1)) & (SIDE - 1)) * FULL_STRIDE)) << 2);
    const weight = <f32>taperAt(y, h);
    taperRun(row, 0, before, weight, out + ((<usize>(SIDE - before)) << 2));
    taperRun(row, before, w, weight, out);
  }
}

/** Copies columns first..end - 1 of a row, times the taper, to `out`. */
function taperRun(row: usize, first: i32, end: i32, weight: f32, out: usize): void {
  const w = f32x4.splat(weight);
  let x = first;
  for (; x + 4 <= end; x += 4) {
    const at = (<usize>x) << 2;
    const taper = f32x4.mul(v128.load(TAPER_X + at), w);
    v128.store(out, f32x4.mul(v128.load(row + at), taper));
    out += 16;
  }
  for (; x < end; x++) {
    const at = (<usize>x) << 2;
    store<f32>(out, load<f32>(row + at) * (load<f32>(TAPER_X + at) * weight));
    out += 4;
  }
}

/** Splits the transform of half + i full into both levels' RE and IM. */
function split(): void {
  for (let row = 0; row < SIDE; row++) {
    const y = row - SIDE / 2;
    const here = (<usize>((y & (SIDE - 1)) * FULL_STRIDE)) << 2;
    const there = (<usize>((-y & (SIDE - 1)) * FULL_STRIDE)) << 2;
    let out = (<usize>(row * STRIDE)) << 2;
    for (let x = 0; x <= SIDE / 2; x++) {
      const a = here + ((<usize>x) << 2);
      const b = there + ((<usize>(-x & (SIDE - 1))) << 2);
      const ar = load<f32>(FULL_RE + a);
      const ai = load<f32>(FULL_IM + a);
      const br = load<f32>(FULL_RE + b);
      const bi = load<f32>(FULL_IM + b);
      store<f32>(RE + out, ar + br);
      store<f32>(IM + out, ai - bi);
      store<f32>(RE + PLANE + out, ai + bi);
      store<f32>(IM + PLANE + out, br - ar);
      out += 4;
    }
  }
}

/** Sums of the power over 2 REACH + 1 columns, into FULL_IM; the power itself goes into POWER. */
function sumRows(level: i32): void {
  const re = levelPlane(RE, level);
  const im = levelPlane(IM, level);
  const power = levelPlane(POWER, level);
  for (let at: usize = 0; at < PLANE; at += 16) {
    const r = v128.load(re + at);
    const i = v128.load(im + at);
    v128.store(power + at, f32x4.add(f32x4.mul(r, r), f32x4.mul(i, i)));
  }
  const margin: usize = 4 * (REACH + 2);
  for (let row = 0; row < SIDE; row++) {
    // kx < 0 is the mirror image through the origin; beyond the last column it repeats.
    const mirror = (SIDE - row) & (SIDE - 1);
    const line = FULL_RE + margin;
    memory.copy(line, power + ((<usize>(row * STRIDE)) << 2), (<usize>(SIDE / 2 + 1)) << 2);
    const last = load<f32>(line + <usize>(SIDE / 2) * 4);
    for (let d: usize = 1; d <= <usize>REACH + 1; d++) {
      store<f32>(line - (d << 2), load<f32>(power + ((<usize>(mirror * STRIDE) + d) << 2)));
      store<f32>(line + ((<usize>(SIDE / 2) + d) << 2), last);
    }
    let sum: f32 = 0;
    for (let x = -REACH; x < REACH; x++) sum += load<f32>(line + ((<usize>x) << 2));
    const out = FULL_IM + ((<usize>(row * STRIDE)) << 2);
    for (let x: usize = 0; x <= <usize>(SIDE / 2); x++) {
      sum += load<f32>(line + ((x + <usize>REACH) << 2));
      store<f32>(out + (x << 2), sum);
      sum -= load<f32>(line + ((x - <usize>REACH) << 2));
    }
  }
}

/** Divides a level by its local mean. */
function normalise(level: i32): void {
  sumRows(level);
  const rowBytes: usize = STRIDE * 4;
  const span = 2 * REACH + 1;
  const area = f32x4.splat(<f32>(1 / <f64>(span * span)));
  const tiny = f32x4.splat(1e-9);
  const clip = f32x4.splat(CLIP);
  for (let x: usize = 0; x < rowBytes; x += 16) {
    let sum = f32x4.splat(0);
    for (let row = -REACH; row < REACH; row++) {
      sum = f32x4.add(sum, v128.load(FULL_IM + (<usize>(row & (SIDE - 1)) * rowBytes + x)));
    }
    for (let row = 0; row < SIDE; row++) {
      const ahead = <usize>((row + REACH) & (SIDE - 1)) * rowBytes + x;
      const behind = <usize>((row - REACH) & (SIDE - 1)) * rowBytes + x;
      sum = f32x4.add(sum, v128.load(FULL_IM + ahead));
      const mean = f32x4.add(f32x4.mul(f32x4.max(sum, f32x4.splat(0)), area), tiny);
      const inverse = f32x4.div(f32x4.splat(1), mean);
      const root = f32x4.sqrt(inverse);
      const at = levelPlane(<usize>row * rowBytes + x, level);
      v128.store(RE + at, f32x4.mul(v128.load(RE + at), root));
      v128.store(IM + at, f32x4.mul(v128.load(IM + at), root));
      v128.store(POWER + at, f32x4.min(clip, f32x4.mul(v128.load(POWER + at), inverse)));
      sum = f32x4.sub(sum, v128.load(FULL_IM + behind));
    }
  }
}

/** Smooths the power 3 x 3 into COARSE. */
function coarsen(level: i32): void {
  const power = levelPlane(POWER, level);
  const rowBytes: usize = STRIDE * 4;
  const scale = f32x4.splat(UNIT / 9);
  for (let row = 0; row < SIDE; row++) {
    const above = power + <usize>((row - 1) & (SIDE - 1)) * rowBytes;
    const here = power + <usize>row * rowBytes;
    const below = power + <usize>((row + 1) & (SIDE - 1)) * rowBytes;
    const line = FULL_RE + 64;
    for (let x: usize = 0; x < rowBytes; x += 16) {
      const sum = f32x4.add(
        v128.load(above + x),
        f32x4.add(v128.load(here + x), v128.load(below + x)),
      );
      v128.store(line + x, f32x4.mul(sum, scale));
    }
    store<f32>(line - 4, load<f32>(line + 4));
    let out = COARSE + <usize>((level * SIDE + row) * STRIDE);
    for (let x: usize = 0; x < rowBytes; x += 16) {
      const at = line + x;
      const sum = f32x4.add(v128.load(at - 4), f32x4.add(v128.load(at), v128.load(at + 4)));
      const words = i32x4.trunc_sat_f32x4_s(sum);
      const bytes = v128.narrow<i16>(v128.narrow<i32>(words, words), words);
      v128.store32_lane(out, bytes, 0);
      out += 4;
    }
  }
}

/** Makes both levels from planes.halfWhite and planes.white. */
export function makeSpectra(): void {
  place(planes.halfWhite, planes.halfWidth, planes.halfHeight, planes.halfStride, FULL_RE);
  place(planes.white, planes.width, planes.height, planes.stride, FULL_IM);
  originX0 = windowOrigin(planes.halfWidth);
  originY0 = windowOrigin(planes.halfHeight);
  originX1 = windowOrigin(planes.width);
  originY1 = windowOrigin(planes.height);
  fft2d(FULL_RE, FULL_IM, FULL_STRIDE * 4, SIDE, false);
  split();
  for (let level = 0; level < LEVELS; level++) {
    normalise(level);
    coarsen(level);
  }
}

function windowOrigin(length: i32): i32 {
  const window = min<i32>(length, SIDE);
  return ((length - window) >> 1) + (window >> 1);
}
