// The attack tables: what happens to pictures on their way through the world, in three groups.
// A plain: codecs, sizes, colours. B geometry: cuts, turns, frames, each followed by JPEG 85 (a
// screenshot by JPEG 80). C hard: what a good label survives most of the time. Free choices (places,
// signs, colours, noise) come from the generator alone.

import type { Image } from "../sdk/engine.ts";
import {
  avif,
  chain,
  crop,
  jpeg,
  meanValue,
  noise,
  pad,
  palette,
  piped,
  pipedFlat,
  resize,
  rotate,
  type Step,
  valueMap,
  WHITE,
  webp,
} from "./distort.ts";
import { type Rng, randomBelow, randomSign } from "./random.ts";

export const GROUP_NAMES = ["A", "B", "C"] as const;
export type GroupName = (typeof GROUP_NAMES)[number];

/** A named change of a whole picture. */
export interface Attack {
  readonly name: string;
  readonly group: GroupName;
  readonly run: (image: Image, rng: Rng) => Promise<Image>;
}

const unchanged: Step = async (image) => image;
const mirror = piped((pipeline) => pipeline.flop());
const grey = piped((pipeline) => {
  const row = [0.299, 0.587, 0.114] as [number, number, number];
  return pipeline.recomb([row, row, row]);
});
const turnHue = (degrees: number) => piped((pipeline) => pipeline.modulate({ hue: degrees }));
// Taps down to 2 % of the middle one: sigma 2.9 gives a kernel of 17.
const blur = (sigma: number) => piped((pipeline) => pipeline.blur({ sigma, minAmplitude: 0.02 }));
const median = (side: number) => piped((pipeline) => pipeline.median(side));
const sharpen = (sigma: number) => piped((pipeline) => pipeline.sharpen({ sigma }));
const brightness = (factor: number) => valueMap(() => (value) => value * factor);
const gamma = (power: number) => valueMap(() => (value) => 255 * (value / 255) ** power);
const contrast = (factor: number) =>
  valueMap((image) => {
    const mean = meanValue(image);
    return (value) => mean + (value - mean) * factor;
  });
const turn =
  (degrees: number): Step =>
  (image, rng) =>
    rotate(degrees * randomSign(rng))(image, rng);

// A canvas of twice the width and height in one plain mid-tone colour (each channel 64..191), the
// picture at a random place on it.
const paste = pipedFlat((pipeline, { width, height }, rng) => {
  const tone = () => 64 + randomBelow(rng, 128);
  const background = { r: tone(), g: tone(), b: tone() };
  const left = randomBelow(rng, width + 1);
  const top = randomBelow(rng, height + 1);
  return pipeline.extend({ left, right: width - left, top, bottom: height - top, background });
});

// An opaque badge (6 % of the area) in a random corner and a line of block letters (strokes in a band
// of 4 %) across the middle, drawn as paths, so that no font of the machine matters.
const overlay = pipedFlat((pipeline, { width, height }, rng) => {
  const [badgeWidth, badgeHeight] = [width * 0.3, height * 0.2];
  const x = rng() < 0.5 ? width * 0.03 : width * 0.67;
  const y = rng() < 0.5 ? height * 0.03 : height * 0.77;
  const hue = randomBelow(rng, 360);
  const letters = "M18 2H2V10H18V18H2M24 18V2H40V18M24 11H40M46 2V18H62M84 2H68V18H84M68 10H84";
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    <rect x="${x}" y="${y}" width="${badgeWidth}" height="${badgeHeight}"
      rx="${badgeHeight / 5}" fill="hsl(${hue} 70% 45%)"/>
    <circle cx="${x + badgeWidth / 2}" cy="${y + badgeHeight / 2}" r="${badgeHeight / 4}" fill="#fff"/>
    <svg x="${width * 0.2}" y="${height * 0.42}" width="${width * 0.6}" height="${height * 0.16}"
      viewBox="0 0 86 20" preserveAspectRatio="none">
      <path d="${letters}" fill="none" stroke="#fff" stroke-width="4.5"/>
      <path d="${letters}" fill="none" stroke="#222" stroke-width="2.5"/>
    </svg></svg>`;
  return pipeline.composite([{ input: Buffer.from(svg), left: 0, top: 0 }]);
});

const PLAIN: Record<string, Step> = {
  none: unchanged,
  "JPEG 90": jpeg(90),
  "JPEG 75": jpeg(75),
  "JPEG 50": jpeg(50),
  "JPEG 40": jpeg(40),
  "JPEG 30": jpeg(30),
  "WebP 80": webp(80),
  "WebP 50": webp(50),
  "AVIF 50": avif(50),
  "resize 0.75": resize(0.75),
  "resize 0.5": resize(0.5),
  "resize 0.32": resize(0.32),
  "resize 0.5 + JPEG 75": chain(resize(0.5), jpeg(75)),
  "squeeze 0.8": resize(0.8, 1),
  "squeeze 1.17": resize(1.17, 1),
  "brightness x0.5": brightness(0.5),
  "brightness x1.5": brightness(1.5),
  "contrast x0.5": contrast(0.5),
  "gamma 0.7": gamma(0.7),
  "gamma 1.4": gamma(1.4),
  grey,
  "hue 40 deg": turnHue(40),
  "noise 0.05": noise(0.05 * 255),
  "median 3": median(3),
  sharpen: sharpen(1),
  "256 colours": palette(256),
};

const GEOMETRY: Record<string, Step> = {
  "crop 75 %": chain(crop(0.75), jpeg(85)),
  "crop 50 %": chain(crop(0.5), jpeg(85)),
  "crop 25 %": chain(crop(0.25), jpeg(85)),
  "rotation 2": chain(turn(2), jpeg(85)),
  "rotation 5": chain(turn(5), jpeg(85)),
  "rotation 10": chain(turn(10), jpeg(85)),
  "rotation 30": chain(turn(30), jpeg(85)),
  "rotation 45": chain(turn(45), jpeg(85)),
  "rotation 90": chain(turn(90), jpeg(85)),
  "rotation 180": chain(rotate(180), jpeg(85)),
  mirror: chain(mirror, jpeg(85)),
  "mirror + crop 50 %": chain(mirror, crop(0.5), jpeg(85)),
  "white padding x1.3": chain(pad(0.15, WHITE), jpeg(85)),
  "pasted on x2 canvas": chain(paste, jpeg(85)),
  screenshot: chain(resize(0.83), pad(0.05, { r: 240, g: 240, b: 240 }), jpeg(80)),
  "logo and text 10 %": chain(overlay, jpeg(85)),
};

const HARD: Record<string, Step> = {
  "JPEG 15": jpeg(15),
  "WebP 30": webp(30),
  "brightness x2": brightness(2),
  "contrast x2": contrast(2),
  "blur 2.9": blur(2.9),
  "crop 10 %": crop(0.1),
  "crop 60 % + resize 0.6 + JPEG 60": chain(crop(0.6), resize(0.6), jpeg(60)),
  "JPEG 40 + crop 50 % + brightness x0.5": chain(jpeg(40), crop(0.5), brightness(0.5)),
  "resize 0.25 + JPEG 75": chain(resize(0.25), jpeg(75)),
  "crop 50 % + squeeze 0.9": chain(crop(0.5), resize(0.9, 1)),
  "rotation 10 + squeeze 0.9": chain(turn(10), resize(0.9, 1)),
  "rotation 3 + blur 1 + noise 0.02 + JPEG 60": chain(
    turn(3),
    blur(1),
    noise(0.02 * 255),
    jpeg(60),
  ),
};

/** Every attack, in the order of the tables. */
export const ATTACKS: readonly Attack[] = [
  ...named("A", PLAIN),
  ...named("B", GEOMETRY),
  ...named("C", HARD),
];

function named(group: GroupName, steps: Record<string, Step>): Attack[] {
  return Object.entries(steps).map(([name, run]) => ({ name, group, run }));
}
