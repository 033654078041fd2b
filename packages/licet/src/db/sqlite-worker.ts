import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import type { Answer } from "./link.ts";
import type { SqliteFault, SqliteRequest, SqliteResponse, SqliteSetup } from "./sqlite-protocol.ts";

/**
 * One SQLite connection in a thread of its own, so that a commit's fsync never blocks the event loop.
 * States: idle; open (a transaction runs); broken (a statement of it failed). Broken takes only ROLLBACK, as
 * PostgreSQL does: SQLite itself would let a caller that swallowed the failure commit half of its work.
 */
type State = "idle" | "open" | "broken";

const nothing: Answer = { rows: [], changes: 0 };
const statementsMax = 256;
const busyMillisecondsMax = 5_000;

function open({ file, access }: SqliteSetup): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: busyMillisecondsMax, enableForeignKeyConstraints: true, defensive: true });
  if (access === "write") {
    const mode = database.prepare("pragma journal_mode = wal").get()?.["journal_mode"];
    if (mode !== "wal") throw new Error(`the file system does not support write-ahead logging (${String(mode)})`);
  }
  // FULL: without it a power cut loses acknowledged commits. fullfsync: macOS's fsync does not reach the platter.
  database.exec("pragma synchronous = full; pragma fullfsync = on; pragma trusted_schema = off");
  // Deleted rows are overwritten with zeros, so that an erasure reaches the file.
  if (access === "write") database.exec("pragma secure_delete = on");
  if (access === "read") database.exec("pragma query_only = on");
  return database;
}

/** Whole numbers are bound as integers: bound as REAL, 1 would become "1.0" in a text column. */
function bound(value: unknown): SQLInputValue {
  if (typeof value === "boolean") return value ? 1n : 0n;
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === "number" && Number.isFinite(value) && !Number.isInteger(value)) return value;
  if (value === null || typeof value === "string" || typeof value === "bigint") return value;
  if (value instanceof Uint8Array) return value;
  throw new Error(`a parameter of type ${typeof value} cannot be stored exactly`);
}

function faultOf(error: unknown): SqliteFault {
  const code = error instanceof Error && "errcode" in error ? error.errcode : 0;
  return { code: typeof code === "number" ? code : 0, message: error instanceof Error ? error.message : String(error) };
}

interface Prepared {
  readonly statement: StatementSync;
  readonly answersRows: boolean;
}

function prepare(database: DatabaseSync, sql: string): Prepared {
  const statement = database.prepare(sql);
  return { statement, answersRows: statement.columns().length > 0 };
}

function serve(database: DatabaseSync, send: (response: SqliteResponse) => void): (request: SqliteRequest) => void {
  const statements = new Map<string, Prepared>();
  let state: State = "idle";

  const prepared = (sql: string): Prepared => {
    const known = statements.get(sql) ?? prepare(database, sql);
    statements.delete(sql);
    statements.set(sql, known);
    if (statements.size > statementsMax) statements.delete(statements.keys().next().value ?? sql);
    return known;
  };
  const execute = (sql: string, parameters: readonly unknown[]): Answer => {
    const { statement, answersRows } = prepared(sql);
    const values = parameters.map(bound);
    if (answersRows) {
      const rows = statement.all(...values);
      return { rows, changes: rows.length };
    }
    return { rows: [], changes: Number(statement.run(...values).changes) };
  };
  const run = (sql: string, parameters: readonly unknown[]): Answer => {
    if (state === "broken") throw new Error("the transaction has failed and takes only ROLLBACK");
    try {
      const answer = execute(sql, parameters);
      state = database.isTransaction ? "open" : "idle";
      return answer;
    } catch (error) {
      if (state === "open") state = "broken";
      throw error;
    }
  };
  const rollback = (): Answer => {
    // A full disk or an input/output error may have rolled back already.
    if (database.isTransaction) database.exec("rollback");
    state = "idle";
    return nothing;
  };
  const close = (): Answer => {
    rollback();
    database.close();
    return nothing;
  };
  const perform = ({ command, sql, parameters }: SqliteRequest): Answer => {
    if (command === "run") return run(sql, parameters);
    if (command === "rollback") return rollback();
    return command === "close" ? close() : nothing;
  };
  return (request) => {
    try {
      send({ id: request.id, answer: perform(request) });
    } catch (error) {
      send({ id: request.id, fault: faultOf(error) });
    }
    if (request.command === "close") parentPort?.close();
  };
}

function start(): void {
  const port = parentPort;
  if (port === null) throw new Error("sqlite-worker runs in a worker thread only");
  const setup: SqliteSetup = workerData;
  const send = (response: SqliteResponse) => port.postMessage(response);
  try {
    const handle = serve(open(setup), send);
    port.on("message", handle);
    send({ id: 0, answer: nothing });
  } catch (error) {
    send({ id: 0, fault: faultOf(error) });
  }
}

start();
