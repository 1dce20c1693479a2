// A template taken apart by its bytes alone (docs/format.md, "Template"), the way its holder could: which
// axes of the tile's spectrum it names, for what, and with which sign. No key, no kernel.

/** The real (part 0) or imaginary (part 1) half of the bin (kx, ky), and the sign it has in this label. */
export interface Axis {
  readonly kx: number;
  readonly ky: number;
  readonly part: 0 | 1;
  /** Coded bit within its code; 0 for pilots. */
  readonly bit: number;
  readonly sign: 1 | -1;
}

export interface Layout {
  readonly pilots: readonly Axis[];
  readonly outer: readonly Axis[];
  readonly inner: readonly Axis[];
}

const HEADER_BYTES = 16;
const LABEL_OFFSET = 8;
const INDEX_MASK = 1023;
const PILOT = 1023;
const NEGATIVE = 0x8000;
const OUTER_CODED_BITS = 256;
/** Bins carry something from this radius to that, inclusive. */
const LEAST_RADIUS = 5;
const MOST_RADIUS = 30;
const BINS = listBins();

/** Sorts a template's axes by what they carry. */
export function readTemplate(template: Uint8Array): Layout {
  const layout = { pilots: [] as Axis[], outer: [] as Axis[], inner: [] as Axis[] };
  const words = axisWords(template);
  for (let axis = 0; axis < words.count; axis++) {
    const word = words.get(axis);
    const index = word & INDEX_MASK;
    const [kx, ky] = BINS[axis >> 1];
    const sign = word & NEGATIVE ? -1 : 1;
    const at = { kx, ky, part: (axis & 1) as 0 | 1, sign } as const;
    if (index === PILOT) layout.pilots.push({ ...at, bit: 0 });
    else if (index < OUTER_CODED_BITS) layout.outer.push({ ...at, bit: index });
    else layout.inner.push({ ...at, bit: index - OUTER_CODED_BITS });
  }
  return layout;
}

/**
 * What a forger can build: the outer code is public and linear, so whoever holds one template can make
 * its outer part name any cohort. Here it is copied from a template of that cohort, with its label.
 */
export function withOuterOf(template: Uint8Array, cohortTemplate: Uint8Array): Uint8Array {
  const forged = template.slice();
  forged.set(cohortTemplate.subarray(LABEL_OFFSET, HEADER_BYTES), LABEL_OFFSET);
  const [target, source] = [axisWords(forged), axisWords(cohortTemplate)];
  for (let axis = 0; axis < source.count; axis++) {
    const word = source.get(axis);
    if ((word & INDEX_MASK) < OUTER_CODED_BITS) target.set(axis, word);
  }
  return forged;
}

function axisWords(template: Uint8Array) {
  const view = new DataView(template.buffer, template.byteOffset + HEADER_BYTES);
  const count = 2 * BINS.length;
  if (template.length !== HEADER_BYTES + 2 * count) {
    throw new RangeError(
      `A template has ${HEADER_BYTES + 2 * count} bytes, not ${template.length}.`,
    );
  }
  return {
    count,
    get: (axis: number) => view.getUint16(2 * axis, true),
    set: (axis: number, word: number) => view.setUint16(2 * axis, word, true),
  };
}

/** Half plane, by squared radius, then ky, then kx. */
function listBins(): [number, number][] {
  const bins: [number, number][] = [];
  for (let ky = 0; ky <= MOST_RADIUS; ky++) {
    for (let kx = ky === 0 ? 1 : -MOST_RADIUS; kx <= MOST_RADIUS; kx++) {
      const squared = kx * kx + ky * ky;
      if (squared >= LEAST_RADIUS ** 2 && squared <= MOST_RADIUS ** 2) bins.push([kx, ky]);
    }
  }
  return bins.sort(
    (a, b) => a[0] ** 2 + a[1] ** 2 - b[0] ** 2 - b[1] ** 2 || a[1] - b[1] || a[0] - b[0],
  );
}
