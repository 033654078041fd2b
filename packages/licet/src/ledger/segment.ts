import { crc32 } from "node:zlib";
import { LicetError } from "../base/errors.ts";
import { decodeFrame, type Frame, frameHeaderBytes } from "./frame.ts";

/** A journal file begins with magic, index of its first entry (u64), and the CRC of both; then frames, then zeros. */
export const segmentHeaderBytes = 32;
const magic = Buffer.from("LICETJ01", "latin1");

export function segmentName(number: number): string {
  return `${String(number).padStart(8, "0")}.seg`;
}

export function segmentNumber(name: string): number | undefined {
  const match = /^(\d{8})\.seg$/.exec(name);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

export function encodeSegmentHeader(firstIndex: number): Buffer {
  const header = Buffer.alloc(segmentHeaderBytes);
  header.set(magic, 0);
  header.writeBigUInt64LE(BigInt(firstIndex), 8);
  header.writeUInt32LE(crc32(header.subarray(0, 16)), 16);
  return header;
}

export function decodeSegmentHeader(source: Buffer): number | undefined {
  if (source.length < segmentHeaderBytes || !source.subarray(0, 8).equals(magic)) return undefined;
  if (crc32(source.subarray(0, 16)) !== source.readUInt32LE(16)) return undefined;
  const first = source.readBigUInt64LE(8);
  return first <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(first) : undefined;
}

export interface Scan {
  readonly count: number;
  /** Where the next frame goes. */
  readonly end: number;
  /** Number that the next batch takes. */
  readonly nextBatch: number;
  /** Bytes after `end` that are neither a frame nor the zeros of a preallocated file. */
  readonly torn: boolean;
}

export interface ScanOptions {
  readonly segment: string;
  /** Only the end of the newest segment can be torn by a crash. */
  readonly newest: boolean;
  /** Number that the segment's first batch may have at least. */
  readonly firstBatch: number;
  readonly visit: (frame: Frame, at: number) => void;
}

/** Reads all frames of a segment, tells a torn end from damage, and refuses damage with its position. */
export function scanSegment(source: Buffer, options: ScanOptions): Scan {
  let at = segmentHeaderBytes;
  let count = 0;
  let batch = options.firstBatch - 1;
  let whole = true;
  for (let frame = decodeFrame(source, at); frame; frame = decodeFrame(source, at)) {
    if (frame.batch < batch) throw damaged(options.segment, at, "a batch number runs backwards");
    options.visit(frame, at);
    at = frame.end;
    count += 1;
    batch = frame.batch;
    whole = frame.last;
  }
  // After a batch that was cut short the writer skips one number, so that the two cases below stay apart.
  const nextBatch = whole ? batch + 1 : batch + 2;
  const torn = !source.subarray(at).equals(Buffer.alloc(source.length - at));
  if (torn) refuseDamage(source, at, { ...options, unsynced: whole ? [nextBatch] : [batch, nextBatch] });
  return { count, end: at, nextBatch, torn };
}

/**
 * A batch is written only after the one before was synced. So a later batch behind the broken place proves that the
 * broken one was acknowledged: this is damage, not a torn write.
 */
function refuseDamage(
  source: Buffer,
  at: number,
  options: ScanOptions & { readonly unsynced: readonly number[] },
): void {
  if (!options.newest) throw damaged(options.segment, at, "a finished segment does not end with a whole frame");
  for (let next = at + 1; next + frameHeaderBytes < source.length; next++) {
    const frame = source[next + 3] === 0 ? decodeFrame(source, next) : undefined;
    if (frame && !options.unsynced.includes(frame.batch)) {
      throw damaged(options.segment, at, `acknowledged entries follow at byte ${next}`);
    }
  }
}

export function damaged(segment: string, at: number, why: string): LicetError {
  return new LicetError("log_damaged", {
    message: `the journal segment \`${segment}\` is damaged at byte ${at}: ${why}`,
    at: { segment, at },
  });
}
