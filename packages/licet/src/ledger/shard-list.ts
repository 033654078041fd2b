import { join } from "node:path";
import { parseCheckpoint, parseJson, parseNote } from "@licet/evidence";
import { z } from "zod";
import { LicetError } from "../base/errors.ts";
import { type Files, nodeFiles, replaceFile } from "./files.ts";

const count = z.int().min(0);
const name = z.string().regex(/^(?:1|[1-9]\d{0,5}-[0-9a-f]{8})$/);
const origin = z.string().max(300).regex(/^[^\s+]+$/);

const shardRecord = z.strictObject({
  name,
  origin,
  /** Index of its first entry in the whole log. */
  base: count,
  /** Where its tiles are, below the log's prefix: empty for the first shard. */
  path: z.string().regex(/^(?:shards\/[1-9]\d{0,5}-[0-9a-f]{8}\/)?$/),
  /** The tree that the shard continues; null for the first shard. */
  previous: z.strictObject({ origin, size: count, root: z.base64() }).nullable(),
  /** Entries that the keys remember beyond `previous`; null when the keys remember nothing. */
  discarded: count.nullable(),
  /** Origins that the keys knew when this shard began, and that are not part of this history. */
  abandons: z.array(origin).max(10_000),
  /** Milliseconds since the Unix epoch. */
  restoredAt: count.nullable(),
});
export type ShardRecord = z.infer<typeof shardRecord>;

const shardList = z.strictObject({ v: z.literal(1), shards: z.array(shardRecord).min(1).max(10_000) });
export type ShardList = readonly ShardRecord[];

export const shardListName = "shards.json";

/** A log that was never restored: one shard, without a file that says so. */
export function firstShard(of: string): ShardRecord {
  return { name: "1", origin: of, base: 0, path: "", previous: null, discarded: null, abandons: [], restoredAt: null };
}

export function formatShardList(shards: ShardList): string {
  return `${JSON.stringify({ v: 1, shards }, null, 1)}\n`;
}

/** Throws `log_damaged` for a text that is not a list, or whose shards do not follow each other. */
export function parseShardList(text: string, file: string): ShardList {
  try {
    const { shards } = shardList.parse(parseJson(text));
    for (const [at, shard] of shards.entries()) refuseUnchained(shard, shards[at - 1]);
    return shards;
  } catch (cause) {
    throw new LicetError("log_damaged", { message: `the list of shards \`${file}\` is damaged`, at: { file }, cause });
  }
}

function refuseUnchained(shard: ShardRecord, before: ShardRecord | undefined): void {
  const { previous } = shard;
  const expected = before === undefined ? { base: 0, path: "", origin: undefined } : { base: before.base + (previous?.size ?? Number.NaN), path: `shards/${shard.name}/`, origin: before.origin };
  if (shard.base !== expected.base || shard.path !== expected.path || previous?.origin !== expected.origin) throw new Error("the shards do not follow each other");
}

/** The shards of a log's folder; `undefined` when it has the first one alone. */
export async function readShardList(files: Files, folder: string): Promise<ShardList | undefined> {
  const bytes = await files.readWhole(join(folder, shardListName));
  return bytes && parseShardList(Buffer.from(bytes).toString("utf8"), shardListName);
}

export async function writeShardList(files: Files, folder: string, shards: ShardList): Promise<void> {
  await replaceFile(files, join(folder, shardListName), Buffer.from(formatShardList(shards)));
  await files.syncDirectory(folder);
}

/** The list as the keys remember it, so that a directory from before a restore is noticed. */
export interface ShardMemory {
  get(): Promise<ShardList | undefined>;
  /** Durable when it resolves. */
  set(shards: ShardList): Promise<void>;
}

const memoryName = "shards";

/** The file `shards` in the keys directory. */
export function shardMemory(keysDirectory: string): ShardMemory {
  return {
    get: async () => {
      const bytes = await nodeFiles.readWhole(join(keysDirectory, memoryName));
      return bytes && parseShardList(Buffer.from(bytes).toString("utf8"), memoryName);
    },
    set: async (shards) => {
      await replaceFile(nodeFiles, join(keysDirectory, memoryName), Buffer.from(formatShardList(shards)));
      await nodeFiles.syncDirectory(keysDirectory);
    },
  };
}

/** What a note says of itself; whether it was signed is for others to verify. */
export function claimOf(note: string): { readonly origin: string; readonly size: number; readonly root: Uint8Array } | undefined {
  const parsed = parseNote(note);
  const checkpoint = parsed.ok ? parseCheckpoint(parsed.value.text) : parsed;
  return checkpoint.ok ? checkpoint.value : undefined;
}

export interface Remembered {
  /** The list in the keys directory. */
  readonly known: ShardList | undefined;
  /** Last signed checkpoints, from wherever they are kept. */
  readonly notes: readonly string[];
}

/**
 * Refuses a directory whose history is not the one that the keys followed last.
 * INVARIANT: of two directories that both continue one shard, at most one passes, the one restored last.
 */
export function refuseForeignHistory(shards: ShardList, { known, notes }: Remembered): void {
  const abandoned = new Set(shards.flatMap((shard) => shard.abandons));
  const stranger = known?.find((shard) => !has(shards, shard.origin) && !abandoned.has(shard.origin));
  if (stranger) throw otherHistory(`the keys know the shard \`${stranger.name}\`, and this data directory does not have it: another directory was restored since`);
  for (const note of notes) refuseLater(shards, note, { known, abandoned });
}

function refuseLater(shards: ShardList, note: string, of: { readonly known: ShardList | undefined; readonly abandoned: ReadonlySet<string> }): void {
  const claim = claimOf(note);
  // A note that cannot be read, or is the newest shard's, is judged where its signature is checked.
  if (!claim || shards.at(-1)?.origin === claim.origin) return;
  if (!has(shards, claim.origin) && !of.abandoned.has(claim.origin)) {
    throw otherHistory(`a checkpoint of \`${claim.origin}\` was signed, and this data directory does not have that shard: another directory was restored since`);
  }
  const left = shards.find(({ previous, abandons }) => previous?.origin === claim.origin || abandons.includes(claim.origin));
  const base = baseOf([...shards, ...(of.known ?? [])], claim.origin);
  if (base === undefined || !left) return;
  const allowed = left.base + (left.discarded ?? 0);
  if (base + claim.size > allowed) {
    throw otherHistory(`when the shard \`${left.name}\` was begun, the log was known up to entry ${allowed}, and it has since been signed up to ${base + claim.size} elsewhere`);
  }
}

function baseOf(shards: ShardList, origin: string): number | undefined {
  return shards.find((shard) => shard.origin === origin)?.base;
}

function has(shards: ShardList, origin: string): boolean {
  return shards.some((shard) => shard.origin === origin);
}

function otherHistory(message: string): LicetError {
  return new LicetError("log_rolled_back", {
    message: `${message}; start the directory that was restored last, or run \`licet restore --from BACKUP --dir NEW\` to continue in a new shard`,
  });
}

/** What the keys remember beyond the first `size` entries; null when they remember no checkpoint. */
export function discardedBeyond(shards: ShardList, size: number, { known, notes }: Remembered): number | null {
  const ends = notes.flatMap((note) => {
    const claim = claimOf(note);
    const base = claim && baseOf([...shards, ...(known ?? [])], claim.origin);
    return claim && base !== undefined ? [base + claim.size] : [];
  });
  return ends.length === 0 ? null : Math.max(0, ...ends.map((end) => end - size));
}

/** Origins that the keys know and that this history leaves behind. */
export function abandonedBy(shards: ShardList, { known, notes }: Remembered): string[] {
  const origins = [...(known ?? []).map(({ origin }) => origin), ...notes.flatMap((note) => claimOf(note)?.origin ?? [])];
  return [...new Set(origins)].filter((origin) => !has(shards, origin));
}
