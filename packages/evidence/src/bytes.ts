import { parsed, refused, type Parsed } from "./parsed.ts";

/** Bytes whose memory is not shared, as WebCrypto wants them. */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
/** A byte order mark is kept, because dropping it would make two byte strings look the same. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/** Refuses bytes that are not well-formed UTF-8. */
export function fromUtf8(bytes: Uint8Array): Parsed<string> {
  try {
    return parsed(decoder.decode(bytes));
  } catch {
    return refused("utf8_invalid", "the bytes are not valid utf-8");
  }
}

const hexDigits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += hexDigits[byte];
  return text;
}

/** Takes lower-case hex of even length only. */
export function fromHex(text: string): Parsed<Bytes> {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) {
    return refused("hex_invalid", "the text is not lower-case hex");
  }
  return parsed(Uint8Array.from({ length: text.length / 2 }, (_, at) => parseInt(text.slice(at * 2, at * 2 + 2), 16)));
}

/** `String.fromCharCode` takes its input as arguments, and engines bound their number. */
const chunkBytesMax = 0x2000;

/** Standard base64 with padding (RFC 4648 section 4). */
export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += chunkBytesMax) {
    binary += String.fromCharCode(...bytes.subarray(at, at + chunkBytesMax));
  }
  return btoa(binary);
}

/** Takes only the one spelling that `toBase64` writes: no spaces, full padding, zero trailing bits. */
export function fromBase64(text: string): Parsed<Bytes> {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return refused("base64_invalid", "the text is not base64");
  }
  if (btoa(binary) !== text) return refused("base64_invalid", "the text is not canonical base64");
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return parsed(bytes);
}

export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The same bytes in memory of their own, which WebCrypto's types ask for. */
export function owned(bytes: Uint8Array): Bytes {
  return new Uint8Array(bytes);
}
