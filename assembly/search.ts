// Where is the pattern? Looks for the pilots in both spectra over scale, turn, mirror and squeeze: coarsely
// (scan.ts), then refined on the power, scored by phase, and refined by phase.
import { areTwins, clearList, ENTRY, LIST, listed, sortList, trimList } from "./candidates";
import { take } from "./memory";
import { refine, takePilots } from "./refine";
import { STEP, scanLevel } from "./scan";
import { findShift, pilotScore, shiftX, shiftY } from "./shift";
import { LEVELS } from "./spectrum";

const PHASED: i32 = 32;
export const CANDIDATES: i32 = 6;
const RANKED: usize = take(<usize>(2 * PHASED) * ENTRY);
let ranked: i32 = 0;

/** Appends a candidate and its half turn, at their best shifts, to RANKED. */
function rank(candidate: usize): void {
  for (let turn = 0; turn < 2; turn++) {
    if (turn == 1) {
      for (let at: usize = 0; at < 32; at += 8)
        store<f64>(candidate + at, -load<f64>(candidate + at));
    }
    takePilots(candidate);
    findShift(0);
    const at = RANKED + <usize>ranked * ENTRY;
    ranked++;
    memory.copy(at, candidate, ENTRY);
    store<f32>(at, pilotScore, 32);
    store<f32>(at, shiftX, 40);
    store<f32>(at, shiftY, 44);
  }
}

/**
 * Looks through both spectra with the pilots in use.
 * @returns how many candidates there are, best first, at most CANDIDATES
 */
export function search(): i32 {
  clearList();
  ranked = 0;
  for (let level = 0; level < LEVELS; level++) scanLevel(level);
  for (let i = 0; i < listed; i++) refine(LIST + <usize>i * ENTRY, false, STEP / 4, 3);
  trimList(PHASED);
  for (let i = 0; i < listed; i++) rank(LIST + <usize>i * ENTRY);
  ranked = sortList(RANKED, ranked, CANDIDATES);
  for (let i = 0; i < ranked; i++) refine(RANKED + <usize>i * ENTRY, true, STEP / 4, 6);
  return sortList(RANKED, ranked, CANDIDATES);
}

/** The pilots' score of a candidate by phase, in standard deviations. */
export function candidateScore(index: i32): f32 {
  return load<f32>(RANKED + <usize>index * ENTRY, 32);
}

/** 0 if the candidate was found at half scale, 1 at full scale. */
export function candidateLevel(index: i32): i32 {
  return load<i32>(RANKED + <usize>index * ENTRY, 36);
}

/** The candidate's B, f64[4]. */
export function candidateMatrix(index: i32): usize {
  return RANKED + <usize>index * ENTRY;
}

/** Whether a better candidate is the same place, seen at the other scale. */
export function repeatsEarlier(index: i32): bool {
  for (let i = 0; i < index; i++) {
    if (areTwins(RANKED + <usize>i * ENTRY, RANKED + <usize>index * ENTRY)) return true;
  }
  return false;
}
