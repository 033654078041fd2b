// oxlint-disable-next-line no-restricted-imports -- the collector is a real receiver on a real socket
import { createServer } from "node:http";
// oxlint-disable-next-line no-restricted-imports -- a type of its address
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { manualClock } from "../../base/clock.ts";
import { otlpExporter, otlpHeaders, type OtlpExporter } from "./otlp.ts";
import { observedDecision, observedOutcome } from "./observed-fixture.ts";
import { observers } from "./observer.ts";
import { tally } from "./tally.ts";

/** The published JSON form of OTLP 1.x, strict: lower camel case, 64-bit numbers as text, enums as numbers, ids as hexadecimal. */
const long = z.string().regex(/^\d+$/u);
const AnyValue = z.union([
  z.strictObject({ stringValue: z.string() }),
  z.strictObject({ intValue: long }),
  z.strictObject({ doubleValue: z.number() }),
  z.strictObject({ boolValue: z.boolean() }),
  z.strictObject({ arrayValue: z.strictObject({ values: z.array(z.strictObject({ stringValue: z.string() })) }) }),
]);
const KeyValue = z.strictObject({ key: z.string().min(1), value: AnyValue });
const Resource = z.strictObject({ attributes: z.array(KeyValue) });
const Scope = z.strictObject({ name: z.string(), version: z.string() });
const Span = z.strictObject({
  traceId: z.string().regex(/^[0-9a-f]{32}$/u),
  spanId: z.string().regex(/^[0-9a-f]{16}$/u),
  parentSpanId: z.string().regex(/^[0-9a-f]{16}$/u).optional(),
  traceState: z.string().optional(),
  name: z.string(),
  kind: z.int().min(1).max(5),
  startTimeUnixNano: long,
  endTimeUnixNano: long,
  attributes: z.array(KeyValue),
  status: z.strictObject({ code: z.int().min(1).max(2).optional(), message: z.string().optional() }),
});
const Traces = z.strictObject({ resourceSpans: z.array(z.strictObject({ resource: Resource, scopeSpans: z.array(z.strictObject({ scope: Scope, spans: z.array(Span) })) })) });
const times = { startTimeUnixNano: long, timeUnixNano: long, attributes: z.array(KeyValue) };
const HistogramPoint = z.strictObject({ ...times, count: long, sum: z.number(), bucketCounts: z.array(long), explicitBounds: z.array(z.number()) });
const Metric = z.strictObject({
  name: z.string(),
  unit: z.string(),
  histogram: z.strictObject({ aggregationTemporality: z.literal(2), dataPoints: z.array(HistogramPoint) }).optional(),
  sum: z.strictObject({ aggregationTemporality: z.literal(2), isMonotonic: z.boolean(), dataPoints: z.array(z.strictObject({ ...times, asInt: long })) }).optional(),
});
const Metrics = z.strictObject({ resourceMetrics: z.array(z.strictObject({ resource: Resource, scopeMetrics: z.array(z.strictObject({ scope: Scope, metrics: z.array(Metric) })) })) });

interface Got {
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A receiver on a real socket; `answer` gives the status of each request, by its number. */
async function receiver(answer: (nth: number) => number = () => 200): Promise<{ readonly url: string; readonly got: Got[] }> {
  const got: Got[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      got.push({ path: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks).toString("utf8") });
      response.writeHead(answer(got.length), { "content-type": "application/json" });
      response.end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/otlp`, got };
}

const clock = manualClock(1_790_000_100_000);

function exporter(endpoint: string, limits: Parameters<typeof otlpExporter>[0]["limits"] = {}, onFailure?: (error: unknown) => void): OtlpExporter & { readonly both: ReturnType<typeof observers> } {
  const counting = tally(1_790_000_000_000);
  const made = otlpExporter({ endpoint, headers: otlpHeaders("x-key=a%20b"), instance: "gw_1", tally: counting, clock, limits: { retryMs: 5, ...limits }, ...(onFailure && { onFailure }) });
  return Object.assign(made, { both: observers([counting.observer, made.observer]) });
}

function spansIn(got: readonly Got[]): readonly z.output<typeof Span>[] {
  return got.filter(({ path }) => path === "/otlp/v1/traces").flatMap(({ body }) => Traces.parse(JSON.parse(body)).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)));
}

function metricsIn(got: readonly Got[]): (name: string) => z.output<typeof Metric> | undefined {
  const bodies = got.filter(({ path }) => path === "/otlp/v1/metrics").map(({ body }) => Metrics.parse(JSON.parse(body)));
  const metrics = bodies.flatMap(({ resourceMetrics }) => resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((each) => each.metrics)));
  return (name) => metrics.find((metric) => metric.name === name);
}

function pointsOf(metric: z.output<typeof Metric> | undefined): readonly z.output<typeof HistogramPoint>[] {
  return metric?.histogram?.dataPoints ?? [];
}

function valueOf(span: z.output<typeof Span> | undefined, key: string): unknown {
  const found = span?.attributes.find((each) => each.key === key)?.value;
  return found === undefined ? undefined : Object.values(found)[0];
}

describe("spans and metrics for a collector", () => {
  it("a call is one client span of the GenAI conventions, in the published form of OTLP, under the caller's trace", async () => {
    const { url, got } = await receiver();
    const out = exporter(url);
    const call = observedDecision({ stream: true, findings: [{ type: "email", dataClass: "personal", count: 2 }] });
    out.both.decided(call);
    out.both.ended(observedOutcome(call));
    await out.close();
    const [span] = spansIn(got);
    expect(span).toMatchObject({ traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "00f067aa0ba902b7", parentSpanId: "b7ad6b7169203331", name: "chat gpt-test", kind: 3, startTimeUnixNano: "1790000000123000000", endTimeUnixNano: "1790000000154500000", status: {} });
    const said = Object.fromEntries(span?.attributes.map(({ key }) => [key, valueOf(span, key)]) ?? []);
    expect(said).toMatchObject({
      "gen_ai.operation.name": "chat",
      "openai.api.type": "chat_completions",
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": "gpt-test",
      "gen_ai.usage.input_tokens": "11",
      "gen_ai.usage.output_tokens": "7",
      "gen_ai.usage.cache_read.input_tokens": "4",
      "server.address": "api.example",
      "server.port": "8443",
      "licet.decision.id": "dec_01k9z00000aaaaaaaaaaaaaaaa",
      "licet.decision": "allow",
      "licet.system": "helpdesk",
      "gen_ai.response.time_to_first_chunk": 0.02,
      "licet.cost.micros": "1500",
    });
    expect(said["gen_ai.response.finish_reasons"]).toEqual({ values: [{ stringValue: "stop" }] });
    expect(said["licet.findings"]).toEqual({ values: [{ stringValue: "email" }] });
    expect(said).not.toHaveProperty("error.type");
    expect(got[0]?.headers).toMatchObject({ "content-type": "application/json", "x-key": "a b" });
    // What only the caller chose could be anything.
    expect(got.map(({ body }) => body).join("")).not.toContain("as-the-caller-says");
  });

  it("a refusal is a span with the code as its error type, and no outcome is waited for", async () => {
    const { url, got } = await receiver();
    const out = exporter(url);
    out.both.decided(observedDecision({ decision: "deny", code: "held", policy: "gateway.held", trace: undefined }));
    await out.close();
    const [span] = spansIn(got);
    expect(span).toMatchObject({ status: { code: 2, message: "held" } });
    expect(span).not.toHaveProperty("parentSpanId");
    expect([valueOf(span, "error.type"), valueOf(span, "licet.policy"), valueOf(span, "licet.decision")]).toEqual(["held", "gateway.held", "deny"]);
  });

  it("what its caller does not want sampled makes no span, and counts all the same", async () => {
    const { url, got } = await receiver();
    const out = exporter(url);
    const { trace } = observedDecision();
    const call = observedDecision({ trace: trace === undefined ? undefined : { ...trace, sampled: false } });
    out.both.decided(call);
    out.both.ended(observedOutcome(call));
    await out.close();
    expect(spansIn(got)).toEqual([]);
    const named = metricsIn(got);
    expect(named("gen_ai.client.operation.duration")).toMatchObject({ unit: "s", histogram: { dataPoints: [{ count: "1", sum: 0.0315 }] } });
    expect(pointsOf(named("gen_ai.client.token.usage")).map(({ sum }) => sum)).toEqual([11, 7]);
    expect(pointsOf(named("gen_ai.client.operation.duration")).map(({ bucketCounts, explicitBounds }) => bucketCounts.length - explicitBounds.length)).toEqual([1]);
    expect(named("licet.decisions")?.sum?.dataPoints).toMatchObject([{ asInt: "1" }]);
  });

  it("a collector that is busy is asked again, and gets every span once", async () => {
    const { url, got } = await receiver((nth) => (nth < 3 ? 503 : 200));
    const out = exporter(url, { flushMs: 5 });
    out.both.ended(observedOutcome());
    await expect.poll(() => out.exported, { timeout: 30_000 }).toBe(1);
    expect(got.filter(({ path }) => path.endsWith("traces"))).toHaveLength(3);
    expect(out.dropped).toBe(0);
    await out.close();
  });

  it("behind a collector that takes nothing the queue stays bounded: the rest is dropped, counted and told once", async () => {
    const { url } = await receiver(() => 400);
    const failures: unknown[] = [];
    const out = exporter(url, { queueSpansMax: 10, flushMs: 60_000 }, (error) => failures.push(error));
    for (let at = 0; at < 25; at++) out.both.ended(observedOutcome());
    expect(out.dropped).toBe(15);
    await out.close();
    expect([out.dropped, out.exported]).toEqual([25, 0]);
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({ code: "otlp_refused" });
  });

  it("nobody at the address: closing does not hang, and everything counts as dropped", async () => {
    const { url } = await receiver();
    for (const close of closing.splice(0)) await close();
    const out = exporter(url, { attemptsMax: 1 });
    out.both.ended(observedOutcome());
    await out.close();
    expect(out.dropped).toBe(1);
  });

  it.each(["collector:4318", "ftp://collector/", ""])("an endpoint `%s` is refused at start", (endpoint) => {
    expect(() => exporter(endpoint)).toThrow(expect.objectContaining({ code: "otlp_endpoint_invalid" }));
  });

  it.each(["no-equals-sign", "=value", "name with spaces=1", "name=%zz"])("headers `%s` are refused, and their value is not repeated", (text) => {
    expect(() => otlpHeaders(text)).toThrow(expect.objectContaining({ code: "otlp_headers_invalid", message: expect.not.stringContaining("zz") }));
  });
});
