// What a finding's place says, in the picture's own pixels.

/** Canonical scale (docs/format.md): short side, and the long side at most. */
const SHORT_SIDE = 512;
const LONG_SIDE = 2048;

export interface Geometry {
  /**
   * Picture position to the original's canonical frame, modulo one tile of 128:
   * X = m[0] x + m[1] y + m[2], Y = m[3] x + m[4] y + m[5]; pixel (0, 0) covers 0..1.
   */
  readonly matrix: readonly [number, number, number, number, number, number];
  /** Picture pixels per canonical pixel of the original (geometric mean of both directions). */
  readonly scale: number;
  /** Clockwise turn of the original as shown, degrees, -180..180 (after the mirroring, if any). */
  readonly rotation: number;
  /** Whether it is mirrored left to right. */
  readonly mirrored: boolean;
  /** Stretch along the picture's width over that along its height; 1 when not squeezed. */
  readonly squeeze: number;
}

/** Canonical pixels per pixel of a picture. */
export function canonicalScale(width: number, height: number): number {
  return Math.min(SHORT_SIDE / Math.min(width, height), LONG_SIDE / Math.max(width, height));
}

/**
 * @param map six numbers, canonical plane pixel index -> tile position
 * @param width,height of the plane or picture that was handed in
 * @param pictureWidth,pictureHeight of the picture it shows
 */
export function geometryOf(
  map: readonly number[],
  width: number,
  height: number,
  pictureWidth: number,
  pictureHeight: number,
): Geometry {
  const [a = 1, b = 0, c = 0, d = 0, e = 1, f = 0] = map;
  const scale = canonicalScale(width, height);
  const x = (scale * width) / pictureWidth;
  const y = (scale * height) / pictureHeight;
  const modulo = (value: number) => ((value % 128) + 128) % 128;
  const matrix = [
    a * x,
    b * y,
    modulo(c + 0.5 * (1 - a - b)),
    d * x,
    e * y,
    modulo(f + 0.5 * (1 - d - e)),
  ] as const;
  const determinant = matrix[0] * matrix[4] - matrix[1] * matrix[3];
  const mirrored = determinant < 0;
  // The way back: from the original's frame to the picture; a mirror is undone on the original's side.
  const flip = mirrored ? -1 : 1;
  const toX = [(flip * matrix[4]) / determinant, -matrix[1] / determinant] as const;
  const toY = [(-flip * matrix[3]) / determinant, matrix[0] / determinant] as const;
  return {
    matrix,
    scale: 1 / Math.sqrt(Math.abs(determinant)),
    rotation: (Math.atan2(toY[0] - toX[1], toX[0] + toY[1]) * 180) / Math.PI,
    mirrored,
    squeeze: Math.hypot(...toX) / Math.hypot(...toY),
  };
}
