import { cp, mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { LogRestored } from "@licet/contract";
import { LicetError } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import { syncFolder, syncTree } from "../base/sync-tree.ts";
import { beginShard } from "../ledger/begin-shard.ts";
import { keysDirectory } from "../ledger/keys.ts";
import { openLog } from "../ledger/log.ts";
import { registryOf } from "../ledger/registry.ts";
import { rebuildDatabase } from "../ledger/replay.ts";
import { shardMemory, type ShardList } from "../ledger/shard-list.ts";
import { databaseMemory } from "../ledger/store.ts";
import { entryDefinitions } from "./entry-definitions.ts";
import { type Opening, openStores, type Stores } from "./record-keeping.ts";

/** `directory` must not exist. */
export interface RestoreOptions extends Omit<Opening, "databaseUrl"> {
  readonly from: string;
  readonly clock: Clock;
  /** Who runs it, for the record. */
  readonly by: string;
  /** Called before each step; tests stop there. */
  readonly onStep?: (step: RestoreStep) => void;
}

export type RestoreStep = "copy" | "begin" | "rebuild" | "rename" | "remember";

export interface Restored {
  readonly shard: string;
  /** Entries of the whole log, `log.restored` included. */
  readonly size: number;
  readonly restored: LogRestored;
  /** Entries whose payload was erased since: their rows do not come back. */
  readonly erased: number;
}

/** Only this name marks a folder as one that a restore was making; anything else at its place is left alone. */
const markName = "restoring";

/**
 * Copies a backup into a new data directory and continues its log in a new shard; record tables come from the log.
 * INVARIANT: the directory appears under its name only when complete. The keys learn of the new shard afterwards, here or
 * at its first start, and from then on refuse every other directory.
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { onStep = () => {} } = options;
  const directory = resolve(options.directory);
  const keysAt = options.keysDirectory ?? keysDirectory({ dataDirectory: directory, env: process.env });
  const staging = `${directory}.restoring`;
  await refuseUnready({ from: options.from, directory, keysAt });
  await takePlace(staging);
  try {
    onStep("copy");
    await copyBackup(options.from, staging);
    onStep("begin");
    const { shards, result } = await continueIn({ ...options, onStep }, staging, keysAt);
    onStep("rename");
    await syncTree(staging);
    await rm(join(staging, markName));
    await rename(staging, directory);
    await syncFolder(dirname(directory));
    onStep("remember");
    await shardMemory(keysAt).set(shards);
    return result;
  } catch (error) {
    if (existsSync(join(staging, markName))) await rm(staging, { recursive: true, force: true });
    throw error;
  }
}

async function refuseUnready({ from, directory, keysAt }: { readonly from: string; readonly directory: string; readonly keysAt: string }): Promise<void> {
  if (existsSync(directory)) throw new LicetError("already_exists", { message: `\`${directory}\` exists already: restore into a new directory` });
  if (!existsSync(join(from, "format.json")) || !existsSync(join(from, "log"))) throw new LicetError("file_unreadable", { message: `\`${from}\` is not a backup` });
  if ((await stat(keysAt).catch(() => undefined)) === undefined) {
    throw new LicetError("keys_missing", { message: `there are no keys in \`${keysAt}\`: import them first, or name their directory with --keys`, at: { directory: keysAt } });
  }
}

async function takePlace(staging: string): Promise<void> {
  if (existsSync(join(staging, markName))) await rm(staging, { recursive: true });
  if (existsSync(staging) && (await readdir(staging)).length > 0) {
    throw new LicetError("already_exists", { message: `\`${staging}\` is in the way: an earlier restore was cut off when it was nearly done; remove it` });
  }
  await mkdir(staging, { recursive: true, mode: 0o700 });
}

/** The locks of a copied directory are not ours to hold, and a half copy must not look like a backup. */
const leftOut = new Set(["lock.db", "lock.pid"]);

async function copyBackup(from: string, staging: string): Promise<void> {
  await writeFile(join(staging, markName), "");
  for (const name of await readdir(from)) {
    if (!leftOut.has(name) && name !== markName) await cp(join(from, name), join(staging, name), { recursive: true });
  }
}

async function continueIn(options: RestoreOptions & { readonly onStep: (step: RestoreStep) => void }, staging: string, keysAt: string): Promise<{ readonly shards: ShardList; readonly result: Restored }> {
  const { clock } = options;
  const stores = await openStores({ ...options, directory: staging, keysDirectory: keysAt });
  try {
    const { keys, keyring } = stores;
    const folder = join(staging, "log");
    const note = await keys.memory.get();
    const remembered = { known: await shardMemory(keysAt).get(), notes: note === undefined ? [] : [note] };
    const { shards, restored } = await beginShard({ folder, signer: keys.log, keyring, remembered, now: clock.now(), by: options.by });
    options.onStep("rebuild");
    const { size, erased } = await rebuild(stores, folder, clock);
    return { shards, result: { shard: shards.at(-1)?.name ?? "", size, restored, erased } };
  } finally {
    await stores.closers.close();
  }
}

/** The keys' own memory is not asked and not told: until the directory has its name, the old one is the one in force. */
async function rebuild({ keys, keyring, database }: Stores, folder: string, clock: Clock): Promise<{ readonly size: number; readonly erased: number }> {
  const log = await openLog({ folder, signer: keys.log, memories: [databaseMemory(database)], publishEvery: 0 });
  try {
    const { erased } = await rebuildDatabase({ database, log, keyring, registry: registryOf(entryDefinitions), now: () => clock.now() });
    return { size: log.size, erased };
  } finally {
    await log.close();
  }
}
