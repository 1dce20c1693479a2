// sdk/file/photoshop.ts on blocks made by hand.
import { describe, expect, it } from "vitest";
import { cleanResources } from "../../../sdk/file/photoshop.ts";

/** One block, with its padding to even lengths. */
function makeBlock(number: number, data: Uint8Array, name = "", signature = "8BIM"): Uint8Array {
  const head = new TextEncoder().encode(`${signature}..${String.fromCharCode(name.length)}${name}`);
  const named = new Uint8Array((head.length + 1) & ~1);
  named.set(head);
  new DataView(named.buffer).setUint16(4, number);
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, data.length);
  return join(named, size, data, new Uint8Array(data.length & 1));
}

function join(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Exif of an orientation and a GPS directory with one entry, GPSLatitudeRef N. */
const PLACED_EXIF = Buffer.from(
  "4d4d002a000000080002011200030000000100010000882500040000000100000026000000000001" +
    "00010002000000024e00000000000000",
  "hex",
);

const IPTC = makeBlock(0x0404, Uint8Array.of(0x1c, 2, 5, 0, 1, 65, 0));
const DIGEST = makeBlock(0x0425, new Uint8Array(16).fill(7));
const NAMED = makeBlock(0x07d0, Uint8Array.of(1, 2, 3), "Path 12");
const OTHER = makeBlock(0x0bb7, Uint8Array.of(9), "", "AgHg");
const THUMBNAIL = makeBlock(0x040c, new Uint8Array(101).fill(3));

describe("cleanResources", () => {
  it("keeps IPTC, its digest, named and foreign blocks byte for byte", () => {
    const resources = join(IPTC, DIGEST, NAMED, OTHER);
    expect(cleanResources(resources)).toEqual({ resources, dropped: [] });
  });

  it("drops thumbnails of both kinds", () => {
    const old = makeBlock(0x0409, new Uint8Array(8));
    const { resources, dropped } = cleanResources(join(old, IPTC, THUMBNAIL, NAMED));
    expect(resources).toEqual(join(IPTC, NAMED));
    expect(dropped).toEqual(["thumbnail"]);
  });

  it("drops the preview within IPTC, and keeps the rest", () => {
    const title = Uint8Array.of(0x1c, 2, 5, 0, 2, 65, 66);
    const preview = Uint8Array.of(0x1c, 2, 202, 0x80, 2, 0, 3, 0xff, 0xd8, 0xff);
    const format = Uint8Array.of(0x1c, 2, 200, 0, 2, 0, 11);
    const before = makeBlock(0x0404, join(format, title, preview, title));
    const after = makeBlock(0x0404, join(title, title));
    expect(cleanResources(join(NAMED, before, OTHER))).toEqual({
      resources: join(NAMED, after, OTHER),
      dropped: ["thumbnail"],
    });
    const broken = makeBlock(0x0404, join(title, Uint8Array.of(0x1c, 2, 202, 0, 99, 1)));
    expect(cleanResources(broken)).toEqual({ resources: broken, dropped: [] });
  });

  it("drops repeated Exif and XMP, and tells of a position only when there was one", () => {
    const xmp = makeBlock(0x0424, new TextEncoder().encode("<x:xmpmeta/>"));
    const empty = makeBlock(0x0422, Uint8Array.of(1, 2));
    expect(cleanResources(join(xmp, empty, IPTC))).toEqual({ resources: IPTC, dropped: [] });
    const placed = makeBlock(0x0422, PLACED_EXIF);
    const cleaned = cleanResources(join(placed, IPTC));
    expect(cleaned).toEqual({ resources: IPTC, dropped: ["location"] });
  });

  it("leaves out a damaged end, wherever it begins", () => {
    const whole = join(IPTC, NAMED);
    for (let size = 0; size < whole.length; size++) {
      const { resources } = cleanResources(whole.subarray(0, size));
      // The last byte of a block may be padding, which some files leave out.
      const left = size >= whole.length - 1 ? size : size >= IPTC.length ? IPTC.length : 0;
      expect(resources).toEqual(whole.slice(0, size === IPTC.length - 1 ? size : left));
    }
    const claims = makeBlock(0x0404, new Uint8Array(4));
    new DataView(claims.buffer).setUint32(8, 0xffffffff);
    expect(cleanResources(claims).resources.length).toBe(0);
  });
});
