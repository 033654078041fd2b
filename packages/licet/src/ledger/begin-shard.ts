import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { LogRestored } from "@licet/contract";
import { LicetError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { LogSigner } from "./checkpoint.ts";
import { type Files, nodeFiles } from "./files.ts";
import { type JournalLimits, journalLimits } from "./journal-writer.ts";
import type { Keyring } from "./keyring.ts";
import { openLiveShard, type LiveShard } from "./live-shard.ts";
import { lockLog } from "./lock.ts";
import { sealEntry } from "./sealing.ts";
import { abandonedBy, claimOf, discardedBeyond, firstShard, readShardList, type Remembered, type ShardList, type ShardRecord, writeShardList } from "./shard-list.ts";
import { signerFor } from "./shards.ts";

export interface BeginShardOptions {
  readonly files?: Files;
  readonly lock?: (folder: string) => { release(): void };
  /** `log` in a data directory that nobody has used since it was copied from a backup. */
  readonly folder: string;
  /** Of the first shard's origin. */
  readonly signer: LogSigner;
  readonly keyring: Keyring;
  /** What the keys remember; it becomes part of what the new shard says of itself. */
  readonly remembered: Remembered;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  readonly by: string;
  readonly limits?: Partial<JournalLimits>;
}

export interface BegunShard {
  readonly shards: ShardList;
  readonly restored: LogRestored;
}

/**
 * Freezes the newest shard as it lies there and begins the next one with the entry `log.restored`.
 * INVARIANT: nothing is signed under the old origin; the new shard counts once the list of shards names it, and by then
 * its first entry is durable. A crash before leaves a folder that no list names.
 */
export async function beginShard(options: BeginShardOptions): Promise<BegunShard> {
  const { folder, files = nodeFiles, lock = lockLog } = options;
  const held = lock(folder);
  try {
    const before = (await readShardList(files, folder)) ?? [firstShard(options.signer.origin)];
    const newest = before.at(-1);
    if (!newest || before[0]?.origin !== options.signer.origin) throw new LicetError("restore_refused", { message: "the backup is of another installation: these are not its keys" });
    const previous = await freeze(options, newest);
    const size = newest.base + previous.size;
    const discarded = discardedBeyond(before, size, options.remembered);
    const name = `${before.length + 1}-${randomBytes(4).toString("hex")}`;
    const record: ShardRecord = {
      name,
      origin: `${options.signer.origin}/${name}`,
      base: size,
      path: `shards/${name}/`,
      previous: { origin: previous.origin, size: previous.size, root: previous.root },
      discarded,
      abandons: abandonedBy(before, options.remembered),
      restoredAt: options.now,
    };
    const restored: LogRestored = { previous, restoredAt: options.now, restoredBy: options.by, discarded };
    await writeFirst(options, record, restored);
    const shards = [...before, record];
    await writeShardList(files, folder, shards);
    return { shards, restored };
  } finally {
    held.release();
  }
}

/** Opens the shard once more, checks it against its checkpoint, writes the tiles that are missing, and signs nothing. */
async function freeze(options: BeginShardOptions, record: ShardRecord): Promise<LogRestored["previous"]> {
  const shard = await openToWrite(options, record);
  const { size } = shard;
  if (size === 0) throw new LicetError("restore_refused", { message: "the backup's log has no entry: there is nothing to restore" });
  const checkpoint = shard.checkpoint() ?? null;
  const signed = (checkpoint === null ? undefined : claimOf(checkpoint)?.size) ?? 0;
  const root = await shard.rootAt(size);
  const proof = await shard.consistencyProof(signed, size);
  await shard.freeze();
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  return { origin: record.origin, size, root: base64(root), checkpoint, consistency: proof.map(base64) };
}

async function writeFirst(options: BeginShardOptions, record: ShardRecord, restored: LogRestored): Promise<void> {
  const { now } = options;
  const sealed = await sealEntry(options.keyring, {
    id: newId("ent", now),
    v: 1,
    time: now,
    kind: "log.restored",
    space: "main",
    actor: "server",
    subject: "space",
    class: "governance",
    body: { ...restored },
  });
  const shard = await openToWrite(options, record);
  await shard.append(sealed.frame);
  await shard.freeze();
}

function openToWrite({ files = nodeFiles, folder, signer, limits }: BeginShardOptions, record: ShardRecord): Promise<LiveShard> {
  const refuse = () => Promise.reject(new LicetError("internal", { message: "a restore signs nothing" }));
  return openLiveShard({
    files,
    folder: join(folder, record.path),
    name: record.name,
    base: record.base,
    signer: signerFor(signer, record.origin),
    memories: [],
    publishEvery: 0,
    maySign: refuse,
    endorse: refuse,
    limits: { ...journalLimits, ...limits },
  });
}
