import { base64, hexadecimal, is, runEnd, runStart } from "./characters.ts";
import type { View } from "./view.ts";

/** Shorter ones hold nothing that a detector would find. */
const runCharactersMin = 16;
/** Longer runs are read in overlapping parts, so that what a stream holds back is bounded. */
export const runCharactersMax = 16_384;
const overlapCharacters = 4096;
/** Of the bytes that come out; else it is no text that was encoded. */
const printableShare = 0.9;

const run = { kind: base64, max: Number.POSITIVE_INFINITY };

export interface EncodedRun {
  readonly view: View;
  readonly start: number;
  readonly end: number;
}

/** Runs of base64 (both alphabets) and hexadecimal digits that decode to text. */
export function encodedRuns(text: string): readonly EncodedRun[] {
  const found: EncodedRun[] = [];
  for (let at = 0; at < text.length; at++) {
    if (!is(text.charCodeAt(at), base64)) continue;
    const end = runEnd(text, at, run);
    if (end - at >= runCharactersMin) found.push(...decodedParts(text, at, end));
    at = end;
  }
  return found;
}

/** Where a run begins that the end of the text may still add to. */
export function encodedPending(text: string): number {
  let end = text.length;
  while (end > 0 && end > text.length - 2 && text.charCodeAt(end - 1) === 61) end--;
  return runStart(text, end, { kind: base64, max: runCharactersMax });
}

function decodedParts(text: string, start: number, end: number): readonly EncodedRun[] {
  const found: EncodedRun[] = [];
  for (let from = start; from === start || from + overlapCharacters < end; from += runCharactersMax - overlapCharacters) {
    const to = Math.min(from + runCharactersMax, end);
    const view = decoded(text.slice(from, to), from);
    if (view !== undefined) found.push({ view, start: from, end: to });
  }
  return found;
}

function decoded(encoded: string, start: number): View | undefined {
  const hex = isHex(encoded);
  const bytes = Buffer.from(encoded, hex ? "hex" : "base64");
  if (bytes.length < runCharactersMin / 2 || !isText(bytes)) return undefined;
  const text = bytes.toString("utf8");
  // Bytes that are no UTF-8 are read one by one, so that each has its place.
  return text.includes("\uFFFD") ? placed({ text: bytes.toString("latin1"), start, hex, bytes: false }) : placed({ text, start, hex, bytes: text.length !== bytes.length });
}

function isHex(encoded: string): boolean {
  return runEnd(encoded, 0, { kind: hexadecimal, max: Number.POSITIVE_INFINITY }) >= encoded.length - (encoded.length % 2) && encoded.length >= runCharactersMin;
}

function isText(bytes: Uint8Array): boolean {
  let printable = 0;
  for (const byte of bytes) if ((byte >= 32 && byte !== 127) || byte === 10 || byte === 13 || byte === 9) printable++;
  return printable >= bytes.length * printableShare;
}

interface Placed {
  readonly text: string;
  readonly start: number;
  readonly hex: boolean;
  /** Whether units of the text and bytes differ in number. */
  readonly bytes: boolean;
}

/** Four characters of base64 stand for three bytes; two of hexadecimal for one. */
function placed({ text, start, hex, bytes }: Placed): View {
  const byteOf = (at: number) => (bytes ? Buffer.byteLength(text.slice(0, at)) : at);
  return {
    text,
    outerStart: (at) => start + (hex ? byteOf(at) * 2 : Math.floor((byteOf(at) * 4) / 3)),
    outerEnd: (at) => start + (hex ? byteOf(at) * 2 : Math.ceil((byteOf(at) * 4) / 3)),
    inner: (outer) => {
      if (outer <= start) return 0;
      const byte = hex ? Math.ceil((outer - start) / 2) : Math.ceil(((outer - start) * 3) / 4);
      return Math.min(text.length, bytes ? Buffer.from(text).subarray(0, byte).toString("utf8").length : byte);
    },
  };
}
