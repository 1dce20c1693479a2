// sdk/file/xmp.ts: what is taken out and added in both forms that properties have, and what damaged or hostile
// packets do.
import { describe, expect, it } from "vitest";
import { editXmp, findDropped, withoutExtension } from "../../../sdk/file/xmp.ts";

const SPACES = `xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
  xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
  xmlns:dcterms="http://purl.org/dc/terms/" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"
  xmlns:Container="http://ns.google.com/photos/1.0/container/" xmlns:xmpNote="http://ns.adobe.com/xmp/note/"`;

function makePacket(properties: string, attributes = "", about = '""'): string {
  return `<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=${about} ${SPACES} ${attributes}>${properties}</rdf:Description>
</rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>`;
}

/** Whether a text comes back without a part and is otherwise whole. */
function expectGone(part: string, dropped: string, form: "attribute" | "element") {
  const kept = "<dc:title>A &amp; B</dc:title><!-- <exif:GPSNot> -->";
  const packet = form === "element" ? makePacket(kept + part) : makePacket(kept, part);
  const edited = editXmp(packet, {});
  expect(edited.dropped).toEqual([dropped]);
  expect(edited.packet?.replace(/\s+/g, "")).toBe(packet.replace(part, "").replace(/\s+/g, ""));
}

const bag = (...items: string[]) =>
  `<xmp:Identifier><rdf:Bag>${items.map((item) => `<rdf:li>${item}</rdf:li>`).join("")}</rdf:Bag></xmp:Identifier>`;

describe("what a labelled picture must not carry", () => {
  it("goes in the form of elements, with all within them", () => {
    expectGone("<exif:GPSLatitude>1,2N</exif:GPSLatitude>", "location", "element");
    expectGone("<drone:GpsLatitude />", "location", "element");
    expectGone(
      '<GPSLatitude xmlns="http://ns.adobe.com/exif/1.0/">1</GPSLatitude>',
      "location",
      "element",
    );
    expectGone("<exif:GPSLatitude>1</exif:GPSLatitude >", "location", "element");
    expectGone("<drone-skydio:Latitude>1.5</drone-skydio:Latitude>", "location", "element");
    expectGone("<geo:lat>1.5</geo:lat>", "location", "element");
    expectGone("<dcterms:provenance>https://a/b</dcterms:provenance>", "c2pa", "element");
    const image = "<rdf:li><xmpGImg:image>/9j/4AAQ</xmpGImg:image></rdf:li>";
    expectGone(
      `<xmp:Thumbnails><rdf:Alt>${image}</rdf:Alt></xmp:Thumbnails>`,
      "thumbnail",
      "element",
    );
    const item = '<rdf:li><Container:Item Item:Mime="image/jpeg"/></rdf:li>';
    const directory = `<Container:Directory><rdf:Seq>${item}</rdf:Seq></Container:Directory>`;
    expectGone(directory, "second-picture", "element");
    expectGone("<hdrgm:GainMapMax><rdf:Seq/></hdrgm:GainMapMax>", "second-picture", "element");
  });

  it("goes in the form of attributes, in either quotes", () => {
    expectGone(' exif:GPSAltitude="12/1"', "location", "attribute");
    expectGone(" exif:GPSLatitude='1,2>N'", "location", "attribute");
    expectGone(' dcterms:provenance = "https://a/b"', "c2pa", "attribute");
    expectGone('\n hdrgm:Version="1.0"', "second-picture", "attribute");
  });

  it("goes from within other structures and under other prefixes", () => {
    const place =
      '<rdf:li rdf:parseType="Resource"><exif:GPSLatitude>1</exif:GPSLatitude></rdf:li>';
    expect(
      editXmp(makePacket(`<a:Shown><rdf:Bag>${place}</rdf:Bag></a:Shown>`), {}).packet,
    ).toContain('<a:Shown><rdf:Bag><rdf:li rdf:parseType="Resource"></rdf:li></rdf:Bag></a:Shown>');
    const renamed = makePacket(
      '<t:provenance xmlns:t="http://purl.org/dc/terms/">x</t:provenance>',
    );
    expect(editXmp(renamed, {})).toEqual({ packet: makePacket(""), dropped: ["c2pa"] });
  });

  it("leaves the place when asked, and any other packet as it is", () => {
    const placed = makePacket("<exif:GPSLatitude>1</exif:GPSLatitude>", ' exif:GPSAltitude="1"');
    expect(editXmp(placed, { keepLocation: true })).toEqual({ packet: placed, dropped: [] });
    const plain = makePacket("<dc:title>GPS:</dc:title>", ' xmpNote:HasExtendedXMP="AB"');
    expect(editXmp(plain, {})).toEqual({ packet: plain, dropped: [] });
    expect(editXmp(null, {})).toEqual({ packet: null, dropped: [] });
  });
});

describe("rights and identifier", () => {
  const rights = "© A & B <all rights>";
  const notice =
    '<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">© A &amp; B &lt;all rights&gt;</rdf:li></rdf:Alt></dc:rights>';

  it("make a packet where there is none", () => {
    const { packet } = editXmp(null, { rights, identifier: "urn:1" });
    expect(packet).toContain(notice);
    expect(packet).toContain("<xmpRights:Marked>True</xmpRights:Marked>");
    expect(packet).toContain(bag("urn:1"));
    expect(packet).toMatch(/^<\?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"\?>/);
    expect(packet).toMatch(/\n<\?xpacket end="w"\?>$/);
    expect(
      editXmp(packet, { rights, identifier: "urn:1" }).packet?.split("dc:rights>").length,
    ).toBe(3);
  });

  it("replace the rights that are there, whatever their form, beside other properties", () => {
    const old = '<dc:rights><rdf:Alt><rdf:li xml:lang="de">old</rdf:li></rdf:Alt></dc:rights>';
    const marks = ['xmpRights:Marked="False"', "xmpRights:Marked='False' dc:rights='old'"];
    for (const [i, mark] of marks.entries()) {
      const packet = makePacket(`<dc:title>t</dc:title>${i ? "" : old}`, mark, "'uuid:1'");
      const edited = editXmp(packet, { rights }).packet ?? "";
      expect(edited).not.toMatch(/old|False/);
      expect(edited).toContain(notice);
      expect(edited).toContain("<dc:title>t</dc:title>");
      expect(edited).toContain("<rdf:Description rdf:about='uuid:1' xmlns:rdf=");
    }
  });

  it("join the identifiers that are there, once", () => {
    const packet = makePacket(bag("urn:0"));
    const edited = editXmp(packet, { identifier: "a&b" }).packet ?? "";
    expect(edited).toContain(bag("urn:0", "a&amp;b"));
    expect(editXmp(edited, { identifier: "a&b" }).packet).toBe(edited);
    const plain = editXmp(makePacket("", 'xmp:Identifier="urn:0"'), { identifier: "urn:1" }).packet;
    expect(plain).toContain(bag("urn:0", "urn:1"));
    const inner = `<a:From rdf:parseType="Resource">${bag("inner")}</a:From>`;
    const beside = editXmp(makePacket(inner), { identifier: "urn:1" }).packet;
    expect(beside).toContain(inner);
    expect(beside).toContain(bag("urn:1"));
    const none = "<xmp:Identifier><rdf:Bag/></xmp:Identifier>";
    expect(editXmp(makePacket(none), { identifier: "urn:1" }).packet).toContain(bag("urn:1"));
  });

  it("know namespaces, not prefixes", () => {
    const old = makePacket(
      "<xap:Identifier><rdf:Bag><rdf:li>0</rdf:li></rdf:Bag></xap:Identifier>",
    );
    const packet = old.replace("xmlns:xmp=", "xmlns:xap=");
    expect(editXmp(packet, { identifier: "1" }).packet).toContain(
      "<rdf:li>0</rdf:li><rdf:li>1</rdf:li>",
    );
  });

  it("drop the padding and keep a zero behind the packet", () => {
    const padded = `${makePacket("").replace("\n<?xpacket end", `${" ".repeat(2000)}<?xpacket end`)}\0`;
    const edited = editXmp(padded, { rights }).packet ?? "";
    expect(edited.length).toBeLessThan(1500);
    expect(edited.endsWith('</x:xmpmeta>\n<?xpacket end="w"?>\0')).toBe(true);
  });

  it("are refused as texts with control characters or half letters", () => {
    for (const text of ["a\0", "a\x1b[1m", "\x85", "\ud800", "\uffff"]) {
      const refused = expect.objectContaining({ code: "metadata-invalid" });
      expect(() => editXmp(null, { rights: text })).toThrow(refused);
      expect(() => editXmp(null, { identifier: text })).toThrow(refused);
    }
    expect(editXmp(null, { rights: "two\nlines" }).packet).toContain("two\nlines");
  });
});

describe("packets that are not understood", () => {
  const whole = makePacket("<dc:title>t</dc:title>");
  const damaged = [
    "",
    "no markup",
    whole.slice(0, -60),
    whole.replace("</dc:title>", ""),
    whole.replace("</x:xmpmeta>", ""),
    "<rdf:RDF/>",
  ];
  damaged.push(
    whole.replace('about=""', "about="),
    [...whole].join("\0"),
    "<",
    "</",
    "<!--",
    "<a/",
  );

  it("stay as they are, and take nothing up", () => {
    for (const packet of damaged) {
      expect(editXmp(packet, {})).toEqual({ packet, dropped: [] });
      const refused = expect.objectContaining({ code: "metadata-invalid" });
      expect(() => editXmp(packet, { identifier: "x" })).toThrow(refused);
    }
  });

  it("go as a whole when they speak of what must go", () => {
    const placed = makePacket('<exif:GPSLatitude a="1">1');
    for (const packet of [placed, [...placed].join("\0")]) {
      expect(editXmp(packet, {}).packet).toBe(null);
      expect(editXmp(packet, {}).dropped).toContain("location");
    }
    expect(findDropped("<xmp:Thumbnails> exif:GPSLatitude", true)).toEqual(["thumbnail"]);
  });

  it("are those with more attributes than any real one has", () => {
    const packet = makePacket("", ' a=""'.repeat(1 << 17));
    expect(editXmp(packet, {})).toEqual({ packet, dropped: [] });
    expect(() => editXmp(packet, { rights: "R" })).toThrow("damaged");
  });

  it("take time in proportion to their size", () => {
    const size = 2_000_000;
    const times = (piece: string) => piece.repeat(size / piece.length);
    const hostile = ["<!--", "<a>", "<", " ", "x", "&", '="'].map(times);
    hostile.push(
      `<a${times(" ")}/>`,
      `<a b="${times("x")}"/>`,
      `<a ${times("b='")}/>`,
      bag(times("<a/>")),
    );
    hostile.push(`<a ${times('b="" ')}/>`, `<a b${times(" ")}=""/>`, times("<xmp:Identifier/>"));
    const start = performance.now();
    for (const properties of hostile) {
      try {
        editXmp(makePacket(properties), { identifier: "x" });
      } catch (error) {
        expect(error).toMatchObject({ code: "metadata-invalid" });
      }
    }
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe("withoutExtension", () => {
  it("takes the reference out in either form", () => {
    for (const [part, attribute] of [
      ["", ' xmpNote:HasExtendedXMP="0123"'],
      ["<xmpNote:HasExtendedXMP>0123</xmpNote:HasExtendedXMP>", ""],
    ]) {
      expect(withoutExtension(makePacket(part, attribute))).not.toContain("0123");
    }
    expect(withoutExtension("damaged")).toBe("damaged");
  });
});
