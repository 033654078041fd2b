import { join } from "node:path";
import { type LogSigner, openCheckpoint } from "./checkpoint.ts";
import { examineJournal } from "./examine-journal.ts";
import { examineTiles } from "./examine-tiles.ts";
import type { Files } from "./files.ts";
import { type Claim, type ProvenTree, proveTree } from "./proven-tree.ts";
import type { JournalExamination } from "./segment-walk.ts";
import { ShardFiles } from "./shard-files.ts";
import { claimOf, firstShard, formatShardList, parseShardList, type ShardList, shardListName, type ShardRecord } from "./shard-list.ts";
import { signerFor } from "./shards.ts";
import { type FileVerdict, firstDifference } from "./verdict.ts";

export interface LogExamination {
  readonly files: Files;
  /** `log` in the data directory. */
  readonly folder: string;
  readonly signer: LogSigner;
  /** Last signed checkpoints from the keys and the database. */
  readonly notes: readonly string[];
  /** The list of shards as the keys remember it. */
  readonly known: ShardList | undefined;
  /** `log` in a backup. */
  readonly backup?: string | undefined;
  /** Whether a key was destroyed: its payloads may have been dropped from the journal. */
  readonly isDestroyed?: (kid: string) => boolean;
  /** Called for every sound entry with its index in the whole log. */
  readonly onEntry?: (index: number, frame: { readonly leaf: Uint8Array; readonly payload: Uint8Array }) => void;
  readonly onProgress?: (what: string) => void;
}

/** What is wrong with the log's files, with what should stand there as far as it is proven. Writes nothing. */
export async function* examineLog(of: LogExamination): AsyncGenerator<FileVerdict, { readonly size: number; readonly shards: ShardList }> {
  const { verdict, shards } = await examineList(of);
  if (verdict) yield verdict;
  let size = 0;
  for (const [at, record] of shards.entries()) {
    for await (const found of shardVerdicts(of, record, shards[at + 1]?.previous ?? undefined)) {
      if (typeof found === "number") size = record.base + found;
      else yield { ...found, path: `${record.path}${found.path}` };
    }
  }
  return { size, shards };
}

interface ListExamination {
  readonly verdict?: FileVerdict;
  readonly shards: ShardList;
}

/** The keys' memory decides, then the file itself, then a backup. */
async function examineList({ files, folder, signer, known, backup }: LogExamination): Promise<ListExamination> {
  const path = shardListName;
  const actual = await files.readWhole(join(folder, path));
  const saved = actual && backup !== undefined ? await files.readWhole(join(backup, path)) : undefined;
  const shards = known ?? (actual && readable(actual)) ?? (saved && readable(saved));
  if (!actual && !known) return { shards: [firstShard(signer.origin)] };
  if (!shards) return { shards: [firstShard(signer.origin)], verdict: { path, flaws: [{ offset: 0, what: "a list of shards is expected", lost: "which shards there are" }], complete: false } };
  const right = Buffer.from(formatShardList(shards));
  const flaw = actual ? firstDifference(actual, right) : { offset: 0, what: "the file is missing" };
  return flaw ? { shards, verdict: { path, flaws: [flaw], repaired: right, complete: true } } : { shards };
}

function readable(bytes: Uint8Array): ShardList | undefined {
  try {
    return parseShardList(Buffer.from(bytes).toString("utf8"), shardListName);
  } catch {
    return undefined;
  }
}

interface Signed extends Claim {
  readonly note: string;
}

/** Verdicts of one shard; the number is how many entries it has. */
async function* shardVerdicts(of: LogExamination, record: ShardRecord, end: ShardRecord["previous"] | undefined): AsyncGenerator<FileVerdict | number> {
  const source = new ShardFiles(of.files, join(of.folder, record.path));
  const backup = of.backup === undefined ? undefined : new ShardFiles(of.files, join(of.backup, record.path));
  of.onProgress?.(`shard ${record.name}: checkpoints`);
  const { own, signed, proven } = await proofOf(of, record, { source, backup, end });
  yield* examineCheckpoint({ own, signed, proven, frozen: end !== undefined });
  of.onProgress?.(`shard ${record.name}: journal`);
  const onEntry: JournalExamination["onEntry"] = (index, frame) => of.onEntry?.(record.base + index, frame);
  const journal = examineJournal({ source, backup, proven, frozen: end !== undefined, isDestroyed: of.isDestroyed ?? (() => false), onEntry });
  let found = await journal.next();
  for (; found.done !== true; found = await journal.next()) yield found.value;
  const { size } = found.value;
  of.onProgress?.(`shard ${record.name}: tiles`);
  // Tiles are on the disk before what covers them is signed.
  const published = Math.max(proven?.size ?? 0, signed.find(({ note }) => note === own)?.size ?? 0);
  yield* examineTiles({ source, backup, proven, published, size });
  yield size;
}

interface ShardParts {
  readonly source: ShardFiles;
  readonly backup: ShardFiles | undefined;
  readonly end: ShardRecord["previous"] | undefined;
}

/** The shard's own checkpoint, all signed ones, and the largest tree that one of them, or the next shard, stands for. */
async function proofOf(of: LogExamination, record: ShardRecord, { source, backup, end }: ShardParts): Promise<Omit<CheckpointExamination, "frozen">> {
  const own = await noteIn(source);
  const signed = await signedNotes(of, record, [own, ...of.notes, backup && (await noteIn(backup))]);
  const cited = end ? [{ size: end.size, root: Buffer.from(end.root, "base64") }] : [];
  return { own, signed, proven: await proveLargest([...cited, ...signed], backup ? [source, backup] : [source]) };
}

async function noteIn({ files, folder }: ShardFiles): Promise<string | undefined> {
  const bytes = await files.readWhole(join(folder, "checkpoint"));
  return bytes && Buffer.from(bytes).toString("utf8");
}

/** The notes of this shard that its key has signed, largest first; the shard's own before others of its size. */
async function signedNotes({ signer }: LogExamination, { origin }: ShardRecord, notes: readonly (string | undefined)[]): Promise<readonly Signed[]> {
  const found: Signed[] = [];
  for (const note of new Set(notes)) {
    if (note === undefined || claimOf(note)?.origin !== origin) continue;
    const opened = await openCheckpoint(signerFor(signer, origin), note).catch(() => undefined);
    if (opened) found.push({ size: opened.size, root: opened.root, note });
  }
  return found.sort((a, b) => b.size - a.size);
}

async function proveLargest(claims: readonly Claim[], sources: readonly ShardFiles[]): Promise<ProvenTree | undefined> {
  for (const claim of [...claims].sort((a, b) => b.size - a.size)) {
    const proven = await proveTree(claim, sources);
    if (proven) return proven;
  }
  return undefined;
}

interface CheckpointExamination {
  readonly own: string | undefined;
  readonly signed: readonly Signed[];
  readonly proven: ProvenTree | undefined;
  readonly frozen: boolean;
}

function* examineCheckpoint({ own, signed, proven, frozen }: CheckpointExamination): Generator<FileVerdict> {
  const path = "checkpoint";
  const beyond = signed.find(({ size }) => size > (proven?.size ?? -1));
  if (beyond) {
    const what = `nothing that is left here gives the root over ${beyond.size} entries that was signed${proven ? `; what was signed over ${proven.size} holds` : ""}`;
    yield { path, flaws: [{ offset: 0, what, lost: `what a checkpoint over ${beyond.size} entries covers` }], complete: false };
  }
  const mine = signed.find(({ note }) => note === own);
  if (mine) {
    const right = withOwnLines(mine, signed);
    const flaw = firstDifference(Buffer.from(mine.note), right);
    if (flaw) yield { path, flaws: [flaw], repaired: right, complete: true };
    return;
  }
  const best = signed.find(({ size }) => size <= (proven?.size ?? -1));
  if (own === undefined && (best === undefined || frozen)) return;
  if (!best) {
    yield { path, flaws: [{ offset: 0, what: "a checkpoint that the log's key has signed is expected", lost: "the last signed checkpoint" }], complete: false };
    return;
  }
  const right = Buffer.from(best.note);
  const flaw = own === undefined ? { offset: 0, what: "the file is missing" } : firstDifference(Buffer.from(own), right);
  if (flaw) yield { path, flaws: [flaw], repaired: right, complete: true };
}

/** The log's own signature lines as the keys remember them; others' cosignatures stay as they are. */
function withOwnLines(own: Signed, signed: readonly Signed[]): Buffer {
  const twin = signed.find(({ note, size, root }) => note !== own.note && size === own.size && Buffer.from(root).equals(own.root));
  const lines = own.note.split("\n");
  if (!twin || twin.note.split("\n").every((line) => lines.includes(line))) return Buffer.from(own.note);
  const name = `\u2014 ${claimOf(own.note)?.origin ?? ""} `;
  const cosignatures = lines.filter((line) => line.startsWith("\u2014 ") && !line.startsWith(name));
  return Buffer.from([twin.note.trimEnd(), ...cosignatures, ""].join("\n"));
}
