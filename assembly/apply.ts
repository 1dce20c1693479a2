// Brings the canonical change to the picture's own pixels, strip by strip, and rounds it: the rounding
// error moves on to the right and to the next row (error diffusion), so that it leaves the label's low
// frequencies and even a change of a third of a grey level arrives.
import { take } from "./memory";
import * as planes from "./planes";
import * as quality from "./quality";
import { MAX_SIDE } from "./quality";
import { growRow, ROW_MARGIN, STRIP, TAP_BYTES, tapIndex, tapsAt } from "./resample";

const ROW: usize = take((<usize>planes.LONG_SIDE + 2 * ROW_MARGIN) * 4 + 64) + ROW_MARGIN * 4;
/** The picture's row at hand: u8[][4] pixels, f32 change wanted, f32 rounding error left over. */
const PIXELS: usize = take(<usize>MAX_SIDE * 4 + 64);
const WANTED: usize = take(<usize>MAX_SIDE * 4 + 64);
const ERROR: usize = take(<usize>MAX_SIDE * 4 + 64);
/** One entry of COLUMNS, for the row at hand. */
const ACROSS: usize = take(TAP_BYTES);
/**
 * Per picture column. A picture larger than the plane: its cubic taps. A smaller one: i32 first and last
 * plane column; f32 at 16: weights of the first, the last, and those between.
 */
const COLUMNS: usize = take((<usize>MAX_SIDE + 4) * TAP_BYTES);

/** Colour and alpha bytes of a pixel. */
const WHITE: u32 = 0x00ffffff;
const OPAQUE: u32 = 0xff000000;

let width: i32 = 0;
let height: i32 = 0;
let row: i32 = 0;
/** Plane pixels per picture pixel. */
let scale: f64 = 1;
/** Sum of squared differences over the three colours. */
let squares: f64 = 0;

/** Starts handing the picture through again, from its first row. */
export function beginApply(pictureWidth: i32, pictureHeight: i32): void {
  width = pictureWidth;
  height = pictureHeight;
  row = 0;
  squares = 0;
  scale = planes.canonicalScale(width, height);
  memory.fill(ERROR, 0, ((<usize>width) << 2) + 32);
  memory.fill(PIXELS, 0, ((<usize>width) << 2) + 16);
  for (let x = 0; x < width; x++) {
    const at = COLUMNS + <usize>x * TAP_BYTES;
    if (scale <= 1) tapsAt((<f64>x + 0.5) * scale, at);
    else areaAt(x, planes.width, at);
  }
  quality.begin(width);
}

/** The plane columns that a picture column covers when the picture is the smaller: first, last, weights. */
function areaAt(x: i32, length: i32, at: usize): void {
  const low = Math.min(<f64>x * scale, <f64>length - 1e-3);
  const high = Math.min(<f64>(x + 1) * scale, <f64>length);
  const first = <i32>Math.floor(low);
  const last = max<i32>(first, min<i32>(length - 1, <i32>Math.ceil(high) - 1));
  const area = Math.max(high - low, 1e-6);
  store<i32>(at, first);
  store<i32>(at, last, 4);
  store<f32>(at, <f32>((last == first ? area : <f64>(first + 1) - low) / area), 16);
  store<f32>(at, <f32>((last == first ? 0 : high - <f64>last) / area), 20);
  store<f32>(at, <f32>(1 / area), 24);
}

function addPlaneRow(y: i32, weight: f32): void {
  const from = planes.change + ((<usize>(y * planes.stride)) << 2);
  const w = f32x4.splat(weight);
  for (let at: usize = 0; at < (<usize>planes.stride) << 2; at += 16) {
    v128.store(ROW + at, f32x4.add(v128.load(ROW + at), f32x4.mul(v128.load(from + at), w)));
  }
}

/** The change along one picture row, still at the plane's columns, into ROW. */
function takePlaneRow(y: i32): void {
  memory.fill(ROW, 0, (<usize>planes.stride) << 2);
  if (scale <= 1) {
    tapsAt((<f64>y + 0.5) * scale, ACROSS);
    for (let k = 0; k < 4; k++) {
      const weight = load<f32>(ACROSS + ((<usize>k) << 2), 16);
      addPlaneRow(tapIndex(ACROSS, k, planes.height), weight);
    }
    return;
  }
  areaAt(y, planes.height, ACROSS);
  const first = load<i32>(ACROSS);
  const last = load<i32>(ACROSS, 4);
  addPlaneRow(first, load<f32>(ACROSS, 16));
  for (let k = first + 1; k < last; k++) addPlaneRow(k, load<f32>(ACROSS, 24));
  if (last > first) addPlaneRow(last, load<f32>(ACROSS, 20));
}

/** Averages ROW over the picture's columns, into WANTED. */
function shrinkRow(): void {
  for (let x: usize = 0; x < <usize>width; x++) {
    const at = COLUMNS + x * TAP_BYTES;
    const first = load<i32>(at);
    const last = load<i32>(at, 4);
    let middle: f32 = 0;
    for (let k = first + 1; k < last; k++) middle += load<f32>(ROW + ((<usize>k) << 2));
    const ends =
      load<f32>(ROW + ((<usize>first) << 2)) * load<f32>(at, 16) +
      load<f32>(ROW + ((<usize>last) << 2)) * load<f32>(at, 20);
    store<f32>(WANTED + (x << 2), ends + middle * load<f32>(at, 24));
  }
}

/** Adds a step to the three colours of two pixels, saturating. */
function moved(pixels: v128, steps: v128): v128 {
  return i16x8.max_s(i16x8.splat(0), i16x8.min_s(i16x8.splat(255), i16x8.add(pixels, steps)));
}

/**
 * Changes the row in PIXELS; what lies behind its end is transparent and stays. The rounding error of a row goes to the row below, a quarter, a half and a
 * quarter: wide enough to leave no streaks, and no pixel waits for its neighbour.
 */
function applyRow(): void {
  takePlaneRow(row);
  if (scale <= 1) growRow(ROW, planes.width, COLUMNS, WANTED, width);
  else shrinkRow();
  const white = i32x4.splat(WHITE);
  const opaque = i32x4.splat(OPAQUE);
  const zero = i32x4.splat(0);
  const half = f32x4.splat(0.5);
  const quarter = f32x4.splat(0.25);
  let sums = i32x4.splat(0);
  let before = f32x4.splat(0);
  let here = v128.load(ERROR);
  for (let x: usize = 0; x < <usize>width; x += 4) {
    const at = PIXELS + (x << 2);
    const line = ERROR + (x << 2);
    const after = v128.load(line, 16);
    const left = v128.shuffle<f32>(before, here, 3, 4, 5, 6);
    const right = v128.shuffle<f32>(here, after, 1, 2, 3, 4);
    const error = f32x4.add(f32x4.mul(here, half), f32x4.mul(f32x4.add(left, right), quarter));
    const wanted = f32x4.add(v128.load(WANTED + (x << 2)), error);
    const four = v128.load(at);
    const isWhite = i32x4.eq(v128.and(four, white), white);
    const fixed = v128.or(isWhite, i32x4.eq(v128.and(four, opaque), zero));
    const rounded = f32x4.nearest(wanted);
    v128.store(line, v128.andnot(f32x4.sub(wanted, rounded), fixed));
    const steps = v128.andnot(i32x4.trunc_sat_f32x4_s(rounded), fixed);
    const low = i16x8.extend_low_i8x16_u(four);
    const high = i16x8.extend_high_i8x16_u(four);
    // i32 steps s0..s3 -> i16 (s0 s0 s0 0 s1 s1 s1 0); byte 16 on is the zero vector.
    const stepsLow = v128.shuffle<i8>(
      steps,
      zero,
      0,
      1,
      0,
      1,
      0,
      1,
      16,
      16,
      4,
      5,
      4,
      5,
      4,
      5,
      16,
      16,
    );
    const stepsHigh = v128.shuffle<i8>(
      steps,
      zero,
      8,
      9,
      8,
      9,
      8,
      9,
      16,
      16,
      12,
      13,
      12,
      13,
      12,
      13,
      16,
      16,
    );
    const newLow = moved(low, stepsLow);
    const newHigh = moved(high, stepsHigh);
    v128.store(at, v128.narrow<u16>(newLow, newHigh));
    const differenceLow = i16x8.sub(newLow, low);
    const differenceHigh = i16x8.sub(newHigh, high);
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(differenceLow, differenceLow));
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(differenceHigh, differenceHigh));
    before = here;
    here = after;
  }
  squares += <f64>(i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1));
  squares += <f64>(i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3));
  row++;
}

/**
 * Labels the next rows, in place in STRIP.
 * @param measure whether SSIM is gathered on the way
 */
export function applyRows(rows: i32, measure: bool): void {
  for (let i = 0; i < rows; i++) {
    const pixels = STRIP + ((<usize>(i * width)) << 2);
    memory.copy(PIXELS, pixels, (<usize>width) << 2);
    if (measure) quality.takeBefore(PIXELS);
    applyRow();
    if (measure) quality.takeAfter(PIXELS);
    memory.copy(pixels, PIXELS, (<usize>width) << 2);
  }
}

/** Mean squared difference per colour value, grey levels squared. */
export function meanSquare(): f64 {
  return squares / (3 * <f64>width * <f64>height);
}
