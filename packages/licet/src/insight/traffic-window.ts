import { callSecondsMax, errorInfo, isErrorCode, type FindingCount, type RouteAnswer, type SystemTraffic, type TrafficRow } from "@licet/contract";
import { trafficAfter, trafficBefore, trafficEnded, newestDecision, type Reader, type TrafficRecord } from "./store.ts";
import { tokensOf, trafficRow } from "./traffic-row.ts";

type Summary = RouteAnswer<"showTraffic">;

export interface TrafficWindowLimits {
  /** Calls that are kept of each space that somebody looks at. */
  readonly callsMax: number;
  readonly rowsPerRead: number;
  /** How often rows are read while somebody looks. */
  readonly refreshMs: number;
  /** A space that nobody looks at is forgotten. */
  readonly forgetMs: number;
}

export const trafficWindowLimits: TrafficWindowLimits = { callsMax: 20_000, rowsPerRead: 250, refreshMs: 2000, forgetMs: 600_000 };

export interface TrafficWindow {
  summary(space: string, minutes: number): Promise<Summary>;
}

interface Call {
  readonly row: Pick<TrafficRow, "id" | "system" | "decision" | "code" | "at" | "logIndex" | "findings" | "ended">;
  readonly tokens: { readonly prompt: number; readonly completion: number };
}

/** What is known of one space; owned by the window. Calls stand in the order of the log. */
interface Known {
  calls: Call[];
  through: number;
  complete: boolean;
  readAt: number;
  askedAt: number;
  reading: Promise<void> | undefined;
}

const dayMs = 86_400_000;
const pendingPerRead = 200;

/**
 * The last day's calls in memory, for those spaces that somebody looks at: read once backwards, then forwards as the log
 * grows. Costs a call nothing while nobody looks, and nothing in the database beside the rows that are there anyhow.
 */
export function trafficWindow(options: { readonly read: Reader; readonly now: () => number; readonly limits?: Partial<TrafficWindowLimits> }): TrafficWindow {
  const limits = { ...trafficWindowLimits, ...options.limits };
  const spaces = new Map<string, Known>();

  async function refreshed(space: string): Promise<Known> {
    const now = options.now();
    for (const [name, { askedAt }] of spaces) if (now - askedAt > limits.forgetMs) spaces.delete(name);
    const known = spaces.get(space) ?? { calls: [], through: -1, complete: true, readAt: -1, askedAt: now, reading: undefined };
    spaces.set(space, known);
    known.askedAt = now;
    if (known.reading === undefined && (known.readAt < 0 || now - known.readAt >= limits.refreshMs)) {
      known.reading = readOn(options.read, { space, known, limits, now }).finally(() => {
        known.reading = undefined;
      });
    }
    await known.reading;
    return known;
  }

  return {
    async summary(space, minutes) {
      const { calls, complete } = await refreshed(space);
      const to = options.now();
      const from = to - minutes * 60_000;
      const within = calls.filter(({ row }) => row.at >= from);
      const oldest = calls[0]?.row.at ?? from;
      return { from: complete || oldest <= from ? from : oldest, to, complete: complete || oldest <= from, systems: bySystem(within, to) };
    },
  };
}

interface Reading {
  readonly space: string;
  readonly known: Known;
  readonly limits: TrafficWindowLimits;
  readonly now: number;
}

async function readOn(read: Reader, reading: Reading): Promise<void> {
  const { known, limits, now, space } = reading;
  const newest = await newestDecision(read);
  const behind = newest - known.through > 4 * limits.callsMax;
  if (known.readAt < 0 || behind) await readBack(read, reading, newest);
  else await readForward(read, reading);
  await readEnds(read, space, known);
  known.calls = known.calls.filter(({ row }) => row.at >= now - dayMs);
  if (known.calls.length > limits.callsMax) {
    known.calls = known.calls.slice(-limits.callsMax);
    known.complete = false;
  }
  known.readAt = now;
}

async function readBack(read: Reader, { space, known, limits, now }: Reading, newest: number): Promise<void> {
  const calls: Call[] = [];
  let before = newest + 1;
  let complete = false;
  while (calls.length < limits.callsMax && !complete) {
    const rows = await trafficBefore(read, space, { before, limit: limits.rowsPerRead });
    calls.push(...rows.map(callOf));
    before = rows.at(-1)?.log_index ?? -1;
    complete = rows.length < limits.rowsPerRead || (rows.at(-1)?.decided_at ?? 0) < now - dayMs;
  }
  known.calls = calls.reverse();
  known.through = newest;
  known.complete = complete;
}

async function readForward(read: Reader, { space, known, limits }: Reading): Promise<void> {
  for (;;) {
    const rows = await trafficAfter(read, space, { after: known.through, limit: limits.rowsPerRead });
    known.calls.push(...rows.map(callOf));
    known.through = rows.at(-1)?.log_index ?? known.through;
    if (rows.length < limits.rowsPerRead) return;
  }
}

/** Calls that still ran when they were read: the newest of them, since an outcome that never comes must not be asked for ever. */
async function readEnds(read: Reader, space: string, known: Known): Promise<void> {
  const running = known.calls.filter(isRunning).slice(-pendingPerRead);
  const rows = await trafficEnded(read, space, running.map(({ row }) => row.id));
  const ended = new Map(rows.map((row) => [row.id, callOf(row)]));
  if (ended.size > 0) known.calls = known.calls.map((call) => ended.get(call.row.id) ?? call);
}

function callOf(record: TrafficRecord): Call {
  const { id, system, decision, code, at, logIndex, findings, ended } = trafficRow(record);
  return { row: { id, system, decision, code, at, logIndex, findings, ended: ended ?? (record.kind === "access.decision" ? noEnd : null) }, tokens: tokensOf(record) };
}

/** A decision that the decision API gave has no outcome to wait for. */
const noEnd: NonNullable<TrafficRow["ended"]> = { finish: "", code: null, status: 0, totalMs: null, firstByteMs: null, decisionMs: null, tokens: null, costMicros: null, currency: null, tools: [] };

function isRunning({ row }: Call): boolean {
  return row.decision === "allow" && row.ended === null;
}

function bySystem(calls: readonly Call[], now: number): SystemTraffic[] {
  const groups = Map.groupBy(calls, ({ row }) => row.system);
  return [...groups].map(([system, of]) => systemTraffic(system, of, now)).sort((a, b) => b.calls - a.calls);
}

function systemTraffic(system: string | null, calls: readonly Call[], now: number): SystemTraffic {
  const ends = calls.flatMap(({ row }) => (row.ended === null ? [] : [row.ended]));
  const times = (of: (end: (typeof ends)[number]) => number | null): SystemTraffic["totalMs"] => latency(ends.flatMap((end) => of(end) ?? []));
  return {
    system,
    calls: calls.length,
    refused: calls.filter(({ row }) => row.decision === "deny").length,
    running: calls.filter((call) => isRunning(call) && call.row.at >= now - callSecondsMax * 1000).length,
    codes: codes(calls),
    findings: findings(calls),
    tokens: { prompt: sum(calls.map(({ tokens }) => tokens.prompt)), completion: sum(calls.map(({ tokens }) => tokens.completion)) },
    cost: costs(ends),
    decisionMs: times(({ decisionMs }) => decisionMs),
    firstByteMs: times(({ firstByteMs }) => firstByteMs),
    totalMs: times(({ totalMs }) => totalMs),
    lastAt: Math.max(...calls.map(({ row }) => row.at)),
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function codes(calls: readonly Call[]): SystemTraffic["codes"] {
  const coded = calls.flatMap(({ row }) => {
    const code = row.code ?? row.ended?.code ?? null;
    return code === null ? [] : [{ code, id: row.id }];
  });
  return [...Map.groupBy(coded, ({ code }) => code)]
    .map(([code, of]) => ({ code, what: isErrorCode(code) ? errorInfo(code).what : code, calls: of.length, last: of.at(-1)?.id ?? "" }))
    .sort((a, b) => b.calls - a.calls);
}

function findings(calls: readonly Call[]): FindingCount[] {
  const all = calls.flatMap(({ row }) => row.findings);
  const groups = Map.groupBy(all, ({ type, dataClass }) => `${type}\n${dataClass}`);
  return [...groups.values()]
    .flatMap((of) => (of[0] === undefined ? [] : [{ type: of[0].type, dataClass: of[0].dataClass, count: sum(of.map(({ count }) => count)) }]))
    .sort((a, b) => b.count - a.count);
}

function costs(ends: readonly NonNullable<TrafficRow["ended"]>[]): SystemTraffic["cost"] {
  const priced = ends.filter(({ costMicros, currency }) => costMicros !== null && currency !== null);
  return [...Map.groupBy(priced, ({ currency }) => currency ?? "")].map(([currency, of]) => ({ currency, micros: sum(of.map(({ costMicros }) => costMicros ?? 0)) }));
}

function latency(values: readonly number[]): SystemTraffic["totalMs"] {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}
