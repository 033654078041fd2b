import { describe, expect, test } from "vitest";
import { deployment, grantedAto, sha256, start } from "../../../../test/unit/support/governed.ts";
import { manualClock } from "../base/clock.ts";
import type { CredentialView } from "../gateway/snapshot.ts";
import { snapshotHolder } from "../gateway/snapshot.ts";
import { builtinBundle } from "../policy/builtin.ts";
import { createDecider } from "../policy/decide.ts";
import { callQuestion } from "./call-question.ts";

const simulator = { id: "simulator", baseUrl: "http://127.0.0.1:9/v1", region: "eu", vendor: "none", keyRef: "main/simulator" };
const view = (name: string, change: Partial<CredentialView> = {}): CredentialView => ({ id: `cre_${name}`, space: "main", digest: sha256(name), expiresAt: start + 60_000, revokedAt: null, deployment: deployment(), ...change });

function asking(credentials: readonly CredentialView[]) {
  const clock = manualClock(start);
  const snapshots = snapshotHolder(clock);
  snapshots.publish({ version: 1, credentials, spaces: [{ space: "main", holds: [], providers: [simulator], policyBundle: { digest: "sha256:x", decide: () => Promise.reject(new Error("nobody is asked")) } }] });
  return callQuestion({ snapshots, now: () => clock.now() });
}

describe("the question of a call that a system would make", () => {
  const decider = createDecider(builtinBundle());

  test("is what the gateway would ask, and is decided so", () => {
    const question = asking([view("one")])("main", { system: "helpdesk", model: "chat", dataClasses: ["internal"] });
    expect(question).toMatchObject({
      principal: { id: "dep_helpdesk" },
      action: { id: "callModel" },
      resource: { id: "simulator/chat" },
      context: { dataClasses: ["internal"], release: grantedAto.release },
    });
    expect(decider.decide(question).errors).toEqual([]);
    expect(decider.explain(question)?.decision).toBe(decider.decide(question).decision);
  });

  test("about an undeclared model and a class outside the boundary says what still has to hold", () => {
    const question = asking([view("one")])("main", { system: "helpdesk", model: "other", dataClasses: ["special"] });
    expect(question.resource.id).toBe("undeclared/other");
    const { decision, reasons } = decider.decide(question);
    expect(decision).toBe("deny");
    expect(reasons.map(({ policy }) => policy)).toEqual(expect.arrayContaining(["runtime.model", "runtime.data-boundary"]));
    expect(decider.explain(question)?.wouldAllowIf.length).toBeGreaterThan(0);
  });

  test("is put for an active deployment of the environment that is named", () => {
    const inactive = view("old", { deployment: deployment({ id: "dep_old", active: false }) });
    const cloud = view("cloud", { deployment: deployment({ id: "dep_cloud", environment: "cloud" }) });
    const ask = asking([inactive, view("one"), cloud]);
    expect(ask("main", { system: "helpdesk", model: "chat" }).principal.id).toBe("dep_helpdesk");
    expect(ask("main", { system: "helpdesk", model: "chat", environment: "cloud" }).principal.id).toBe("dep_cloud");
  });

  test.each([
    ["has run out", { expiresAt: start }],
    ["was revoked", { revokedAt: start }],
    ["is of another space", { space: "lab" }],
  ])("is none for a credential that %s", (_name, change) => {
    expect(() => asking([view("one", change)])("main", { system: "helpdesk", model: "chat" })).toThrow(expect.objectContaining({ code: "not_found" }));
  });
});
