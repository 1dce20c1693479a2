// What the page says: failures and geometry as sentences that a seller understands.
import { canonicalScale, type Geometry } from "../sdk/geometry.ts";
import { MIN_SIDE } from "../sdk/index.ts";
import { MAX_PICTURE_PIXELS } from "./decode.ts";
import type { Failure } from "./weaver.ts";

/** Below these a turn, in degrees, a squeeze or a cut, in parts of 1, is within the reading's tolerance. */
const LEAST_TURN = 0.5;
const LEAST_CHANGE = 0.02;

const SENTENCES: Readonly<Record<string, string>> = {
  "picture-unreadable":
    "This browser cannot open the file as a picture. It may be damaged, or of a kind that the browser does not know; a JPEG or PNG will do.",
  "picture-too-large": `This picture is too large. Please use one of at most ${MAX_PICTURE_PIXELS / 1e6} million pixels.`,
  "picture-too-small": `This picture is too small to hold a label. Please use one of at least ${MIN_SIDE} pixels on each side.`,
  "picture-empty": "This picture has no pixels.",
  "picture-flat": "This picture is one even surface, with nothing in it that could hide a label.",
  "out-of-memory":
    "There is not enough memory for this picture. Please close other pages or use a smaller picture.",
};

/** The sentence for a failure. */
export function explain({ code }: Failure): string {
  return SENTENCES[code] ?? "Something went wrong here, not with your picture. Please try again.";
}

/** What was done to a labelled picture, by where its label lies. */
export function describe(geometry: Geometry, width: number, height: number): string {
  const { rotation, mirrored, squeeze } = geometry;
  const words = mirrored ? ["mirrored"] : [];
  const turned = Math.abs(rotation) >= LEAST_TURN;
  if (turned) {
    const side = rotation > 0 ? "clockwise" : "anticlockwise";
    words.push(`turned ${Math.abs(rotation).toFixed(0)}° ${side}`);
  }
  if (Math.abs(squeeze - 1) >= LEAST_CHANGE) {
    words.push(`${squeeze > 1 ? "stretched" : "squeezed"} to ${percent(squeeze)} of its width`);
  } else if (!turned) {
    words.push(...describeFrame(geometry.scale * canonicalScale(width, height)));
  }
  return words.length > 0 ? words.join(", ") : "upright, its short side whole";
}

/** @param zoom how much larger the original's content is than it would be in a whole frame */
function describeFrame(zoom: number): string[] {
  if (zoom >= 1 + LEAST_CHANGE) return [`cut to ${percent(1 / zoom)} of its short side`];
  if (zoom <= 1 - LEAST_CHANGE) return [`set in a frame of which it fills ${percent(zoom)}`];
  return [];
}

function percent(part: number): string {
  return `${(100 * part).toFixed(0)} %`;
}
