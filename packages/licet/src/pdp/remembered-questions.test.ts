import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { credential, deployment, sha256, start, startGoverned, withoutAto, type Governed } from "../../../../test/unit/support/governed.ts";
import { detectionOf } from "../gateway/detect/rules.ts";

const digest = `sha256:${"d".repeat(64)}`;
const classical = deployment({ id: "dep_tumour", system: "tumour-classifier", prompts: [], models: [{ name: "tumour-gbm", provider: "local", model: "tumour.onnx", digest, bounds: {} }] });
const question = { subject: { type: "workload", id: "dep_tumour" }, action: { name: "score" }, resource: { type: "model", id: "tumour-gbm", properties: { digest } } };
const withAddress = { ...question, context: { note: "from ann.meyer@example.com" } };
const wide = { ...classical, boundary: { ...classical.boundary, classes: ["public", "internal", "personal"] as const } };

let governed: Governed;

beforeEach(async () => {
  governed = await startGoverned();
  governed.stand({ deployment: classical });
});

afterEach(async () => {
  await governed[Symbol.asyncDispose]();
});

async function ask(body: object) {
  const response = await governed.post("/access/v1/evaluation", JSON.stringify(body));
  return { status: response.status, body: (await response.json()) as { decision?: boolean; context?: { code?: string } } };
}

/** Sends the head, lets `meanwhile` happen once it was read, and then the body. */
async function askSlowly(token: string, meanwhile: () => void): Promise<{ readonly status: number; readonly said: string }> {
  const bytes = new TextEncoder().encode(JSON.stringify(question));
  const body = new ReadableStream<Uint8Array>({
    start: async (sent) => {
      sent.enqueue(bytes.subarray(0, 1));
      await new Promise((resolve) => setTimeout(resolve, 150));
      meanwhile();
      sent.enqueue(bytes.subarray(1));
      sent.close();
    },
  });
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const asking = { method: "POST", headers, body, duplex: "half" };
  const answer = await fetch(`${governed.origin}/access/v1/evaluation`, asking);
  return { status: answer.status, said: await answer.text() };
}

describe("a caller whose standing changes while the body comes", () => {
  test("is refused when its credential was revoked meanwhile", async () => {
    expect(await askSlowly(credential, () => {})).toMatchObject({ status: 200, said: expect.stringContaining('"decision":true') });
    expect(await askSlowly(credential, () => governed.stand({ deployment: classical, credential: { revokedAt: start } }))).toMatchObject({ status: 401 });
  });

  test("is denied when its authorization has ended meanwhile", async () => {
    const answer = await askSlowly(credential, () => governed.stand({ deployment: withoutAto(classical) }));
    expect(answer.said).toContain('"decision":false');
  });

  test("is refused when it was a decision client and is one no more", async () => {
    const token = "lpd_0123456789abcdefghijklmnop";
    governed.stand({ clients: [{ id: "pep_shop", space: "shop", name: "the shop", digest: sha256(token), expiresAt: start + 60_000 }] });
    expect((await askSlowly(token, () => governed.stand())).status).toBe(401);
  });
});

describe("a question that was asked before", () => {
  test("is looked through again when the boundary has changed", async () => {
    governed.stand({ deployment: wide });
    expect((await ask(withAddress)).body.decision).toBe(true);
    governed.stand({ deployment: classical });
    expect((await ask(withAddress)).body).toMatchObject({ decision: false, context: { code: "data_outside_boundary" } });
  });

  test("is looked through again when the rules of detection have changed", async () => {
    governed.stand({ deployment: wide });
    expect((await ask(withAddress)).body.decision).toBe(true);
    governed.stand({ deployment: wide, detection: detectionOf([{ pack: "strict", section: { actions: [{ of: "personal", action: "block" }] } }]) });
    expect((await ask(withAddress)).body.decision).toBe(false);
  });
});
