import type { Clock } from "../base/clock.ts";
import { openDataDirectory } from "../base/data-directory.ts";
import { openDatabase } from "../db/open.ts";
import type { Database } from "../db/database.ts";
import { openKeyring, type Keyring } from "../ledger/keyring.ts";
import { keysDirectory, openKeys, type Keys } from "../ledger/keys.ts";
import { openLog, type EvidenceLog } from "../ledger/log.ts";
import { openRecorder, type EntryDefinition, type Recorder } from "../ledger/recorder.ts";
import { databaseMemory } from "../ledger/store.ts";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { entryDefinitions } from "./entry-definitions.ts";

export interface Opening {
  readonly directory: string;
  /** Default: LICET_KEYS, else the user's configuration directory. */
  readonly keysDirectory?: string | undefined;
  /** A PostgreSQL address instead of the embedded database. */
  readonly databaseUrl?: string | undefined;
  readonly clock?: Clock | undefined;
}

/** The opened record: directory, keys, log, database and the recorder over them. */
export interface RecordKeeping {
  readonly directory: string;
  readonly keys: Keys;
  readonly keyring: Keyring;
  readonly log: EvidenceLog;
  readonly database: Database;
  readonly recorder: Recorder;
  readonly definitions: readonly EntryDefinition[];
  /** Resolves when log and database have parted: the process must stop. */
  readonly failed: Promise<unknown>;
  close(): Promise<void>;
}

/** In this order, and closed in the reverse one: lock, keys, keyring, database, log, recorder. */
export async function openRecordKeeping(options: Opening & { readonly clock: Clock }): Promise<RecordKeeping> {
  const { clock } = options;
  const closers: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0)) await closer();
  };
  try {
    const directory = await openDataDirectory(options.directory, clock);
    closers.unshift(() => directory.close());
    // The log is made after the keys: a start that died between them may make keys, a later one never.
    const keys = await openKeys({ directory: options.keysDirectory ?? keysDirectory({ dataDirectory: directory.path, env: process.env }), fresh: !existsSync(join(directory.path, "log")), now: clock.now() });
    const keyring = await openKeyring({ directory: keys.directory, root: keys.root, clock });
    closers.unshift(() => keyring.close());
    const database = await openDatabase({ directory: directory.path, url: options.databaseUrl, clock });
    closers.unshift(() => database.close());
    const log = await openLog({ folder: join(directory.path, "log"), signer: keys.log, memories: [keys.memory, databaseMemory(database)] });
    closers.unshift(() => log.close());
    let fail: (error: unknown) => void = () => {};
    const failed = new Promise<unknown>((resolve) => {
      fail = resolve;
    });
    const recorder = await openRecorder({ database, log, keyring, definitions: entryDefinitions, clock, fatal: (error) => fail(error) });
    closers.unshift(() => recorder.close());
    return { directory: directory.path, keys, keyring, log, database, recorder, definitions: entryDefinitions, failed, close };
  } catch (error) {
    await close();
    throw error;
  }
}
