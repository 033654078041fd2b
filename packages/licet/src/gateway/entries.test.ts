import { AccessDecisionBody, GatewayDecisionBody, GatewayOutcomeBody } from "@licet/contract";
import { expect, test } from "vitest";
import { gatewayEntryDefinitions } from "./entries.ts";

const first = { id: "dec_1", decision: "allow", code: null, reasons: [], policyErrors: [], policyBundle: null, snapshot: null, cedar: null, deployment: "dep_1", credential: "crd_1", release: null, model: "m", findings: [], action: "score", digest: null };

function definitionOf(kind: string) {
  return gatewayEntryDefinitions.find((definition) => definition.kind === kind);
}

test("an access decision of the first version is read as one of today, with nothing in what it did not have", () => {
  expect(AccessDecisionBody.safeParse(first).success).toBe(false);
  expect(AccessDecisionBody.parse(definitionOf("access.decision")?.upcast?.(first, 1))).toEqual({ ...first, client: null, asked: null, obligations: [], exported: null });
});

const { digest: _, ...common } = first;
const decision = {
  ...common,
  action: "callModel",
  endpoint: "/openai/v1/chat/completions",
  provider: "models",
  region: "eu",
  upstreamModel: "gpt",
  stream: false,
  requestBytes: 12,
  messages: null,
  scanned: "full",
  findings: [{ type: "email", dataClass: "personal", count: 1 }],
};

test("a gateway decision of the first version is read as one of today: of the one way to call a model that there was", () => {
  expect(GatewayDecisionBody.parse(definitionOf("gateway.decision")?.upcast?.(decision, 1))).toEqual({ ...decision, dialect: "openai.chat" });
  const tried = { ...decision, action: "unknown", endpoint: "POST /openai/v1/responses" };
  expect(GatewayDecisionBody.parse(definitionOf("gateway.decision")?.upcast?.(tried, 1))).toEqual(tried);
});

test("an outcome of the first version is read as one of today, word for word", () => {
  const outcome = {
    decision: "dec_1",
    deployment: "dep_1",
    release: "sha256:x",
    status: 200,
    code: null,
    finish: "complete",
    finishReasons: ["stop"],
    abortedBy: null,
    usage: { prompt: 1, completion: 2, total: 3 },
    findings: [],
    scanned: "window",
    answerBytes: 10,
    timings: { decisionMs: 1, firstByteMs: 2, totalMs: 3 },
    upstreamStatus: 200,
  };
  expect(GatewayOutcomeBody.parse(definitionOf("gateway.outcome")?.upcast?.(outcome, 1))).toEqual(outcome);
});
