// A template: what an embedder gets for one label instead of a key. Bytes: docs/format.md, "Template".
// It holds, per axis, which coded bit it carries and its sign times that coded bit of the label.
import * as carriers from "./carriers";
import { AXES } from "./carriers";
import * as code from "./code";
import { take } from "./memory";

const HEADER: usize = 16;
/** "TSRA", little-endian. */
const MAGIC: u32 = 0x41525354;
const PILOT: i32 = 1023;
const NEGATIVE: i32 = 0x8000;
const INDEX: i32 = 1023;
const RESERVED: i32 = 0x7c00;

export const TEMPLATE_BYTES: i32 = <i32>HEADER + 2 * AXES;
/** u8[TEMPLATE_BYTES], read and written here. */
export const TEMPLATE: usize = take(TEMPLATE_BYTES);
const CODED: usize = take(code.OUTER_CODED_BITS + code.INNER_CODED_BITS);

function put(axis: i32, index: i32, value: f32): void {
  const word = index | (value < 0 ? NEGATIVE : 0);
  store<u16>(TEMPLATE + HEADER + ((<usize>axis) << 1), <u16>word);
}

function putCode(axes: usize, bits: usize, signs: usize, count: i32, first: i32): void {
  for (let i: usize = 0; i < <usize>count; i++) {
    const index = first + <i32>load<u16>(bits + (i << 1));
    const sign = load<f32>(signs + (i << 2));
    put(<i32>load<u16>(axes + (i << 1)), index, load<u8>(CODED + <usize>index) ? -sign : sign);
  }
}

/**
 * Writes the template of a label under the key in use.
 * @param label cohort in the upper 16 bits, the rest below
 */
export function writeTemplate(label: u64): void {
  const cohort = <i32>(label >> <u64>code.INNER_LABEL_BITS);
  carriers.useCohort(cohort);
  code.encodeOuter(cohort, CODED);
  const rest = label & (((<u64>1) << code.INNER_LABEL_BITS) - 1);
  code.encodeInner(rest, CODED + code.OUTER_CODED_BITS);
  memory.fill(TEMPLATE, 0, HEADER);
  store<u32>(TEMPLATE, MAGIC);
  store<u8>(TEMPLATE, <u8>carriers.FORMAT_VERSION, 4);
  store<u64>(TEMPLATE, bswap<u64>(label), 8);
  for (let pilot: usize = 0; pilot < <usize>carriers.PILOTS; pilot++) {
    const bin = <i32>load<u16>(carriers.PILOT_BIN + (pilot << 1));
    put(2 * bin, PILOT, load<f32>(carriers.PILOT_SIGN + (pilot << 3)));
    put(2 * bin + 1, PILOT, load<f32>(carriers.PILOT_SIGN + (pilot << 3), 4));
  }
  putCode(carriers.OUTER_AXIS, carriers.OUTER_BIT, carriers.OUTER_SIGN, carriers.outerAxes, 0);
  putCode(
    carriers.INNER_AXIS,
    carriers.INNER_BIT,
    carriers.INNER_SIGN,
    carriers.innerAxes,
    code.OUTER_CODED_BITS,
  );
}

function wordOf(axis: i32): i32 {
  return <i32>load<u16>(TEMPLATE + HEADER + ((<usize>axis) << 1));
}

function signOf(word: i32): f32 {
  return word & NEGATIVE ? -1.0 : 1.0;
}

/**
 * Loads the carriers of the template in TEMPLATE.
 * @returns false if it is not a template of this version
 */
export function useTemplate(): bool {
  if (load<u32>(TEMPLATE) != MAGIC) return false;
  // The version and three zero bytes.
  if (load<u32>(TEMPLATE, 4) != carriers.FORMAT_VERSION) return false;
  carriers.useNoCarriers();
  let pilots = 0;
  for (let axis = 0; axis < AXES; axis++) {
    const word = wordOf(axis);
    const index = word & INDEX;
    if (word & RESERVED) return false;
    if (index == PILOT) {
      // A pilot takes both axes of its bin.
      if ((wordOf(axis ^ 1) & INDEX) != PILOT || pilots == carriers.PILOTS) return false;
      carriers.addPilot(pilots++, axis >> 1, signOf(word), signOf(wordOf(axis + 1)));
      axis++;
    } else if (index < code.OUTER_CODED_BITS) {
      carriers.addOuterAxis(axis, index, signOf(word));
    } else if (index < code.OUTER_CODED_BITS + code.INNER_CODED_BITS) {
      carriers.addInnerAxis(axis, index - code.OUTER_CODED_BITS, signOf(word));
    } else return false;
  }
  return pilots == carriers.PILOTS;
}
