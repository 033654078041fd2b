import { manifestBytesMax } from "@licet/contract";
import type { Problem } from "./diagnostic.ts";

export type DecodedManifest = { readonly kind: "text"; readonly text: string } | { readonly kind: "problem"; readonly text: string; readonly problem: Problem };

/** Untrusted bytes to text. Everything but plain UTF-8 within the bound is named for what it is, and refused. */
export function decodeManifest(bytes: Uint8Array): DecodedManifest {
  if (bytes.byteLength > manifestBytesMax) {
    return refuse("manifest_too_large", `the manifest has ${bytes.byteLength} bytes; ${manifestBytesMax} are allowed`, bytes);
  }
  const utf16 = looksLikeUtf16(bytes);
  if (utf16) return refuse("manifest_encoding", "the file is UTF-16; UTF-8 is needed", bytes);
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    return refuse("manifest_encoding", "the file begins with a byte order mark", bytes);
  }
  return decodeUtf8(bytes);
}

function decodeUtf8(bytes: Uint8Array): DecodedManifest {
  try {
    return { kind: "text", text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    const at = firstInvalid(bytes);
    const value = (bytes[at] ?? 0).toString(16).padStart(2, "0");
    const offset = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, at)).length;
    const message = `byte ${at + 1} (0x${value}) is not valid UTF-8`;
    return { kind: "problem", text, problem: { code: "manifest_encoding", message, path: [], range: [offset, offset + 1] } };
  }
}

/** The longest valid prefix, by halving: validity of a prefix ending inside a character is told by `stream`. */
function firstInvalid(bytes: Uint8Array): number {
  let low = 0;
  let high = bytes.byteLength;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (validPrefix(bytes.subarray(0, middle))) low = middle;
    else high = middle - 1;
  }
  return Math.min(low, bytes.byteLength - 1);
}

function validPrefix(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** A mark, or ASCII with every other byte zero: YAML begins with an ASCII character. */
function looksLikeUtf16(bytes: Uint8Array): boolean {
  const [a, b] = bytes;
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) return true;
  const zeros = [...bytes.subarray(0, 4)].map((byte) => (byte === 0 ? "0" : "x")).join("");
  return zeros === "0x0x" || zeros === "x0x0";
}

function refuse(code: Problem["code"], message: string, bytes: Uint8Array): DecodedManifest {
  const text = new TextDecoder().decode(bytes.subarray(0, 200));
  return { kind: "problem", text, problem: { code, message, path: [], range: [0, 1] } };
}
