import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import { secondsBounds, type Buckets } from "./buckets.ts";
import type { Series, SeriesLabels, Tally } from "./tally.ts";

/** What the gateway knows beside its calls; asked at each scrape. */
export interface GatewayState {
  readonly inFlight: () => number;
  /** Undefined while there is no snapshot under a lease. */
  readonly snapshot: () => { readonly version: number; readonly builtAt: number; readonly leaseUntil: number } | undefined;
  readonly now: () => number;
  /** Used parts of budgets, 0 to 1 and beyond; absent where none is declared. */
  readonly budgets?: (() => readonly BudgetUse[]) | undefined;
  /** Spans and metrics that the exporter gave up. */
  readonly telemetryDropped?: (() => number) | undefined;
}

export interface BudgetUse {
  readonly space: string;
  readonly system: string;
  /** As `tokens per day`; a bounded set of words. */
  readonly budget: string;
  readonly used: number;
}

export interface Exposition {
  /** The text of one scrape and its media type. */
  readonly scrape: () => Promise<{ readonly type: string; readonly body: string }>;
}

const bySeries = ["space", "system", "dialect", "provider", "model"] as const;
type Row = readonly [labels: Readonly<Record<string, string>>, value: number];

/** Prometheus metrics of one process: its own registry, so that nothing else can slip in. */
export function exposition(tally: Tally, state: GatewayState): Exposition {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  counters(registry, tally);
  histograms(registry, tally);
  gauges(registry, state);
  return { scrape: async () => ({ type: registry.contentType, body: await registry.metrics() }) };
}

interface Counting {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly rows: (series: Series) => Iterable<Row>;
}

function counted(registry: Registry, tally: Tally, { name, help, labels, rows }: Counting): void {
  const counter: Counter = new Counter({
    name,
    help,
    labelNames: [...bySeries, ...labels],
    registers: [registry],
    collect: () => {
      counter.reset();
      for (const series of tally.series()) for (const [more, value] of rows(series)) counter.inc({ ...series.labels, ...more }, value);
    },
  });
}

function split(from: ReadonlyMap<string, number>, names: readonly string[]): Row[] {
  return [...from].map(([key, value]) => {
    const parts = key.split("\n");
    return [Object.fromEntries(names.map((name, at) => [name, parts[at] ?? ""])), value];
  });
}

function counters(registry: Registry, tally: Tally): void {
  const all: readonly Counting[] = [
    { name: "licet_calls_total", help: "decisions on calls", labels: ["decision"], rows: ({ allowed, denied }) => [[{ decision: "allow" }, allowed], [{ decision: "deny" }, denied]] },
    { name: "licet_refusals_total", help: "refused calls by the code of the refusal", labels: ["code"], rows: ({ refusals }) => split(refusals, ["code"]) },
    { name: "licet_outcomes_total", help: "ends of allowed calls", labels: ["finish", "code"], rows: ({ ends }) => split(ends, ["finish", "code"]) },
    { name: "licet_findings_total", help: "what detectors found, by type and class", labels: ["direction", "type", "class"], rows: ({ findings }) => split(findings, ["direction", "type", "class"]) },
    { name: "licet_tool_calls_total", help: "calls of tools in answers, each judged before it left; a code beside allow is what a waiver lifted", labels: ["decision", "code"], rows: ({ tools }) => split(tools, ["decision", "code"]) },
    { name: "licet_redactions_total", help: "values that were replaced", labels: [], rows: ({ redactions }) => [[{}, redactions]] },
    { name: "licet_policy_warnings_total", help: "policies on trial that would have refused a call", labels: [], rows: ({ warned }) => [[{}, warned]] },
    { name: "licet_tokens_total", help: "tokens as the provider counted them; cached and reasoning are parts of input and output", labels: ["type"], rows: ({ tokens }) => Object.entries(tokens).map(([type, value]): Row => [{ type }, value]) },
    { name: "licet_cost_total", help: "cost in units of the currency, by declared prices", labels: ["currency"], rows: ({ costMicros }) => [...costMicros].map(([currency, micros]): Row => [{ currency }, micros / 1_000_000]) },
    { name: "licet_unrecorded_total", help: "decisions and outcomes that the evidence log did not take; the calls were refused or broken off", labels: [], rows: ({ unrecorded }) => [[{}, unrecorded]] },
  ];
  for (const each of all) counted(registry, tally, each);
}

/** A histogram whose numbers are kept elsewhere. */
class Kept extends Histogram {
  readonly #of: { readonly name: string; readonly help: string; readonly rows: () => Iterable<readonly [SeriesLabels, Buckets]> };

  constructor(of: { readonly name: string; readonly help: string; readonly rows: () => Iterable<readonly [SeriesLabels, Buckets]> }) {
    super({ name: of.name, help: of.help, labelNames: [...bySeries], buckets: [...secondsBounds], registers: [] });
    this.#of = of;
  }

  /** What the registry asks for a text, and what `get` is made of; its types do not say so. */
  async getForPromString(): Promise<{ readonly name: string; readonly help: string; readonly type: string; readonly values: Values }> {
    const { name, help, rows } = this.#of;
    return { name, help, type: "histogram", values: [...rows()].flatMap(([labels, buckets]) => valuesOf(name, labels, buckets)) };
  }
}

type Values = Awaited<ReturnType<Histogram["get"]>>["values"];

/** Prometheus buckets are cumulative. */
function valuesOf(name: string, labels: SeriesLabels, { bounds, counts, sum }: Buckets): Values {
  let below = 0;
  const values: Values = [];
  for (const [at, bound] of [...bounds, Infinity].entries()) {
    below += counts[at] ?? 0;
    values.push({ metricName: `${name}_bucket`, labels: { ...labels, le: bound === Infinity ? "+Inf" : bound }, value: below });
  }
  return [...values, { metricName: `${name}_sum`, labels: { ...labels }, value: sum }, { metricName: `${name}_count`, labels: { ...labels }, value: below }];
}

function histograms(registry: Registry, tally: Tally): void {
  const all: readonly { readonly name: string; readonly help: string; readonly of: (series: Series) => Buckets }[] = [
    { name: "licet_overhead_seconds", help: "what the gateway itself took of a call, the wait for the log included", of: (series) => series.overhead },
    { name: "licet_log_durable_seconds", help: "the wait until a decision was durable", of: (series) => series.durable },
    { name: "licet_upstream_first_byte_seconds", help: "from sending to the provider to its first byte", of: (series) => series.firstByte },
    { name: "licet_call_seconds", help: "from a call's arrival to its end", of: (series) => series.total },
  ];
  for (const { name, help, of } of all) {
    registry.registerMetric(new Kept({ name, help, rows: () => [...tally.series()].map((series) => [series.labels, of(series)] as const) }));
  }
}

function gauges(registry: Registry, state: GatewayState): void {
  const gauge = (name: string, help: string, value: () => number): void => {
    const it: Gauge = new Gauge({ name, help, registers: [registry], collect: () => it.set(value()) });
  };
  const seconds = (of: (snapshot: NonNullable<ReturnType<GatewayState["snapshot"]>>) => number) => (): number => {
    const snapshot = state.snapshot();
    return snapshot === undefined ? Number.NaN : of(snapshot) / 1000;
  };
  gauge("licet_calls_in_flight", "calls that are being carried now", state.inFlight);
  gauge("licet_snapshot_fresh", "1 while the standing that calls are decided by is under a lease, else 0: then everything is refused", () => (state.snapshot() === undefined ? 0 : 1));
  gauge("licet_snapshot_version", "log index of the newest governance entry that calls are decided by", () => state.snapshot()?.version ?? Number.NaN);
  gauge("licet_snapshot_age_seconds", "since the standing was built", seconds(({ builtAt }) => Math.max(0, state.now() - builtAt)));
  gauge("licet_snapshot_lease_seconds", "until the lease ends", seconds(({ leaseUntil }) => leaseUntil - state.now()));
  const dropped: Counter = new Counter({
    name: "licet_telemetry_dropped_total",
    help: "spans that were given up because the collector did not take them; evidence is never given up",
    registers: [registry],
    collect: () => {
      dropped.reset();
      dropped.inc(state.telemetryDropped?.() ?? 0);
    },
  });
  const used: Gauge = new Gauge({
    name: "licet_budget_used_ratio",
    help: "used part of a budget, reservations included",
    labelNames: ["space", "system", "budget"],
    registers: [registry],
    collect: () => {
      used.reset();
      for (const { space, system, budget, used: value } of (state.budgets?.() ?? []).slice(0, budgetsMax)) used.set({ space, system, budget }, value);
    },
  });
}

const budgetsMax = 2000;
