// Candidates of the search: places where the pattern may be. Per entry f64 B[4], f32 score, i32 level,
// f32 shift[2]. A tile frequency k stands at the plane frequency B k (cycles per TILE plane pixels at full
// scale); a plane pixel p then shows the tile at B^T (p - origin) + shift.
import { take } from "./memory";

const LISTED: i32 = 64;
/** Matrices that differ by less, relatively, are one place. */
const TWIN: f64 = 0.012;
/** Candidates: f64 B[4], f32 score, i32 level, f32 shift[2]. */
export const ENTRY: usize = 48;
/** Room to swap two entries. */
const SWAP: usize = take(ENTRY);

export const LIST: usize = take(<usize>LISTED * ENTRY);
export let listed: i32 = 0;
let worst: f32 = 0;

/** Whether two candidates are one place: neighbouring hypotheses climb to one peak. */
export function areTwins(a: usize, b: usize): bool {
  const size = Math.abs(load<f64>(a)) + Math.abs(load<f64>(a, 8));
  let apart: f64 = 0;
  for (let at: usize = 0; at < 32; at += 8) {
    apart = Math.max(apart, Math.abs(load<f64>(a + at) - load<f64>(b + at)));
  }
  return apart < TWIN * size;
}

/** The listed twin of a candidate at the same level, or -1. */
function findTwin(candidate: usize): i32 {
  for (let i = 0; i < listed; i++) {
    const other = LIST + <usize>i * ENTRY;
    if (load<i32>(other, 36) == load<i32>(candidate, 36) && areTwins(other, candidate)) return i;
  }
  return -1;
}

/** Adds a candidate to the list, in the place of its twin or, when the list is full, of the worst. */
export function enlist(candidate: usize): void {
  const score = load<f32>(candidate, 32);
  if (listed == LISTED && score <= worst) return;
  let place = findTwin(candidate);
  if (place >= 0 && load<f32>(LIST + <usize>place * ENTRY, 32) >= score) return;
  if (place < 0) {
    place = listed;
    if (listed < LISTED) listed++;
    else place = worstPlace();
  }
  memory.copy(LIST + <usize>place * ENTRY, candidate, ENTRY);
  worst = load<f32>(LIST + <usize>worstPlace() * ENTRY, 32);
}

function worstPlace(): i32 {
  let place = 0;
  for (let i = 1; i < listed; i++) {
    const score = load<f32>(LIST + <usize>i * ENTRY, 32);
    if (score < load<f32>(LIST + <usize>place * ENTRY, 32)) place = i;
  }
  return place;
}

/** Sorts the first `count` entries by score, best first, and keeps `keep` (selection sort). */
export function sortList(list: usize, count: i32, keep: i32): i32 {
  const kept = min<i32>(count, keep);
  for (let i = 0; i < kept; i++) {
    let top = i;
    for (let k = i + 1; k < count; k++) {
      if (load<f32>(list + <usize>k * ENTRY, 32) > load<f32>(list + <usize>top * ENTRY, 32))
        top = k;
    }
    if (top == i) continue;
    memory.copy(SWAP, list + <usize>i * ENTRY, ENTRY);
    memory.copy(list + <usize>i * ENTRY, list + <usize>top * ENTRY, ENTRY);
    memory.copy(list + <usize>top * ENTRY, SWAP, ENTRY);
  }
  return kept;
}

/**
 * Writes a candidate's matrix, B = squeeze(after) turn squeeze(before) mirror / size, where squeeze(q) is
 * diag(1 / q, q), and its level.
 */
export function compose(
  at: usize,
  level: i32,
  mirrored: bool,
  before: f64,
  after: f64,
  size: f64,
  angle: f64,
): void {
  const c = Math.cos(angle) / size;
  const s = Math.sin(angle) / size;
  const flip: f64 = mirrored ? -1 : 1;
  store<f64>(at, (c * flip) / (after * before));
  store<f64>(at, (-s * before) / after, 8);
  store<f64>(at, (s * flip * after) / before, 16);
  store<f64>(at, c * after * before, 24);
  store<i32>(at, level, 36);
}

/** Empties the list. */
export function clearList(): void {
  listed = 0;
  worst = 0;
}

/** Sorts the list, best first, and keeps so many of it. */
export function trimList(keep: i32): void {
  listed = sortList(LIST, listed, keep);
}
