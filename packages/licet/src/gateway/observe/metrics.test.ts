// oxlint-disable-next-line no-restricted-imports -- fetch sends no other Host than its address
import { request } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { manualClock } from "../../base/clock.ts";
import { serveMetrics, type MetricsListener } from "../../http/metrics-listener.ts";
import { observedDecision, observedOutcome } from "./observed-fixture.ts";
import { observers } from "./observer.ts";
import type { GatewayState } from "./prometheus.ts";
import { openTelemetry, type Telemetry } from "./telemetry.ts";

const clock = manualClock(1_790_000_000_000);
const listeners: MetricsListener[] = [];
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close();
});

function telemetry(): Telemetry {
  return openTelemetry({ clock, instance: "gw_1", scraped: true, onFailure: () => undefined });
}

const state: GatewayState = { inFlight: () => 3, now: () => clock.now(), snapshot: () => ({ version: 42, builtAt: clock.now() - 500, leaseUntil: clock.now() + 1500 }) };

async function served(of: Telemetry, more: Partial<GatewayState> = {}): Promise<MetricsListener> {
  const { scrape } = of.exposition({ ...state, ...more });
  const listener = await serveMetrics({ port: 0, scrape });
  listeners.push(listener);
  return listener;
}

async function scraped(of: Telemetry, more: Partial<GatewayState> = {}): Promise<string> {
  const response = await fetch((await served(of, more)).url);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/u);
  return response.text();
}

/** Lines of one metric, without comments. */
function lines(text: string, name: string): readonly string[] {
  return text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

const labels = `space="main",system="helpdesk",dialect="openai.chat",provider="sim",model="gpt-test"`;

describe("/metrics", () => {
  it("counts calls, refusals by code, findings, tokens, cost and times, per system", async () => {
    const of = telemetry();
    const call = observedDecision({ findings: [{ type: "email", dataClass: "personal", count: 2 }] });
    of.observer.decided(call);
    of.observer.ended(observedOutcome(call, { findings: [{ type: "iban", dataClass: "financial", count: 1 }], tools: [{ calls: 3, decision: "allow", code: undefined }, { calls: 1, decision: "deny", code: "tool_undeclared" }] }));
    of.observer.decided(observedDecision({ decision: "deny", code: "data_outside_boundary" }));
    const text = await scraped(of, { budgets: () => [{ space: "main", system: "helpdesk", budget: "tokens per day", used: 0.25 }] });
    expect(lines(text, "licet_calls_total")).toEqual([`licet_calls_total{${labels},decision="allow"} 1`, `licet_calls_total{${labels},decision="deny"} 1`]);
    expect(lines(text, "licet_refusals_total")).toEqual([`licet_refusals_total{${labels},code="data_outside_boundary"} 1`]);
    expect(lines(text, "licet_findings_total")).toEqual([`licet_findings_total{${labels},direction="request",type="email",class="personal"} 2`, `licet_findings_total{${labels},direction="answer",type="iban",class="financial"} 1`]);
    expect(lines(text, "licet_tool_calls_total")).toEqual([`licet_tool_calls_total{${labels},decision="allow",code=""} 3`, `licet_tool_calls_total{${labels},decision="deny",code="tool_undeclared"} 1`]);
    expect(lines(text, "licet_tokens_total")).toContain(`licet_tokens_total{${labels},type="output"} 7`);
    expect(lines(text, "licet_cost_total")).toEqual([`licet_cost_total{${labels},currency="EUR"} 0.0015`]);
    expect(lines(text, "licet_calls_in_flight")).toEqual(["licet_calls_in_flight 3"]);
    expect(lines(text, "licet_snapshot_age_seconds")).toEqual(["licet_snapshot_age_seconds 0.5"]);
    expect(lines(text, "licet_budget_used_ratio")).toEqual([`licet_budget_used_ratio{space="main",system="helpdesk",budget="tokens per day"} 0.25`]);
    // What only a caller chose is no label: anybody could make more of them.
    expect(text).not.toContain("as-the-caller-says");
  });

  it("a histogram is cumulative, ends with +Inf, and has the sum and the count of what it saw", async () => {
    const of = telemetry();
    of.observer.ended(observedOutcome(observedDecision(), { totalMs: 40, upstreamMs: 39.7 }));
    of.observer.ended(observedOutcome(observedDecision(), { totalMs: 1300, upstreamMs: 1299.7 }));
    const text = await scraped(of);
    const seen = lines(text, "licet_call_seconds_bucket").map((line) => Number(line.split(" ").at(-1)));
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(lines(text, "licet_call_seconds_bucket").find((line) => line.includes(`le="0.05"`))).toMatch(/ 1$/u);
    expect(lines(text, "licet_call_seconds_bucket").at(-1)).toMatch(/le="\+Inf".* 2$/u);
    expect(lines(text, "licet_call_seconds_count")).toEqual([`licet_call_seconds_count{${labels}} 2`]);
    expect(lines(text, "licet_call_seconds_sum")).toEqual([`licet_call_seconds_sum{${labels}} 1.34`]);
    expect(lines(text, "licet_overhead_seconds_bucket").find((line) => line.includes(`le="0.0005"`))).toMatch(/ 2$/u);
  });

  it("says that there is no standing under a lease: then everything is refused", async () => {
    expect(lines(await scraped(telemetry(), { snapshot: () => undefined }), "licet_snapshot_fresh")).toEqual(["licet_snapshot_fresh 0"]);
  });

  it("stays bounded whatever is declared: further combinations share one series", async () => {
    const of = telemetry();
    for (let at = 0; at < 2000; at++) of.observer.decided(observedDecision({ system: `system-${at}` }));
    const calls = lines(await scraped(of), "licet_calls_total").filter((line) => line.includes(`decision="allow"`));
    expect(calls).toHaveLength(501);
    expect(calls.at(-1)).toBe(`licet_calls_total{space="other",system="other",dialect="other",provider="other",model="other",decision="allow"} 1500`);
  });

  it("answers this machine only, and nothing but GET /metrics", async () => {
    const { url } = await served(telemetry());
    const at = (path: string, init: RequestInit = {}) => fetch(url.replace("/metrics", path), init).then(({ status }) => status);
    expect([await at("/metrics", { method: "POST" }), await at("/"), await at("/metrics", { method: "HEAD" })]).toEqual([404, 404, 200]);
    const rebound = await new Promise((resolve, reject) => {
      const sent = request(url, { headers: { host: "rebound.example" } }, (response) => resolve(response.statusCode));
      sent.on("error", reject);
      sent.end();
    });
    expect(rebound).toBe(403);
  });
});

describe("observers", () => {
  it("one that fails is told no more, and the others go on", () => {
    const failures: unknown[] = [];
    let told = 0;
    let tried = 0;
    const both = observers(
      [
        {
          decided: () => {
            tried++;
            throw new Error("broken");
          },
          ended: () => undefined,
        },
        { decided: () => void told++, ended: () => undefined },
      ],
      (error) => failures.push(error),
    );
    both.decided(observedDecision());
    both.decided(observedDecision());
    expect([told, tried, failures.length]).toEqual([2, 1, 1]);
  });
});
