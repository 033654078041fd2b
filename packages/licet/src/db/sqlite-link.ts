import { Worker } from "node:worker_threads";
import { LicetError } from "../base/errors.ts";
import type { Answer, Link } from "./link.ts";
import { sqliteFailure } from "./sqlite-failure.ts";
import type { SqliteRequest, SqliteResponse, SqliteSetup } from "./sqlite-protocol.ts";

/** One SQLite connection in its worker. After a crash of the worker every call is refused. */
export interface SqliteLink extends Link {
  /** Resolves when the thread answers, whatever its transaction is doing. */
  ping(): Promise<void>;
  close(): Promise<void>;
  /** Ends the worker as a crash would. */
  terminate(): Promise<void>;
}

interface Pending {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (reason: LicetError) => void;
}

/** Beside this file both in the sources and in the flat folder of the bundle. */
function workerFile(): URL {
  return import.meta.url.endsWith(".ts")
    ? new URL("./sqlite-worker.ts", import.meta.url)
    : new URL("./sqlite-worker.js", import.meta.url);
}

export async function openSqliteLink(setup: SqliteSetup): Promise<SqliteLink> {
  const worker = new Worker(workerFile(), { workerData: setup, execArgv: [], name: `sqlite-${setup.access}` });
  const pending = new Map<number, Pending>();
  let sent = 0;
  let failure: LicetError | undefined;

  const fail = (reason: LicetError) => {
    failure ??= reason;
    for (const { reject } of pending.values()) reject(failure);
    pending.clear();
  };
  const expect = (id: number) => new Promise<Answer>((resolve, reject) => pending.set(id, { resolve, reject }));
  const ask = (command: SqliteRequest["command"], sql: string, parameters: readonly unknown[]) => {
    if (failure !== undefined) return Promise.reject(failure);
    const id = ++sent;
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
    worker.postMessage({ id, command, sql, parameters } satisfies SqliteRequest);
    return expect(id);
  };
  worker.on("message", (response: SqliteResponse) => {
    const waiting = pending.get(response.id);
    pending.delete(response.id);
    if ("answer" in response) waiting?.resolve(response.answer);
    else waiting?.reject(sqliteFailure(response.fault));
  });
  worker.on("error", (cause) => fail(new LicetError("database_unavailable", { cause })));
  worker.on("exit", () => fail(new LicetError("database_unavailable", { message: "the database's thread has ended" })));

  await expect(0);
  return {
    run: (sql, parameters) => ask("run", sql, parameters),
    rollback: async () => {
      try {
        await ask("rollback", "", []);
      } catch (cause) {
        fail(new LicetError("database_unavailable", { cause }));
      }
    },
    ping: async () => {
      await ask("ping", "", []);
    },
    close: async () => {
      try {
        await ask("close", "", []);
      } finally {
        fail(new LicetError("database_unavailable", { message: "the database is closed" }));
        await worker.terminate();
      }
    },
    terminate: async () => {
      await worker.terminate();
    },
  };
}
