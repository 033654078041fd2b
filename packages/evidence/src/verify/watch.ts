import { equalBytes, fromUtf8, utf8 } from "../bytes.ts";
import { verifyCheckpoint, type VerifiedCheckpoint } from "../checkpoint.ts";
import { checkpointPath } from "../pack.ts";
import { parsed, refused, type Parsed } from "../parsed.ts";
import { rangeHash } from "../proof.ts";
import { shardPrefix, type LogShard } from "../shard.ts";
import type { Trust } from "../trust.ts";
import { checkQuorum } from "../witness-policy.ts";
import { verifyWitnesses } from "../witnessing.ts";
import { readKept } from "./kept.ts";
import { checkpointBytesMax, nodesOf, provenByTiles } from "./log.ts";
import { readShards, trustOfShard } from "./log-shards.ts";
import { below, SourceUnreachable, type LogSource } from "./log-source.ts";

/** Last verified checkpoints by origin: the signed notes. */
export type Known = ReadonlyMap<string, string>;

/** What a round of watching found. `alarm`: the log broke its promise, and `notes` prove it to anybody. */
export type WatchEvent =
  | { readonly level: "news" | "warning"; readonly code: string; readonly sentence: string }
  | { readonly level: "failure"; readonly code: string; readonly sentence: string }
  | { readonly level: "alarm"; readonly code: "rollback" | "fork"; readonly sentence: string; readonly notes: readonly string[] };

export interface WatchRound {
  readonly known: Known;
  readonly events: readonly WatchEvent[];
}

export interface Watched {
  readonly source: LogSource;
  readonly trust: Trust;
  readonly known: Known;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** A quorum of cosignatures older than this many milliseconds is warned of. */
  readonly witnessAgeMax: number;
}

/**
 * Fetches the log's checkpoints once and proves from its tiles that each continues the one known before. A failure says
 * nothing was learned; an alarm that the log was cut back or forked. What is known grows only by what was proved.
 */
export async function watchRound(watched: Watched): Promise<WatchRound> {
  try {
    return await round(watched);
  } catch (error) {
    if (!(error instanceof SourceUnreachable)) throw error;
    return { known: watched.known, events: [{ level: "failure", code: "unreachable", sentence: error.message }] };
  }
}

async function round(watched: Watched): Promise<WatchRound> {
  const { source, trust } = watched;
  const shards = await readShards(source, trust);
  if (!shards.ok) return { known: watched.known, events: [{ level: "failure", code: shards.code, sentence: shards.message }] };
  const known = new Map(watched.known);
  const events: WatchEvent[] = [];
  for (const [origin, note] of watched.known) {
    const gone = !shards.value.some((shard) => shard.origin === origin);
    if (gone) events.push({ level: "alarm", code: "rollback", sentence: `the log no longer has \`${origin}\`, of which a checkpoint is known`, notes: [note] });
  }
  for (const [at, shard] of shards.value.entries()) {
    const seen = await lookAt(watched, shard, at);
    if (seen.note !== undefined) known.set(shard.origin, seen.note);
    events.push(...seen.events);
    const newest = at === shards.value.length - 1 ? (seen.note ?? watched.known.get(shard.origin)) : undefined;
    if (newest !== undefined) events.push(...(await witnessEvents(newest, watched)));
  }
  return { known, events };
}

interface Seen {
  /** The newest checkpoint that was proved. */
  readonly note?: string;
  readonly events: readonly WatchEvent[];
}

async function lookAt(watched: Watched, shard: LogShard, at: number): Promise<Seen> {
  const source = below(watched.source, shardPrefix(at, shard));
  const signed = await readSigned(source, watched.trust, shard);
  if (!signed.ok) return { events: [{ level: "failure", code: signed.code, sentence: `\`${shard.origin}\`: ${signed.message}` }] };
  const { note, checkpoint } = signed.value;
  const knownNote = watched.known.get(shard.origin);
  if (knownNote === undefined) return { note, events: [{ level: "news", code: at === 0 ? "first_seen" : "shard_begun", sentence: `\`${shard.origin}\`: first seen with ${checkpoint.size} entries` }] };
  const old = await readKept(utf8(knownNote), watched.trust);
  if (!old.ok) return { events: [{ level: "failure", code: "state_unusable", sentence: `\`${shard.origin}\`: the known checkpoint does not verify: ${old.message}` }] };
  return compare({ source, origin: shard.origin, old: old.value, checkpoint, notes: [knownNote, note] });
}

interface Signed {
  readonly note: string;
  readonly checkpoint: VerifiedCheckpoint;
}

async function readSigned(source: LogSource, trust: Trust, { origin }: LogShard): Promise<Parsed<Signed>> {
  const bytes = await source.read(checkpointPath, checkpointBytesMax);
  if (bytes === undefined) return refused("checkpoint_missing", "there is no readable checkpoint");
  const note = fromUtf8(bytes);
  const signers = trustOfShard(trust, origin);
  if (!note.ok) return note;
  if (signers === undefined) return refused("checkpoint_origin", "it is no shard of the trusted log");
  const checkpoint = await verifyCheckpoint(note.value, signers);
  return checkpoint.ok ? parsed({ note: note.value, checkpoint: checkpoint.value }) : checkpoint;
}

interface Comparison {
  readonly source: LogSource;
  readonly origin: string;
  readonly old: VerifiedCheckpoint;
  readonly checkpoint: VerifiedCheckpoint;
  /** The older and the newer. */
  readonly notes: readonly [string, string];
}

async function compare({ source, origin, old, checkpoint, notes }: Comparison): Promise<Seen> {
  const sizes = `${old.size} and ${checkpoint.size} entries`;
  const alarm = (code: "rollback" | "fork", what: string): Seen => ({ events: [{ level: "alarm", code, sentence: `\`${origin}\`: ${what}`, notes }] });
  if (checkpoint.size < old.size) return alarm("rollback", `the log had ${old.size} entries and now shows ${checkpoint.size}`);
  if (checkpoint.size === old.size) return equalBytes(checkpoint.root, old.root) ? { note: notes[1], events: [] } : alarm("fork", `the log signed two different states of ${old.size} entries`);
  const proved = await provenByTiles(source, old, checkpoint);
  if (proved === true) return { note: notes[1], events: [{ level: "news", code: "grown", sentence: `\`${origin}\`: grew from ${sizes}; the newer state continues the older` }] };
  // Tiles that do not even give the newer root say nothing about the older one.
  const whole = proved === false && (await givesRoot(source, checkpoint));
  return whole ? alarm("fork", `the states of ${sizes} do not continue each other`) : { events: [{ level: "failure", code: "tiles_wrong", sentence: `\`${origin}\`: the tiles that would prove growth from ${sizes} are missing or wrong` }] };
}

async function givesRoot(source: LogSource, { size, root }: VerifiedCheckpoint): Promise<boolean> {
  try {
    return equalBytes(await rangeHash({ start: 0, end: size }, nodesOf(source, size)), root);
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

async function witnessEvents(note: string, { trust, now, witnessAgeMax }: Watched): Promise<readonly WatchEvent[]> {
  if (trust.witnesses === null || trust.witnesses.quorum === null) return [];
  const verdict = await verifyWitnesses(note, trust.witnesses);
  if (!verdict.ok) return [{ level: "warning", code: verdict.code, sentence: verdict.message }];
  if (verdict.value.quorum === "not-met") return [{ level: "warning", code: "witness_quorum", sentence: `too few witnesses have cosigned: ${verdict.value.witnessed.length}` }];
  const fresh = verdict.value.witnessed.filter(({ timestamp }) => timestamp * 1000 >= now - witnessAgeMax).map(({ name }) => name);
  if (checkQuorum(trust.witnesses, fresh)) return [];
  return [{ level: "warning", code: "witness_stale", sentence: `the witnesses' quorum is older than ${Math.round(witnessAgeMax / 1000)} seconds` }];
}
