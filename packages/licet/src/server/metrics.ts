import type { Clock } from "../base/clock.ts";
import type { Budgets } from "../gateway/budgets/budgets.ts";
import { budgetUse } from "../gateway/observe/budget-use.ts";
import type { Telemetry } from "../gateway/observe/telemetry.ts";
import type { Gateway } from "../gateway/serve.ts";
import type { SnapshotSource } from "../gateway/snapshot.ts";
import { serveMetrics, type MetricsListener } from "../http/metrics-listener.ts";

export interface MetricsParts {
  readonly port: number;
  readonly telemetry: Telemetry;
  readonly gateway: Pick<Gateway, "inFlight">;
  readonly snapshots: SnapshotSource;
  readonly clock: Clock;
  readonly budgets?: Budgets | undefined;
}

/** GET /metrics of one process, for a scraper on this machine. */
export function startMetrics({ port, telemetry, gateway, snapshots, clock, budgets }: MetricsParts): Promise<MetricsListener> {
  const { scrape } = telemetry.exposition({
    inFlight: () => gateway.inFlight,
    snapshot: () => snapshots.current(),
    now: () => clock.now(),
    budgets: () => (budgets === undefined ? [] : budgetUse(budgets, snapshots.current(), clock.now())),
  });
  return serveMetrics({ port, scrape });
}
