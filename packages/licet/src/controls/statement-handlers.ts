import { Envelope, usageDaysMax } from "@licet/contract";
import { readDecisionBatch, toBase64, type Statement } from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import type { Handlers } from "../http/handlers.ts";
import { decisionBatchStatement, type NumberedRecord } from "./decision-batch.ts";
import { exportStatement, type ExportDeps } from "./statements.ts";
import { erasuresSince, firstOfGateway, usageByDay } from "./store.ts";

/** A tree of the log and the newest signed checkpoint over it. */
export interface LogTree {
  readonly origin: string;
  readonly checkpoint: string | undefined;
  /** Entries under that checkpoint. */
  readonly size: number;
  consistencyProof(oldSize: number, newSize: number): Promise<readonly Uint8Array[]>;
}

export interface StatementDeps extends ExportDeps {
  readonly engine: "sqlite" | "postgres";
  /** By origin; without one the tree that grows. */
  tree(origin: string | undefined): Promise<LogTree | undefined>;
  /** The records of one gateway run from a place in the log on. */
  numbered(space: string, gateway: string, start: number): AsyncIterable<NumberedRecord>;
}

const dayMilliseconds = 86_400_000;

export function statementHandlers(deps: StatementDeps): Pick<Handlers, "exportStatement" | "proveConsistency" | "signDecisions" | "showUsage"> {
  return {
    exportStatement: ({ params, query }) => exportStatement(deps, { ...params, format: query.format }),
    async proveConsistency({ query }) {
      const tree = await deps.tree(query.origin);
      if (tree === undefined) throw new LicetError("not_found", { message: `this server has no log \`${query.origin ?? ""}\`` });
      const to = query.to ?? tree.size;
      if (query.from > to) throw new LicetError("not_found", { message: `a tree of ${to} entries does not continue one of ${query.from}` });
      const proof = await tree.consistencyProof(query.from, to);
      return { origin: tree.origin, from: query.from, to, proof: proof.map((hash) => toBase64(hash)), checkpoint: tree.checkpoint ?? null };
    },
    async signDecisions({ params, body }) {
      const statement = await batchStatement(deps, { ...params, ...body });
      const batch = readDecisionBatch(statement);
      if (!batch.ok) throw new LicetError("internal", { cause: new Error(batch.message) });
      const { root, from, to } = batch.value;
      return { statement: Envelope.parse(deps.signStatement(statement)), root, from, to };
    },
    async showUsage({ params, query }) {
      const { from, to, provider } = query;
      if (from >= to || to - from > usageDaysMax * dayMilliseconds) throw new LicetError("usage_period");
      await deps.recorder.settle();
      const items = [...(await usageByDay(deps.read, params.space, { engine: deps.engine, from, to, provider }))];
      return { items, erasures: await erasuresSince(deps.read, params.space, from) };
    },
  };
}

interface Wanted {
  readonly space: string;
  readonly gateway: string;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

async function batchStatement(deps: StatementDeps, { space, gateway, from = 1, to }: Wanted): Promise<Statement> {
  await deps.recorder.settle();
  // Erased decisions have no row, and stand in the log all the same.
  const start = (await erasuresSince(deps.read, space, 0)) > 0 ? 0 : await firstOfGateway(deps.read, space, gateway);
  const records: NumberedRecord[] = [];
  if (start === undefined) throw unknown(gateway);
  let known = false;
  for await (const record of deps.numbered(space, gateway, start)) {
    known = true;
    if (record.seq >= from && (to === undefined || record.seq <= to)) records.push(record);
    if (to !== undefined && records.length > to - from) break;
  }
  if (!known) throw unknown(gateway);
  const last = to ?? records.reduce((newest, { seq }) => Math.max(newest, seq), from);
  return decisionBatchStatement(records, { origin: deps.origin, space, gateway, from, to: last, at: deps.recorder.now() });
}

function unknown(gateway: string): LicetError {
  return new LicetError("gateway_unknown", { message: `the log holds no record of \`${gateway}\` in this space` });
}
