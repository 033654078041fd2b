import { join } from "node:path";
import { crc32 } from "node:zlib";
import { type Files, replaceFile } from "./files.ts";

/** One offset for so many entries: 100 million entries take 6 MB of memory, and a read walks at most 63 frames. */
export const entriesPerMark = 64;

/** Where a segment's entries are. */
export interface SegmentIndex {
  readonly firstIndex: number;
  readonly count: number;
  /** Number that the first batch of the next segment takes. */
  readonly nextBatch: number;
  /** Byte offset of every 64th frame, from the first. */
  readonly marks: readonly number[];
}

/**
 * Derived: a finished segment's index spares the start its scan. Absent or unreadable, it is made again; it decides
 * only where to look, and what stands there has its own CRC and is committed to by the tree.
 */
export async function loadSegmentIndex(files: Files, path: string): Promise<SegmentIndex | undefined> {
  const bytes = await files.readWhole(path);
  if (bytes === undefined || bytes.length < 20 || bytes.length % 4 !== 0) return undefined;
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (crc32(source.subarray(4)) !== source.readUInt32LE(0)) return undefined;
  const marks: number[] = [];
  for (let at = 20; at < source.length; at += 4) marks.push(source.readUInt32LE(at));
  const [firstIndex, count, nextBatch] = [Number(source.readBigUInt64LE(4)), source.readUInt32LE(12), source.readUInt32LE(16)];
  return marks.length === Math.ceil(count / entriesPerMark) ? { firstIndex, count, nextBatch, marks } : undefined;
}

export async function storeSegmentIndex(files: Files, path: string, index: SegmentIndex): Promise<void> {
  await replaceFile(files, path, encodeSegmentIndex(index));
}

export function encodeSegmentIndex(index: SegmentIndex): Buffer {
  const bytes = Buffer.alloc(20 + index.marks.length * 4);
  bytes.writeBigUInt64LE(BigInt(index.firstIndex), 4);
  bytes.writeUInt32LE(index.count, 12);
  bytes.writeUInt32LE(index.nextBatch, 16);
  for (const [at, mark] of index.marks.entries()) bytes.writeUInt32LE(mark, 20 + at * 4);
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
  return bytes;
}

export function segmentIndexPath(folder: string, number: number): string {
  return join(folder, `${String(number).padStart(8, "0")}.idx`);
}
