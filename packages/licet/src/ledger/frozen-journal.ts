import { join } from "node:path";
import { LicetError } from "../base/errors.ts";
import type { Files } from "./files.ts";
import type { Frame } from "./frame.ts";
import { damaged, decodeSegmentHeader, scanSegment, segmentName, segmentNumber } from "./segment.ts";
import { entriesPerMark, loadSegmentIndex, segmentIndexPath } from "./segment-index.ts";
import { type PlacedSegment, segmentAmong, SegmentReader } from "./segment-reader.ts";

export interface FrozenJournal {
  read(index: number): Promise<Frame | undefined>;
  scan(from: number, to?: number): AsyncGenerator<Frame>;
  close(): Promise<void>;
}

export interface FrozenJournalOptions {
  readonly files: Files;
  readonly folder: string;
  /** Entries that it must hold. */
  readonly size: number;
}

/** A journal that is only read: nothing is cut, nothing is made again, no file is opened for writing. */
export async function openFrozenJournal({ files, folder, size }: FrozenJournalOptions): Promise<FrozenJournal> {
  const numbers = (await files.list(folder)).flatMap((name) => segmentNumber(name) ?? []);
  const segments: PlacedSegment[] = [];
  let from = { firstIndex: 0, nextBatch: 1 };
  for (const [at, number] of numbers.entries()) {
    if (number !== at) throw damaged(segmentName(at), 0, "the segment is missing");
    const found = await place({ files, folder, number, newest: at === numbers.length - 1, ...from });
    segments.push(found);
    from = { firstIndex: found.firstIndex + found.count, nextBatch: found.nextBatch };
  }
  if (from.firstIndex < size) throw new LicetError("log_damaged", { message: `the frozen journal has ${from.firstIndex} entries of ${size}` });
  const reader = new SegmentReader({ files, folder });
  async function* scan(start: number, to = size): AsyncGenerator<Frame> {
    for (let index = start; index < Math.min(to, size); ) {
      const segment = segmentAmong(segments, index);
      if (!segment) throw new LicetError("internal", { message: `no journal segment holds entry ${index}` });
      const end = Math.min(to, size, segment.firstIndex + segment.count);
      yield* reader.scan(segment, index, end);
      index = end;
    }
  }
  return {
    scan,
    read: async (index) => {
      for await (const frame of scan(index, index + 1)) return frame;
      return undefined;
    },
    close: () => reader.close(),
  };
}

interface Place {
  readonly files: Files;
  readonly folder: string;
  readonly number: number;
  readonly newest: boolean;
  readonly firstIndex: number;
  readonly nextBatch: number;
}

async function place({ files, folder, number, newest, firstIndex, nextBatch }: Place): Promise<PlacedSegment & { readonly nextBatch: number }> {
  const known = await loadSegmentIndex(files, segmentIndexPath(folder, number));
  if (known?.firstIndex === firstIndex) return { number, ...known };
  const segment = segmentName(number);
  const bytes = Buffer.from((await files.readWhole(join(folder, segment))) ?? []);
  if (decodeSegmentHeader(bytes) !== firstIndex) throw damaged(segment, 8, "it does not continue the segment before");
  const marks: number[] = [];
  let seen = 0;
  const visit = (_: Frame, at: number) => {
    if (seen++ % entriesPerMark === 0) marks.push(at);
  };
  const scanned = scanSegment(bytes, { segment, newest, firstBatch: nextBatch, visit });
  return { number, firstIndex, count: scanned.count, nextBatch: scanned.nextBatch, marks };
}
