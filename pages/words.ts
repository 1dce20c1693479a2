// What the page says: failures and geometry as sentences that a seller understands.
import type { Dropped } from "../sdk/file/format.ts";
import { canonicalScale, type Geometry } from "../sdk/geometry.ts";
import { MIN_SIDE } from "../sdk/index.ts";
import type { Failure } from "./weaver.ts";

/** Below these a turn, in degrees, a squeeze or a cut, in parts of 1, is within the reading's tolerance. */
const LEAST_TURN = 0.5;
const LEAST_CHANGE = 0.02;

/** Failures whose own message is not for sellers; all others explain themselves. */
const SENTENCES: Readonly<Record<string, string>> = {
  "file-broken": "This file is damaged or incomplete: it cannot be opened as a picture.",
  "picture-too-large": "This picture is too large for this browser. Please use a smaller one.",
  "picture-too-small": `This picture is too small to hold a label. Please use one of at least ${MIN_SIDE} pixels on each side.`,
  "picture-empty": "This picture has no pixels.",
  "picture-flat": "This picture is one even surface, with nothing in it that could hide a label.",
  "out-of-memory":
    "There is not enough memory for this picture. Please close other pages or use a smaller picture.",
  internal: "Something went wrong here, not with your picture. Please try again.",
};

const DROPPED: Readonly<Record<Dropped, string>> = {
  c2pa: "its content credentials (C2PA), which the new pixels would have made invalid",
  location: "where it was taken",
  "second-picture": "a second picture that was hidden in it",
  thumbnail: "its small preview, which had no label",
};

/** The sentence for a failure. */
export function explain({ code, message }: Failure): string {
  return SENTENCES[code] ?? message;
}

/** What a labelled file no longer has. */
export function describeDropped(dropped: readonly Dropped[]): string {
  return dropped.map((each) => DROPPED[each]).join("; ");
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
