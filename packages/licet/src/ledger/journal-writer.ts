import { join } from "node:path";
import { LicetError } from "../base/errors.ts";
import { type Files, type OpenFile, writeFully } from "./files.ts";
import { encodeFrame, type Frame, frameBytes } from "./frame.ts";
import { encodeSegmentHeader, segmentHeaderBytes, segmentName } from "./segment.ts";
import { entriesPerMark, segmentIndexPath, storeSegmentIndex } from "./segment-index.ts";

export interface JournalLimits {
  readonly segmentBytes: number;
  readonly queueBytesMax: number;
  readonly queueEntriesMax: number;
  readonly batchBytesMax: number;
  /** Zeros written ahead, so that a sync need not also record a new file length. */
  readonly aheadBytes: number;
  /** An entry that is not durable by then is refused, and the writer stops: a disk that hangs must not hold its callers. */
  readonly appendMillisecondsMax: number;
}

export const journalLimits: JournalLimits = {
  segmentBytes: 64 * 1024 * 1024,
  queueBytesMax: 64 * 1024 * 1024,
  queueEntriesMax: 65_536,
  batchBytesMax: 4 * 1024 * 1024,
  aheadBytes: 1024 * 1024,
  appendMillisecondsMax: 5000,
};

/** The newest segment: owned and changed by the writer alone. */
export interface Tail {
  number: number;
  file: OpenFile;
  firstIndex: number;
  count: number;
  /** Where the next frame goes. */
  position: number;
  /** Up to here the file has been written, with frames or zeros. */
  allocated: number;
  nextBatch: number;
  readonly marks: number[];
}

export interface WriterOptions {
  readonly files: Files;
  readonly folder: string;
  readonly tail: Tail;
  readonly limits: JournalLimits;
  /** Called once for each batch, after its sync and before its acknowledgements. */
  readonly onDurable: (frames: readonly Frame[], firstIndex: number) => void;
  /** Called when a segment is finished. */
  readonly onSealed: (tail: Readonly<Tail>) => void;
}

interface Waiting {
  readonly frame: Frame;
  readonly bytes: number;
  /** Milliseconds of the monotonic clock. */
  readonly since: number;
  readonly resolve: (index: number) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit. States: idle -> scheduled -> writing -> idle | scheduled; from any of them -> poisoned, for ever.
 * A failed write or sync is never retried: the kernel may have dropped the pages and would call the next sync good.
 */
export class JournalWriter {
  readonly #options: WriterOptions;
  #tail: Tail;
  #queue: Waiting[] = [];
  #waitingBytes = 0;
  #waitingEntries = 0;
  #state: "idle" | "scheduled" | "writing" = "idle";
  #buffer = Buffer.alloc(0);
  #zeros = Buffer.alloc(0);
  #poison: LicetError | undefined;
  #drained: (() => void)[] = [];
  /** What is being written now. */
  #writing: readonly Waiting[] = [];
  #hanging = false;
  #watch: NodeJS.Timeout | undefined;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#tail = options.tail;
  }

  get size(): number {
    return this.#tail.firstIndex + this.#tail.count;
  }

  get tail(): Readonly<Tail> {
    return this.#tail;
  }

  get poison(): LicetError | undefined {
    return this.#poison;
  }

  /** A write has not returned in time, and perhaps never will. */
  get hanging(): boolean {
    return this.#hanging;
  }

  /** Resolves with the entry's index when it is durable. */
  append(frame: Frame): Promise<number> {
    if (this.#poison) return Promise.reject(this.#poison);
    const bytes = frameBytes(frame);
    const { queueBytesMax, queueEntriesMax } = this.#options.limits;
    if (this.#waitingEntries >= queueEntriesMax || this.#waitingBytes + bytes > queueBytesMax) {
      return Promise.reject(
        new LicetError("log_backpressure", { at: { entries: this.#waitingEntries, bytes: this.#waitingBytes } }),
      );
    }
    this.#waitingEntries += 1;
    this.#waitingBytes += bytes;
    return new Promise((resolve, reject) => {
      this.#queue.push({ frame, bytes, since: performance.now(), resolve, reject });
      if (!this.#watch) this.#watchFor(this.#options.limits.appendMillisecondsMax);
      if (this.#state === "idle") this.#schedule();
    });
  }

  /** Resolves when nothing waits any more, written or refused. */
  drain(): Promise<void> {
    if (this.#state === "idle" || this.#hanging) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  /** From now on every append is refused. */
  poisonWith(cause: unknown): LicetError {
    this.#poison ??=
      cause instanceof LicetError && cause.code === "log_poisoned" ? cause : new LicetError("log_poisoned", { cause });
    return this.#poison;
  }

  /** One turn of the event loop gathers what the last acknowledgements set off. */
  #schedule(): void {
    this.#state = "scheduled";
    setImmediate(() => void this.#flush());
  }

  async #flush(): Promise<void> {
    this.#state = "writing";
    const batch = this.#take();
    this.#writing = batch;
    try {
      if (this.#poison) throw this.#poison;
      await this.#write(batch);
      // Too late otherwise: its callers were refused. Whether it is durable the next start finds, as after a crash.
      if (this.#hanging) this.#refuseAll(this.poisonWith(undefined));
      else this.#acknowledge(batch);
    } catch (error) {
      this.#refuseAll(this.poisonWith(error));
    }
    this.#writing = [];
    if (this.#queue.length > 0 || this.#waitingEntries > 0) this.#schedule();
    else this.#rest();
  }

  #refuseAll(reason: LicetError): void {
    for (const waiting of [...this.#writing, ...this.#queue]) waiting.reject(reason);
    this.#queue = [];
    this.#waitingEntries = 0;
    this.#waitingBytes = 0;
  }

  /** One timer for all: it looks at the oldest, and comes again when that one's time is over. */
  #watchFor(milliseconds: number): void {
    this.#watch = setTimeout(() => {
      this.#watch = undefined;
      const oldest = this.#writing[0] ?? this.#queue[0];
      if (!oldest || this.#waitingEntries === 0) return;
      const left = this.#options.limits.appendMillisecondsMax - (performance.now() - oldest.since);
      if (left <= 0) this.#giveUp();
      else this.#watchFor(left);
    }, Math.ceil(milliseconds)).unref();
  }

  #giveUp(): void {
    this.#hanging = true;
    const { appendMillisecondsMax } = this.#options.limits;
    this.poisonWith(new Error(`a write took longer than ${appendMillisecondsMax} ms`));
    const message = `the disk has not taken the entry within ${appendMillisecondsMax} ms`;
    this.#refuseAll(new LicetError("log_unavailable", { message, at: { appendMillisecondsMax } }));
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  #rest(): void {
    this.#state = "idle";
    // An acknowledged caller appends in a microtask after this: a drain that then ends has still seen its own work.
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  #take(): readonly Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#queue) {
      bytes += waiting.bytes;
      if (count > 0 && bytes > this.#options.limits.batchBytesMax) break;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const bytes = batch.reduce((sum, waiting) => sum + waiting.bytes, 0);
    const { segmentBytes } = this.#options.limits;
    if (this.#tail.count > 0 && this.#tail.position + bytes > segmentBytes) await this.#roll();
    const tail = this.#tail;
    const buffer = this.#bufferOf(bytes);
    let at = 0;
    for (const [n, waiting] of batch.entries()) {
      if ((tail.count + n) % entriesPerMark === 0) tail.marks.push(tail.position + at);
      at = encodeFrame(buffer, waiting.frame, { at, batch: tail.nextBatch, last: n === batch.length - 1 });
    }
    await this.#allocate(tail.position + bytes);
    await writeFully(tail.file, buffer, tail.position);
    await tail.file.datasync();
    tail.position += bytes;
    tail.nextBatch += 1;
  }

  async #allocate(end: number): Promise<void> {
    const tail = this.#tail;
    const { aheadBytes, segmentBytes } = this.#options.limits;
    if (end <= tail.allocated || aheadBytes === 0) return;
    const target = Math.max(end, Math.min(end + aheadBytes, segmentBytes));
    if (this.#zeros.length < target - tail.allocated) this.#zeros = Buffer.alloc(target - tail.allocated);
    await writeFully(tail.file, this.#zeros.subarray(0, target - tail.allocated), tail.allocated);
    tail.allocated = target;
  }

  /** One batch is written at a time, so that they can share: a buffer for each would wait for the garbage collector. */
  #bufferOf(bytes: number): Buffer {
    if (bytes > this.#options.limits.batchBytesMax) return Buffer.allocUnsafe(bytes);
    if (this.#buffer.length < bytes) this.#buffer = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * this.#buffer.length));
    return this.#buffer.subarray(0, bytes);
  }

  #acknowledge(batch: readonly Waiting[]): void {
    const first = this.size;
    this.#tail.count += batch.length;
    this.#options.onDurable(batch.map((waiting) => waiting.frame), first);
    for (const [n, waiting] of batch.entries()) {
      this.#waitingEntries -= 1;
      this.#waitingBytes -= waiting.bytes;
      waiting.resolve(first + n);
    }
  }

  async #roll(): Promise<void> {
    const { files, folder } = this.#options;
    const done = this.#tail;
    await done.file.close();
    await storeSegmentIndex(files, segmentIndexPath(folder, done.number), done);
    this.#options.onSealed(done);
    this.#tail = await createSegment({ files, folder }, {
      number: done.number + 1,
      firstIndex: done.firstIndex + done.count,
      nextBatch: done.nextBatch,
    });
  }
}

/** A new segment is durable, name and header, before the first frame goes into it. */
export async function createSegment(
  place: { readonly files: Files; readonly folder: string },
  begin: { readonly number: number; readonly firstIndex: number; readonly nextBatch: number },
): Promise<Tail> {
  const file = await place.files.open(join(place.folder, segmentName(begin.number)), "create");
  await writeFully(file, encodeSegmentHeader(begin.firstIndex), 0);
  await file.datasync();
  await place.files.syncDirectory(place.folder);
  return { ...begin, file, count: 0, position: segmentHeaderBytes, allocated: segmentHeaderBytes, marks: [] };
}
