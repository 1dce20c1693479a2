// sdk/file/jpeg.ts on files from sharp and exiftool, and on segments put in by hand: what the header tells, what
// comes along and what does not, with exiftool as the judge.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import type { MetadataEdit } from "../../../sdk/file/format.ts";
import { jpeg } from "../../../sdk/file/jpeg.ts";
import { findProgram } from "../../support/debian.ts";
import { readTags, validate } from "../../support/exiftool.ts";

const SIZE = { width: 48, height: 32 };
const picture = sharp({ create: { ...SIZE, channels: 3, background: "#a84" } });
const encoded = new Uint8Array(await picture.clone().jpeg({ mozjpeg: true }).toBuffer());
const plain = new Uint8Array(await picture.clone().jpeg().toBuffer());
const BROKEN = expect.objectContaining({ code: "file-broken" });
const XMP = "http://ns.adobe.com/xap/1.0/\0";
const EXTENSION = "http://ns.adobe.com/xmp/extension/\0";

const bytesOf = (...parts: (string | number | Uint8Array)[]): Uint8Array =>
  Buffer.concat(
    parts.map((part) =>
      typeof part === "string" ? Buffer.from(part, "latin1") : Buffer.from(toArray(part)),
    ),
  );
const toArray = (part: number | Uint8Array) => (typeof part === "number" ? [part] : part);
const lettersOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

function makeSegment(marker: number, ...parts: (string | number | Uint8Array)[]): Uint8Array {
  const data = bytesOf(...parts);
  const length = data.length + 2;
  return bytesOf(0xff, marker, length >> 8, length & 255, data);
}

/** The plain file with segments put in before all of its own. */
function withSegments(...segments: Uint8Array[]): Uint8Array {
  return bytesOf(plain.subarray(0, 2), ...segments, plain.subarray(2));
}

/** Markers and data of a file's segments up to the first scan. */
function listSegments(bytes: Uint8Array): { marker: number; data: string }[] {
  const list = [];
  for (let at = 2; bytes[at + 1] !== 0xda; ) {
    const end = at + 2 + bytes[at + 2] * 256 + bytes[at + 3];
    list.push({ marker: bytes[at + 1], data: lettersOf(bytes.subarray(at + 4, end)) });
    at = end;
  }
  return list;
}

function writeTags(bytes: Uint8Array, tags: readonly string[], thumbnail?: Uint8Array): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "tessera-jpeg-"));
  try {
    const [path, small] = [join(folder, "picture.jpg"), join(folder, "small.jpg")];
    writeFileSync(path, bytes);
    writeFileSync(small, thumbnail ?? "");
    const more = thumbnail ? [`-ThumbnailImage<=${small}`] : [];
    const program = findProgram(["exiftool"], "libimage-exiftool-perl");
    execFileSync(program, ["-q", "-overwrite_original", ...tags, ...more, path]);
    return new Uint8Array(readFileSync(path));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const PLACE = [
  "-EXIF:GPSLatitude=48.137",
  "-EXIF:GPSLatitudeRef=N",
  "-EXIF:GPSLongitude=11.575",
  "-EXIF:GPSLongitudeRef=E",
  "-XMP-exif:GPSLatitude=48.137",
];
const rich = writeTags(
  new Uint8Array(await picture.clone().withIccProfile("p3").jpeg().toBuffer()),
  [
    ...PLACE,
    "-Make=Maker",
    "-Orientation#=6",
    "-ExifIFD:UserComment=a comment",
    "-ExposureTime=1/60",
    "-InteropIndex=R98",
    "-Comment=a remark",
    "-IPTC:Keywords=shoe",
    "-IPTC:By-line=somebody",
    "-XMP-dc:Title=A title",
    "-XMP-dc:Rights=old rights",
    "-XMP-photoshop:City=Munich",
  ],
  plain,
);

async function carryTags(original: Uint8Array, edit: MetadataEdit) {
  const carried = await jpeg.carry(original, encoded, edit);
  return { ...carried, before: readTags(original), after: readTags(carried.bytes) };
}

describe("probe", () => {
  it("tells size, colour, orientation and order", async () => {
    const header = {
      format: "jpeg",
      ...SIZE,
      orientation: 1,
      bitDepth: 8,
      colour: "rgb",
      alpha: false,
      animated: false,
      lossless: false,
      progressive: false,
      unsupported: null,
    };
    expect(jpeg.probe(plain)).toEqual(header);
    expect(jpeg.probe(rich)).toEqual({ ...header, orientation: 6 });
    expect(jpeg.probe(encoded)).toEqual({ ...header, progressive: true });
    const grey = await picture.clone().toColourspace("b-w").jpeg().toBuffer();
    expect(jpeg.probe(grey)).toEqual({ ...header, colour: "grey" });
    const cmyk = await picture.clone().toColourspace("cmyk").jpeg().toBuffer();
    expect(jpeg.probe(cmyk)).toEqual({ ...header, colour: "cmyk" });
    const inParts = plain.slice();
    inParts[inParts.findIndex((byte, i) => byte === 0xff && plain[i + 1] === 0xda) + 4] = 1;
    expect(jpeg.probe(inParts)).toEqual({ ...header, progressive: true });
  });

  it("says why a frame is not decoded", () => {
    const frame = plain.findIndex((byte, i) => byte === 0xff && plain[i + 1] === 0xc0);
    const patch = (at: number, ...values: number[]) => {
      const bytes = plain.slice();
      bytes.set(values, frame + at);
      return jpeg.probe(bytes);
    };
    expect(patch(1, 0xc1).unsupported).toBe(null);
    expect(patch(1, 0xc3).unsupported).toBe("lossless JPEG");
    expect(patch(1, 0xc6).unsupported).toBe("hierarchical JPEG");
    expect(patch(1, 0xca).unsupported).toBe("arithmetic coding");
    expect(patch(4, 12)).toMatchObject({ bitDepth: 12, unsupported: "12 bits per sample" });
    expect(patch(5, 0, 0).unsupported).toBe("no height in the header");
    expect(() => patch(7, 0, 0)).toThrow(BROKEN);
    expect(() => patch(9, 2)).toThrow(BROKEN);
    expect(() => patch(1, 0xc4)).toThrow(BROKEN);
    const two = makeSegment(0xc0, 8, 0, 1, 0, 1, 2, new Uint8Array(6));
    expect(() => jpeg.probe(withSegments(two))).toThrow(BROKEN);
  });

  it("passes over junk and fill bytes between segments", () => {
    const junk = bytesOf("junk", 0xff, 0x00, 0xff, 0xd0, 0xff, 0xff, 0xff);
    expect(jpeg.probe(withSegments(makeSegment(0xe5, "other"), junk))).toEqual(jpeg.probe(plain));
  });

  it("calls every file broken that ends before its first scan", () => {
    const scan = plain.findIndex((byte, i) => byte === 0xff && plain[i + 1] === 0xda);
    for (let size = 2; size < scan + 4; size++) {
      expect(() => jpeg.probe(plain.subarray(0, size))).toThrow(BROKEN);
    }
    const endless = withSegments(Buffer.alloc(80_000, "\xff\xe5\0\x02", "latin1"));
    expect(() => jpeg.probe(endless)).toThrow(BROKEN);
  });
});

describe("carry", () => {
  it("brings all tags along but for thumbnail and place", async () => {
    const { bytes, dropped, before, after } = await carryTags(rich, {});
    expect(dropped).toEqual(["location", "thumbnail"]);
    const gone = /GPS|Thumbnail|^EXIF:Compression/;
    const rest = Object.entries(before).filter(([name]) => !gone.test(name));
    expect(rest.length).toBeGreaterThan(30);
    expect(after).toMatchObject(Object.fromEntries(rest));
    expect(Object.keys(after).filter((name) => !(name in before))).toEqual([]);
    expect(Object.keys(after).filter((name) => /GPS|Thumbnail/.test(name))).toEqual([]);
    expect(lettersOf(bytes)).not.toContain("GPS");
    expect(lettersOf(bytes.subarray(2))).not.toContain("\xff\xd8\xff");
    const known = validate(rich);
    expect(validate(bytes).filter((warning) => !known.includes(warning))).toEqual([]);
    expect(jpeg.probe(bytes)).toEqual({ ...jpeg.probe(encoded), orientation: 6 });
    expect((await jpeg.carry(bytes, encoded, {})).bytes).toEqual(bytes);
  });

  it("keeps the place when asked", async () => {
    const { dropped, before, after } = await carryTags(rich, { keepLocation: true });
    expect(dropped).toEqual(["thumbnail"]);
    const places = Object.entries(before).filter(([name]) => name.includes("GPS"));
    expect(places.length).toBeGreaterThan(4);
    expect(after).toMatchObject(Object.fromEntries(places));
  });

  it("carries the first Exif, and drops Photoshop's without a word when the place is kept", async () => {
    const exif = listSegments(rich).find(({ data }) => data.startsWith("Exif"))?.data ?? "";
    const tiff = exif.slice(6);
    const twin = bytesOf("8BIM", 4, 0x22, 0, 0, 0, 0, tiff.length >> 8, tiff.length & 255, tiff);
    const photoshop = makeSegment(0xed, "Photoshop 3.0\0", twin);
    const placed = await jpeg.carry(withSegments(photoshop), encoded, {});
    expect(placed).toEqual({ bytes: encoded, dropped: ["location"] });
    const twice = [makeSegment(0xe1, exif), makeSegment(0xe1, exif)];
    const original = withSegments(...twice, photoshop);
    const { bytes, dropped } = await jpeg.carry(original, encoded, { keepLocation: true });
    expect(dropped).toEqual(["thumbnail"]);
    const markers = listSegments(bytes).map(({ marker }) => marker);
    expect(markers.filter((marker) => marker >= 0xe0)).toEqual([0xe1]);
  });

  it("adds rights and identifier, behind Exif when there is no XMP", async () => {
    const edit = { rights: "© A & B", identifier: "urn:1" };
    const wanted = { "XMP:Rights": "© A & B", "XMP:Marked": true, "XMP:Identifier": "urn:1" };
    expect((await carryTags(rich, edit)).after).toMatchObject({
      ...wanted,
      "XMP:Title": "A title",
    });
    const bare = await carryTags(writeTags(plain, ["-Make=Maker", "-Comment=x"]), edit);
    expect(bare.after).toMatchObject(wanted);
    expect(validate(bare.bytes).filter((warning) => /XMP|XML/.test(warning))).toEqual([]);
    const own = listSegments(bare.bytes).map(({ data }) => data.slice(0, 4));
    expect(own.slice(0, 3)).toEqual(["Exif", "http", "x"]);
    expect((await carryTags(plain, edit)).after).toMatchObject(wanted);
  });

  it("refuses to make XMP longer than a segment", async () => {
    const frame =
      '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">';
    const text = `${frame}<!--${"-x".repeat(32_600)}--></rdf:RDF></x:xmpmeta>`;
    const long = withSegments(makeSegment(0xe1, XMP, text));
    expect(listSegments((await jpeg.carry(long, encoded, {})).bytes)[0].data).toBe(XMP + text);
    const refused = expect.objectContaining({ code: "metadata-invalid" });
    await expect(jpeg.carry(long, encoded, { rights: "x".repeat(400) })).rejects.toThrow(refused);
  });

  it("keeps unknown segments, remarks and ICC in pieces, in order, but not the old coding's", async () => {
    const kept = [
      makeSegment(0xec, "Ducky"),
      makeSegment(0xe2, "ICC_PROFILE\0", 1, 2, new Uint8Array(65_519).fill(7)),
      makeSegment(0xfe, "a remark"),
      makeSegment(0xe2, "ICC_PROFILE\0", 2, 2, new Uint8Array(9_000).fill(8)),
      makeSegment(0xe1, "of some maker"),
    ];
    kept.push(makeSegment(0xee, "Adobe", 0, 100, 0, 0, 0, 0, 1));
    const otherColours = makeSegment(0xee, "Adobe", 0, 100, 0, 0, 0, 0, 2);
    const original = withSegments(otherColours, ...kept);
    const { bytes, dropped } = await jpeg.carry(original, encoded, {});
    expect(dropped).toEqual([]);
    expect(lettersOf(bytes)).toBe(lettersOf(bytesOf("\xff\xd8", ...kept, encoded.subarray(2))));
  });

  it("keeps JFIF's density, not its thumbnails", async () => {
    const density = bytesOf("JFIF\0", 1, 2, 1, 1, 44, 1, 44);
    const old = makeSegment(0xe0, density, 2, 1, "RGBRGB");
    const more = makeSegment(0xe0, "JFXX\0", 0x13, 1, 1, "RGB");
    const fresh = bytesOf(
      "\xff\xd8",
      makeSegment(0xe0, "JFIF\0", 1, 1, 0, 0, 1, 0, 1, 0, 0),
      encoded.subarray(2),
    );
    for (const target of [encoded, fresh]) {
      const { bytes, dropped } = await jpeg.carry(withSegments(old, more), target, {});
      expect(dropped).toEqual(["thumbnail"]);
      const segments = listSegments(bytes).filter(({ marker }) => marker === 0xe0);
      expect(segments).toEqual([{ marker: 0xe0, data: lettersOf(bytesOf(density, 0, 0)) }]);
    }
    expect((await jpeg.carry(plain, fresh, {})).bytes).toEqual(new Uint8Array(encoded));
  });

  it("drops second pictures and all that tells of them", async () => {
    const told = [
      makeSegment(0xe2, "MPF\0MM"),
      makeSegment(0xe2, "urn:iso:std:iso:ts:21496:-1\0", 0),
      makeSegment(0xe2, "FPXR\0", 0),
      makeSegment(0xeb, "HDR_RI ver=11", 0),
    ];
    for (const original of [
      ...told.map((one) => withSegments(one)),
      bytesOf(plain, "\0\0", plain),
      bytesOf(plain, "MotionPhoto_Data\0\0\0\x18ftypmp42"),
    ]) {
      const carried = await jpeg.carry(original, encoded, {});
      expect(carried).toEqual({ bytes: encoded, dropped: ["second-picture"] });
    }
    const trailed = await jpeg.carry(bytesOf(plain, "a trailer"), encoded, {});
    expect(trailed).toEqual({ bytes: encoded, dropped: [] });
  });

  it("drops previews in segments of no known kind, and XMP that goes by a wrong name", async () => {
    const preview = withSegments(makeSegment(0xe3, "\xff\xd8\xff\xdb", 0, 1, 2));
    expect(await jpeg.carry(preview, encoded, {})).toEqual({
      bytes: encoded,
      dropped: ["thumbnail"],
    });
    const misnamed = withSegments(
      makeSegment(0xe1, "http://ns.adobe.com/xap/1.0/", "<x:xmpmeta/>"),
    );
    expect(await jpeg.carry(misnamed, encoded, {})).toEqual({ bytes: encoded, dropped: [] });
    const profile = makeSegment(0xe2, "ICC_PROFILE\0", 1, 1, "\xff\xd8\xff");
    const other = makeSegment(0xe4, "some data");
    const { bytes, dropped } = await jpeg.carry(withSegments(profile, other), encoded, {});
    expect(dropped).toEqual([]);
    expect(listSegments(bytes).map(({ marker }) => marker)).toEqual(
      expect.arrayContaining([0xe2, 0xe4]),
    );
  });

  it("drops all pieces of a C2PA manifest and no other JUMBF", async () => {
    const piece = (box: number, count: number, type: string) =>
      makeSegment(
        0xeb,
        "JP",
        0,
        box,
        0,
        0,
        0,
        count,
        0,
        0,
        9,
        9,
        "jumb",
        0,
        0,
        0,
        40,
        "jumd",
        type,
      );
    const other = piece(2, 1, "json");
    const original = withSegments(piece(1, 1, "c2pa"), other, piece(1, 2, "more"));
    const { bytes, dropped } = await jpeg.carry(original, encoded, {});
    expect(dropped).toEqual(["c2pa"]);
    expect(lettersOf(bytes)).toBe(lettersOf(bytesOf("\xff\xd8", other, encoded.subarray(2))));
  });

  it("keeps XMP's extension whole, or leaves it out with its reference", async () => {
    const digits = "0123456789ABCDEF0123456789ABCDEF";
    const piece = (offset: number, text: string) =>
      makeSegment(0xe1, EXTENSION, digits, 0, 0, 0, 40, 0, 0, 0, offset, text);
    const main = makeSegment(
      0xe1,
      `${XMP}<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
        xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="${digits}"/></rdf:RDF>`,
    );
    const harmless = withSegments(main, piece(0, "<a:Depth>"), piece(9, "</a:Depth>"));
    expect((await jpeg.carry(harmless, encoded, {})).bytes.length).toBe(
      harmless.length - plain.length + encoded.length,
    );
    const torn = withSegments(main, piece(9, "PSLatitude>1<"), piece(0, "<exif:G"));
    const { bytes, dropped } = await jpeg.carry(torn, encoded, {});
    expect(dropped).toEqual(["location"]);
    expect(lettersOf(bytes)).not.toMatch(/0123|extension/);
    expect((await jpeg.carry(torn, encoded, { keepLocation: true })).dropped).toEqual([]);
  });

  it("cleans Photoshop's resources over several segments", async () => {
    const block = (number: number, size: number) =>
      bytesOf(
        "8BIM",
        number >> 8,
        number & 255,
        0,
        0,
        0,
        size >> 16,
        (size >> 8) & 255,
        size & 255,
        new Uint8Array(size).fill(number),
      );
    const all = bytesOf(block(0x040c, 30_000), block(0x0404, 60_000), block(0x03ed, 40_000));
    const head = "Photoshop 3.0\0";
    const pieces = [all.subarray(0, 65_000), all.subarray(65_000, 130_000), all.subarray(130_000)];
    const original = withSegments(...pieces.map((piece) => makeSegment(0xed, head, piece)));
    const { bytes, dropped } = await jpeg.carry(original, encoded, {});
    expect(dropped).toEqual(["thumbnail"]);
    const segments = listSegments(bytes).filter(({ marker }) => marker === 0xed);
    expect(segments.length).toBe(2);
    const left = segments.map(({ data }) => data.slice(head.length)).join("");
    expect(left === lettersOf(all.subarray(30_012))).toBe(true);
  });

  it("knows no failure but broken files and metadata, whatever is changed or missing", async () => {
    const change = fc.tuple(fc.nat(6_000), fc.constantFrom(0, 1, 0xd8, 0xff, 0x2f, 0x3c));
    const changes = fc.array(change, { maxLength: 10 });
    const property = fc.asyncProperty(changes, fc.nat(rich.length), async (changed, cut) => {
      const bytes = rich.slice(0, cut < 4_000 ? rich.length : cut);
      for (const [at, value] of changed) bytes[2 + at] = value;
      const codes = expect.stringMatching(/^(file-broken|metadata-invalid)$/);
      try {
        jpeg.probe(bytes);
        jpeg.probe((await jpeg.carry(bytes, encoded, { rights: "x" })).bytes);
      } catch (error) {
        expect(error).toMatchObject({ code: codes });
      }
    });
    await fc.assert(property, { numRuns: 300 });
  });
});
