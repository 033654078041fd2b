import { z } from "zod";
import { jsonOf, shaped } from "./read.ts";
import { inconsistent, unreadable } from "./refusal.ts";
import type { ImportedItem, ReadReport, SignConvention } from "./report.ts";
import { requireUnique } from "./rows.ts";

const Metric = z.looseObject({
  id: z.string().optional(),
  metric_id: z.string().optional(),
  metric_name: z.string().optional(),
  config: z.looseObject({ type: z.string().optional(), method: z.string().optional(), threshold: z.number().optional(), column: z.string().optional(), drift_share: z.number().optional() }).nullish(),
  value: z.unknown(),
});
const Test = z.looseObject({
  name: z.string(),
  status: z.string(),
  metric_config: z.looseObject({ metric_id: z.string().optional() }).nullish(),
  test_config: z.looseObject({ type: z.string().optional(), threshold: z.unknown().optional() }).nullish(),
});
const Snapshot = z.looseObject({ metrics: z.array(Metric), tests: z.array(Test), version: z.string().optional() });

type Metric = z.infer<typeof Metric>;
type Test = z.infer<typeof Test>;

/**
 * Evidently's snapshot (0.6 and later). `ValueDrift.value` is a p-value or a distance: `config.method` says which. A test is counted as
 * failed by its figure and threshold, not by its word, and the word has to agree. Errors, skips and warnings are unassessed. A p-value above
 * its threshold is no evidence that nothing changed, and a distance below it has no interval: tests that hold pass nothing. Source: evidently `core/report.py`, `legacy/calculations/stattests`, `tests/descriptors`.
 */
export function readEvidently(bytes: Uint8Array): ReadReport {
  const { metrics, tests, version } = shaped(Snapshot, jsonOf(bytes), "the snapshot");
  const byId = new Map(metrics.map((metric) => [idOf(metric), metric]));
  requireUnique("the metric", metrics.map(idOf).filter((id) => id !== ""));
  const judged = tests.map((test) => ({ test, failed: failedOf(test, byId.get(test.metric_config?.metric_id ?? "")) }));
  const census: ImportedItem = {
    kind: "census",
    id: "tests",
    n: judged.filter(({ failed }) => failed !== undefined).length,
    violations: judged.filter(({ failed }) => failed === true).length,
    unassessed: judged.filter(({ failed }) => failed === undefined).length,
    complete: true,
    evidence: "figures",
    found: Object.fromEntries(judged.filter(({ failed }) => failed === true).map(({ test }, index) => [`${index + 1}. ${test.name.slice(0, 200)}`, 1])),
  };
  if (metrics.length === 0) throw unreadable("the snapshot has no metric");
  return { tool: "evidently", toolVersion: version ?? null, items: [census, ...metrics.flatMap(valuesOf)] };
}

function idOf(metric: Metric): string {
  return metric.id ?? metric.metric_id ?? "";
}

/** Undefined: not assessed. */
function failedOf(test: Test, metric: Metric | undefined): boolean | undefined {
  const status = test.status.toUpperCase();
  if (status !== "FAIL" && status !== "SUCCESS") return undefined;
  if (metric === undefined) throw inconsistent(`the test \`${test.name.slice(0, 200)}\` is about a metric that is not in the snapshot`);
  const recounted = recount(test, metric);
  if (recounted !== undefined && recounted !== (status === "FAIL")) throw inconsistent(`the test \`${test.name.slice(0, 200)}\` says ${status}, and its figure says the opposite`);
  // Kinds of tests that cannot be counted again are no evidence that they hold.
  return recounted ?? (status === "FAIL" ? true : undefined);
}

function recount(test: Test, metric: Metric): boolean | undefined {
  const type = test.test_config?.type ?? "";
  const { config } = metric;
  const value = figure(metric.value);
  if (type === "" && config?.threshold !== undefined && config.method !== undefined && value !== undefined) return drifted(value, config.threshold, config.method);
  const threshold = test.test_config?.threshold;
  if (typeof threshold !== "number") return undefined;
  const shown = typeof metric.value === "number" ? metric.value : bound(test, metric.value);
  return shown === undefined ? undefined : compare(type, shown, threshold);
}

/** Counts come with their share; `is_count` says which of the two the test is about. */
function bound(test: Test, value: unknown): number | undefined {
  const about = z.looseObject({ bound_test: z.looseObject({ is_count: z.boolean().optional() }).nullish() }).safeParse(test).data?.bound_test;
  const counted = z.looseObject({ count: z.number(), share: z.number() }).safeParse(value).data;
  if (counted === undefined || about?.is_count === undefined) return undefined;
  return about.is_count ? counted.count : counted.share;
}

/** True when the condition does not hold. */
function compare(type: string, value: number, threshold: number): boolean | undefined {
  if (type.includes("LessThanMetric")) return !(value < threshold);
  if (type.includes("LessOrEqualMetric")) return !(value <= threshold);
  if (type.includes("GreaterThanMetric")) return !(value > threshold);
  if (type.includes("GreaterOrEqualMetric")) return !(value >= threshold);
  if (type.includes("NotEqualMetric")) return value === threshold;
  return type.includes("EqualMetric") ? value !== threshold : undefined;
}

/** On the threshold the versions of the tool differ, so that nothing is recounted. */
function drifted(value: number, threshold: number, method: string): boolean | undefined {
  if (value === threshold) return undefined;
  return signOfDrift(method) === "p_value" ? value < threshold : value >= threshold;
}

/** Methods whose figure is a p-value say so in their name. */
export function signOfDrift(method: string): SignConvention {
  return /p[_ -]?value/iu.test(method) ? "p_value" : "distance";
}

function valuesOf(metric: Metric): readonly ImportedItem[] {
  const id = metric.metric_name ?? idOf(metric);
  const method = metric.config?.method ?? metric.config?.type ?? "";
  const value = figure(metric.value);
  if (value !== undefined) return [{ kind: "value", id, value, method, sign: metric.config?.method === undefined ? "unknown" : signOfDrift(metric.config.method) }];
  const parts = z.record(z.string(), z.number()).safeParse(metric.value).data ?? {};
  return Object.entries(parts).map(([key, part]) => ({ kind: "value", id: `${id} ${key}`, value: part, method, sign: key === "share" ? "event_share" : "unknown" }));
}

function figure(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}
