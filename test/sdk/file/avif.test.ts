// The contract of sdk/file/avif.ts: a header that agrees with what libvips shows (by sharp), metadata that
// exiftool finds again around new pixels, and damaged files that are refused by their code. Odd files are
// built in test/support/avif.ts from an encoded picture's parts.
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { LabelError } from "../../../sdk/error.ts";
import { avif } from "../../../sdk/file/avif.ts";
import { property, readAvif } from "../../../sdk/file/avif-read.ts";
import { concat, fields, letters, makeBox } from "../../../sdk/file/boxes.ts";
import {
  ALPHA,
  BARE,
  build,
  C2PA,
  codeOf,
  coloursOf,
  DEEP,
  ENCODED,
  ENCODED_CLEAR,
  grid,
  HEIGHT,
  icc,
  nclx,
  type Part,
  PICTURE,
  primary,
  RICH,
  type Sketch,
  shown,
  text,
  WIDTH,
  withProperty,
} from "../../support/avif.ts";
import { readTags, validate } from "../../support/exiftool.ts";

describe("probe", () => {
  it.each([
    ["8 bits", ENCODED, { alpha: false, bitDepth: 8 }],
    ["8 bits and alpha", ENCODED_CLEAR, { alpha: true, bitDepth: 8 }],
    ["10 bits", DEEP, { alpha: false, bitDepth: 10 }],
    ["another writer's", RICH, { alpha: false, bitDepth: 8 }],
  ] as const)("reads %s", (_, file, own) => {
    expect(avif.probe(file)).toEqual({
      format: "avif",
      width: WIDTH,
      height: HEIGHT,
      orientation: 1,
      colour: "rgb",
      animated: false,
      lossless: false,
      progressive: false,
      unsupported: null,
      ...own,
    });
  });

  it("reads grey", () => {
    const grey = Uint8Array.from(property(primary, "av1C") ?? []);
    grey[2] |= 0x10;
    const items = [
      {
        ...BARE,
        properties: BARE.properties?.map((own) => (own[0] === "av1C" ? ["av1C", grey, true] : own)),
      } as Part,
    ];
    expect(avif.probe(build({ items })).colour).toBe("grey");
  });

  it.each([0, 1, 2, 3])("turns like libvips by %i quarters", async (angle) => {
    for (const axis of [null, 0, 1]) {
      const part = withProperty("irot", fields(1, angle));
      if (axis !== null) part.properties?.push(["imir", fields(1, axis), true]);
      const turned = build({ items: [part] });
      const { orientation, width, height } = avif.probe(turned);
      expect([width, height]).toEqual([WIDTH, HEIGHT]);
      expect(await shown(turned)).toEqual(await shown(ENCODED, orientation));
    }
  });

  it("reads a grid by its own size", async () => {
    const file = build(grid());
    expect((await sharp(file).metadata()).width).toBe(2 * WIDTH);
    expect(avif.probe(file)).toMatchObject({ width: 2 * WIDTH, height: HEIGHT, bitDepth: 8 });
    const alpha: Part = { ...BARE, properties: [["auxC", concat([fields(4, 0), letters(ALPHA)])]] };
    const sketch = grid();
    const clear = build({
      items: [...sketch.items, alpha],
      references: [
        ["dimg", 1, 2, 3],
        ["auxl", 4, 2],
      ],
    });
    expect(avif.probe(clear).alpha).toBe(true);
  });

  it("reads boxes with 64 bits of size, to the end of the file, and items in idat", async () => {
    const large = (length: number) =>
      concat([fields(4, 1), letters("mdat"), fields(4, 0, 16 + length)]);
    const open = () => concat([fields(4, 0), letters("mdat")]);
    for (const file of [
      build({ items: [PICTURE], mdat: large }),
      build({ items: [PICTURE], mdat: open }),
      build({ items: [{ ...PICTURE, method: 1 }] }),
    ]) {
      expect(avif.probe(file)).toEqual(avif.probe(ENCODED));
      const { bytes } = await avif.carry(file, ENCODED, {});
      expect(await shown(bytes)).toEqual(await shown(ENCODED));
    }
  });

  it("calls a file with a track animated", () => {
    const film = build({ items: [PICTURE], more: [makeBox("moov")] });
    expect(avif.probe(film).animated).toBe(false);
    film.set(letters("avis"), 20);
    expect(avif.probe(film).animated).toBe(true);
  });

  it.each<[string, Part, string | null]>([
    ["a crop", withProperty("clap", fields(4, 32, 1, 48, 1, 0, 1, 0, 1)), "a cropped frame (clap)"],
    [
      "a moved crop",
      withProperty("clap", fields(4, 64, 1, 48, 1, 1, 1, 0, 1)),
      "a cropped frame (clap)",
    ],
    ["no real crop", withProperty("clap", fields(4, 128, 2, 48, 1, 0, 1, 0, 1)), null],
    [
      "a strange property",
      withProperty("odd!", fields(1, 0)),
      'a picture with the property "odd!"',
    ],
    ["a strange hint", withProperty("odd!", fields(1, 0), false), null],
    ["HEVC", { ...PICTURE, type: "hvc1" }, 'a picture of the type "hvc1"'],
    ["pixels in an item", { ...PICTURE, method: 2 }, "pixels outside of the file"],
  ])("says why %s is not read", (_, part, why) => {
    expect(avif.probe(build({ items: [part] })).unsupported).toBe(why);
  });

  it("refuses a file that was cut anywhere", () => {
    for (const file of [ENCODED_CLEAR, RICH]) {
      for (let length = 0; length < file.length; length++) {
        expect(codeOf(() => avif.probe(file.subarray(0, length)))).toBe("file-broken");
      }
    }
  });

  const items = [PICTURE];
  const lacking = (type: string): Sketch => ({
    items: [{ ...PICTURE, properties: PICTURE.properties?.filter((own) => own[0] !== type) }],
  });
  const locate = (...parts: Uint8Array[]) => ({ iloc: makeBox("iloc", fields(4, 0), ...parts) });
  it.each<[string, Sketch]>([
    ["no size", lacking("ispe")],
    ["no coding", lacking("av1C")],
    ["no pixels", { items: [{ ...PICTURE, data: new Uint8Array() }] }],
    ["no primary item", { items, instead: { pitm: makeBox("pitm", fields(4, 0), fields(2, 9)) } }],
    ["no locations", { items, instead: { iloc: makeBox("free") } }],
    [
      "two depths",
      {
        items: [
          {
            ...BARE,
            properties: [["pixi", fields(1, 0, 0, 0, 0, 1, 10)], ...(BARE.properties ?? [])],
          },
        ],
      },
    ],
    ["a grid of another size", grid(2, WIDTH)],
    ["a grid without all tiles", grid(3)],
    [
      "an extent beyond the end",
      { items, instead: locate(fields(2, 0x4400, 1, 1, 0, 1), fields(4, 0, 1e9)) },
    ],
    [
      "extents that overlap",
      { items, instead: locate(fields(2, 0x4400, 1, 1, 0, 40), fields(4, ...Array(80).fill(400))) },
    ],
    ["an item told twice", { items, instead: locate(fields(2, 0, 2, 1, 0, 0, 1, 0, 0)) }],
    ["too many items", { items: [...items, ...Array(1_000).fill({ type: "mime" })] }],
    ["too many boxes", { items, more: Array(2_000).fill(makeBox("free")) }],
    ["a box smaller than its header", { items, more: [concat([fields(4, 7), letters("free")])] }],
    [
      "a property that is not there",
      {
        items,
        instead: {
          iprp: makeBox(
            "iprp",
            makeBox("ipco"),
            makeBox("ipma", fields(4, 0, 1), fields(2, 1), fields(1, 1, 9)),
          ),
        },
      },
    ],
  ])("refuses %s", (_, sketch) => {
    expect(codeOf(() => avif.probe(build(sketch)))).toBe("file-broken");
  });

  it("does not follow extents that take no bytes", () => {
    const endless = build({ items, instead: locate(fields(2, 0, 1, 1, 0, 65535)) });
    expect(() => avif.probe(endless)).toThrow("in too many pieces");
  });
});

describe("carry", () => {
  it.each([
    ["opaque", ENCODED],
    ["with alpha", ENCODED_CLEAR],
    ["of 10 bits", DEEP],
  ])("moves profile, Exif and XMP to new pixels %s", async (_, encoded) => {
    const { bytes, dropped } = await avif.carry(RICH, encoded, { keepLocation: true });
    expect(dropped).toEqual([]);
    const about = (file: Uint8Array) =>
      Object.entries(readTags(file)).filter(([name]) => /^(EXIF|XMP|ICC_Profile):/.test(name));
    expect(about(RICH)).toContainEqual(["EXIF:Copyright", "Weaver"]);
    expect(about(bytes)).toEqual(about(RICH));
    expect(validate(bytes)).toEqual(validate(RICH));
    const { bytes: plain } = await avif.carry(ENCODED, encoded, {});
    expect(await shown(plain)).toEqual(await shown(encoded));
    expect(avif.probe(bytes)).toEqual(avif.probe(encoded));
    expect((await sharp(bytes).metadata()).icc).toEqual((await sharp(RICH).metadata()).icc);
  });

  it("leaves out the place unless told, and writes rights and identifier", async () => {
    const edit = { rights: "© Weaver", identifier: "urn:x:1" };
    const { bytes, dropped } = await avif.carry(RICH, ENCODED, edit);
    expect(dropped).toEqual(["location"]);
    const tags = readTags(bytes);
    expect(Object.keys(tags).filter((name) => name.includes("GPS"))).toEqual([]);
    expect(tags).toMatchObject({ "XMP:CreatorTool": "Loom", "XMP:Rights": "© Weaver" });
    const fresh = await avif.carry(DEEP, ENCODED, edit);
    expect(readTags(fresh.bytes)).toMatchObject({ "XMP:Identifier": "urn:x:1" });
    expect(validate(fresh.bytes)).toEqual(validate(ENCODED));
  });

  it("turns the new pixels and their alpha like the old ones", async () => {
    const part = withProperty("irot", fields(1, 1));
    part.properties?.push(["imir", fields(1, 0), true]);
    const { bytes } = await avif.carry(build({ items: [part] }), ENCODED_CLEAR, {});
    const { orientation } = avif.probe(bytes);
    expect(orientation).toBe(5);
    expect(await shown(bytes)).toEqual(await shown(ENCODED_CLEAR, orientation));
    for (const item of readAvif(bytes).items.values()) {
      const turns = item.properties.slice(-2).map(({ type, essential }) => [type, essential]);
      expect(turns).toEqual([
        ["irot", true],
        ["imir", true],
      ]);
    }
  });

  it.each<[string, Uint8Array[], string[]]>([
    ["none", [], [text(nclx(2, 2, 6))]],
    ["nclx", [nclx(9, 16, 9)], [text(nclx(9, 16, 6))]],
    ["a profile", [icc("RGB ")], [text(nclx(2, 2, 6)), "prof"]],
    ["both", [icc("RGB "), nclx(12, 13, 1)], [text(nclx(12, 13, 6)), "prof"]],
    ["a grey profile", [icc("GRAY")], [text(nclx(2, 2, 6))]],
    ["a cut nclx", [letters("nclx\0")], [text(nclx(2, 2, 6))]],
  ])("takes over what the colours mean: %s", async (_, colours, expected) => {
    const own = colours.map((data) => ["colr", data] as [string, Uint8Array]);
    const part = { ...BARE, properties: [...(BARE.properties ?? []), ...own] };
    const { bytes } = await avif.carry(build({ items: [part] }), ENCODED, {});
    expect(coloursOf(bytes)).toEqual(expected);
  });

  it("keeps light levels and pixel shape", async () => {
    const part = withProperty("clli", fields(2, 1000, 400), false);
    part.properties?.push(["pasp", fields(4, 2, 1)]);
    const { bytes } = await avif.carry(build({ items: [part] }), ENCODED, {});
    const { primary } = readAvif(bytes);
    expect(property(primary, "clli")).toEqual(fields(2, 1000, 400));
    expect(property(primary, "pasp")).toEqual(fields(4, 2, 1));
  });

  it.each<[string, Sketch, string[]]>([
    ["nothing of a grid's tiles", grid(), []],
    ["a manifest", { items: [PICTURE], more: [makeBox("uuid", C2PA)] }, ["c2pa"]],
    ["a thumbnail", { items: [PICTURE, BARE], references: [["thmb", 2, 1]] }, ["thumbnail"]],
    ["a second picture", { items: [PICTURE, BARE] }, ["second-picture"]],
    ["nothing of a hidden one", { items: [PICTURE, { ...BARE, hidden: true }] }, []],
    ["a tone map", { items: [PICTURE, { type: "tmap", hidden: true }] }, ["second-picture"]],
    [
      "a gain map",
      { items: [PICTURE, { ...BARE, hidden: true }], references: [["auxl", 2, 1]] },
      ["second-picture"],
    ],
  ])("drops %s", async (_, sketch, expected) => {
    const { bytes, dropped } = await avif.carry(build(sketch), ENCODED, {});
    expect(dropped).toEqual(expected);
    expect(readAvif(bytes).items.size).toBe(1);
    expect(await shown(bytes)).toEqual(await shown(ENCODED));
  });

  it("refuses damaged originals by code, whatever is flipped in them", async () => {
    let seed = 1;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    const codes = new Set<string>();
    for (let round = 0; round < 1000; round++) {
      const file = Uint8Array.from(RICH);
      for (let flips = 0; flips < 2; flips++) file[random(700)] = random(256);
      const carried = avif.carry(file, ENCODED, { rights: "Weaver" });
      const error = await carried.then(() => null).catch((reason: unknown) => reason);
      if (error) expect(error).toBeInstanceOf(LabelError);
      codes.add(codeOf(() => avif.probe(file)));
    }
    expect([...codes].sort()).toEqual(["file-broken", "none"]);
  });
});
