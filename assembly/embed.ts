// Informed embedding (Cox, Miller, McKellips, Proc. IEEE 87, 1999): the embedder runs the reader's own
// front end on the unmarked plane and subtracts, per coded bit, what the picture itself would say.
import * as bins from "./bins";
import * as carriers from "./carriers";
import { AXES, BINS, binX, binY, PILOTS, TILE } from "./carriers";
import * as code from "./code";
import { fft2d } from "./fft";
import { addFold, clearFold, TILE_STRIDE } from "./fold";
import { measureMask } from "./mask";
import { take } from "./memory";
import * as planes from "./planes";
import { whitenPlane } from "./whiten";

/** Share of the pattern's energy in the pilots. */
const PILOT_SHARE: f64 = 0.3;
/** Most that informed embedding changes an axis, in units of its plain amplitude. */
const MOST_CORRECTION: f32 = 1.5;
/** Amplitude of a data axis before the picture is taken into account. */
const PLAIN: f32 = <f32>Math.sqrt((1 - PILOT_SHARE) / <f64>(AXES - 2 * PILOTS));
const CODED_BITS = code.OUTER_CODED_BITS + code.INNER_CODED_BITS;

/** f32[TILE][TILE_STRIDE]: the pattern in units of the mask; and the imaginary part on the way there. */
const PATTERN: usize = take(TILE * TILE_STRIDE * 4);
const PATTERN_IM: usize = take(TILE * TILE_STRIDE * 4);
/** f32[AXES] amplitudes; f32[AXES] what the unmarked picture says; per coded bit: f32 sum, f32 count. */
const AMPLITUDE: usize = take(AXES * 4);
const HOST: usize = take(AXES * 4);
const HOST_BITS: usize = take(CODED_BITS * 8);

function setBin(x: i32, y: i32, re: f32, im: f32): void {
  const at = (<usize>((y & (TILE - 1)) * TILE_STRIDE + (x & (TILE - 1)))) << 2;
  store<f32>(PATTERN + at, re);
  store<f32>(PATTERN_IM + at, im);
}

/** Variance of the pattern that AMPLITUDE stands for, before scaling. */
function patternEnergy(): f64 {
  let energy: f64 = 0;
  for (let axis: usize = 0; axis < <usize>AXES; axis++) {
    const amplitude = <f64>load<f32>(AMPLITUDE + (axis << 2));
    energy += 2 * amplitude * amplitude;
  }
  return energy;
}

/** Makes PATTERN from AMPLITUDE, with a deviation of `strength`. */
function synthesise(strength: f32): void {
  memory.fill(PATTERN, 0, TILE * TILE_STRIDE * 4);
  memory.fill(PATTERN_IM, 0, TILE * TILE_STRIDE * 4);
  for (let bin = 0; bin < BINS; bin++) {
    const re = load<f32>(AMPLITUDE + ((<usize>bin) << 3));
    const im = load<f32>(AMPLITUDE + ((<usize>bin) << 3), 4);
    setBin(binX(bin), binY(bin), re, im);
    setBin(-binX(bin), -binY(bin), re, -im);
  }
  fft2d(PATTERN, PATTERN_IM, TILE_STRIDE * 4, TILE, true);
  const scale = f32x4.splat(<f32>(<f64>strength / Math.sqrt(patternEnergy())));
  for (let at: usize = 0; at < <usize>(TILE * TILE_STRIDE * 4); at += 16) {
    v128.store(PATTERN + at, f32x4.mul(v128.load(PATTERN + at), scale));
  }
}

/** change = mask x PATTERN over the plane. */
function spread(): void {
  for (let y = 0; y < planes.height; y++) {
    const row = (<usize>(y * planes.stride)) << 2;
    const tile = PATTERN + ((<usize>((y & (TILE - 1)) * TILE_STRIDE)) << 2);
    for (let x: usize = 0; x < <usize>planes.stride; x += 4) {
      const value = v128.load(tile + ((x & (TILE - 1)) << 2));
      const at = row + (x << 2);
      v128.store(planes.change + at, f32x4.mul(v128.load(planes.mask + at), value));
    }
  }
}

/** luma = original + change, within 0..255: what a reader of the labelled picture would see. */
export function addChange(): void {
  const bytes = (<usize>(planes.height * planes.stride)) << 2;
  const black = f32x4.splat(0);
  const white = f32x4.splat(255);
  for (let at: usize = 0; at < bytes; at += 16) {
    const sum = f32x4.add(v128.load(planes.original + at), v128.load(planes.change + at));
    v128.store(planes.luma + at, f32x4.max(black, f32x4.min(white, sum)));
  }
}

function foldPlane(): void {
  whitenPlane();
  clearFold();
  addFold(planes.white, planes.stride, 0, 0, planes.width, planes.height);
  bins.transformFold();
}

/** Sums HOST per coded bit, or spreads the clipped correction onto the data axes' amplitudes. */
function forCode(
  axes: usize,
  bits: usize,
  signs: usize,
  count: i32,
  first: i32,
  plain: f32,
  gain: f32,
): void {
  for (let i: usize = 0; i < <usize>count; i++) {
    const axis = (<usize>load<u16>(axes + (i << 1))) << 2;
    const bit = HOST_BITS + ((<usize>(first + <i32>load<u16>(bits + (i << 1)))) << 3);
    const sign = load<f32>(signs + (i << 2));
    if (gain == 0) {
      store<f32>(bit, load<f32>(bit) + sign * load<f32>(HOST + axis));
      store<f32>(bit, load<f32>(bit, 4) + 1, 4);
    } else {
      const says = load<f32>(bit) / load<f32>(bit, 4) / gain;
      const limit = MOST_CORRECTION * plain;
      store<f32>(AMPLITUDE + axis, sign * (plain - max<f32>(-limit, min<f32>(limit, says))));
    }
  }
}

function forCodes(plain: f32, gain: f32): void {
  forCode(
    carriers.OUTER_AXIS,
    carriers.OUTER_BIT,
    carriers.OUTER_SIGN,
    carriers.outerAxes,
    0,
    plain,
    gain,
  );
  forCode(
    carriers.INNER_AXIS,
    carriers.INNER_BIT,
    carriers.INNER_SIGN,
    carriers.innerAxes,
    code.OUTER_CODED_BITS,
    plain,
    gain,
  );
}

/** Pilots keep their plain amplitude: what the picture adds to their power does not hide them. */
function setPilots(): void {
  const plain = <f32>Math.sqrt(PILOT_SHARE / <f64>(2 * PILOTS));
  for (let pilot: usize = 0; pilot < <usize>PILOTS; pilot++) {
    const bin = (<usize>load<u16>(carriers.PILOT_BIN + (pilot << 1))) << 3;
    store<f32>(AMPLITUDE + bin, plain * load<f32>(carriers.PILOT_SIGN + (pilot << 3)));
    store<f32>(AMPLITUDE + bin, plain * load<f32>(carriers.PILOT_SIGN + (pilot << 3), 4), 4);
  }
}

/** How much of AMPLITUDE arrives at the reader: projection of (seen - HOST) on it. */
function measureGain(): f32 {
  let sum: f64 = 0;
  let energy: f64 = 0;
  for (let axis: usize = 0; axis < <usize>AXES; axis++) {
    const amplitude = <f64>load<f32>(AMPLITUDE + (axis << 2));
    const seen = load<f32>(bins.BIN_VALUE + (axis << 2)) - load<f32>(HOST + (axis << 2));
    sum += <f64>seen * amplitude;
    energy += amplitude * amplitude;
  }
  return <f32>(sum / energy);
}

/** Looks at the plane under the reader: keeps it, its mask, and what it says on every axis. */
export function studyPlane(): void {
  memory.copy(planes.original, planes.luma, (<usize>(planes.height * planes.stride)) << 2);
  measureMask(planes.original);
  foldPlane();
  bins.measureNoise();
  bins.takeBins(0);
  memory.copy(HOST, bins.BIN_VALUE, AXES * 4);
  memory.fill(HOST_BITS, 0, CODED_BITS * 8);
  forCodes(0, 0);
}

/** What arrives at the reader of a unit of amplitude, and the pattern's energy when that was measured. */
let plainGain: f64 = 1;
let plainEnergy: f64 = 1;

/** Amplitudes without regard to the picture, to see how much of them arrives. */
function weavePlain(strength: f32): void {
  memory.fill(AMPLITUDE, 0, AXES * 4);
  setPilots();
  forCodes(PLAIN, 1e9);
  synthesise(strength);
  spread();
  addChange();
  foldPlane();
  bins.takeBins(0);
  plainEnergy = patternEnergy();
  plainGain = <f64>max<f32>(measureGain(), 1e-3);
}

/** Amplitudes that take back what the picture says, which costs energy: both are settled together. */
function weaveInformed(strength: f32, maskGain: f64): void {
  for (let round = 0; round < 3; round++) {
    const gain = plainGain * maskGain * Math.sqrt(plainEnergy / patternEnergy());
    forCodes(PLAIN, <f32>gain);
  }
  synthesise(strength);
  spread();
}

/**
 * Makes planes.change for the template in use, after studyPlane.
 * @param strength deviation of the pattern in units of the mask
 */
export function weave(strength: f32): void {
  weavePlain(strength);
  weaveInformed(strength, 1);
}

/**
 * Makes planes.change again after the mask was raised.
 * @param maskGain by how much it was raised: the root of the ratio of mean squares
 */
export function weaveAgain(strength: f32, maskGain: f64): void {
  weaveInformed(strength, maskGain);
}
