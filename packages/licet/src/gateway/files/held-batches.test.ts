import { gatewayEntries } from "@licet/contract";
import { toFile } from "openai";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { deployment, grantedAto, messages, startGoverned, type Governed, type Standing } from "../../../../../test/unit/support/governed.ts";
import type { DeploymentView, ModelView } from "../snapshot.ts";

let governed: Governed;
const model: ModelView = { name: "chat", provider: "simulator", model: "sim-1", bounds: {}, permissions: ["batches"] };
const view = (change: Partial<DeploymentView> = {}): DeploymentView => deployment({ models: [model], ...change });
const stand = (change: Standing = {}) => governed.stand({ deployment: view(), ...change });
const hold = { id: "hold_1", scope: "system", system: "helpdesk", reason: "drift" } as const;

beforeEach(async () => {
  governed = await startGoverned();
  stand();
});
afterEach(() => governed[Symbol.asyncDispose]());

async function begun(): Promise<string> {
  const line = { custom_id: "a", method: "POST", url: "/v1/chat/completions", body: { model: "chat", max_tokens: 20, messages } };
  const file = await governed.client.files.create({ file: await toFile(Buffer.from(`${JSON.stringify(line)}\n`), "calls.jsonl"), purpose: "batch" });
  return (await governed.client.batches.create({ input_file_id: file.id, endpoint: "/v1/chat/completions", completion_window: "24h" })).id;
}

const status = (id: string) => governed.upstream.store.batches.get(id)?.status;
const cancels = () => governed.upstream.received.filter(({ path }) => path.endsWith("/cancel"));
const decisions = () => governed.bodies("gateway.decision").map((body) => gatewayEntries["gateway.decision"].body.parse(body)).filter(({ endpoint }) => endpoint.endsWith("/cancel"));
const outcomes = () => governed.bodies("gateway.outcome").map((body) => gatewayEntries["gateway.outcome"].body.parse(body));

async function until(holds: () => boolean): Promise<void> {
  for (let left = 400; left > 0 && !holds(); left--) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(holds()).toBe(true);
}

/** Some sweeps later. */
const later = () => new Promise((resolve) => setTimeout(resolve, 150));

describe("a batch that runs at its provider", () => {
  test.each<[string, string, Standing]>([
    ["a hold on its system", "hold:hold_1", { holds: [hold] }],
    ["a hold on everything", "hold:hold_2", { holds: [{ id: "hold_2", scope: "all", reason: "drill" }] }],
    ["a suspended authorization", "gateway.ato_suspended", { deployment: view({ ato: { ...grantedAto, state: "suspended" } }) }],
    ["a revoked authorization", "gateway.ato_revoked", { deployment: view({ ato: { ...grantedAto, state: "revoked" } }) }],
  ])("is cancelled under %s, once, and the record says why", async (_, policy, standing) => {
    const id = await begun();
    stand(standing);
    await until(() => outcomes().length === 3);
    expect(status(id)).toBe("cancelling");
    await later();
    expect(cancels()).toHaveLength(1);
    expect(decisions()).toMatchObject([{ decision: "allow", action: "useBatch", deployment: "dep_helpdesk", provider: "simulator", reasons: [{ policy }], stored: { object: "batch", id } }]);
    expect(outcomes().at(-1)).toMatchObject({ decision: decisions()[0]?.id, finish: "complete", upstreamStatus: 200 });
  });

  test.each<[string, Standing]>([
    ["another system's hold", { holds: [{ ...hold, system: "other" }] }],
    ["an authorization that ran out", { deployment: view({ ato: { ...grantedAto, notAfter: grantedAto.notBefore } }) }],
    ["no hold", {}],
  ])("goes on under %s", async (_, standing) => {
    const id = await begun();
    stand(standing);
    await later();
    expect([status(id), cancels()]).toEqual(["validating", []]);
    expect(decisions()).toEqual([]);
  });

  test("is not cancelled where nobody can record it, and is when the log takes entries again", async () => {
    const id = await begun();
    governed.ledger.broken = true;
    stand({ holds: [hold] });
    await later();
    expect([status(id), cancels()]).toEqual(["validating", []]);
    governed.ledger.broken = false;
    governed.clock.advance(900);
    await later();
    expect(cancels()).toEqual([]);
    governed.clock.advance(200);
    stand({ holds: [hold] });
    await until(() => status(id) === "cancelling");
  });

  test("is tried again where its provider fails, each time by a decision of its own", async () => {
    const id = await begun();
    governed.upstream.mode = { kind: "status", status: 500 };
    stand({ holds: [hold] });
    await until(() => outcomes().length === 3);
    expect(outcomes().at(-1)).toMatchObject({ finish: "failed", code: "upstream_error", upstreamStatus: 500 });
    governed.upstream.mode = { kind: "answer" };
    governed.clock.advance(1000);
    stand({ holds: [hold] });
    await until(() => status(id) === "cancelling");
    await until(() => outcomes().length === 4);
    expect(decisions()).toHaveLength(2);
  });

  test("is left alone where it is over: it is asked about, and not cancelled", async () => {
    const id = await begun();
    governed.upstream.store.finish(id, []);
    stand({ holds: [hold] });
    await until(() => outcomes().length === 3);
    expect([status(id), cancels()]).toEqual(["completed", []]);
  });

  test("of which the caller has seen what it came to is not asked about", async () => {
    const id = await begun();
    governed.upstream.store.finish(id, [{ id: "b", custom_id: "a", response: null, error: { code: "x", message: "y" } }]);
    await governed.client.batches.retrieve(id);
    stand({ holds: [hold] });
    await later();
    expect(decisions()).toEqual([]);
  });
});
