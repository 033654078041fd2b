import { join } from "node:path";
import { entriesPath, parseEntryBundle, tilePath } from "@licet/evidence";
import type { Files } from "./files.ts";
import { decodeSegmentHeader, segmentHeaderBytes, segmentName, segmentNumber } from "./segment.ts";
import { loadSegmentIndex, segmentIndexPath } from "./segment-index.ts";
import { type SoundPiece, type Survey, surveySegment } from "./segment-survey.ts";
import { hashBytes, tileWidth } from "./tree.ts";

/** Two segments of 64 MB at a time, however long the log. */
const surveysMax = 2;
const bundlesMax = 64;

interface IndexedSurvey extends Survey {
  /** Frames whose index follows from their place alone. */
  readonly byIndex: ReadonlyMap<number, SoundPiece>;
}

/** A shard's files as they lie there, damaged or not: what is read here is a claim, and proven elsewhere. */
export class ShardFiles {
  readonly files: Files;
  readonly folder: string;
  readonly #surveys = new Map<number, Promise<IndexedSurvey | undefined>>();
  readonly #bundles = new Map<number, Promise<readonly (readonly Uint8Array[])[]>>();
  #numbers: readonly number[] | undefined;
  #firsts: Promise<ReadonlyMap<number, number>> | undefined;

  constructor(files: Files, folder: string) {
    this.files = files;
    this.folder = folder;
  }

  async segmentNumbers(): Promise<readonly number[]> {
    this.#numbers ??= (await this.files.list(join(this.folder, "journal"))).flatMap((name) => segmentNumber(name) ?? []);
    return this.#numbers;
  }

  /** Index of a segment's first entry, as its own header or a neighbour's index file says. */
  async firstIndexOf(number: number): Promise<number | undefined> {
    this.#firsts ??= this.#readFirsts();
    return (await this.#firsts).get(number);
  }

  survey(number: number): Promise<Survey | undefined> {
    return this.#survey(number);
  }

  /** The frame of an entry, where its place can be told without a proof. */
  async frameAt(index: number): Promise<SoundPiece | undefined> {
    let holder: number | undefined;
    for (const number of await this.segmentNumbers()) {
      const first = await this.firstIndexOf(number);
      if (first !== undefined && first <= index) holder = number;
    }
    return holder === undefined ? undefined : (await this.#survey(holder))?.byIndex.get(index);
  }

  /** What every file that should hold this bundle says, longest first. */
  bundles(index: number): Promise<readonly (readonly Uint8Array[])[]> {
    return recall(this.#bundles, { key: index, keep: bundlesMax, make: () => this.#readBundles(index) });
  }

  /** What every file of this tile says, longest first. */
  async rows(level: number, index: number): Promise<readonly Uint8Array[]> {
    const found: Uint8Array[] = [];
    for (const path of await this.#variants(tilePath({ level, index, width: tileWidth }))) {
      const bytes = await this.files.readWhole(path);
      if (bytes && bytes.length > 0 && bytes.length % hashBytes === 0) found.push(bytes);
    }
    return found;
  }

  async #variants(tile: string): Promise<readonly string[]> {
    const partials = join(this.folder, `${tile}.p`);
    const widths = (await this.files.list(partials)).filter((name) => /^[1-9]\d{0,2}$/.test(name)).sort((a, b) => Number(b) - Number(a));
    return [join(this.folder, tile), ...widths.map((name) => join(partials, name))];
  }

  async #readBundles(index: number): Promise<readonly (readonly Uint8Array[])[]> {
    const found: (readonly Uint8Array[])[] = [];
    for (const path of await this.#variants(entriesPath(index))) {
      const bytes = await this.files.readWhole(path);
      const partial = /\.p\/(\d+)$/.exec(path)?.[1];
      const parsed = bytes && parseEntryBundle(bytes, partial === undefined ? tileWidth : Number(partial));
      if (parsed?.ok === true) found.push(parsed.value);
    }
    return found;
  }

  #survey(number: number): Promise<IndexedSurvey | undefined> {
    return recall(this.#surveys, { key: number, keep: surveysMax, make: () => this.#readSurvey(number) });
  }

  async #readSurvey(number: number): Promise<IndexedSurvey | undefined> {
    const bytes = await this.files.readWhole(join(this.folder, "journal", segmentName(number)));
    if (!bytes) return undefined;
    const survey = surveySegment(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    return { ...survey, byIndex: placed(survey, await this.firstIndexOf(number), await this.firstIndexOf(number + 1)) };
  }

  async #readFirsts(): Promise<ReadonlyMap<number, number>> {
    const firsts = new Map<number, number>([[0, 0]]);
    const journal = join(this.folder, "journal");
    for (const number of await this.segmentNumbers()) {
      const header = await this.#header(join(journal, segmentName(number)));
      const known = await loadSegmentIndex(this.files, segmentIndexPath(journal, number));
      const first = header ?? known?.firstIndex ?? firsts.get(number);
      if (first !== undefined) firsts.set(number, first);
      if (known && first !== undefined) firsts.set(number + 1, first + known.count);
    }
    return firsts;
  }

  async #header(path: string): Promise<number | undefined> {
    const file = await this.files.open(path, "read");
    try {
      const header = Buffer.alloc(segmentHeaderBytes);
      return (await file.read(header, 0)) === segmentHeaderBytes ? decodeSegmentHeader(header) : undefined;
    } finally {
      await file.close();
    }
  }
}

/** Forwards from the segment's first entry, and backwards from the next segment's, as far as no gap makes the count unsure. */
function placed({ pieces }: Survey, first: number | undefined, next: number | undefined): Map<number, SoundPiece> {
  const found = new Map<number, SoundPiece>();
  for (const [at, piece] of pieces.entries()) {
    if (piece.kind === "gap" || first === undefined) break;
    found.set(first + at, piece);
  }
  for (const [at, piece] of pieces.toReversed().entries()) {
    if (piece.kind === "gap" || next === undefined) break;
    found.set(next - 1 - at, piece);
  }
  return found;
}

function recall<T>(cache: Map<number, Promise<T>>, of: { readonly key: number; readonly keep: number; readonly make: () => Promise<T> }): Promise<T> {
  const known = cache.get(of.key) ?? of.make();
  cache.delete(of.key);
  cache.set(of.key, known);
  const [oldest] = cache.keys();
  if (cache.size > of.keep && oldest !== undefined) cache.delete(oldest);
  return known;
}
