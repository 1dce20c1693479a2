// Strength that knows itself: reads the fresh label back, region by region, through coarse JPEG, and
// raises the mask where a quarter of the picture alone would not carry it; then measures by the real
// search what is left after three attacks. The carriers in use are the template's, under which the
// label reads as zero.

import * as attack from "./attack";
import * as bins from "./bins";
import { detectPlane } from "./detect";
import { addChange, weave, weaveAgain } from "./embed";
import { addFold, clearFold } from "./fold";
import { FLAT } from "./mask";
import { take } from "./memory";
import * as planes from "./planes";
import * as read from "./read";
import * as shift from "./shift";
import { whitenPlane } from "./whiten";

/** Regions: a grid of windows of half the sides, each overlapping its neighbours by half. */
const GRID: i32 = 3;
/** Correlation that a region should keep: the acceptance threshold and five deviations of safety. */
const WANTED_LABEL: f32 = 17;
/** Pilots' score that a region should keep to be found by the search, of the same origin. */
const WANTED_PILOTS: f32 = 10;
/** Visibility cap: most by which texture, and a flat place, is strengthened; and over the whole: */
const MOST_BOOST: f32 = 2;
const MOST_FLAT_BOOST: f32 = 1.5;
/** Mean squared change that is never exceeded by strengthening: 37.6 dB. */
const MOST_SQUARE: f64 = 255 * 255 * 1.7378e-4;
/** A region whose mask is this much weaker than the picture's mean has nothing to strengthen. */
const BARREN: f64 = 0.05;
/**
 * A factor of brightness: shops apply 1.5, and colours clip before their luma does. And the share that it
 * must clip to matter.
 */
const BRIGHTER: f32 = 1.75;
const MOSTLY_CLIPPED: f64 = 0.5;
/** Grey levels over which the strengthening of shade sets in. */
const SHADE_RAMP: f32 = 8;
/** A factor not worth weaving again for. */
const SMALLEST_BOOST: f32 = 1.02;

/** Margin of a label that just was not read. */
const LOST: f32 = -0.001;

/** f32[GRID][GRID] */
const BOOST: usize = take(GRID * GRID * 4);

function boostAt(x: i32, y: i32): usize {
  return BOOST + ((<usize>(y * GRID + x)) << 2);
}

/** Mean of the squares of a plane's window, in groups of four columns. */
function meanSquare(plane: usize, left: i32, top: i32, right: i32, bottom: i32): f64 {
  let total: f64 = 0;
  const end = right & ~3;
  for (let y = top; y < bottom; y++) {
    const row = plane + ((<usize>(y * planes.stride)) << 2);
    let sum = f32x4.splat(0);
    for (let x = left; x < end; x += 4) {
      const value = v128.load(row + ((<usize>x) << 2));
      sum = f32x4.add(sum, f32x4.mul(value, value));
    }
    total += <f64>f32x4.extract_lane(sum, 0) + <f64>f32x4.extract_lane(sum, 1);
    total += <f64>f32x4.extract_lane(sum, 2) + <f64>f32x4.extract_lane(sum, 3);
  }
  return total / <f64>max<i32>(1, (end - left) * (bottom - top));
}

function wholeSquare(plane: usize): f64 {
  return meanSquare(plane, 0, 0, planes.width, planes.height);
}

/** How far short of what is wanted the folded part's reading falls, as a factor, 1 at least. */
function shortfall(most: f32): f32 {
  bins.transformFold();
  bins.measureNoise();
  bins.takeBins(0);
  const label = read.templateCorrelation();
  const pilots = shift.pilotsAt(0, 0);
  const short = max<f32>(WANTED_LABEL / max<f32>(label, 1), WANTED_PILOTS / max<f32>(pilots, 1));
  return max<f32>(1, min<f32>(most, short));
}

/** Fills BOOST; returns whether any region wants more. */
function measureRegions(factor: f32): bool {
  addChange();
  const fineness = max<f32>(1, factor);
  attack.quantise(planes.luma, planes.width, planes.height, planes.stride, fineness);
  whitenPlane();
  const whole = wholeSquare(planes.mask);
  let any = false;
  for (let y = 0; y < GRID; y++) {
    for (let x = 0; x < GRID; x++) {
      const left = ((x * planes.width) / (GRID + 1)) & ~3;
      const top = (y * planes.height) / (GRID + 1);
      const right = min<i32>(planes.width, left + planes.width / 2);
      const bottom = min<i32>(planes.height, top + planes.height / 2);
      const barren = meanSquare(planes.mask, left, top, right, bottom) < BARREN * whole;
      clearFold();
      addFold(planes.white, planes.stride, left, top, right, bottom);
      const boost: f32 = barren ? 1 : shortfall(MOST_BOOST);
      store<f32>(boostAt(x, y), boost);
      if (boost >= SMALLEST_BOOST) any = true;
    }
  }
  return any;
}

/** BOOST, interpolated between the windows' centres. */
function boostOf(x: i32, y: i32): f32 {
  const span = <f32>(GRID - 1);
  const u = max<f32>(0, min<f32>(span, (<f32>4 * <f32>x) / <f32>planes.width - 1));
  const v = max<f32>(0, min<f32>(span, (<f32>4 * <f32>y) / <f32>planes.height - 1));
  const i = min<i32>(GRID - 2, <i32>u);
  const j = min<i32>(GRID - 2, <i32>v);
  const p = u - <f32>i;
  const q = v - <f32>j;
  const upper = load<f32>(boostAt(i, j)) * (1 - p) + load<f32>(boostAt(i + 1, j)) * p;
  const lower = load<f32>(boostAt(i, j + 1)) * (1 - p) + load<f32>(boostAt(i + 1, j + 1)) * p;
  return upper * (1 - q) + lower * q;
}

/**
 * Brightens the labelled plane of a light picture until its upper part is clipped.
 * @returns what the shade below that wants, where the label of a nearly white picture has to live
 */
function measureShade(): f32 {
  const bytes = (<usize>(planes.height * planes.stride)) << 2;
  const above = <f64>countAbove(planes.original, bytes, <f32>255 / BRIGHTER);
  if (above < MOSTLY_CLIPPED * <f64>(bytes >> 2)) return 1;
  addChange();
  const white = f32x4.splat(255);
  for (let at: usize = 0; at < bytes; at += 16) {
    const bright = f32x4.mul(v128.load(planes.luma + at), f32x4.splat(BRIGHTER));
    v128.store(planes.luma + at, f32x4.min(white, bright));
  }
  whitenPlane();
  clearFold();
  addFold(planes.white, planes.stride, 0, 0, planes.width, planes.height);
  return shortfall(MOST_BOOST);
}

/** How many values of a plane lie above a level. */
function countAbove(plane: usize, bytes: usize, level: f32): i32 {
  const bound = f32x4.splat(level);
  let count = i32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 16) {
    count = i32x4.sub(count, f32x4.gt(v128.load(plane + at), bound));
  }
  const even = i32x4.extract_lane(count, 0) + i32x4.extract_lane(count, 2);
  return even + i32x4.extract_lane(count, 1) + i32x4.extract_lane(count, 3);
}

/** Raises the mask by BOOST and, in the shade, by what that wants, as far as the eye allows. */
function raiseMask(shade: f32): void {
  const edge: f32 = 255 / BRIGHTER;
  for (let y = 0; y < planes.height; y++) {
    for (let x = 0; x < planes.width; x++) {
      const at = (<usize>(y * planes.stride + x)) << 2;
      const below = (edge - load<f32>(planes.original + at)) / SHADE_RAMP;
      const shaded = <f32>1 + (shade - 1) * max<f32>(0, min<f32>(1, below));
      const mask = load<f32>(planes.mask + at);
      const most = mask * MOST_BOOST - FLAT * (MOST_BOOST - MOST_FLAT_BOOST);
      const raised = mask * boostOf(x, y) * shaded;
      store<f32>(planes.mask + at, max<f32>(mask, min<f32>(raised, most)));
    }
  }
}

/**
 * Scales the mask back where strengthening would make the whole visible.
 * @param before mean squared mask of the plain strength, which stays allowed
 * @param cost mean squared change per mean squared mask
 */
function capMask(before: f64, cost: f64): void {
  const after = wholeSquare(planes.mask);
  const allowed = Math.max(before, MOST_SQUARE / Math.max(cost, 1e-9));
  if (after <= allowed) return;
  const scale = f32x4.splat(<f32>Math.sqrt(allowed / after));
  for (let at: usize = 0; at < (<usize>(planes.height * planes.stride)) << 2; at += 16) {
    v128.store(planes.mask + at, f32x4.mul(v128.load(planes.mask + at), scale));
  }
}

/**
 * Weaves the label of the template in use, stronger where it would be thin.
 * @param factor picture pixels per canonical pixel
 */
export function weaveChecked(strength: f32, factor: f32): void {
  weave(strength);
  const before = wholeSquare(planes.mask);
  const cost = wholeSquare(planes.change) / Math.max(before, 1e-9);
  const thin = measureRegions(factor);
  const shade = measureShade();
  if (!thin && shade < SMALLEST_BOOST) return;
  raiseMask(shade);
  capMask(before, cost);
  weaveAgain(strength, Math.sqrt(wholeSquare(planes.mask) / Math.max(before, 1e-9)));
}

/**
 * Reads the plane under the reader, which stays as it is, by the real search for the template's label.
 * @returns the excess over the acceptance threshold, in units of it, -1 at worst; negative if not read
 */
export function readBack(): f32 {
  const found = detectPlane() > 0;
  const best = read.best / read.ACCEPTANCE - 1;
  return found ? best : min<f32>(best, LOST);
}

/**
 * Attacks the plane under the reader and reads it back. Overwrites mask, and that plane.
 * @param factor picture pixels per canonical pixel
 * @returns the worst excess over the acceptance threshold, in units of it; negative if a read failed
 */
export function measureMargin(factor: f32): f32 {
  const width = planes.width;
  const height = planes.height;
  const stride = planes.stride;
  memory.copy(planes.mask, planes.luma, (<usize>(height * stride)) << 2);
  attack.compressHalf(planes.mask, width, height, stride, factor);
  let margin = readBack();
  attack.cut(planes.mask, stride, width / 4, height / 4, width / 2, height / 2);
  margin = min<f32>(margin, readBack());
  attack.turn(planes.mask, width, height, stride);
  margin = min<f32>(margin, readBack());
  planes.setSize(width, height);
  return margin;
}
