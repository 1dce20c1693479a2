// What `--help` shows, within 80 columns.
import { readFileSync } from "node:fs";

const KEY = `The key is read from --key-file, else from the environment's TESSERA_KEY, else
it is the public demo key: anyone can read and forge its labels.`;

const EXIT = `Exit code: 0 all pictures were handled, 1 some failed, 2 wrong usage.`;

/** The help of the program and of each of its commands. */
export const HELP = {
  tessera: `Tessera weaves invisible labels into pictures and reads them back.

Usage: tessera COMMAND ...

  label    weave a label into each picture (JPEG, PNG, WebP, AVIF)
  detect   look for labels in pictures
  diff     show what differs between two pictures
  keygen   make a secret key

  -h, --help   this text; "tessera label --help" for a command's own
  --version    the version

Examples:
  tessera keygen > shop.key
  tessera label photos --out labelled --csv labels.csv --key-file shop.key
  tessera detect suspicious.jpg --key-file shop.key
`,

  label: `Weaves a label into each picture, and writes it in the same format.

Usage: tessera label FILES|FOLDERS... --out PATH [OPTIONS]

  --out PATH        a folder for the pictures, made as needed; for a single
                    picture also the name of the output itself
  --label HEX16     this label (16 hex digits; one picture only); else random
  --cohort HEX4     random labels that begin with these 4 hex digits
  --strength S      0.1 to 1.5; higher lasts longer and shows more
  --quality Q       1 to 100, of the encoder; PNG has none
  --rights TEXT     copyright notice; also adds the identifier tessera:LABEL
  --keep-location   keep where the picture was taken; left out otherwise
  --csv FILE        record every result; a label is on record before its output
                    appears, in the order in which the pictures are finished
  --resume          pass over what is done already, and go on
  --key-file FILE   32 hex digits
  --jobs N          threads; all cores unless told
  --json            one object per line and file, in the order of the inputs
  -h, --help        this text

Folders are walked with all folders in them; hidden files and links are passed
over, and so are files that are no pictures. Originals are never overwritten,
and outputs that exist are not replaced.

${KEY}

${EXIT}

Examples:
  tessera label shoe.jpg --out shoe-labelled.jpg --label 0123456789abcdef
  tessera label photos --out labelled --csv labels.csv --cohort 00a1
  tessera label photos --out labelled --csv labels.csv --cohort 00a1 --resume
`,

  detect: `Looks for labels in pictures.

Usage: tessera detect FILES|FOLDERS... [OPTIONS]

  --fast            whole pictures only: not cut, turned freely or squeezed
  --csv FILE        write a table, one row for each label found
  --key-file FILE   32 hex digits
  --jobs N          threads; all cores unless told
  --json            one object per line and file
  -h, --help        this text

Results come in the order of the inputs. A picture without a label is no
failure.

${KEY}

${EXIT}

Examples:
  tessera detect found.jpg
  tessera detect downloads --json --fast --key-file shop.key
`,

  diff: `Shows what differs between two pictures of the same size: an opaque PNG of the
difference, 16 times amplified about mid grey; prints PSNR and the largest
difference.

Usage: tessera diff A B --out PNG

  --out PNG    the picture to write; an existing one is not replaced
  -h, --help   this text

Example:
  tessera diff shoe.jpg labelled/shoe.jpg --out difference.png
`,

  keygen: `Makes a secret key: 32 random hex digits on standard output.

Usage: tessera keygen

  -h, --help   this text

Example:
  (umask 077; tessera keygen > shop.key)
`,
} as const;

/** The version of the package: its description lies two folders up, in the sources as in dist/. */
export function versionOf(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
