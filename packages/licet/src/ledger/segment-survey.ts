import { decodeFrame, frameHeaderBytes, type PlacedFrame } from "./frame.ts";
import { segmentHeaderBytes } from "./segment.ts";

export interface SoundPiece extends PlacedFrame {
  readonly kind: "frame";
  readonly at: number;
}

/** Bytes that are no whole frame. */
export interface GapPiece {
  readonly kind: "gap";
  readonly at: number;
  readonly end: number;
}

export interface Survey {
  readonly bytes: Buffer;
  /** In order and without holes, from the header to `end`. */
  readonly pieces: readonly (SoundPiece | GapPiece)[];
  /** Where the first frame is. */
  readonly start: number;
  /** From here on there are only zeros, or nothing. */
  readonly end: number;
}

/** Reads a segment however damaged it is: every frame that is whole, and the stretches between them. */
export function surveySegment(bytes: Buffer): Survey {
  const end = lastByte(bytes);
  const pieces: (SoundPiece | GapPiece)[] = [];
  const start = Math.min(segmentHeaderBytes, bytes.length);
  let at = start;
  while (at < end) {
    const frame = decodeFrame(bytes, at);
    if (frame) {
      pieces.push({ kind: "frame", at, ...frame });
      at = frame.end;
      continue;
    }
    const next = nextFrame(bytes, at, end);
    pieces.push({ kind: "gap", at, end: next });
    at = next;
  }
  return { bytes, pieces, start, end: at };
}

/** Where the zeros of a preallocated file begin; a payload that itself ends with zeros is found by its frame's length. */
function lastByte(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return end;
}

/** By the broken frame's own length when that leads to a whole frame, otherwise by looking at every byte. */
function nextFrame(bytes: Buffer, at: number, end: number): number {
  if (at + frameHeaderBytes <= bytes.length) {
    const claimed = at + frameHeaderBytes + bytes.readUInt32LE(at);
    if (claimed < end && decodeFrame(bytes, claimed)) return claimed;
  }
  for (let next = at + 1; next + frameHeaderBytes < end; next += 1) {
    if (bytes[next + 3] === 0 && decodeFrame(bytes, next)) return next;
  }
  return end;
}
