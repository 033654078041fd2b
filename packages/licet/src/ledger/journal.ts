import { join } from "node:path";
import { LicetError } from "../base/errors.ts";
import type { Files } from "./files.ts";
import type { Frame } from "./frame.ts";
import { createSegment, type JournalLimits, JournalWriter, type Tail } from "./journal-writer.ts";
import { damaged, decodeSegmentHeader, scanSegment, segmentHeaderBytes, segmentName, segmentNumber } from "./segment.ts";
import { entriesPerMark, loadSegmentIndex, segmentIndexPath, storeSegmentIndex } from "./segment-index.ts";
import { type PlacedSegment, segmentAmong, SegmentReader } from "./segment-reader.ts";

export interface JournalOptions {
  readonly files: Files;
  readonly folder: string;
  readonly limits: JournalLimits;
  readonly onDurable: (frames: readonly Frame[], firstIndex: number) => void;
}

/** The files of record: what was acknowledged is here, and everything else of the log is derived from it. */
export class Journal {
  readonly #sealed: PlacedSegment[];
  readonly #writer: JournalWriter;
  readonly #reader: SegmentReader;

  constructor(options: JournalOptions, sealed: PlacedSegment[], tail: Tail) {
    this.#sealed = sealed;
    this.#reader = new SegmentReader(options);
    this.#writer = new JournalWriter({ ...options, tail, onSealed: (done) => this.#sealed.push({ ...done }) });
  }

  get size(): number {
    return this.#writer.size;
  }

  get poison(): LicetError | undefined {
    return this.#writer.poison;
  }

  append(frame: Frame): Promise<number> {
    return this.#writer.append(frame);
  }

  poisonWith(cause: unknown): LicetError {
    return this.#writer.poisonWith(cause);
  }

  async read(index: number): Promise<Frame | undefined> {
    for await (const frame of this.scan(index, index + 1)) return frame;
    return undefined;
  }

  /** Entries `from` to `to`, exclusive, in order; the bytes belong to the caller. */
  async *scan(from: number, to: number = this.size): AsyncGenerator<Frame> {
    for (let index = from; index < Math.min(to, this.size); ) {
      const segment = this.#segmentOf(index);
      const end = Math.min(to, segment.firstIndex + segment.count);
      const { tail } = this.#writer;
      yield* this.#reader.scan(segment, index, end, segment.number === tail.number ? tail.file : undefined);
      index = end;
    }
  }

  async close(): Promise<void> {
    await this.#writer.drain();
    await this.#reader.close();
    // A disk that never answered would hold up the close of its file as well.
    if (this.#writer.hanging) return;
    await this.#writer.tail.file.close().catch((error: unknown) => {
      // A poisoned writer may have lost its file already, and has said so.
      if (!this.#writer.poison) throw error;
    });
  }

  #segmentOf(index: number): PlacedSegment {
    const tail = this.#writer.tail;
    const found = index >= tail.firstIndex ? tail : segmentAmong(this.#sealed, index);
    if (!found) throw new LicetError("internal", { message: `no journal segment holds entry ${index}` });
    return found;
  }
}

/** Opens or creates the journal; cuts a torn end off, and refuses damage before it with its position. */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { files, folder } = options;
  await files.makeDirectory(folder);
  const names = await files.list(folder);
  const numbers = names.flatMap((name) => segmentNumber(name) ?? []);
  for (const [at, number] of numbers.entries()) {
    if (number !== at) throw damaged(segmentName(at), 0, "the segment is missing");
  }
  const newest = await dropUnbegun(options, numbers);
  const sealed: PlacedSegment[] = [];
  let from = { firstIndex: 0, nextBatch: 1 };
  for (const number of numbers.slice(0, newest)) {
    const segment = await openSealed(options, { number, ...from });
    sealed.push({ ...segment, number });
    from = { firstIndex: segment.firstIndex + segment.count, nextBatch: segment.nextBatch };
  }
  const begin = { number: Math.max(newest, 0), ...from };
  const tail = newest < numbers.length && newest >= 0 ? await openTail(options, begin) : await createSegment(options, begin);
  return new Journal(options, sealed, tail);
}

/** A crash while a segment was being made leaves a file without header: no frame was ever written to it. */
async function dropUnbegun(options: JournalOptions, numbers: number[]): Promise<number> {
  const last = numbers.length - 1;
  if (last < 0) return 0;
  const path = join(options.folder, segmentName(last));
  const bytes = Buffer.from((await options.files.readWhole(path)) ?? []);
  if (decodeSegmentHeader(bytes) !== undefined) return last;
  const frames = bytes.subarray(segmentHeaderBytes);
  if (!frames.equals(Buffer.alloc(frames.length))) throw damaged(segmentName(last), 0, "its header has changed");
  await options.files.remove(path);
  await options.files.syncDirectory(options.folder);
  numbers.pop();
  return last;
}

interface Begin {
  readonly number: number;
  readonly firstIndex: number;
  readonly nextBatch: number;
}

async function openSealed(options: JournalOptions, begin: Begin) {
  const path = segmentIndexPath(options.folder, begin.number);
  const known = await loadSegmentIndex(options.files, path);
  if (known && known.firstIndex === begin.firstIndex) return known;
  const { count, nextBatch, marks } = (await scanFile(options, begin, false)).segment;
  const segment = { firstIndex: begin.firstIndex, count, nextBatch, marks };
  await storeSegmentIndex(options.files, path, segment);
  return segment;
}

async function scanFile(options: JournalOptions, begin: Begin, newest: boolean) {
  const name = segmentName(begin.number);
  const bytes = Buffer.from((await options.files.readWhole(join(options.folder, name))) ?? []);
  if (decodeSegmentHeader(bytes) !== begin.firstIndex) throw damaged(name, 8, "it does not continue the segment before");
  const marks: number[] = [];
  let seen = 0;
  const visit = (_: Frame, at: number) => {
    if (seen++ % entriesPerMark === 0) marks.push(at);
  };
  const segment = scanSegment(bytes, { segment: name, newest, firstBatch: begin.nextBatch, visit });
  return { segment: { ...segment, marks }, length: bytes.length };
}

async function openTail(options: JournalOptions, begin: Begin): Promise<Tail> {
  const { segment, length } = await scanFile(options, begin, true);
  const file = await options.files.open(join(options.folder, segmentName(begin.number)), "update");
  if (segment.torn) await file.truncate(segment.end);
  // Whole frames of a process that was killed may still be only in memory: nothing is built on them before this.
  await file.datasync();
  await options.files.syncDirectory(options.folder);
  const { count, nextBatch, marks, end } = segment;
  const allocated = segment.torn ? end : length;
  return { number: begin.number, firstIndex: begin.firstIndex, file, count, position: end, allocated, nextBatch, marks };
}
