import { join } from "node:path";
import { type Files, type OpenFile, readFully } from "./files.ts";
import { decodeFrame, type Frame } from "./frame.ts";
import { damaged, segmentHeaderBytes, segmentName } from "./segment.ts";
import { entriesPerMark } from "./segment-index.ts";

/** Where a segment's entries are, as far as a reader has to know. */
export interface PlacedSegment {
  readonly number: number;
  readonly firstIndex: number;
  readonly count: number;
  /** Byte offset of every 64th frame, from the first. */
  readonly marks: readonly number[];
}

/** A frame of a kilobyte or two, 64 times: most reads need one call. */
const readBytes = 128 * 1024;
const openSegmentsMax = 16;

/** Reads frames from the segments of one journal; keeps a few files open. */
export class SegmentReader {
  readonly #place: { readonly files: Files; readonly folder: string };
  readonly #open = new Map<number, Promise<OpenFile>>();

  constructor(place: { readonly files: Files; readonly folder: string }) {
    this.#place = place;
  }

  /** Entries `from` to `to`, exclusive, all of them in this segment. `opened` spares a second handle on the writer's own file. */
  async *scan(segment: PlacedSegment, from: number, to: number, opened?: OpenFile): AsyncGenerator<Frame> {
    const file = opened ?? (await this.#fileOf(segment.number));
    const mark = Math.floor((from - segment.firstIndex) / entriesPerMark);
    let index = segment.firstIndex + mark * entriesPerMark;
    let position = segment.marks[mark] ?? segmentHeaderBytes;
    let want = readBytes;
    while (index < to) {
      const buffer = Buffer.allocUnsafe(want);
      const chunk = buffer.subarray(0, await readFully(file, buffer, position));
      let at = 0;
      for (let frame = decodeFrame(chunk, at); frame && index < to; frame = decodeFrame(chunk, at)) {
        if (index >= from) yield frame;
        at = frame.end;
        index += 1;
      }
      position += at;
      if (at > 0) want = readBytes;
      else if (chunk.length < want) throw damaged(segmentName(segment.number), position, "an entry has changed since it was written");
      else want *= 4;
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#open.values()].map(async (file) => (await file).close()));
    this.#open.clear();
  }

  /** Least recently used first; a cut-off file is opened again when needed. */
  async #fileOf(number: number): Promise<OpenFile> {
    const known = this.#open.get(number);
    const file = known ?? this.#place.files.open(join(this.#place.folder, segmentName(number)), "read");
    this.#open.delete(number);
    this.#open.set(number, file);
    const [oldest] = this.#open;
    if (this.#open.size > openSegmentsMax && oldest) {
      this.#open.delete(oldest[0]);
      await (await oldest[1]).close();
    }
    return file;
  }
}

/** The segment of an entry among segments in order; `undefined` when they do not reach it. */
export function segmentAmong<T extends PlacedSegment>(segments: readonly T[], index: number): T | undefined {
  let [low, high] = [0, segments.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((segments[middle]?.firstIndex ?? 0) <= index) low = middle;
    else high = middle - 1;
  }
  const found = segments[low];
  return found && index >= found.firstIndex && index < found.firstIndex + found.count ? found : undefined;
}
