import { hash } from "node:crypto";
import { parseLeaf } from "@licet/evidence";
import { encodeFrame, frameBytes, frameHeaderBytes } from "./frame.ts";
import type { ProvenTree } from "./proven-tree.ts";
import { ciphertextIn } from "./sealing.ts";
import type { GapPiece, SoundPiece, Survey } from "./segment-survey.ts";
import type { ShardFiles } from "./shard-files.ts";
import { leafHash, tileWidth } from "./tree.ts";
import { firstDifference, type Flaw } from "./verdict.ts";

export interface JournalExamination {
  readonly source: ShardFiles;
  readonly backup: ShardFiles | undefined;
  /** Absent when nothing signed could be reproduced: then only what contradicts itself is found. */
  readonly proven: ProvenTree | undefined;
  /** The shard is frozen: there are exactly as many entries as were proven. */
  readonly frozen: boolean;
  /** Whether a key was destroyed: its payloads may have been dropped from the journal. */
  readonly isDestroyed: (kid: string) => boolean;
  /** Called for every entry that is sound, in order. */
  readonly onEntry: (index: number, frame: { readonly leaf: Uint8Array; readonly payload: Uint8Array }) => void;
}

export interface Segment {
  /** Index of its first entry. */
  readonly first: number;
  readonly survey: Survey;
  /** Index behind its last entry, where that is known. */
  readonly endIndex: number | undefined;
  /** It holds at least all entries before this one that no later segment holds. */
  readonly reaches: number;
}

interface Filling {
  readonly at: number;
  readonly bytes: Buffer;
}

/** Numbers a segment's sound frames by the tree, and fills the gaps between them. Used once. */
export class SegmentWalk {
  /** Index behind the last entry. */
  next: number;
  complete = true;
  readonly flaws: Flaw[] = [];
  readonly fillings: Filling[] = [];
  readonly #of: JournalExamination;
  readonly #segment: Segment;
  #last: { readonly batch: number; readonly last: boolean } | undefined;

  constructor(of: JournalExamination, segment: Segment) {
    this.#of = of;
    this.#segment = segment;
    this.next = segment.first;
  }

  /** Number that the next segment's first batch takes; of an empty segment, its own. */
  nextBatch(own: number): number {
    return this.#last === undefined ? own : this.#last.batch + (this.#last.last ? 1 : 2);
  }

  /** Where zeros begin, if it is known that nothing else follows. */
  get zerosFrom(): number | undefined {
    const { endIndex, survey } = this.#segment;
    if (endIndex === undefined || this.next < endIndex || !this.complete) return undefined;
    const frame = survey.pieces.findLast((piece) => piece.kind === "frame" && this.#isCounted(piece));
    return Math.max(survey.start, frame?.end ?? 0, ...this.fillings.map(({ at, bytes }) => at + bytes.length));
  }

  readonly #counted = new Set<number>();

  #isCounted(piece: SoundPiece | GapPiece): boolean {
    return this.#counted.has(piece.at);
  }

  async run(): Promise<this> {
    let gap: { at: number; end: number } | undefined;
    for (const piece of this.#segment.survey.pieces) {
      const index = await this.#indexOf(piece, gap !== undefined);
      if (piece.kind === "gap" || index === undefined) {
        gap = { at: gap?.at ?? piece.at, end: piece.end };
        continue;
      }
      if (gap) await this.#bridge(gap, index);
      gap = undefined;
      this.#take(index, piece);
      this.#counted.add(piece.at);
    }
    await this.#finish(gap);
    return this;
  }

  #take(index: number, frame: { readonly leaf: Uint8Array; readonly payload: Uint8Array; readonly batch: number; readonly last: boolean }): void {
    this.#of.onEntry(index, frame);
    this.next = index + 1;
    this.#last = frame;
  }

  /** The tree says which entry a frame is; where nothing proves what the tree has there, its place does. */
  async #indexOf(piece: SoundPiece | GapPiece, afterGap: boolean): Promise<number | undefined> {
    const { proven } = this.#of;
    if (piece.kind === "gap") return undefined;
    if (!proven || this.next >= proven.size) return this.#placeOf(piece, afterGap);
    if (payloadFlaw(piece) !== undefined) return undefined;
    const own = leafHash(piece.leaf);
    const limit = afterGap ? proven.size : this.next + 1;
    for (let index = this.next; index < limit; index += 1) {
      if ((await proven.leafHashAt(index))?.equals(own) === true) return index;
    }
    // Behind a gap, entries that no checkpoint covers yet may follow those that one does.
    return (await proven.leafHashAt(this.next)) === undefined ? this.#placeOf(piece, afterGap) : undefined;
  }

  /** Counted from the segment's end where that is known and no other gap lies between; otherwise as if the gap held nothing. */
  #placeOf(piece: SoundPiece, afterGap: boolean): number {
    const { endIndex, survey } = this.#segment;
    if (!afterGap || endIndex === undefined) return this.next;
    const rest = survey.pieces.slice(survey.pieces.indexOf(piece));
    return rest.some(({ kind }) => kind === "gap") ? this.next : Math.max(this.next, endIndex - rest.length);
  }

  /** A gap before a sound frame. Where nobody knows how many entries it held, it is still named. */
  async #bridge(gap: { readonly at: number; readonly end: number }, until: number): Promise<void> {
    if (until > this.next) await this.#fill(gap, until);
    else this.#loseUncounted(gap.at, "a whole frame is expected");
  }

  #loseUncounted(offset: number, expected: string): void {
    this.flaws.push({ offset, what: `${expected}: a torn write, which the next start cuts off, or entries that no checkpoint covers`, lost: "what no checkpoint covers" });
    this.complete = false;
  }

  async #finish(gap: { readonly at: number; readonly end: number } | undefined): Promise<void> {
    const { survey, endIndex, reaches } = this.#segment;
    const at = gap?.at ?? survey.end;
    const filled = await this.#fill({ at, end: at }, Math.max(this.next, endIndex ?? reaches));
    const tail = at + filled;
    if (gap === undefined || gap.end <= tail) return;
    // Without a signed count nobody knows whether a torn write or an entry that was never published stood here.
    if (endIndex === undefined) this.#loseUncounted(tail, "zeros are expected");
    else this.flaws.push({ offset: tail, what: "zeros are expected after the segment's last entry" });
  }

  /** Puts the entries up to `until` into the gap; answers how many bytes. A gap without length is at the segment's end. */
  async #fill(gap: { readonly at: number; readonly end: number }, until: number): Promise<number> {
    const from = this.next;
    if (until <= from) return 0;
    const named = until - from === 1 ? `entry ${from}` : `entries ${from} to ${until - 1}`;
    const exact = await pinpoint(this.#of, this.#segment.survey.bytes, { at: gap.at, index: from });
    const flaw = { offset: exact?.offset ?? gap.at, what: `${exact?.what ?? "a whole frame is expected"} (${named})` };
    const fitting = (await replacements(this.#of, from, until)).find((frames) => frames.length === until - from && [0, bytesOf(frames)].includes(gap.end - gap.at));
    if (!fitting) {
      this.flaws.push({ ...flaw, lost: named });
      this.complete = false;
      this.next = until;
      return 0;
    }
    this.flaws.push(flaw);
    for (const [at, frame] of fitting.entries()) this.#take(from + at, frame);
    const bytes = Buffer.concat(fitting.map((frame) => frame.bytes));
    this.fillings.push({ at: gap.at, bytes });
    return bytes.length;
  }
}

/** A sealed payload is known by the digest in its leaf; an empty one was reclaimed after its erasure. */
export function payloadFlaw({ leaf, payload }: { readonly leaf: Uint8Array; readonly payload: Uint8Array }): string | undefined {
  const parsed = parseLeaf(leaf);
  if (!parsed.ok || payload.length === 0) return undefined;
  const ciphertext = ciphertextIn(payload);
  const { digest, size } = parsed.value.payload;
  if (ciphertext.length !== size) return `its payload has ${ciphertext.length} bytes of ciphertext instead of ${size}`;
  return `sha256:${hash("sha256", ciphertext, "hex")}` === digest ? undefined : "its payload is not the one that its leaf commits to";
}

interface Replacement {
  readonly leaf: Uint8Array;
  readonly payload: Uint8Array;
  readonly batch: number;
  readonly last: boolean;
  readonly bytes: Buffer;
}

function bytesOf(frames: readonly Replacement[]): number {
  return frames.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

/** As the backup has them, and as they are once the payloads of destroyed keys were dropped. */
async function replacements(of: JournalExamination, from: number, until: number): Promise<readonly (readonly Replacement[])[]> {
  const frames: Replacement[] = [];
  const stripped: Replacement[] = [];
  for (let index = from; index < until; index += 1) {
    const frame = await proven(of, index);
    if (!frame) break;
    const leaf = parseLeaf(frame.leaf);
    const gone = leaf.ok && of.isDestroyed(leaf.value.payload.kid);
    frames.push(encoded(frame));
    stripped.push(gone ? encoded({ ...frame, payload: Buffer.alloc(0) }) : encoded(frame));
  }
  return [frames, stripped];
}

/** Taken only when the signed tree has this very leaf at this place, and the leaf commits to this very payload. */
async function proven({ backup, proven: tree }: JournalExamination, index: number): Promise<SoundPiece | undefined> {
  const expected = await tree?.leafHashAt(index);
  const frame = expected && (await backup?.frameAt(index));
  return frame && leafHash(frame.leaf).equals(expected) && payloadFlaw(frame) === undefined ? frame : undefined;
}

function encoded({ leaf, payload, batch, last }: Omit<Replacement, "bytes">): Replacement {
  const bytes = Buffer.alloc(frameBytes({ leaf, payload }));
  encodeFrame(bytes, { leaf, payload }, { at: 0, batch, last });
  return { leaf, payload, batch, last, bytes };
}

/** Where the leaf is known from a bundle, the very byte of it that has changed. */
async function pinpoint({ source, proven }: JournalExamination, bytes: Buffer, { at, index }: { readonly at: number; readonly index: number }): Promise<Flaw | undefined> {
  const expected = await proven?.leafHashAt(index);
  const bundles = await source.bundles(Math.floor(index / tileWidth));
  const leaf = bundles.map((bundle) => bundle[index % tileWidth]).find((each) => each && expected?.equals(leafHash(each)) === true);
  if (!leaf || at + frameHeaderBytes + leaf.length > bytes.length) return undefined;
  const header = Buffer.alloc(4);
  header.writeUInt32LE(leaf.length, 0);
  const actual = Buffer.concat([bytes.subarray(at + 12, at + 15), Buffer.of((bytes[at + 15] ?? 0) & 0x7f), bytes.subarray(at + frameHeaderBytes, at + frameHeaderBytes + leaf.length)]);
  const found = firstDifference(actual, Buffer.concat([header, leaf]));
  if (found) return { offset: at + 12 + found.offset, what: found.what };
  return { offset: at + frameHeaderBytes + leaf.length, what: "its payload is not what the frame's checksum, or its leaf, says" };
}
