import { join } from "node:path";
import { decodeFrame } from "./frame.ts";
import { encodeSegmentHeader, segmentHeaderBytes, segmentName } from "./segment.ts";
import { encodeSegmentIndex, entriesPerMark, loadSegmentIndex, segmentIndexPath } from "./segment-index.ts";
import type { Survey } from "./segment-survey.ts";
import { type JournalExamination, type Segment, SegmentWalk } from "./segment-walk.ts";
import { type FileVerdict, firstDifference, type Flaw } from "./verdict.ts";

export interface JournalEnd {
  /** Entries of the journal, counted through damage where the tree tells how many were there. */
  readonly size: number;
}

/** Goes through all segments and yields what is wrong, with the bytes that should stand there where a backup proves them. */
export async function* examineJournal(of: JournalExamination): AsyncGenerator<FileVerdict, JournalEnd> {
  const present = await of.source.segmentNumbers();
  const last = Math.max(present.at(-1) ?? -1, await lastNeeded(of));
  let first = 0;
  let batch = 1;
  for (let number = 0; number <= last; number += 1) {
    const segment = await segmentAt(of, { number, first, newest: number === last });
    const walk = await new SegmentWalk(of, segment).run();
    const bytes = rebuilt(segment, walk);
    const verdict = verdictOf({ number, segment, walk, bytes, present: present.includes(number) });
    if (verdict) yield verdict;
    if (number < last) yield* walk.complete ? examineIndex(of, { number, first, bytes, batch }) : unsureIndex(of, number);
    batch = walk.nextBatch(batch);
    first = walk.next;
  }
  return { size: first };
}

/** A file that is gone still counts when the tree proves entries that only it could hold. */
async function lastNeeded({ backup, proven }: JournalExamination): Promise<number> {
  const numbers = (await backup?.segmentNumbers()) ?? [];
  const needed: number[] = [];
  for (const number of numbers) {
    const first = await backup?.firstIndexOf(number);
    if (first !== undefined && first < (proven?.size ?? 0)) needed.push(number);
  }
  return needed.at(-1) ?? -1;
}

async function segmentAt(of: JournalExamination, { number, first, newest }: { readonly number: number; readonly first: number; readonly newest: boolean }): Promise<Segment> {
  const { source, backup, proven, frozen } = of;
  const survey = (await source.survey(number)) ?? (await missing(of, number));
  if (newest) return { first, survey, endIndex: frozen ? proven?.size : undefined, reaches: proven?.size ?? 0 };
  const following = (await source.firstIndexOf(number + 1)) ?? (await backup?.firstIndexOf(number + 1));
  return { first, survey, endIndex: following, reaches: 0 };
}

async function missing({ backup }: JournalExamination, number: number): Promise<Survey> {
  const like = await backup?.survey(number);
  return { bytes: Buffer.alloc(like?.bytes.length ?? segmentHeaderBytes), pieces: [], start: segmentHeaderBytes, end: segmentHeaderBytes };
}

interface Walked {
  readonly number: number;
  readonly segment: Segment;
  readonly walk: SegmentWalk;
  readonly bytes: Buffer;
  readonly present: boolean;
}

function verdictOf({ number, segment, walk, bytes, present }: Walked): FileVerdict | undefined {
  const flaws: readonly Flaw[] = present ? walk.flaws : [{ offset: 0, what: "the segment is missing" }, ...walk.flaws];
  const exact = firstDifference(segment.survey.bytes, bytes);
  const known = exact && flaws.every((flaw) => flaw.offset > exact.offset) ? [exact, ...flaws] : sharpened(flaws, exact);
  if (known.length === 0) return undefined;
  const improved = exact !== undefined || (!present && walk.fillings.length > 0);
  return { path: join("journal", segmentName(number)), flaws: known, ...(improved ? { repaired: bytes } : {}), complete: walk.complete };
}

function rebuilt(segment: Segment, { fillings, zerosFrom }: SegmentWalk): Buffer {
  const { bytes } = segment.survey;
  const length = Math.max(bytes.length, segmentHeaderBytes, ...fillings.map((each) => each.at + each.bytes.length));
  const result = Buffer.alloc(length);
  result.set(bytes);
  result.set(encodeSegmentHeader(segment.first));
  for (const filling of fillings) result.set(filling.bytes, filling.at);
  if (zerosFrom !== undefined) result.fill(0, zerosFrom);
  return result;
}

/** Once the right bytes are known, the first flaw is the first byte that differs. */
function sharpened(flaws: readonly Flaw[], exact: Flaw | undefined): readonly Flaw[] {
  const [first, ...rest] = flaws;
  if (!first || !exact || first.lost !== undefined) return flaws;
  return [exact.offset === first.offset ? first : { offset: exact.offset, what: `${exact.what}; ${first.what}` }, ...rest];
}

/** An index is derived: it only has to be what the segment gives. */
async function* examineIndex({ source }: JournalExamination, of: { readonly number: number; readonly first: number; readonly bytes: Buffer; readonly batch: number }): AsyncGenerator<FileVerdict> {
  const path = segmentIndexPath("journal", of.number);
  const actual = await source.files.readWhole(join(source.folder, path));
  if (!actual) return;
  const marks: number[] = [];
  let count = 0;
  let batch = of.batch - 1;
  let whole = true;
  for (let at = segmentHeaderBytes, frame = decodeFrame(of.bytes, at); frame; at = frame.end, frame = decodeFrame(of.bytes, at)) {
    if (count % entriesPerMark === 0) marks.push(at);
    count += 1;
    batch = frame.batch;
    whole = frame.last;
  }
  const expected = encodeSegmentIndex({ firstIndex: of.first, count, nextBatch: whole ? batch + 1 : batch + 2, marks });
  const flaw = firstDifference(actual, expected);
  if (flaw) yield { path, flaws: [flaw], repaired: expected, complete: true };
}

/** What it should hold depends on entries that are unknown: only its own checksum speaks. */
async function* unsureIndex({ source }: JournalExamination, number: number): AsyncGenerator<FileVerdict> {
  const path = segmentIndexPath("journal", number);
  const absolute = join(source.folder, path);
  if (!(await source.files.readWhole(absolute)) || (await loadSegmentIndex(source.files, absolute))) return;
  yield { path, flaws: [{ offset: 0, what: "its checksum is not that of its content", lost: "its content, while entries of its segment are unknown" }], complete: false };
}
