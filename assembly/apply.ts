// Brings the canonical change to the picture's own pixels, strip by strip, and rounds it: the rounding
// error moves on to the right and to the next row (error diffusion), so that it leaves the label's low
// frequencies and even a change of a third of a grey level arrives.
import { take } from "./memory";
import * as planes from "./planes";
import * as quality from "./quality";
import { MAX_SIDE } from "./quality";
import { STRIP, tapsAt } from "./resample";

const ROW: usize = take(planes.LONG_SIDE * 4 + 64);
const LEFT_OVER: usize = take(MAX_SIDE * 4 + 64);
/** The same as one entry of COLUMNS, for the row at hand. */
const ACROSS: usize = take(32);
/** Per picture column: i32[4] plane columns, f32[4] weights (pictures that are larger than the plane). */
const COLUMNS: usize = take(MAX_SIDE * 32);

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
  memory.fill(LEFT_OVER, 0, (<usize>width << 2) + 16);
  for (let x = 0; x < width; x++) {
    const at = COLUMNS + (<usize>x << 5);
    if (scale <= 1) tapsAt((<f64>x + 0.5) * scale, planes.width, at, at + 16);
    else areaAt(x, planes.width, at);
  }
  quality.begin(width, height);
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
  const from = planes.change + (<usize>(y * planes.stride) << 2);
  const w = f32x4.splat(weight);
  for (let at: usize = 0; at < <usize>planes.stride << 2; at += 16) {
    v128.store(ROW + at, f32x4.add(v128.load(ROW + at), f32x4.mul(v128.load(from + at), w)));
  }
}

/** The change along one picture row, still at the plane's columns, into ROW. */
function takePlaneRow(y: i32): void {
  memory.fill(ROW, 0, <usize>planes.stride << 2);
  if (scale <= 1) {
    tapsAt((<f64>y + 0.5) * scale, planes.height, ACROSS, ACROSS + 16);
    for (let k: usize = 0; k < 16; k += 4) {
      addPlaneRow(load<i32>(ACROSS + k), load<f32>(ACROSS + k, 16));
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

/** The change at one picture column. */
function changeAt(x: i32): f32 {
  const at = COLUMNS + (<usize>x << 5);
  if (scale <= 1) {
    return (
      load<f32>(ROW + (<usize>load<i32>(at) << 2)) * load<f32>(at, 16) +
      load<f32>(ROW + (<usize>load<i32>(at, 4) << 2)) * load<f32>(at, 20) +
      load<f32>(ROW + (<usize>load<i32>(at, 8) << 2)) * load<f32>(at, 24) +
      load<f32>(ROW + (<usize>load<i32>(at, 12) << 2)) * load<f32>(at, 28)
    );
  }
  const first = load<i32>(at);
  const last = load<i32>(at, 4);
  let middle: f32 = 0;
  for (let k = first + 1; k < last; k++) middle += load<f32>(ROW + (<usize>k << 2));
  return (
    load<f32>(ROW + (<usize>first << 2)) * load<f32>(at, 16) +
    load<f32>(ROW + (<usize>last << 2)) * load<f32>(at, 20) +
    middle * load<f32>(at, 24)
  );
}

function shifted(pixel: u32, bits: u32, step: i32): u32 {
  const before = <i32>((pixel >> bits) & 255);
  const after = max<i32>(0, min<i32>(255, before + step));
  squares += <f64>((after - before) * (after - before));
  return <u32>after << bits;
}

function applyRow(pixels: usize): void {
  takePlaneRow(row);
  let carried: f32 = 0;
  for (let x = 0; x < width; x++) {
    const at = pixels + (<usize>x << 2);
    const over = LEFT_OVER + (<usize>x << 2);
    const pixel = load<u32>(at);
    if ((pixel & WHITE) == WHITE || pixel < 0x01000000) {
      carried = 0;
      store<f32>(over, 0);
      continue;
    }
    const wanted = changeAt(x) + carried + load<f32>(over);
    const step = <i32>Mathf.floor(wanted + 0.5);
    carried = 0.5 * (wanted - <f32>step);
    store<f32>(over, carried);
    if (step == 0) continue;
    const moved = shifted(pixel, 0, step) | shifted(pixel, 8, step) | shifted(pixel, 16, step);
    store<u32>(at, (pixel & OPAQUE) | moved);
  }
  row++;
}

/**
 * Labels the next rows, in place in STRIP.
 * @param measure whether SSIM is gathered on the way
 */
export function applyRows(rows: i32, measure: bool): void {
  for (let i = 0; i < rows; i++) {
    const pixels = STRIP + (<usize>(i * width) << 2);
    if (measure) quality.takeBefore(pixels);
    applyRow(pixels);
    if (measure) quality.takeAfter(pixels);
  }
}

/** Mean squared difference per colour value, grey levels squared. */
export function meanSquare(): f64 {
  return squares / (3 * <f64>width * <f64>height);
}
