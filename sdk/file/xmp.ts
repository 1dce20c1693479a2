// XMP packets (ISO 16684-1): takes out what a labelled picture must not carry, adds rights and identifier.
// There is no DOM everywhere, so one linear pass notes where elements and attributes lie, and text is cut
// out or put in there; all else stays as it is. A prefix means one namespace in the whole packet.
import { LabelError } from "../error.ts";
import type { Dropped, MetadataEdit } from "./format.ts";

/** Ours: far above any packet seen (JPEG has 64 KB at most); larger ones count as damaged. */
const MAX_PACKET_CHARS = 1 << 22;
/** Elements and attributes, likewise. */
const MAX_NODES = 1 << 16;

/** Namespaces by the prefix that is used here for them; a packet may name them otherwise. */
const NAMESPACES = {
  rdf: "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
  dc: "http://purl.org/dc/elements/1.1/",
  dcterms: "http://purl.org/dc/terms/",
  xmp: "http://ns.adobe.com/xap/1.0/",
  xmpRights: "http://ns.adobe.com/xap/1.0/rights/",
  xmpGImg: "http://ns.adobe.com/xap/1.0/g/img/",
  xmpNote: "http://ns.adobe.com/xmp/note/",
  hdrgm: "http://ns.adobe.com/hdr-gain-map/1.0/",
  Container: "http://ns.google.com/photos/1.0/container/",
  GCamera: "http://ns.google.com/photos/1.0/camera/",
  GImage: "http://ns.google.com/photos/1.0/image/",
} as const;

/** What goes by the names of its properties: the position under any prefix and none, drones have their own. */
const DROPPED_NAMES: readonly (readonly [Dropped, RegExp])[] = [
  [
    "location",
    /(?<![\w.-])gps|(?:latitude|longitude)(?![\w.-])|:(?:lat|lon|long|lat_long)(?![\w.-])/i,
  ],
  ["c2pa", /dcterms:provenance/],
  ["thumbnail", /:Thumbnails(?![\w.-])|xmpGImg:/],
  ["second-picture", /hdrgm:|Container:Directory|GImage:|GCamera:(?:MotionPhoto|MicroVideo)/],
];

const EMPTY_PACKET = `<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="${NAMESPACES.rdf}">
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>`;

/** Start and end of markup that holds no elements. */
const SKIPPED = [
  ["<!--", "-->"],
  ["<![CDATA[", "]]>"],
  ["<?", "?>"],
] as const;
const NAME = /[^\s<>/="'!?]+/y;
const ATTRIBUTE = /\s+([^\s<>/="']+)\s*=\s*("[^"<]*"|'[^'<]*')/y;
const TAG_END = /\s*(\/?)>/y;

interface Attribute {
  /** With the prefix of NAMESPACES when the namespace is one of them. */
  name: string;
  /** As written, with its quotes. */
  readonly quoted: string;
  /** With the white space before it. */
  readonly from: number;
  readonly to: number;
}

interface Element {
  name: string;
  readonly tagName: string;
  readonly attributes: Attribute[];
  readonly parent: Element | null;
  readonly from: number;
  /** After the opening tag. */
  readonly inner: number;
  /** Before the closing tag; as `inner` in an element that is one tag. */
  innerEnd: number;
  to: number;
}

/** A piece of the packet that is replaced. */
interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/**
 * Cleans a packet and sets rights and identifier; without anything to set, no packet stays none.
 * Text that comes back unchanged is to be written with the bytes it was read from.
 * @throws LabelError `metadata-invalid` when they cannot be written, or not into this packet
 */
export function editXmp(
  packet: string | null,
  edit: MetadataEdit,
): { packet: string | null; dropped: Dropped[] } {
  const adds = Boolean(edit.rights || edit.identifier);
  if (packet === null && !adds) return { packet: null, dropped: [] };
  const text = packet ?? EMPTY_PACKET;
  const elements = readElements(text);
  const rdf = elements?.find(
    (element) => element.name === "rdf:RDF" && element.innerEnd < element.to,
  );
  if (!elements || !rdf) {
    if (adds) refuse("The file's XMP metadata are damaged: nothing can be added to them.");
    const dropped = findDropped(text, edit.keepLocation ?? false);
    return { packet: dropped.length > 0 ? null : text, dropped };
  }
  const edits: Edit[] = [];
  const dropped = removeNamed(elements, namesToDrop(edit.keepLocation ?? false), edits);
  if (adds) addProperties(text, elements, rdf, edit, edits);
  return { packet: edits.length > 0 ? dropPadding(apply(text, edits)) : text, dropped };
}

/** What of the things to drop a text speaks of, though it may not be a packet of its own. */
export function findDropped(text: string, keepLocation: boolean): Dropped[] {
  // Other encodings, read as UTF-8, have zeros between the letters.
  const plain = text.replaceAll("\0", "");
  return namesToDrop(keepLocation).flatMap(([what, names]) => (names.test(plain) ? what : []));
}

/** A packet that no longer speaks of an extension (XMP part 3, 1.1.3.1), which was left out. */
export function withoutExtension(packet: string): string {
  const edits: Edit[] = [];
  removeNamed(readElements(packet) ?? [], [["second-picture", /^xmpNote:HasExtendedXMP$/]], edits);
  return edits.length > 0 ? dropPadding(apply(packet, edits)) : packet;
}

function refuse(message: string): never {
  throw new LabelError("metadata-invalid", message);
}

function namesToDrop(keepLocation: boolean) {
  return DROPPED_NAMES.filter(([what]) => !(keepLocation && what === "location"));
}

/** Notes the removal of properties by name, in either form; returns what they were. */
function removeNamed(
  elements: readonly Element[],
  names: typeof DROPPED_NAMES,
  edits: Edit[],
): Dropped[] {
  const dropped = new Set<Dropped>();
  for (const element of elements) {
    for (const item of [element, ...element.attributes]) {
      const found = names.find(([, pattern]) => pattern.test(item.name));
      if (!found || item.name.startsWith("xmlns:")) continue;
      dropped.add(found[0]);
      edits.push({ from: item.from, to: item.to, text: "" });
    }
  }
  return [...dropped].sort();
}

/** All elements in their order; null for a text that is not well-formed. */
function readElements(text: string): Element[] | null {
  if (text.length > MAX_PACKET_CHARS) return null;
  const elements: Element[] = [];
  let open: Element | null = null;
  let nodes = 0;
  for (let from = text.indexOf("<"), to = 0; from >= 0; from = text.indexOf("<", to)) {
    to = skipMarkup(text, from);
    if (to < 0 || nodes > MAX_NODES) return null;
    if (to > from) continue;
    if (text[from + 1] === "/") {
      to = text.indexOf(">", from) + 1;
      if (!open || text.slice(from + 2, to - 1).trimEnd() !== open.tagName) return null;
      Object.assign(open, { innerEnd: from, to });
      open = open.parent;
    } else {
      const element = readTag(text, from, open);
      if (!element) return null;
      elements.push(element);
      nodes += 1 + element.attributes.length;
      to = element.inner;
      if (element.to === 0) open = element;
    }
  }
  if (open) return null;
  unifyPrefixes(elements);
  return elements;
}

/** The end of a comment, character data or instruction; `from` when there is none, -1 when it has no end. */
function skipMarkup(text: string, from: number): number {
  const kind = SKIPPED.find(([start]) => text.startsWith(start, from));
  if (!kind) return from;
  const end = text.indexOf(kind[1], from + kind[0].length);
  return end < 0 ? -1 : end + kind[1].length;
}

/** An opening tag with its attributes; `to` is 0 as long as the element is open. */
function readTag(text: string, from: number, parent: Element | null): Element | null {
  const match = (pattern: RegExp, at: number) => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  const tagName = match(NAME, from + 1)?.[0];
  if (!tagName) return null;
  const attributes: Attribute[] = [];
  let at = from + 1 + tagName.length;
  for (let found = match(ATTRIBUTE, at); found; found = match(ATTRIBUTE, at)) {
    if (attributes.length > MAX_NODES) return null;
    const to = at + found[0].length;
    attributes.push({ name: found[1], quoted: found[2], from: at, to });
    at = to;
  }
  const end = match(TAG_END, at);
  if (!end) return null;
  const inner = at + end[0].length;
  const to = end[1] ? inner : 0;
  return { name: tagName, tagName, attributes, parent, from, inner, innerEnd: inner, to };
}

/** Renames elements and attributes of known namespaces to the prefixes used here. */
function unifyPrefixes(elements: readonly Element[]): void {
  const known = new Map<string, string>(
    Object.entries(NAMESPACES).map(([name, uri]) => [uri, name]),
  );
  const prefixes = new Map<string, string>();
  for (const { name, quoted } of elements.flatMap((element) => element.attributes)) {
    const prefix = name.startsWith("xmlns:") && known.get(quoted.slice(1, -1));
    if (prefix) prefixes.set(name.slice("xmlns:".length), prefix);
  }
  for (const item of elements.flatMap((element) => [element, ...element.attributes])) {
    const [prefix, local] = item.name.split(":");
    if (local && prefixes.has(prefix)) item.name = `${prefixes.get(prefix)}:${local}`;
  }
}

/** Notes rights and identifier: in a description of their own, or in the list that is there. */
function addProperties(
  text: string,
  elements: readonly Element[],
  rdf: Element,
  { rights, identifier }: MetadataEdit,
  edits: Edit[],
): void {
  const nodes = elements.filter((element) => element.parent === rdf);
  const attributes = nodes.flatMap((node) => node.attributes);
  const properties = elements.filter((element) => element.parent?.parent === rdf);
  const take = (name: string): string[] =>
    [...attributes, ...properties].flatMap((item) => {
      if (item.name !== name) return [];
      edits.push({ from: item.from, to: item.to, text: "" });
      return "quoted" in item ? item.quoted.slice(1, -1) : text.slice(item.inner, item.innerEnd);
    });
  const added: string[] = [];
  const list = (kind: string, items: readonly string[], language = "") =>
    `<rdf:${kind}>${items.map((item) => `<rdf:li${language}>${item}</rdf:li>`).join("")}</rdf:${kind}>`;

  if (rights) {
    for (const name of ["dc:rights", "xmpRights:Marked"]) take(name);
    const notice = list("Alt", [escapeText(rights)], ' xml:lang="x-default"');
    added.push(`<dc:rights>${notice}</dc:rights>`, "<xmpRights:Marked>True</xmpRights:Marked>");
  }
  if (identifier) {
    const item = escapeText(identifier);
    const bag = elements.find(
      ({ parent, innerEnd, to }) =>
        parent?.name === "xmp:Identifier" && parent.parent?.parent === rdf && innerEnd < to,
    );
    if (!bag) {
      const plain = take("xmp:Identifier").filter((value) => value.trim() && !value.includes("<"));
      added.push(`<xmp:Identifier>${list("Bag", [...new Set([...plain, item])])}</xmp:Identifier>`);
    } else if (!text.slice(bag.inner, bag.innerEnd).includes(`>${item}<`)) {
      const li = bag.tagName.replace(/[^:]*$/, "li");
      edits.push({ from: bag.innerEnd, to: bag.innerEnd, text: `<${li}>${item}</${li}>` });
    }
  }
  if (added.length === 0) return;
  const about = attributes.find(({ name }) => name === "rdf:about")?.quoted ?? '""';
  const names = (["rdf", "dc", "xmp", "xmpRights"] as const)
    .map((name) => `xmlns:${name}="${NAMESPACES[name]}"`)
    .join(" ");
  const description = `<rdf:Description rdf:about=${about} ${names}>${added.join("")}</rdf:Description>\n `;
  edits.push({ from: rdf.innerEnd, to: rdf.innerEnd, text: description });
}

function escapeText(text: string): string {
  if (/(?![\t\n])\p{Cc}|[\p{Cs}\uFFFE\uFFFF]/u.test(text)) {
    refuse("A copyright notice and an identifier are plain text, without control characters.");
  }
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function apply(text: string, edits: readonly Edit[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const { from, to, text: piece } of edits.toSorted((a, b) => a.from - b.from)) {
    if (from < at) continue;
    parts.push(text.slice(at, from), piece);
    at = to;
  }
  return parts.join("") + text.slice(at);
}

/** White space before the packet's end is there to grow into, in place; a new file needs none. */
function dropPadding(packet: string): string {
  const end = packet.lastIndexOf("<?xpacket end");
  return end < 0 ? packet : `${packet.slice(0, end).trimEnd()}\n${packet.slice(end)}`;
}
