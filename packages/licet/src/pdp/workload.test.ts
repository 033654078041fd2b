import { gatewayEntries } from "@licet/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { deployment, startGoverned, withoutAto, type Governed, type Standing } from "../../../../test/unit/support/governed.ts";
import type { CedarCall } from "../gateway/decide.ts";

const digest = `sha256:${"d".repeat(64)}`;
const classical = deployment({
  id: "dep_tumour",
  system: "tumour-classifier",
  prompts: [],
  models: [{ name: "tumour-gbm", provider: "local", model: "tumour.onnx", digest, bounds: {} }],
});
const allowed = {
  subject: { type: "workload", id: "dep_tumour" },
  action: { name: "score" },
  resource: { type: "model", id: "tumour-gbm", properties: { digest } },
};

let governed: Governed;

beforeEach(async () => {
  governed = await startGoverned();
  governed.stand({ deployment: classical });
});

afterEach(async () => {
  await governed[Symbol.asyncDispose]();
});

async function ask(body: unknown, headers: Record<string, string> = {}) {
  const response = await governed.post("/access/v1/evaluation", JSON.stringify(body), headers);
  return { status: response.status, headers: response.headers, body: (await response.json()) as { decision?: boolean; context?: Record<string, unknown> } };
}

function recorded() {
  return gatewayEntries["access.decision"].body.parse(governed.bodies("access.decision").at(-1));
}

describe("200", () => {
  test("a workload may run the model that its release declares, by a decision that is already recorded", async () => {
    const seen: CedarCall[] = [];
    governed.stand({
      deployment: classical,
      decide: async (call) => {
        seen.push(call);
        return { decision: "allow", reasons: [], errors: [] };
      },
    });
    const answer = await ask(allowed, { "x-request-id": "req-7" });
    expect(answer.body).toEqual({ decision: true, context: { id: recorded().id } });
    expect(answer.headers.get("x-request-id")).toBe("req-7");
    expect(recorded()).toMatchObject({ decision: "allow", action: "score", model: "tumour-gbm", deployment: "dep_tumour", digest });
    expect(seen[0]?.action).toEqual({ type: "Licet::Action", id: "score" });
    expect(seen[0]?.resource).toEqual({ type: "Licet::Model", id: "local/tumour-gbm" });
  });

  test("the system's name is as good as its deployment's", async () => {
    expect((await ask({ ...allowed, subject: { type: "workload", id: "tumour-classifier" } })).body.decision).toBe(true);
  });

  const { resource } = allowed;
  test.each<[string, object, Standing]>([
    ["release_mismatch", { resource: { ...resource, properties: { digest: `sha256:${"e".repeat(64)}` } } }, {}],
    ["release_mismatch", { resource: { ...resource, properties: {} } }, {}],
    ["model_undeclared", { resource: { ...resource, id: "other" } }, {}],
    ["subject_mismatch", { subject: { type: "workload", id: "dep_other" } }, {}],
    ["subject_mismatch", { subject: { type: "user", id: "dep_tumour" } }, {}],
    ["action_unsupported", { action: { name: "train" } }, {}],
    ["action_unsupported", { resource: { ...resource, type: "dataset" } }, {}],
    ["ato_missing", {}, { deployment: withoutAto(classical) }],
    ["held", {}, { holds: [{ id: "h", scope: "all", reason: "exercise" }] }],
    ["policy_denied", {}, { decide: null }],
    ["data_outside_boundary", { context: { note: "patient jo@example.com" } }, {}],
  ])("%s is a decision of false with reason and remedy", async (code, change, standing) => {
    governed.stand({ deployment: classical, ...standing });
    const { status, body } = await ask({ ...allowed, ...change });
    expect([status, body.decision]).toEqual([200, false]);
    expect(body.context).toMatchObject({ code, id: recorded().id, remedy: expect.any(String), message: expect.any(String) });
    expect(recorded()).toMatchObject({ decision: "deny", code });
  });

  test("a declared model without a digest is never confirmed", async () => {
    const models = [{ name: "tumour-gbm", provider: "local", model: "tumour.onnx", bounds: {} }];
    governed.stand({ deployment: { ...classical, models } });
    expect((await ask({ ...allowed, resource: { ...resource, properties: {} } })).body.decision).toBe(false);
  });
});

describe("other statuses", () => {
  test("401 for an unknown credential", async () => {
    const { status, body, headers } = await ask(allowed, { authorization: "Bearer nobody" });
    expect([status, typeof body, headers.get("x-licet-code")]).toEqual([401, "string", "credential_invalid"]);
    expect(recorded()).toMatchObject({ decision: "deny", deployment: null });
  });

  test("400 for what is no evaluation request", async () => {
    for (const body of [{}, [], { ...allowed, subject: "dep_tumour" }, { ...allowed, resource: undefined }]) {
      expect((await ask(body)).status).toBe(400);
    }
  });

  test("503 with a stale snapshot, and when the decision cannot be recorded", async () => {
    governed.ledger.broken = true;
    expect((await ask(allowed)).headers.get("x-licet-code")).toBe("evidence_unavailable");
    governed.ledger.broken = false;
    governed.clock.advance(1000);
    const { status, headers } = await ask(allowed);
    expect([status, headers.get("x-licet-code")]).toEqual([503, "snapshot_stale"]);
  });

  test("the metadata names the endpoint", async () => {
    const response = await fetch(`${governed.origin}/.well-known/authzen-configuration`);
    expect(await response.json()).toMatchObject({ policy_decision_point: governed.origin, access_evaluation_endpoint: `${governed.origin}/access/v1/evaluation` });
  });
});
