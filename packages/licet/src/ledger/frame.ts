import { crc32 } from "node:zlib";

/** What one entry is in the journal: the leaf that the tree commits to, and its sealed payload. */
export interface Frame {
  readonly leaf: Uint8Array;
  readonly payload: Uint8Array;
}

export interface PlacedFrame extends Frame {
  /** Which write the frame came with; the next write is made only after this one was synced. */
  readonly batch: number;
  /** The last frame of its batch. */
  readonly last: boolean;
  /** Where the next frame begins. */
  readonly end: number;
}

/** u32 length of leaf and payload, u32 CRC of what follows, u32 batch, u32 leaf length with the last-of-batch bit. */
export const frameHeaderBytes = 16;
/** A C2SP entry bundle counts an entry's length in 16 bits. */
export const leafBytesMax = 65_535;
export const payloadBytesMax = 8 * 1024 * 1024;
const lastBit = 0x8000_0000;
const lengthMask = 0x7fff_ffff;

export function frameBytes(frame: Frame): number {
  return frameHeaderBytes + frame.leaf.length + frame.payload.length;
}

export interface Placement {
  readonly at: number;
  readonly batch: number;
  readonly last: boolean;
}

/** Writes the frame into `target` and returns where the next one goes. */
export function encodeFrame(target: Buffer, frame: Frame, placement: Placement): number {
  const { at } = placement;
  const { leaf, payload } = frame;
  const end = at + frameBytes(frame);
  target.writeUInt32LE(leaf.length + payload.length, at);
  target.writeUInt32LE(placement.batch, at + 8);
  target.writeUInt32LE(placement.last ? (leaf.length | lastBit) >>> 0 : leaf.length, at + 12);
  target.set(leaf, at + frameHeaderBytes);
  target.set(payload, at + frameHeaderBytes + leaf.length);
  target.writeUInt32LE(crc32(target.subarray(at + 8, end)), at + 4);
  return end;
}

/** Reads the frame at `at`; `undefined` when there is no whole, unchanged frame there. The bytes are views. */
export function decodeFrame(source: Buffer, at: number): PlacedFrame | undefined {
  if (at + frameHeaderBytes > source.length) return undefined;
  const length = source.readUInt32LE(at);
  const end = at + frameHeaderBytes + length;
  if (length === 0 || length > leafBytesMax + payloadBytesMax || end > source.length) return undefined;
  const mark = source.readUInt32LE(at + 12);
  const leafLength = mark & lengthMask;
  if (leafLength === 0 || leafLength > leafBytesMax || leafLength > length) return undefined;
  if (crc32(source.subarray(at + 8, end)) !== source.readUInt32LE(at + 4)) return undefined;
  const body = at + frameHeaderBytes;
  return {
    leaf: source.subarray(body, body + leafLength),
    payload: source.subarray(body + leafLength, end),
    batch: source.readUInt32LE(at + 8),
    last: mark >>> 31 === 1,
    end,
  };
}
