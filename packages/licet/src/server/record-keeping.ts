import type { TrustFile } from "@licet/evidence";
import type { Clock } from "../base/clock.ts";
import { openDataDirectory } from "../base/data-directory.ts";
import { LicetError } from "../base/errors.ts";
import { openDatabase } from "../db/open.ts";
import type { Database } from "../db/database.ts";
import { type KeyMeans, passphraseFromFile } from "../ledger/key-protection.ts";
import { finishRotation } from "../ledger/key-rotation.ts";
import { openKeyring, type Keyring } from "../ledger/keyring.ts";
import { keysDirectory, openKeys, type Keys } from "../ledger/keys.ts";
import { openLog, type EvidenceLog } from "../ledger/log.ts";
import { openRecorder, type EntryDefinition, type Recorder } from "../ledger/recorder.ts";
import { shardMemory } from "../ledger/shard-list.ts";
import { databaseMemory } from "../ledger/store.ts";
import { recordUnwitnessed } from "../witness/entries.ts";
import { openWitnesses, type Witnesses } from "../witness/witnesses.ts";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { finishErasures } from "../privacy/erase.ts";
import { entryDefinitions } from "./entry-definitions.ts";

export interface Opening {
  readonly directory: string;
  /** Default: LICET_KEYS, else the user's configuration directory. */
  readonly keysDirectory?: string | undefined;
  /** A PostgreSQL address instead of the embedded database. */
  readonly databaseUrl?: string | undefined;
  readonly clock?: Clock | undefined;
  /** C2SP tlog-policy text with the URLs of the witnesses; without it nobody is asked. */
  readonly witnessPolicy?: string | undefined;
  /** Why signing goes on if no witness answers at the start: recorded. */
  readonly acceptUnwitnessed?: string | undefined;
  /** Holds the passphrase of protected keys. Default: LICET_PASSPHRASE_FILE. */
  readonly passphraseFile?: string | undefined;
  /** Beside the passphrase, for rotation and for tests. */
  readonly means?: KeyMeans | undefined;
}

/** The opened record: directory, keys, log, database and the recorder over them. */
export interface RecordKeeping {
  readonly directory: string;
  readonly keys: Keys;
  readonly keyring: Keyring;
  readonly log: EvidenceLog;
  readonly database: Database;
  readonly recorder: Recorder;
  readonly witnesses: Witnesses | undefined;
  /** Whom an auditor has to trust: keys, shards and witnesses. */
  readonly trustFile: () => TrustFile;
  readonly definitions: readonly EntryDefinition[];
  readonly clock: Clock;
  /** Resolves when log and database have parted: the process must stop. */
  readonly failed: Promise<unknown>;
  close(): Promise<void>;
}

/** What is opened before the log: the directory under its lock, its keys, its database. */
export interface Stores {
  readonly directory: string;
  readonly keys: Keys;
  readonly keyring: Keyring;
  readonly database: Database;
  /** Closed in the reverse order of opening. */
  readonly closers: Closers;
}

export class Closers {
  readonly #closers: (() => Promise<void> | void)[] = [];

  add(close: () => Promise<void> | void): void {
    this.#closers.unshift(close);
  }

  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const close of this.#closers.splice(0)) {
      try {
        await close();
      } catch (error) {
        // A log that cannot sign its last checkpoint must not keep the database and the lock open.
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** In this order: lock, keys, keyring, database. */
export async function openStores(options: Opening & { readonly clock: Clock }): Promise<Stores> {
  const { clock } = options;
  const closers = new Closers();
  try {
    const directory = await openDataDirectory(options.directory, clock);
    closers.add(() => directory.close());
    // The log is made after the keys: a start that died between them may make keys, a later one never.
    const keys = await openKeys({ directory: options.keysDirectory ?? keysDirectory({ dataDirectory: directory.path, env: process.env }), fresh: !existsSync(join(directory.path, "log")), now: clock.now(), clock, means: keyMeans(options) });
    const keyring = await openKeyring({ directory: keys.directory, root: keys.root, clock });
    closers.add(() => keyring.close());
    const database = await openDatabase({ directory: directory.path, url: options.databaseUrl, clock });
    closers.add(() => database.close());
    return { directory: directory.path, keys, keyring, database, closers };
  } catch (error) {
    await closers.close();
    throw error;
  }
}

/** How protected keys are opened. */
export function keyMeans({ passphraseFile = process.env["LICET_PASSPHRASE_FILE"], means }: Opening): KeyMeans {
  return { ...(passphraseFile ? { passphrase: passphraseFromFile(passphraseFile) } : {}), ...means };
}

/** The old key may be one that can sign no more; the next opening signs with the new one. */
function refuseUncoded(error: unknown): void {
  if (!(error instanceof LicetError)) throw error;
}

/** The stores, then the log, then the recorder. */
export async function openRecordKeeping(options: Opening & { readonly clock: Clock }): Promise<RecordKeeping> {
  const { clock } = options;
  const { directory, keys, keyring, database, closers } = await openStores(options);
  try {
    const witnesses = options.witnessPolicy === undefined ? undefined : openWitnesses({ policyText: options.witnessPolicy, clock });
    closers.add(() => witnesses?.close());
    const memories = [keys.memory, databaseMemory(database)];
    const log = await openLog({ folder: join(directory, "log"), signer: keys.log, memories, shardMemory: shardMemory(keys.directory), ...witnesses?.duties });
    closers.add(() => closeLog(log));
    const unwitnessed = await witnesses?.confirm({ log, signer: keys.log, memories }, options.acceptUnwitnessed);
    if (await finishRotation({ keys, keyring, log, clock })) {
      await closers.close().catch(refuseUncoded);
      return await openRecordKeeping(options);
    }
    let fail: (error: unknown) => void = () => {};
    const failed = new Promise<unknown>((resolve) => {
      fail = resolve;
    });
    const recorder = await openRecorder({ database, log, keyring, definitions: entryDefinitions, clock, signStatement: (statement) => keys.signStatement(statement), fatal: (error) => fail(error) });
    closers.add(() => recorder.close());
    await finishErasures({ database, recorder, keyring, clock });
    if (unwitnessed !== undefined) await recordUnwitnessed(recorder, "main", unwitnessed);
    witnesses?.accepted();
    return { directory, keys, keyring, log, database, recorder, witnesses, trustFile: () => trustOf({ keys, log, witnesses }), definitions: entryDefinitions, failed, clock, close: () => closers.close() };
  } catch (error) {
    await closers.close();
    throw error;
  }
}

function trustOf({ keys, log, witnesses }: Pick<RecordKeeping, "keys" | "log" | "witnesses">): TrustFile {
  const shards = log.shards.slice(1).map(({ origin }) => origin);
  return keys.trustFile({ shards, witnesses: witnesses === undefined ? null : { policy: witnesses.policyText } });
}

/** What witnesses forbid to sign stays unsigned, and is no reason to leave the rest open. */
async function closeLog(log: EvidenceLog): Promise<void> {
  try {
    await log.close();
  } catch (error) {
    if (!(error instanceof LicetError) || !["witness_ahead", "witness_unreachable"].includes(error.code)) throw error;
  }
}
