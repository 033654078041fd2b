import { allows, type Role, type RouteAnswer } from "@licet/contract";
import { fromUtf8, parseLeaf, toBase64, type Leaf } from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import type { LoggedEntry, Recorder } from "../ledger/recorder.ts";
import type { ShardView } from "../ledger/shards.ts";
import { checkpointSize } from "./audit-pack.ts";
import { entryAt, findDecisionLine, findEntry, type LogLine, type Reader } from "./store.ts";

/** What a page or an export needs of the log. */
export interface LogReading {
  readonly vkey: string;
  readonly size: number;
  readonly shards: readonly ShardView[];
  /** Signs a checkpoint over everything durable now. */
  publish(): Promise<string>;
  leafAt(index: number): Promise<Uint8Array | undefined>;
}

export interface EntryViewDeps {
  readonly read: Reader;
  readonly recorder: Pick<Recorder, "readAt">;
  readonly log: LogReading;
}

export interface EntryAsked {
  readonly space: string;
  /** An entry's or a decision's id, or a number in the log. */
  readonly entry: string;
  readonly roles: readonly Role[];
  readonly names: ReadonlyMap<string, string>;
}

type EntryAnswer = RouteAnswer<"showLogEntry">;

function missing(entry: string): LicetError {
  return new LicetError("not_found", { message: `there is no entry \`${entry}\` in this space` });
}

async function placeOf(deps: EntryViewDeps, { space, entry }: EntryAsked): Promise<{ readonly index: number; readonly line: LogLine | undefined }> {
  if (/^\d{1,15}$/u.test(entry)) return { index: Number(entry), line: await entryAt(deps.read, space, Number(entry)) };
  const line = (await findEntry(deps.read, space, entry)) ?? (await findDecisionLine(deps.read, space, entry));
  if (line === undefined) throw missing(entry);
  return { index: line.logIndex, line };
}

interface Read {
  readonly entry: LoggedEntry | undefined;
  readonly payload: EntryAnswer["payload"];
}

/** Prompts and answers are for those whose task is to read them; everything else, for whoever reads the log. */
async function opened(deps: EntryViewDeps, { space, roles }: EntryAsked, at: { readonly index: number; readonly leaf: Leaf }): Promise<Read> {
  try {
    const entry = await deps.recorder.readAt(space, at.index);
    return { entry, payload: at.leaf.payload.class === "content" && !allows(roles, "content.read") ? "withheld" : "open" };
  } catch (error) {
    if (error instanceof LicetError && error.code === "payload_erased") return { entry: undefined, payload: "erased" };
    throw error;
  }
}

/** The shard that holds an entry of the log. */
export function shardOf(shards: readonly ShardView[], index: number): ShardView {
  const shard = shards.findLast(({ base }) => base <= index);
  if (shard === undefined) throw new LicetError("internal");
  return shard;
}

/** A frozen shard is never signed again: its last checkpoint is what there is. */
async function checkpointOf(log: LogReading, shard: ShardView): Promise<string> {
  const checkpoint = shard.frozen ? shard.checkpoint() : await log.publish();
  if (checkpoint === undefined) throw new LicetError("not_found", { message: `the shard \`${shard.name}\` has no signed checkpoint` });
  return checkpoint;
}

async function leafOf(deps: EntryViewDeps, asked: EntryAsked, index: number): Promise<{ readonly text: string; readonly leaf: Leaf }> {
  const bytes = await deps.log.leafAt(index);
  if (bytes === undefined) throw missing(asked.entry);
  const text = fromUtf8(bytes);
  const leaf = parseLeaf(bytes);
  if (!text.ok || !leaf.ok) throw new LicetError("log_damaged");
  // Another space's entry is not there for whoever asks from this one.
  if (leaf.value.space !== asked.space) throw missing(asked.entry);
  return { text: text.value, leaf: leaf.value };
}

interface RowParts {
  readonly line: LogLine | undefined;
  readonly entry: LoggedEntry | undefined;
  readonly leaf: Leaf;
  readonly index: number;
  readonly names: ReadonlyMap<string, string>;
}

/** A decision is known by the id in its body. */
function named({ entry, leaf }: RowParts): { readonly id: string; readonly system: string | null; readonly actor: string } {
  if (entry === undefined) return { id: leaf.id, system: null, actor: leaf.actor };
  const own = leaf.kind.endsWith(".decision") ? entry.body["id"] : undefined;
  return { id: typeof own === "string" ? own : leaf.id, system: entry.system ?? null, actor: entry.actor };
}

/** From its row, else from its payload, else what the leaf alone says. */
function rowOf(parts: RowParts): EntryAnswer["row"] {
  const { leaf, index, names, line } = parts;
  const { id, system, actor } = line ?? named(parts);
  return { id, index, kind: leaf.kind, system, actor: names.get(actor) ?? actor, at: leaf.time };
}

/** One entry as those who may read the log see it, with its proof under its shard's checkpoint. */
export async function entryView(deps: EntryViewDeps, asked: EntryAsked): Promise<EntryAnswer> {
  const { index, line } = await placeOf(deps, asked);
  const { text, leaf } = await leafOf(deps, asked, index);
  const shard = shardOf(deps.log.shards, index);
  const checkpoint = await checkpointOf(deps.log, shard);
  const size = checkpointSize(checkpoint);
  const local = index - shard.base;
  if (local >= size) throw new LicetError("not_found", { message: `entry ${index} came after the last checkpoint of its shard \`${shard.name}\`; the next shard's first entry vouches for it` });
  const proof = await shard.inclusionProof(local, size);
  const { entry, payload } = await opened(deps, asked, { index, leaf });
  return {
    row: rowOf({ line, entry, leaf, index, names: asked.names }),
    leaf: text,
    proof: proof.map((hash) => toBase64(hash)),
    size,
    checkpoint,
    body: payload === "open" ? (entry?.body ?? null) : null,
    payload,
    shard: { name: shard.name, origin: shard.origin, index: local },
  };
}
