import type { Layer } from "../layer.ts";
import type { Source } from "../source.ts";
import { bunzip2 } from "./bzip2.ts";
import type { Decode } from "./decode.ts";
import { unlz4 } from "./lz4.ts";
import { unlzma } from "./lzma.ts";
import { refuseCompressed, scanDecoded, scanGzip, scanZlib, scanZstd } from "./scan-compressed.ts";
import { isTar, scanTar } from "./scan-tar.ts";
import { scanZip } from "./scan-zip.ts";
import { unxz } from "./xz.ts";

/** Tells a format by its first bytes, and reads it. */
export interface Detector {
  readonly format: string;
  readonly matches: (head: Uint8Array, source: Source) => boolean;
  readonly scan: (layer: Layer) => void | Promise<void>;
}

export function startsWith(head: Uint8Array, magic: string, at = 0): boolean {
  return Array.from(magic).every((letter, index) => head[at + index] === letter.codePointAt(0));
}

/** A header of RFC 1950: deflate, window at most 32 KiB, check bits that fit. Text never begins so. */
function isZlib(head: Uint8Array): boolean {
  const [first = 0, second = 0] = head;
  return (first & 15) === 8 && first >> 4 <= 7 && (first * 256 + second) % 31 === 0 && (second & 32) === 0 && head.length > 6 && [0x01, 0x5e, 0x9c, 0xda].includes(second);
}

/** Size in hexadecimal, padded to 19 or 20 characters, then zlib: what joblib wrote before version 0.10. */
const oldJoblib = /^ZF0x[0-9a-fA-F]{1,16}L?\s*/u;

function oldJoblibPrefix(head: Uint8Array): number {
  if (!oldJoblib.test(Buffer.from(head.subarray(0, 40)).toString("latin1"))) return 0;
  return head[21] === 32 ? 22 : 21;
}

function refused(format: string, magic: string): Detector {
  return { format, matches: (head) => startsWith(head, magic), scan: (layer) => refuseCompressed(layer, format) };
}

function decoded(format: string, magic: string, decode: Decode): Detector {
  return { format, matches: (head) => startsWith(head, magic), scan: (layer) => scanDecoded(layer, format, decode) };
}

function sealed(format: string, magic: string): Detector {
  return {
    format,
    matches: (head) => startsWith(head, magic),
    scan: (layer) => {
      layer.report("container.unsupported", `archives of the kind ${format} cannot be opened here`);
      layer.claimAll(format);
    },
  };
}

/** Archives and compressed streams. */
export const scanCompressedFormats: readonly Detector[] = [
  { format: "zip", matches: (head) => startsWith(head, "PK\u0003\u0004") || startsWith(head, "PK\u0005\u0006"), scan: scanZip },
  { format: "gzip", matches: (head) => startsWith(head, "\u001F\u008B\b"), scan: scanGzip },
  { format: "zstd", matches: (head) => startsWith(head, "(\u00B5/\u00FD"), scan: scanZstd },
  decoded("bzip2", "BZh", bunzip2),
  decoded("xz", "\u00FD7zXZ\0", unxz),
  decoded("lz4", "\u0004\"M\u0018", unlz4),
  refused("lzip", "LZIP"),
  refused("compress", "\u001F\u009D"),
  decoded("lzma", "]\0\0", unlzma),
  sealed("7z", "7z\u00BC\u00AF'\u001C"),
  sealed("rar", "Rar!\u001A\u0007"),
  sealed("cab", "MSCF"),
  sealed("ar", "!<arch>\n"),
  sealed("cpio", "070701"),
  { format: "zlib", matches: (head) => oldJoblibPrefix(head) > 0, scan: (layer) => scanZlib(layer, oldJoblibPrefix(layer.source.read(0, 64))) },
  { format: "zlib", matches: isZlib, scan: (layer) => scanZlib(layer) },
  { format: "tar", matches: (_, source) => isTar(source), scan: scanTar },
];
