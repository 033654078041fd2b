import { errors, type ErrorCode } from "@licet/contract";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { deployment, grantedAto, messages, start, startGoverned, withoutAto, type Governed } from "../../../../test/unit/support/governed.ts";
import type { CedarDecision } from "./decide.ts";
import { lift, observation, type Liftable } from "./observe-mode.ts";
import { refuse } from "./refusal.ts";
import type { DeploymentView, ObserveView } from "./snapshot.ts";

const day = 86_400_000;
const observe: ObserveView = { id: "wvr_1", notBefore: start - day, notAfter: start + day, asked: "per_tom", granted: [{ person: "per_rita", role: "risk-owner" }], soleOperator: false };
const imported: DeploymentView = { ...withoutAto(), observe };
const allow: CedarDecision = { decision: "allow", reasons: [], errors: [] };
const judged = (change: Partial<Liftable> = {}): Liftable => ({ refusal: refuse("ato_missing"), own: [refuse("ato_missing")], policy: { bundle: "sha256:b", decision: allow }, stopped: [], ...change });
const denied = (...codes: readonly (string | undefined)[]): Liftable["policy"] => ({
  bundle: "sha256:b",
  decision: { decision: "deny", reasons: codes.map((requirement) => ({ policy: `p.${requirement ?? "own"}`, ...(requirement !== undefined && { requirement }) })), errors: [] },
});

describe("what is lifted", () => {
  const listed = ["ato_missing", "deployment_inactive", "release_mismatch", "model_undeclared", "tool_undeclared", "data_outside_boundary", "permission_undeclared", "oversight_missing", "policy_denied"];
  const codes = Object.keys(errors) as ErrorCode[];

  test("is listed, code by code, and nothing else is", () => {
    const found = codes.filter((code) => lift(judged({ refusal: refuse(code), own: [refuse("ato_missing"), refuse(code)] }), imported, start) !== undefined);
    expect([...found].sort()).toEqual([...listed].sort());
  });

  test("one refusal that is not listed keeps all of them", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...codes), { minLength: 1, maxLength: 6 }), (some) => {
        const own = some.map((code) => refuse(code));
        const found = lift(judged({ refusal: own[0], own }), imported, start);
        expect(found?.refusals.map(({ code }) => code)).toEqual(some.every((code) => listed.includes(code)) ? some : undefined);
      }),
      { numRuns: 300 },
    );
  });

  test("only while the waiver lasts, and only for an active deployment", () => {
    expect([start - day - 1, start - day, start + day - 1, start + day].map((now) => observation(imported, now)?.id)).toEqual([undefined, "wvr_1", "wvr_1", undefined]);
    expect(lift(judged(), imported, start + day)).toBeUndefined();
    expect(lift(judged(), { ...imported, active: false }, start)).toBeUndefined();
    expect(lift(judged(), withoutAto(), start)).toBeUndefined();
  });

  test("nothing where nothing refused", () => {
    expect(lift(judged({ refusal: undefined, own: [] }), imported, start)).toBeUndefined();
  });

  test("never a call with something in it that must not leave in any case", () => {
    for (const stopped of ["secret", "attack", "special"]) expect(lift(judged({ stopped: [stopped] }), imported, start)).toBeUndefined();
  });
});

describe("what policies say", () => {
  test("is lifted as the organisation's own denial, or as what it restates of a missing authorization", () => {
    const policy = denied("ato_missing", "ato_revoked", "ato_expired", undefined, "our own words");
    const found = lift(judged({ policy }), imported, start);
    expect(found?.refusals.map(({ code, policy: by }) => [code, by])).toEqual([["ato_missing", "gateway.ato_missing"], ["policy_denied", "p.own"], ["policy_denied", "p.our own words"]]);
  });

  test("stands where the authorization exists and was revoked, suspended or ran out", () => {
    for (const code of ["ato_revoked", "ato_suspended", "ato_expired"]) {
      expect(lift(judged({ policy: denied(code), refusal: refuse("policy_denied"), own: [] }), { ...imported, ato: grantedAto }, start)).toBeUndefined();
    }
  });

  test("stands where it is a hold, a vendor or a budget", () => {
    for (const code of ["held", "budget_exceeded", "rate_exceeded"]) expect(lift(judged({ policy: denied(code) }), imported, start)).toBeUndefined();
  });

  test("stands where they erred or none is published", () => {
    const errored = { bundle: "sha256:b", decision: { ...allow, decision: "deny" as const, errors: [{ policy: "p", message: "overflow" }] } };
    expect(lift(judged({ policy: errored }), imported, start)).toBeUndefined();
    expect(lift(judged({ policy: { bundle: null, decision: { decision: "deny", reasons: [], errors: [] } } }), imported, start)).toBeUndefined();
  });
});

describe("an observed call", () => {
  let governed: Governed;
  beforeEach(async () => {
    governed = await startGoverned();
  });
  afterEach(() => governed[Symbol.asyncDispose]());

  const last = (): Record<string, unknown> => governed.bodies("gateway.decision").at(-1) ?? {};
  const code = async (asked: Promise<unknown>): Promise<unknown> => asked.then(() => "passed", (error: unknown) => (error instanceof Error && "code" in error ? error.code : error));

  test("goes on, its record says why it would have been refused, and its answer does", async () => {
    governed.stand({ deployment: imported });
    const { response, data } = await governed.client.chat.completions.create({ model: "chat", messages: [{ role: "user", content: "hi" }] }).withResponse();
    expect(data.choices[0]?.message.content).toBe("hello");
    expect(response.headers.get("x-licet-observed")).toBe("ato_missing, release_mismatch");
    expect(last()).toMatchObject({ decision: "allow", code: null, waiver: "wvr_1", observed: [{ code: "ato_missing", policy: "gateway.ato_missing" }, { code: "release_mismatch", component: "prompt:system" }] });
  });

  test("of a call that nothing would have refused says nothing", async () => {
    governed.stand({ deployment: { ...deployment(), observe } });
    const { response } = await governed.client.chat.completions.create({ model: "chat", messages }).withResponse();
    expect(response.headers.get("x-licet-observed")).toBeNull();
    expect(last()["observed"]).toBeUndefined();
  });

  test("names an undeclared model of a registered provider, and never one of another", async () => {
    governed.stand({ deployment: imported });
    expect(await code(governed.client.chat.completions.create({ model: "sim-9", messages }))).toBe("passed");
    expect(governed.upstream.received.at(-1)?.body["model"]).toBe("sim-9");
    expect(await code(governed.client.chat.completions.create({ model: "simulator/sim-8", messages }))).toBe("passed");
    expect(governed.upstream.received.at(-1)?.body["model"]).toBe("sim-8");
    governed.stand({ deployment: { ...imported, models: [] } });
    expect(await code(governed.client.chat.completions.create({ model: "sim-9", messages }))).toBe("model_undeclared");
    governed.stand({ deployment: imported, provider: null });
    expect(await code(governed.client.chat.completions.create({ model: "chat", messages }))).toBe("provider_unknown");
  });

  test("with data outside the boundary goes on, and one with a secret does not", async () => {
    governed.stand({ deployment: imported });
    const say = (content: string) => governed.client.chat.completions.create({ model: "chat", messages: [...messages, { role: "user", content }] });
    governed.upstream.mode = { kind: "answer", text: "write to kim@example.com" };
    const { response, data } = await say("I am jo@example.com").withResponse();
    expect(data.choices[0]?.message.content).toBe("write to kim@example.com");
    expect(response.headers.get("x-licet-observed")).toBe("ato_missing, data_outside_boundary");
    expect(governed.bodies("gateway.outcome").at(-1)).toMatchObject({ finish: "complete", waiver: "wvr_1", observed: [{ code: "answer_outside_boundary" }] });
    expect(await code(say(`my key is sk-proj-${"aB3dE5fG7h".repeat(5)}`))).toBe("data_outside_boundary");
    expect(governed.upstream.received).toHaveLength(1);
  });

  test("is stopped by a hold, by policies that do not let it be observed, and by the waiver's end", async () => {
    const ask = () => code(governed.client.chat.completions.create({ model: "chat", messages }));
    governed.stand({ deployment: imported, holds: [{ id: "hold_1", scope: "all", reason: "stop" }] });
    expect(await ask()).toBe("held");
    governed.stand({ deployment: imported, decide: async (call) => ({ ...allow, decision: call.action.id === "observe" ? "deny" : "allow" }) });
    expect(await ask()).toBe("ato_missing");
    governed.stand({ deployment: imported, decide: async (call) => (call.action.id === "observe" ? Promise.reject(new Error("odd")) : allow) });
    expect(await ask()).toBe("ato_missing");
    governed.stand({ deployment: { ...imported, observe: { ...observe, notAfter: start } } });
    expect(await ask()).toBe("ato_missing");
    expect(governed.upstream.received).toHaveLength(0);
  });

  test("is not cut in flight for the standing that its waiver lifts, and is when the waiver ends", async () => {
    governed.stand({ deployment: imported });
    governed.upstream.mode = { kind: "paced", pieces: Array.from({ length: 200 }, () => "a "), intervalMs: 20 };
    const stream = await governed.client.chat.completions.create({ model: "chat", messages, stream: true });
    const read = (async () => {
      for await (const chunk of stream) void chunk;
    })();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(governed.gateway.inFlight).toBe(1);
    governed.stand({ deployment: withoutAto() });
    await expect(read).rejects.toThrow(/./u);
    expect(governed.bodies("gateway.outcome").at(-1)).toMatchObject({ code: "ato_missing" });
  });
});
