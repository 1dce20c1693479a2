// Scores a candidate by the power or by the phase of the spectrum under its pilots, and climbs from it.
import { BIN_VALUE } from "./bins";
import { ENTRY } from "./candidates";
import { binX, binY, PILOT_BIN, PILOTS, TILE } from "./carriers";
import { take } from "./memory";
import { pilotsAt } from "./shift";
import * as spectrum from "./spectrum";

export const TRIAL: usize = take(ENTRY);
/** Where the interpolated spectrum at hand lies. */
let valueRe: f32 = 0;
let valueIm: f32 = 0;

/** Bins of a level per tile frequency. */
export function binsPerFrequency(level: i32): f64 {
  return <f64>(level == 0 ? (2 * spectrum.SIDE) / TILE : spectrum.SIDE / TILE);
}

/** Interpolates a level at tile frequency (kx, ky) under B; false outside the spectrum. */
function sample(candidate: usize, bin: i32, power: bool): bool {
  const level = load<i32>(candidate, 36);
  const scale = binsPerFrequency(level);
  const kx = <f64>binX(bin);
  const ky = <f64>binY(bin);
  let x = <f32>((load<f64>(candidate) * kx + load<f64>(candidate, 8) * ky) * scale);
  let y = <f32>((load<f64>(candidate, 16) * kx + load<f64>(candidate, 24) * ky) * scale);
  const conjugate = x < 0;
  if (conjugate) {
    x = -x;
    y = -y;
  }
  y += <f32>(spectrum.SIDE / 2);
  if (x >= <f32>(spectrum.SIDE / 2) || y < 0 || y >= <f32>(spectrum.SIDE - 1)) return false;
  const i = <i32>x;
  const j = <i32>y;
  const p = x - <f32>i;
  const q = y - <f32>j;
  const at = spectrum.levelPlane((<usize>(j * spectrum.STRIDE + i)) << 2, level);
  const below: usize = (<usize>spectrum.STRIDE) << 2;
  const w11 = p * q;
  const w10 = q - w11;
  const w01 = p - w11;
  const w00 = <f32>1 - p - w10;
  const re = (power ? spectrum.POWER : spectrum.RE) + at;
  valueRe =
    load<f32>(re) * w00 +
    load<f32>(re, 4) * w01 +
    load<f32>(re + below) * w10 +
    load<f32>(re + below, 4) * w11;
  if (power) return true;
  const im = spectrum.IM + at;
  valueIm =
    load<f32>(im) * w00 +
    load<f32>(im, 4) * w01 +
    load<f32>(im + below) * w10 +
    load<f32>(im + below, 4) * w11;
  if (conjugate) valueIm = -valueIm;
  return true;
}

/** Power above the mean at the pilots, in standard deviations of as many independent bins. */
export function powerScore(candidate: usize): f32 {
  let sum: f32 = 0;
  let inside: f32 = 0;
  for (let pilot: usize = 0; pilot < <usize>PILOTS; pilot++) {
    if (!sample(candidate, <i32>load<u16>(PILOT_BIN + (pilot << 1)), true)) continue;
    sum += valueRe - 1;
    inside += 1;
  }
  return sum / Mathf.sqrt(max<f32>(inside, 8));
}

/** Hands the pilots' values to the reader's own pilot correlation. */
export function takePilots(candidate: usize): void {
  for (let pilot: usize = 0; pilot < <usize>PILOTS; pilot++) {
    const bin = <i32>load<u16>(PILOT_BIN + (pilot << 1));
    const inside = sample(candidate, bin, false);
    store<f32>(BIN_VALUE + ((<usize>bin) << 3), inside ? valueRe : 0);
    store<f32>(BIN_VALUE + ((<usize>bin) << 3), inside ? valueIm : 0, 4);
  }
}

function phaseScore(candidate: usize): f32 {
  takePilots(candidate);
  return pilotsAt(load<f32>(candidate, 40), load<f32>(candidate, 44));
}

function scoreOf(candidate: usize, byPhase: bool): f32 {
  return byPhase ? phaseScore(candidate) : powerScore(candidate);
}

/** TRIAL = candidate with B (1 + amount x one of: scale, turn, squeeze, shear), or with a moved shift. */
function vary(candidate: usize, way: i32, amount: f64): void {
  memory.copy(TRIAL, candidate, ENTRY);
  if (way >= 4) {
    const at: usize = way == 4 ? 40 : 44;
    // A whole affine step moves the pilots by about as much as 60 pixels of shift.
    store<f32>(TRIAL + at, load<f32>(TRIAL + at) + <f32>(amount * 60));
    return;
  }
  for (let row: usize = 0; row < 32; row += 16) {
    const a = load<f64>(candidate + row);
    const b = load<f64>(candidate + row, 8);
    const x = way == 0 || way == 2 ? a : b;
    const y = way == 0 ? b : way == 2 ? -b : way == 1 ? -a : a;
    store<f64>(TRIAL + row, a + amount * x);
    store<f64>(TRIAL + row, b + amount * y, 8);
  }
}

/** Climbs over B (and the shift, by phase) with halving steps. */
export function refine(candidate: usize, byPhase: bool, firstStep: f64, rounds: i32): void {
  let best = scoreOf(candidate, byPhase);
  let step = firstStep;
  const ways: i32 = byPhase ? 6 : 4;
  for (let round = 0; round < rounds; round++) {
    for (let way = 0; way < ways; way++) {
      for (let sign = -1; sign <= 1; sign += 2) {
        vary(candidate, way, step * <f64>sign);
        const score = scoreOf(TRIAL, byPhase);
        if (score <= best) continue;
        best = score;
        memory.copy(candidate, TRIAL, ENTRY);
      }
    }
    step *= 0.6;
  }
  store<f32>(candidate, best, 32);
}
