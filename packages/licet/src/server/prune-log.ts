import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { LicetError } from "../base/errors.ts";
import { nodeFiles } from "../ledger/files.ts";
import type { EvidenceLog } from "../ledger/log.ts";
import { lockLog } from "../ledger/lock.ts";
import { reclaim, reclaimable, writeMinimumIndex } from "../ledger/prune.ts";
import { leafIn } from "../ledger/sealing.ts";
import { claimOf } from "../ledger/shard-list.ts";
import { type Opening, openRecordKeeping, openStores, type RecordKeeping } from "./record-keeping.ts";

export interface PruneOptions extends Opening {
  readonly clock: Clock;
  /** The first index of the whole log that stays served; or by age. */
  readonly keep: { readonly before: number } | { readonly olderThanDays: number };
  readonly by: string;
  readonly dryRun?: boolean | undefined;
}

export interface Pruned {
  readonly minimumIndex: number;
  readonly reclaimedBytes: number;
}

const dayMilliseconds = 86_400_000;

/** Says it in the log, then stops serving what lies below, then gives back the space of erased payloads. */
export async function pruneLog(options: PruneOptions): Promise<Pruned> {
  const records = await openRecordKeeping(options);
  let pruned: Pruned;
  let folder: string;
  try {
    folder = join(records.directory, "log", newestPath(records.log), "journal");
    const segments = await reclaimable({ files: nodeFiles, folder, isDestroyed: (kid) => records.keyring.isDestroyed(kid) });
    pruned = { minimumIndex: await minimumOf(records, options), reclaimedBytes: segments.reduce((sum, { bytes }) => sum + bytes, 0) };
    if (options.dryRun === true) return pruned;
    await record(records, { ...pruned, by: options.by });
  } finally {
    await records.close();
  }
  await reclaimStopped(options, folder);
  return pruned;
}

function newestPath({ shards }: EvidenceLog): string {
  const newest = shards.at(-1);
  return newest === undefined || shards.length === 1 ? "" : join("shards", newest.name);
}

async function minimumOf({ log, recorder }: RecordKeeping, { keep }: PruneOptions): Promise<number> {
  const newest = log.shards.at(-1);
  const published = (newest?.base ?? 0) + (claimOf(await log.publish())?.size ?? 0);
  if ("before" in keep) {
    if (keep.before > published) throw new LicetError("invalid_request", { message: `the last checkpoint covers ${published} entries, fewer than ${keep.before}` });
    return keep.before;
  }
  const cut = recorder.now() - keep.olderThanDays * dayMilliseconds;
  let index = 0;
  for await (const frame of log.scan(0, published)) {
    if (leafIn(frame).time >= cut) break;
    index += 1;
  }
  return index;
}

/** INVARIANT: the entry is durable before anything is denied or dropped. */
async function record({ recorder, log, directory }: RecordKeeping, body: Pruned & { readonly by: string }): Promise<void> {
  await recorder.commit(async () => ({ entry: { kind: "log.pruned", space: "main", actor: "server", subject: "space", class: "governance", body: { ...body } }, value: undefined }));
  await log.publish();
  await writeMinimumIndex(nodeFiles, join(directory, "log"), body.minimumIndex);
}

/** With the log closed: its segments move. A server that starts in between takes the lock, and the next run reclaims. */
async function reclaimStopped(options: PruneOptions, folder: string): Promise<void> {
  const stores = await openStores(options);
  try {
    const lock = lockLog(join(stores.directory, "log"));
    try {
      await reclaim({ files: nodeFiles, folder, isDestroyed: (kid) => stores.keyring.isDestroyed(kid) });
    } finally {
      lock.release();
    }
  } finally {
    await stores.closers.close();
  }
}
