import type { ObservedDecision, ObservedOutcome } from "./observer.ts";

/** One allowed call to a provider, for tests. */
export function observedDecision(more: Partial<ObservedDecision> = {}): ObservedDecision {
  return {
    id: "dec_01k9z00000aaaaaaaaaaaaaaaa",
    space: "main",
    system: "helpdesk",
    deployment: "dep_1",
    release: `sha256:${"1".repeat(64)}`,
    action: "callModel",
    dialect: "openai.chat",
    stream: false,
    model: "as-the-caller-says",
    upstreamModel: "gpt-test",
    provider: { id: "sim", kind: "openai", baseUrl: "https://api.example:8443/v1" },
    decision: "allow",
    code: undefined,
    policy: undefined,
    warned: 0,
    findings: [],
    receivedAt: 1_790_000_000_123,
    decisionMs: 1.25,
    durableMs: 1,
    trace: { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "00f067aa0ba902b7", parentId: "b7ad6b7169203331", sampled: true, state: "" },
    ...more,
  };
}

export function observedOutcome(call: ObservedDecision = observedDecision(), more: Partial<ObservedOutcome> = {}): ObservedOutcome {
  return {
    call,
    status: 200,
    code: undefined,
    finish: "complete",
    finishReasons: ["stop"],
    usage: { prompt: 11, completion: 7, cached: 4 },
    cost: { costMicros: 1500, currency: "EUR" },
    findings: [],
    redactions: 0,
    upstreamStatus: 200,
    upstreamFirstByteMs: 20,
    upstreamMs: 30,
    totalMs: 31.5,
    recorded: true,
    ...more,
  };
}
