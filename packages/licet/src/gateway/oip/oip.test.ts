import { gatewayEntries } from "@licet/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { credential, deployment, start, startGoverned, withoutAto, type Governed, type Standing } from "../../../../../test/unit/support/governed.ts";
import { echo, json, startOipModel, type OipModel } from "../../../../../test/unit/support/oip-model.ts";
import type { DeploymentView } from "../snapshot.ts";

const digest = `sha256:${"c".repeat(64)}`;

let governed: Governed;
let model: OipModel;

const view = (change: Partial<DeploymentView> = {}): DeploymentView => deployment({ models: [{ name: "risk", provider: "kserve", model: "risk-net", version: "7", bounds: {} }], prompts: [], ...change });
const pinned = (): DeploymentView => view({ models: [{ name: "risk", provider: "kserve", model: "risk-net", bounds: {}, digest }] });

beforeEach(async () => {
  [governed, model] = await Promise.all([startGoverned(), startOipModel()]);
  stand();
});
afterEach(async () => {
  await governed[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
});

function stand(change: Standing = {}): void {
  const { provider, ...standing } = change;
  governed.stand({ deployment: view(), ...standing, provider: provider === null ? null : { id: "kserve", kind: "oip", baseUrl: model.baseUrl, ...provider } });
}

const tensor = { name: "x", shape: [1, 2], datatype: "FP32", data: [0.5, 2] };
const words = (data: readonly string[]) => ({ name: "notes", shape: [data.length], datatype: "BYTES", data });
const infer = (body: object | string = { inputs: [tensor] }, path = "/oip/v2/models/risk/infer", headers: Record<string, string> = {}) => governed.post(path, typeof body === "string" ? body : JSON.stringify(body), headers);
const last = (kind: string): Record<string, unknown> => governed.bodies(kind).at(-1) ?? {};

async function refusal(answer: Promise<Response>): Promise<readonly [number, string]> {
  const response = await answer;
  const body = await response.json();
  expect(typeof body.error).toBe("string");
  return [response.status, body.licet.code];
}

describe("a call that scores", () => {
  test("gets the model's answer under its declared name; the decision stood in the log before the model was asked", async () => {
    let decisionsBefore = -1;
    model.infer = (request, response, body) => {
      decisionsBefore = governed.bodies("gateway.decision").length;
      echo(request, response, body);
    };
    const response = await infer({ id: "r-1", inputs: [tensor] });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ model_name: "risk", model_version: "7", id: "r-1", outputs: [{ ...tensor, name: "y" }] });
    expect(decisionsBefore).toBe(1);
    const decision = gatewayEntries["gateway.decision"].body.parse(last("gateway.decision"));
    expect(decision).toMatchObject({ decision: "allow", action: "score", model: "risk", provider: "kserve", region: "eu", upstreamModel: "risk-net", dialect: "oip.infer", scoring: { version: "7", digest: null, inputs: [{ name: "x", datatype: "FP32", shape: [1, 2] }] } });
    expect(response.headers.get("x-licet-decision")).toBe(decision.id);
    expect(JSON.stringify(decision)).not.toContain("0.5");
    const outcome = gatewayEntries["gateway.outcome"].body.parse(last("gateway.outcome"));
    expect(outcome).toMatchObject({ decision: decision.id, status: 200, finish: "complete", scanned: "full", timings: { connectionMs: expect.any(Number) }, scoring: { attested: "none", version: "7", outputs: [{ name: "y", datatype: "FP32", shape: [1, 2] }] } });
  });

  test("goes to the declared version with the provider's key and none of the caller's headers", async () => {
    await infer(undefined, "/oip/v2/models/risk/versions/7/infer", { cookie: "a=b", "x-secret": "1" });
    const [request] = model.received;
    expect(request?.path).toBe("POST /v2/models/risk-net/versions/7/infer");
    expect(request?.headers.authorization).toBe("Bearer sk-provider-key");
    expect(request?.headers["x-secret"] ?? request?.headers.cookie).toBeUndefined();
    expect(JSON.stringify(request)).not.toContain(credential);
  });

  test("is told to policies as `score` on the declared model", async () => {
    const asked: unknown[] = [];
    stand({ decide: async (call) => (asked.push([call.action.id, call.resource.id]), { decision: "allow", reasons: [], errors: [] }) });
    await infer();
    expect(asked).toEqual([["score", "kserve/risk"]]);
  });
});

test("a value that is split over elements of a tensor does not stand in redacted words, of the request or of the answer", async () => {
  const redacted = { public: "redacted", internal: "redacted", confidential: "redacted", personal: "redacted", special: "redacted" } as const;
  stand({ deployment: view({ boundary: { classes: ["public", "internal", "personal"], regions: ["eu"] } }), contentModes: redacted });
  expect((await infer({ inputs: [words(["so jo@exa", "mple.org and", "more"])] })).status).toBe(200);
  const [prompt, answer] = governed.bodies("gateway.content");
  expect(prompt).toMatchObject({ mode: "redacted", messages: [{ inputs: [{ data: ["so [email]", " and", "more"] }] }] });
  expect(JSON.parse((answer as { texts: [{ text: string }] }).texts[0].text)).toMatchObject({ outputs: [{ data: ["so [email]", " and", "more"] }] });
});

describe("a refusal in the protocol's own form, without a byte to the model", () => {
  test.each<readonly [string, readonly [status: number, code: string], Standing, () => Promise<Response>]>([
    ["of a stranger", [401, "credential_invalid"], {}, () => infer(undefined, undefined, { authorization: "Bearer lic_unknown" })],
    ["without an authorization", [403, "ato_missing"], { deployment: withoutAto(view()) }, () => infer()],
    ["under a hold", [403, "held"], { holds: [{ id: "hold_1", scope: "system", system: "helpdesk", reason: "odd" }] }, () => infer()],
    ["of an undeclared model", [403, "model_undeclared"], {}, () => infer(undefined, "/oip/v2/models/other/infer")],
    ["of another version", [403, "release_mismatch"], {}, () => infer(undefined, "/oip/v2/models/risk/versions/8/infer")],
    ["of a provider that nobody registered", [403, "provider_unknown"], { provider: null }, () => infer()],
    ["of a provider of another protocol", [403, "provider_mismatch"], { provider: { kind: "openai" } }, () => infer()],
    ["of a provider in another region", [403, "data_outside_boundary"], { provider: { region: "us" } }, () => infer()],
    ["of words outside the boundary", [403, "data_outside_boundary"], {}, () => infer({ inputs: [words(["call jo@example.com"])] })],
    ["of a secret spread over elements", [403, "data_outside_boundary"], {}, () => infer({ inputs: [words(["AKIAIOSFODN", "N7EXAMPL2"])] })],
    ["of a parameter that the release does not permit", [403, "permission_undeclared"], {}, () => infer({ inputs: [tensor], parameters: { temperature: 2 } })],
    ["of binary tensors", [415, "binary_data_unsupported"], {}, () => infer(undefined, undefined, { "inference-header-content-length": "20" })],
    ["of data that do not fit their shape", [400, "tensor_invalid"], {}, () => infer({ inputs: [{ ...tensor, shape: [3] }] })],
    ["of an endpoint that nobody checks", [404, "endpoint_unsupported"], {}, () => infer(undefined, "/oip/v2/repository/models/risk/load")],
    ["where no policy permits it", [403, "policy_denied"], { decide: async () => ({ decision: "deny", reasons: [], errors: [] }) }, () => infer()],
  ])("%s", async (_, refused, standing, asks) => {
    stand(standing);
    expect(await refusal(asks())).toEqual(refused);
    expect(last("gateway.decision")).toMatchObject({ decision: "deny", code: refused[1] });
    expect(model.received).toEqual([]);
  });

  test.each<readonly [string, () => Promise<Response>]>([
    ["a name of a model", () => infer(undefined, "/oip/v2/models/jo.secret@example.org/infer")],
    ["a name of a model beside an unreadable body", () => infer("{", "/oip/v2/models/jo.secret@example.org/infer")],
    ["an unknown endpoint", () => infer(undefined, "/oip/v2/jo.secret@example.org")],
  ])("records %s without what is found in it", async (_, ask) => {
    stand({ deployment: view({ boundary: { classes: ["public", "internal", "personal"], regions: ["eu"] } }) });
    await refusal(ask());
    expect(governed.bodies("gateway.decision")).toHaveLength(1);
    expect(JSON.stringify(governed.ledger.entries)).not.toContain("secret@");
  });

  test("when the log takes nothing", async () => {
    governed.ledger.broken = true;
    expect(await refusal(infer())).toEqual([503, "evidence_unavailable"]);
    expect(model.received).toEqual([]);
  });
});

describe("the weights", () => {
  test("that the provider attests are compared with the declared ones, and the record says who vouches", async () => {
    stand({ deployment: pinned() });
    model.metadata = { name: "risk-net", parameters: { digest } };
    expect((await infer()).status).toBe(200);
    expect(last("gateway.outcome")).toMatchObject({ scoring: { attested: "provider" } });
    expect(last("gateway.decision")).toMatchObject({ scoring: { digest } });
  });

  test("without a word of the provider are the release's alone", async () => {
    stand({ deployment: pinned() });
    expect((await infer()).status).toBe(200);
    expect(last("gateway.outcome")).toMatchObject({ scoring: { attested: "release" } });
    model.metadata = 404;
    governed.clock.advance(31_000);
    stand({ deployment: pinned() });
    expect((await infer()).status).toBe(200);
  });

  test("of another file stop the call before its data leave, and the next one by its decision", async () => {
    stand({ deployment: pinned() });
    model.metadata = { name: "risk-net", parameters: { digest: digest.replaceAll("c", "d") } };
    expect(await refusal(infer())).toEqual([403, "release_mismatch"]);
    expect(last("gateway.outcome")).toMatchObject({ code: "release_mismatch", upstreamStatus: null });
    expect(await refusal(infer())).toEqual([403, "release_mismatch"]);
    expect(last("gateway.decision")).toMatchObject({ decision: "deny", code: "release_mismatch" });
    expect(model.received.map(({ path }) => path)).toEqual(["GET /v2/models/risk-net"]);
  });

  test("are not guessed at while the provider does not answer", async () => {
    stand({ deployment: pinned() });
    model.metadata = 503;
    expect(await refusal(infer())).toEqual([502, "upstream_unreachable"]);
  });
});

describe("an answer", () => {
  const answers = (body: unknown, status = 200) => {
    model.infer = (_request, response) => json(response, status, body);
  };
  const good = { model_name: "risk-net", model_version: "7", outputs: [] };

  test.each<readonly [string, unknown]>([
    ["that is no JSON", "<html>"],
    ["cut in the middle of a value", '{"model_name": "risk-net", "outputs": [{"na'],
    ["of another model", { ...good, model_name: "other" }],
    ["whose tensors do not fit", { ...good, outputs: [{ name: "y", shape: [2], datatype: "FP32", data: [1] }] }],
    ["in binary", { ...good, outputs: [{ name: "y", shape: [2], datatype: "FP32", parameters: { binary_data_size: 8 } }] }],
  ])("%s does not reach the caller", async (_, body) => {
    answers(body);
    expect(await refusal(infer())).toEqual([502, "upstream_invalid"]);
    expect(last("gateway.outcome")).toMatchObject({ finish: "failed", code: "upstream_invalid" });
  });

  test("of a version that the release does not declare does not reach the caller", async () => {
    answers({ ...good, model_version: "8" });
    expect(await refusal(infer())).toEqual([403, "release_mismatch"]);
    expect(last("gateway.outcome")).toMatchObject({ finish: "refused", scoring: { version: "8" } });
  });

  test("with words outside the boundary does not reach the caller", async () => {
    answers({ ...good, outputs: [words(["write to kim@example.com"])] });
    expect(await refusal(infer())).toEqual([403, "answer_outside_boundary"]);
    expect(last("gateway.outcome")).toMatchObject({ finish: "refused", abortedBy: "boundary", findings: [{ type: "email", count: 1 }] });
  });

  test("that is an error says so with the provider's status, and its words where nothing is in them", async () => {
    answers({ error: "model is loading" }, 503);
    const response = await infer();
    expect([response.status, await response.json()]).toMatchObject([503, { licet: { code: "upstream_error", upstream: { status: 503, message: "model is loading" } } }]);
    answers({ error: "no such user jo@example.com" }, 401);
    const quoting = await infer();
    expect([quoting.status, (await quoting.json()).licet.upstream]).toEqual([502, { status: 401 }]);
  });

  test("that breaks off is an error to the caller", async () => {
    model.infer = (_request, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": "500" });
      response.write('{"model_name":');
      setTimeout(() => response.destroy(), 20);
    };
    expect(await refusal(infer())).toEqual([502, "upstream_unreachable"]);
    expect(last("gateway.outcome")).toMatchObject({ finish: "failed", abortedBy: "upstream" });
  });
});

describe("a call in flight", () => {
  const hanging = (): Promise<void> =>
    new Promise((resolve) => {
      model.infer = () => resolve();
    });

  test("is cut by a hold within a sweep, and the model's side is closed", async () => {
    const arrived = hanging();
    const answer = refusal(infer());
    await arrived;
    stand({ holds: [{ id: "hold_1", scope: "all", reason: "stop" }] });
    expect(await answer).toEqual([403, "held"]);
    expect(last("gateway.outcome")).toMatchObject({ finish: "refused", abortedBy: "hold", code: "held" });
    await expect.poll(() => model.aborted).toBe(1);
  });

  test("of a caller that leaves is closed upstream, and recorded", async () => {
    const arrived = hanging();
    const leaving = new AbortController();
    const asked = fetch(`${governed.origin}/oip/v2/models/risk/infer`, { method: "POST", signal: leaving.signal, headers: { authorization: `Bearer ${credential}`, "content-type": "application/json" }, body: JSON.stringify({ inputs: [tensor] }) }).catch(() => "left");
    await arrived;
    leaving.abort();
    expect(await asked).toBe("left");
    await expect.poll(() => last("gateway.outcome")).toMatchObject({ finish: "aborted", abortedBy: "client", status: 499 });
    await expect.poll(() => model.aborted).toBe(1);
  });
});

describe("beside scoring", () => {
  const get = (path: string) => fetch(governed.origin + path, { headers: { authorization: `Bearer ${credential}` } });

  test("a client finds the server, its health and the declared model's metadata", async () => {
    expect(await (await get("/oip/v2")).json()).toMatchObject({ name: "licet", extensions: [] });
    expect(await (await get("/oip/v2/health/live")).json()).toEqual({ live: true });
    expect(await (await get("/oip/v2/health/ready")).json()).toEqual({ ready: true });
    expect(await (await get("/oip/v2/models/risk")).json()).toMatchObject({ name: "risk", versions: ["7"], platform: "onnxruntime_onnx", inputs: [{ name: "x" }] });
    expect(await (await get("/oip/v2/models/risk/ready")).json()).toEqual({ name: "risk", ready: true });
    expect((await get("/oip/v2/models/other")).status).toBe(403);
  });

  test("a model that may not score is not ready, and nobody asks its provider", async () => {
    stand({ holds: [{ id: "hold_1", scope: "all", reason: "stop" }] });
    const response = await get("/oip/v2/models/risk/ready");
    expect([response.status, await response.json()]).toEqual([503, { name: "risk", ready: false }]);
    expect((await get("/oip/v2/models/risk")).status).toBe(403);
    expect(model.received).toEqual([]);
  });
});

test("an observed deployment scores on, and its record says what would have refused", async () => {
  const observe = { id: "wvr_1", notBefore: start, notAfter: start + 1000, asked: "per_tom", granted: [], soleOperator: true };
  stand({ deployment: { ...withoutAto(view()), observe } });
  const response = await infer({ inputs: [words(["call jo@example.com"])] }, "/oip/v2/models/risk/versions/8/infer");
  expect([response.status, response.headers.get("x-licet-observed")]).toEqual([200, "ato_missing, data_outside_boundary, release_mismatch"]);
  expect(last("gateway.decision")).toMatchObject({ decision: "allow", waiver: "wvr_1" });
  expect(last("gateway.outcome")).toMatchObject({ waiver: "wvr_1", observed: [{ code: "answer_outside_boundary" }] });
});
