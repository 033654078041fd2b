import { GateFacts } from "@licet/contract";
import { canonicalize } from "@licet/evidence";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { builtinBundle } from "../policy/bundle.ts";
import { withPolicy } from "../policy/bundle-fixture.ts";
import { decideGate } from "./gate.ts";
import { highPilot, minimalPilot } from "./gate-fixture.ts";
import { factsDigest } from "./material.ts";

const bundle = builtinBundle();
const unmet = (facts: GateFacts) => decideGate(facts, bundle).requirements.filter((each) => each.state !== "met").map((each) => each.id);
const first = highPilot.approvals[0];
if (first === undefined) throw new Error("the fixture has two approvals");

describe("the gate", () => {
  test("a minimal-tier pilot passes without any human", () => {
    expect(unmet(minimalPilot)).toEqual([]);
    expect(decideGate(minimalPilot, bundle).decision).toBe("allow");
  });

  test("nobody is told to declare a check that is declared: it is to be run where it counts, or what it found is to be mended", () => {
    const remedyOf = (change: Partial<GateFacts["checks"][number]>) => decideGate({ ...highPilot, checks: highPilot.checks.map((each) => (each.id === "recall" ? { ...each, ...change } : each)) }, bundle).requirements.find(({ id }) => id === "check.performance")?.remedy;
    expect(remedyOf({ producer: "self", producedBy: "ada" })).toBe("let `recall` pass where it counts: run `licet check --on-server`");
    expect(remedyOf({ verdict: "fail" })).toBe("mend what `recall` found, or give it more data, and run `licet check --on-server`");
  });

  test("a high-tier pilot passes with two people, and names every requirement it met", () => {
    const answer = decideGate(highPilot, bundle);
    expect(answer.decision).toBe("allow");
    expect(answer.requirements.map((each) => each.id)).toEqual([
      "gate.destination", "gate.no-hold",
      "declared.owners", "declared.purpose", "declared.environment", "declared.data-boundary", "declared.rollback", "declared.overseer", "declared.providers",
      "risk.not-prohibited", "risk.answers",
      "check.declared", "check.data", "check.performance", "check.fairness",
      "approval.high",
    ]);
  });

  test.each<[string, Partial<GateFacts>, string]>([
    ["one person short", { approvals: highPilot.approvals.slice(0, 1) }, "approval.high"],
    ["one person in both roles", { approvals: highPilot.approvals.map((each) => ({ ...each, person: "rita@example.org" })) }, "approval.high"],
    ["the same person in other letters", { approvals: highPilot.approvals.map((each, at) => ({ ...each, person: at === 0 ? "rita@example.org" : "RITA@example.org" })) }, "approval.high"],
    ["an author among the approvers", { authors: ["ada@example.org"] }, "approval.high"],
    ["an approval past its end", { now: first.notAfter }, "approval.high"],
    ["an approval that does not count", { approvals: highPilot.approvals.map((each) => ({ ...each, counts: false, why: "stale: facts changed" })) }, "approval.high"],
    ["a return among two", { approvals: highPilot.approvals.map((each, at) => (at === 0 ? each : { ...each, answer: "return" as const })) }, "approval.high"],
    ["a check that fails", { checks: highPilot.checks.map((each) => (each.id === "recall" ? { ...each, verdict: "fail" as const } : each)) }, "check.declared"],
    ["a check without enough evidence", { checks: highPilot.checks.map((each) => (each.id === "recall" ? { ...each, verdict: "insufficient_evidence" as const } : each)) }, "check.declared"],
    ["an aborted attempt", { checks: highPilot.checks.map((each) => (each.id === "recall" ? { ...each, verdict: "aborted" as const } : each)) }, "check.declared"],
    ["a verdict of not applicable", { checks: highPilot.checks.map((each) => (each.id === "recall" ? { ...each, verdict: "not_applicable" as const } : each)) }, "check.declared"],
    ["results of the developer's machine", { checks: highPilot.checks.map((each) => ({ ...each, producer: "self" as const })) }, "check.performance"],
    ["no fairness check", { declaredChecks: ["schema", "recall"] }, "check.fairness"],
    ["a hold", { holds: ["hold_1"] }, "gate.no-hold"],
    ["an open question", { openQuestions: ["D5"] }, "risk.answers"],
    ["a prohibited practice", { prohibited: true }, "risk.not-prohibited"],
    ["an undeclared environment", { declaredEnvironment: false }, "declared.environment"],
    ["one owner in two seats", { owners: { business: "tom@example.org", technical: "Tom@example.org", risk: "rita@example.org" } }, "declared.owners"],
    ["an unregistered provider", { unregisteredProviders: ["elsewhere"] }, "declared.providers"],
    ["a retired system", { from: "retired" }, "gate.destination"],
  ])("a high-tier pilot is denied with %s", (_, change, id) => {
    const answer = decideGate({ ...highPilot, ...change }, bundle);
    expect(answer.decision).toBe("deny");
    expect(answer.requirements.filter((each) => each.state !== "met").map((each) => each.id)).toContain(id);
  });

  test("an advisory check is reported and not demanded, and demanded once it is not advisory", () => {
    expect(unmet({ ...highPilot, advisoryChecks: [] })).toEqual(["check.declared"]);
  });

  test("production at high tier ends with an honest list, not with a pass", () => {
    const answer = decideGate({ ...highPilot, to: "production", from: "pilot" }, bundle);
    const open = answer.requirements.filter((each) => each.state === "unmet");
    expect(open.map((each) => each.id)).toEqual([
      "gate.pilot-first", "risk.impact-assessment", "check.robustness", "check.privacy", "check.explainability", "check.artifact",
      "operation.rollback-rehearsed", "operation.drift-monitors", "operation.incident-playbook",
    ]);
    expect(open.filter((each) => each.remedy.includes("this version of Licet")).length).toBe(4);
  });

  test("production at minimal tier demands a pilot, a rehearsed rollback and one person", () => {
    expect(unmet({ ...minimalPilot, to: "production", from: "pilot" })).toEqual(["gate.pilot-first", "operation.rollback-rehearsed", "approval.production"]);
  });

  test("offline, what only the record knows is unmet and says so", () => {
    const answer = decideGate({ ...highPilot, offline: true }, bundle);
    expect(answer.decision).toBe("deny");
    const open = answer.requirements.filter((each) => each.state !== "met");
    expect(open.map((each) => each.id)).toEqual(["gate.no-hold", "declared.providers", "risk.answers", "check.declared", "check.data", "check.performance", "check.fairness", "approval.high"]);
    expect(new Set(open.map((each) => each.reason))).toEqual(new Set(["unknown offline"]));
    expect(open.every((each) => each.since === null)).toBe(true);
  });

  test("the same facts give the same bytes, whatever the order of their keys and sets", () => {
    const shuffled = GateFacts.parse(Object.fromEntries(Object.entries({ ...highPilot, declared: highPilot.declared.toReversed(), checks: highPilot.checks.toReversed() }).toReversed()));
    const bytes = canonicalize(decideGate(highPilot, bundle));
    expect(canonicalize(decideGate(structuredClone(highPilot), builtinBundle()))).toBe(bytes);
    const other = decideGate(shuffled, bundle);
    expect(other.requirements.map((each) => [each.id, each.state])).toEqual(decideGate(highPilot, bundle).requirements.map((each) => [each.id, each.state]));
  });

  test("approvals, clock and turns leave the digest that approvals bind to; a result, stage or environment changes it", () => {
    const digest = factsDigest(highPilot);
    expect(factsDigest({ ...highPilot, approvals: [], now: 1, requestedAt: null, turns: {} })).toBe(digest);
    expect(factsDigest({ ...highPilot, checks: highPilot.checks.map((each) => ({ ...each, result: "entry_new" })) })).not.toBe(digest);
    expect(factsDigest({ ...highPilot, to: "experiment" })).not.toBe(digest);
    expect(factsDigest({ ...highPilot, environment: "staging" })).not.toBe(digest);
  });

  test("a requirement of a pack says what its own text still asks for", () => {
    const added = `@id("base.evidence") @requirement("the launch is rehearsed") @remedy("rehearse it") @turn("technical-owner") forbid (principal, action == Licet::Action::"promote", resource) unless { context.evidence.contains("launch.rehearsed") };`;
    const answer = decideGate(highPilot, withPolicy(bundle, added));
    expect(answer.requirements.at(-1)).toMatchObject({ id: "base.evidence", state: "unmet", remedy: "rehearse it" });
    expect(answer.requirements.at(-1)?.reason).toContain("launch.rehearsed");
  });

  test("an erroring requirement denies and is listed", () => {
    const broken = `@id("gate.broken") @requirement("r") @remedy("m") @turn("t") forbid (principal, action == Licet::Action::"promote", resource) unless { context.approvals.people * 9007199254740991 * 9007199254740991 > -5 };`;
    const answer = decideGate(highPilot, withPolicy(bundle, broken));
    expect(answer.decision).toBe("deny");
    expect(answer.requirements.at(-1)).toMatchObject({ id: "gate.broken", state: "unmet", reason: "the policy could not be evaluated, which denies" });
  });
});

describe("removing facts", () => {
  const starts = [minimalPilot, highPilot, { ...highPilot, tier: "limited" as const }, { ...minimalPilot, offline: true }, { ...highPilot, approvals: [] }, { ...highPilot, checks: highPilot.checks.slice(1) }, { ...highPilot, to: "production" as const }];

  test("never turns a deny into an allow: no evidence is ever a pass", () => {
    const subset = fc.array(fc.nat(20), { maxLength: 12 });
    fc.assert(
      fc.property(fc.constantFrom(...starts), fc.record({ declared: subset, checks: subset, approvals: subset, evidence: subset }), (start, drops) => {
        const before = decideGate(start, bundle).decision;
        const keep = <T>(values: readonly T[], dropped: readonly number[]): T[] => values.filter((_, index) => !dropped.includes(index));
        const after = decideGate({ ...start, declared: keep(start.declared, drops.declared), checks: keep(start.checks, drops.checks), approvals: keep(start.approvals, drops.approvals), evidence: keep(start.evidence, drops.evidence) }, bundle).decision;
        expect(before === "deny" && after === "allow").toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  test("or putting garbage in place of a part never allows", () => {
    fc.assert(
      fc.property(fc.constantFrom(...starts), fc.constantFrom(...Object.keys(minimalPilot)), fc.option(fc.jsonValue(), { nil: undefined }), (start, key, garbage) => {
        const facts: unknown = { ...start, [key]: garbage };
        const valid = GateFacts.safeParse(facts);
        if (valid.success) return;
        expect(() => decideGate(facts as GateFacts, bundle)).toThrow(/not the facts of a gate/u);
      }),
      { numRuns: 300 },
    );
  });
});
