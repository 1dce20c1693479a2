// What every kind of picture file has in common: what its header tells, and how what is not pixels moves
// from the original into a newly encoded file.

/** The formats that are read and written; a labelled file has the format of its original. */
export type Format = "jpeg" | "png" | "webp" | "avif";

/**
 * How stored pixels are turned to be shown, as in the Exif orientation tag (CIPA DC-008, 4.6.5): 1 as they
 * are, 2 mirrored, 3 by 180 degrees, 4 upside down, 5 transposed, 6 clockwise, 7 transverse, 8 anticlockwise.
 */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** What is known of a file before a pixel of it is decoded. */
export interface Header {
  readonly format: Format;
  /** Pixels as stored, before the orientation. */
  readonly width: number;
  readonly height: number;
  readonly orientation: Orientation;
  /** Bits per sample of the decoded pixels: 1, 2 and 4 bits of PNG count as 8. */
  readonly bitDepth: 8 | 10 | 12 | 16;
  readonly colour: "grey" | "rgb" | "cmyk";
  readonly alpha: boolean;
  readonly animated: boolean;
  /** Pixels that come back exactly: PNG, and WebP's VP8L. */
  readonly lossless: boolean;
  /** The whole picture is needed before its first row is known: progressive JPEG, interlaced PNG. */
  readonly progressive: boolean;
  /** Why the pixels cannot be decoded at all though the file is sound: "arithmetic coding"; else null. */
  readonly unsupported: string | null;
}

/** What is done to the metadata on their way. */
export interface MetadataEdit {
  /** Keeps the place where the picture was taken (Exif GPS and its XMP twin); it is left out otherwise. */
  readonly keepLocation?: boolean;
  /** The copyright notice: XMP dc:rights, x-default; replaces the one that is there. */
  readonly rights?: string;
  /** A public reference to the label, added to XMP xmp:Identifier. */
  readonly identifier?: string;
}

/** What a labelled file no longer has: it would be false, or would show the picture without its label. */
export type Dropped = "c2pa" | "location" | "thumbnail" | "second-picture";

export interface Carried {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** In alphabetical order, without repetition; empty when everything came along. */
  readonly dropped: readonly Dropped[];
}

/** One kind of file. */
export interface FileFormat {
  /**
   * Reads the header.
   * @param bytes a whole file that begins with this format's signature
   * @throws LabelError `file-broken` when it is damaged or ends too early to tell
   */
  probe(bytes: Uint8Array): Header;
  /**
   * Moves ICC profile, Exif, XMP, IPTC and the like of the original into a file of the same format that a
   * codec made of its labelled pixels (same stored size and orientation).
   * @throws LabelError `metadata-invalid` when rights or identifier cannot be written into what is there
   */
  carry(original: Uint8Array, encoded: Uint8Array, edit: MetadataEdit): Promise<Carried>;
}
