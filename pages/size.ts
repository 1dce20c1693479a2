// A picture's size from the first bytes of its file, so that giants are refused before they are decoded.
// Knows JPEG (ITU T.81), PNG (W3C PNG 3), GIF89a and WebP (RFC 9649); others are measured after decoding.

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Enough for a JPEG whose frame header follows Exif and a colour profile. */
const HEADER_BYTES = 262_144;
/** No picture of these kinds is shorter; every fixed offset below lies within. */
const MIN_BYTES = 30;

/** @returns the size that the header tells, or null when it is not told where it is looked for */
export async function readSize(file: Blob): Promise<Size | null> {
  const header = new DataView(await file.slice(0, HEADER_BYTES).arrayBuffer());
  if (header.byteLength < MIN_BYTES) return null;
  if (header.getUint16(0) === 0xffd8) return jpegSize(header);
  switch (text(header, 0)) {
    case "\x89PNG":
      return { width: header.getUint32(16), height: header.getUint32(20) };
    case "GIF8":
      return { width: header.getUint16(6, true), height: header.getUint16(8, true) };
    case "RIFF":
      return webpSize(header);
    default:
      return null;
  }
}

/** Walks the marker segments to the frame header, SOF0 to SOF15 without DHT, JPG and DAC. */
function jpegSize(header: DataView): Size | null {
  for (let at = 2; at + 9 <= header.byteLength && header.getUint8(at) === 0xff; ) {
    const marker = header.getUint8(at + 1);
    if (marker === 0xff) {
      at += 1;
    } else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return { width: header.getUint16(at + 7), height: header.getUint16(at + 5) };
    } else {
      at += 2 + header.getUint16(at + 2);
    }
  }
  return null;
}

function webpSize(header: DataView): Size | null {
  switch (text(header, 12)) {
    case "VP8X":
      return { width: 1 + uint24(header, 24), height: 1 + uint24(header, 27) };
    case "VP8L": {
      const bits = header.getUint32(21, true);
      return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
    }
    case "VP8 ":
      return {
        width: header.getUint16(26, true) & 0x3fff,
        height: header.getUint16(28, true) & 0x3fff,
      };
    default:
      return null;
  }
}

function uint24(header: DataView, at: number): number {
  return header.getUint16(at, true) | (header.getUint8(at + 2) << 16);
}

function text(header: DataView, at: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => header.getUint8(at + i)));
}
