import type { Buckets } from "./buckets.ts";
import { genai, genaiMetrics, licetNames } from "./genai-conventions.ts";
import { attributesJson, nanos } from "./otlp-span.ts";
import type { Series, Tally } from "./tally.ts";

/** AGGREGATION_TEMPORALITY_CUMULATIVE of opentelemetry/proto/metrics/v1/metrics.proto. */
const cumulative = 2;

/** `resourceMetrics[].scopeMetrics[].metrics` of one export. */
export function metricsJson(tally: Tally, now: number): string {
  const series = [...tally.series()].filter(({ allowed }) => allowed > 0);
  const times = `"startTimeUnixNano":"${nanos(tally.since)}","timeUnixNano":"${nanos(now)}"`;
  const point = (of: Series, { bounds, counts, sum, count }: Buckets, tokenType?: string): string =>
    `{${times},"attributes":${attributesOf(of, tokenType)},"count":"${count}","sum":${sum},"bucketCounts":[${[...counts].map((each) => `"${each}"`).join(",")}],"explicitBounds":[${bounds.join(",")}]}`;
  const metrics = [
    histogram(genaiMetrics.duration, "s", series.map((of) => point(of, of.advisedTotal))),
    histogram(genaiMetrics.firstChunk, "s", series.map((of) => point(of, of.advisedFirst))),
    histogram(genaiMetrics.tokens, "{token}", series.flatMap((of) => [point(of, of.inputTokens, "input"), point(of, of.outputTokens, "output")])),
    decisions([...tally.series()], times),
  ];
  return `[${metrics.join(",")}]`;
}

function histogram(name: string, unit: string, points: readonly string[]): string {
  return `{"name":"${name}","unit":"${unit}","histogram":{"aggregationTemporality":${cumulative},"dataPoints":[${points.join(",")}]}}`;
}

function attributesOf({ labels, operation, providerName }: Series, tokenType: string | undefined): string {
  return attributesJson((to) =>
    to
      .text(genai.operation, operation)
      .text(genai.provider, providerName)
      .text(genai.requestModel, labels.model)
      .text(genai.tokenType, tokenType)
      .text(licetNames.space, labels.space)
      .text(licetNames.system, labels.system),
  );
}

function decisions(series: readonly Series[], times: string): string {
  const point = (of: Series, verdict: string, code: string | undefined, value: number): string =>
    `{${times},"attributes":${attributesJson((to) => to.text(licetNames.space, of.labels.space).text(licetNames.system, of.labels.system).text(licetNames.verdict, verdict).text(licetNames.code, code))},"asInt":"${value}"}`;
  const points = series.flatMap((of) => [...(of.allowed > 0 ? [point(of, "allow", undefined, of.allowed)] : []), ...[...of.refusals].map(([code, value]) => point(of, "deny", code, value))]);
  return `{"name":"licet.decisions","unit":"{call}","sum":{"aggregationTemporality":${cumulative},"isMonotonic":true,"dataPoints":[${points.join(",")}]}}`;
}
