import { readFileSync } from "node:fs";
import { catalogue } from "@licet/assurance";
import { AssuranceCheck, GateFacts, gateKindOf, gateKinds, limitMember, type JudgedBy } from "@licet/contract";
import { isRecord } from "@licet/evidence";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { packOf } from "../policy/bundle-fixture.ts";
import { builtinBundle, builtinSource } from "../policy/builtin.ts";
import type { Bundle } from "../policy/bundle.ts";
import { composeBundle } from "../policy/compose.ts";
import { createDecider } from "../policy/decide.ts";
import { askedLimit, idealResult } from "./asked-bound.ts";
import { effortOf } from "./check-facts.ts";
import { decideGate } from "./gate.ts";
import { highPilot, judged, minimalPilot } from "./gate-fixture.ts";
import { resultRequest } from "./result-request.ts";
import { shortfall } from "./shortfall.ts";

const bundle = builtinBundle();
const { schema, builtin } = builtinSource();
/** Their scenarios have tests of their own. */
const gatePacks = { schema, builtin: builtin.filter(({ name }) => name.startsWith("gate-")).map((pack) => ({ ...pack, scenarios: [] })) };

function withResult(id: string, given: Partial<JudgedBy>, facts: GateFacts = highPilot): GateFacts {
  return { ...facts, checks: facts.checks.map((each) => (each.id === id ? { ...each, judged: { ...(each.judged ?? judged(0)), ...given } } : each)) };
}

function unmet(facts: GateFacts, by: Bundle = bundle) {
  return decideGate(facts, by).requirements.filter(({ state }) => state !== "met");
}

function published(kind: "baseline" | "team", policies: string, systems?: readonly string[]): Bundle {
  const pack = packOf({ name: "house", kind, ...(systems !== undefined && { systems: [...systems] }) }, policies);
  return composeBundle({ ...gatePacks, packs: [pack] }, { tested: false }).bundle;
}

describe("a declared limit that is laxer than what is asked", () => {
  test("leaves its requirement unmet, with both numbers, what to change and whose turn it is", () => {
    expect(unmet(withResult("opportunity", { limit: 0.3 }))).toMatchObject([
      {
        id: "check.fairness",
        state: "unmet",
        reason: "opportunity: `max: 0.3` is laxer than 0.1, which tier high asks for; odds: insufficient evidence, and is advisory, which stands for nothing",
        remedy: "tighten the check: `max: 0.1` or stricter in `opportunity`; then push, and run `licet check --on-server`",
        turn: "technical-owner",
        people: ["tom@example.org"],
      },
    ]);
  });

  test.each<[string, string, Partial<JudgedBy>, string]>([
    ["robust.evasion", "free", { figure: "ruled", limit: 0.1, distance: 0.1, norm: "linf", queries: 2000 }, "no `rules` in `own`, or in another check beside it"],
    ["llm.injection.direct", "built-in", { figure: "own-probes", limit: 0.05 }, "no `probes` in `own`, or in another check beside it"],
    ["privacy.membership", "auc", { figure: "lira", limit: 0.6 }, "no `attack` in `own`, or in another check beside it"],
  ])("%s is not counted where what it was given could leave nothing to find, and says what to change", (check, usualFigure, given, change) => {
    const row = { ...idealResult(check, { now: highPilot.now }), id: "own" };
    const decider = createDecider(bundle);
    const question = (by: JudgedBy) => ({ move: { ...highPilot, to: "production" as const }, row: { ...row, judged: by }, kind: gateKindOf(check) });
    const { figure: _, ...plain } = given;
    const own = question({ ...judged(0), ...given });
    expect(decider.decide(resultRequest(own.move, own.row, { kind: own.kind })).decision).toBe("deny");
    const usual = question({ ...judged(0), ...plain, figure: usualFigure });
    expect(decider.decide(resultRequest(usual.move, usual.row, { kind: usual.kind })).decision).toBe("allow");
    expect(shortfall(decider, own)).toMatchObject({ change });
  });

  test("what makes a check easy to pass is read from its declaration", () => {
    const declared = (check: object) => effortOf(AssuranceCheck.parse({ id: "c", model: "m", dataset: "d", target: "t", ...check }));
    expect(declared({ check: "robust.evasion", rules: { a: { fixed: true } } })).toMatchObject({ figure: "ruled", distance: 0.1 });
    expect(declared({ check: "robust.evasion" })).toMatchObject({ figure: "free" });
    expect(declared({ check: "robust.corruption", damages: { sigma: 0.2 } })).toEqual({ distance: 0.2 });
    expect(declared({ check: "robust.corruption", damages: { swap: true } })).toEqual({});
    expect(declared({ check: "privacy.membership", members: "t", attack: "gap" })).toEqual({ figure: "gap" });
    expect(declared({ check: "privacy.membership", members: "t", figure: "tpr" })).toEqual({ figure: "tpr" });
    expect(effortOf(AssuranceCheck.parse({ id: "c", check: "llm.leak.system", model: "m", probes: "ours" }))).toEqual({ figure: "own-probes" });
    expect(effortOf(AssuranceCheck.parse({ id: "c", check: "llm.utility", model: "m" }))).toEqual({ figure: "built-in" });
    expect(effortOf(AssuranceCheck.parse({ id: "c", check: "llm.defence.replay", model: "m" }))).toEqual({});
  });

  test("counts up to the limit that is asked, and not by the smallest step beyond it", () => {
    expect(unmet(withResult("opportunity", { limit: 0.1 }))).toEqual([]);
    expect(unmet(withResult("opportunity", { limit: 0.100000000001 })).map(({ id }) => id)).toEqual(["check.fairness"]);
    expect(unmet(withResult("recall", { limit: 0.5 }))).toEqual([]);
    expect(unmet(withResult("recall", { limit: 0.499999999999 })).map(({ id }) => id)).toEqual(["check.performance"]);
  });

  test.each<[string, string, Partial<JudgedBy>]>([
    ["a limit that everything passes", "opportunity", { limit: 1 }],
    ["a floor of nothing", "recall", { limit: 0 }],
    ["a limit that points the other way", "opportunity", { op: ">=", limit: 0.1 }],
    ["a level that everything passes", "opportunity", { alpha: 0.5 }],
    ["no case that was judged", "opportunity", { assessed: 0 }],
    ["many cases without an answer", "opportunity", { attempted: 1000 }],
    ["more judged cases than there were", "opportunity", { attempted: 10 }],
    ["a limit beyond every number that is kept exactly", "opportunity", { limit: 1e300 }],
    ["a report of another tool", "opportunity", { origin: "deepchecks" }],
  ])("%s meets no requirement", (_, id, given) => {
    expect(unmet(withResult(id, given)).map((each) => each.id)).toEqual([id === "recall" ? "check.performance" : "check.fairness"]);
  });

  test("facts of before limits were kept meet none that asks for evidence, and say why", () => {
    const before = GateFacts.parse({ ...highPilot, checks: highPilot.checks.map((each) => Object.fromEntries(Object.entries(each).filter(([key]) => key !== "judged"))) });
    expect(unmet(before).map(({ id, reason }) => [id, reason])).toEqual([
      ["check.data", "schema: passes, and the record of it does not say against which limit"],
      ["check.performance", "recall: passes, and the record of it does not say against which limit"],
      ["check.fairness", "opportunity: passes, and the record of it does not say against which limit; odds: insufficient evidence, and is advisory, which stands for nothing"],
    ]);
  });

  test("holds nobody up where no evidence is asked for: at minimal tier what is declared must pass", () => {
    const facts = { ...minimalPilot, declaredChecks: ["opportunity"], checks: highPilot.checks.filter(({ id }) => id === "opportunity") };
    expect(unmet(withResult("opportunity", { limit: 1 }, facts))).toEqual([]);
  });

  test("does not count through a second result of the same check", () => {
    const twice = { ...highPilot, checks: [...highPilot.checks, ...withResult("opportunity", { limit: 0.3 }).checks.filter(({ id }) => id === "opportunity")] };
    expect(unmet(twice).map(({ id }) => id)).toEqual(["check.fairness"]);
  });
});

describe("how hard a check tries", () => {
  const production = { ...highPilot, to: "production" as const, from: "pilot" as const };
  const [template] = highPilot.checks;
  if (template === undefined) throw new Error("the fixture has checks");
  const robust = (given: Partial<JudgedBy>): GateFacts => ({
    ...production,
    declaredChecks: [...production.declaredChecks, "attack"],
    checks: [...production.checks, { ...template, id: "attack", check: "robust.evasion", result: "entry_attack", judged: judged(0.1, { figure: "free", distance: 0.1, norm: "linf", queries: 2000, ...given }) }],
  });
  const told = (given: Partial<JudgedBy>) => decideGate(robust(given), bundle).requirements.find(({ id }) => id === "check.robustness");

  test("is compared too: a short distance, few queries and a norm with smaller balls are found lacking together", () => {
    expect(told({})).toMatchObject({ state: "met", reason: "passed: attack (at most 0.1)" });
    expect(told({ limit: 0.2, distance: 0.001, norm: "l1", queries: 10 })).toMatchObject({
      state: "unmet",
      reason: "attack: `max: 0.2` is laxer than 0.1, which tier high asks for; it tests a distance of 0.001, and 0.1 is asked for; the attack spends 10 queries on a row, and 2000 are asked for; `norm: l1` is not what is asked for",
      remedy: "tighten the check: `max: 0.1` or stricter, `epsilon: 0.1` or more, `queries: 2000` or more, `norm: linf` in `attack`; then push, and run `licet check --on-server`",
    });
  });

  test("of a floor as of a limit: only what is lacking is named", () => {
    const facts = robust({ op: ">=", limit: 0.9, distance: 0.01 });
    const certified = { ...facts, checks: facts.checks.map((each) => (each.id === "attack" ? { ...each, check: "robust.certified" } : each)) };
    expect(decideGate(certified, bundle).requirements.find(({ id }) => id === "check.robustness")?.reason).toBe("attack: it tests a distance of 0.01, and 0.1 is asked for");
  });

  test("where none is declared, the requirement says which limits it takes", () => {
    const open = decideGate(production, bundle).requirements.find(({ id }) => id === "check.robustness");
    expect(open?.reason).toBe("no result that stands for it; it takes `robust.evasion` with a limit of at most 0.1, or `robust.noise` with a limit of at most 0.02");
  });
});

describe("what a publication changes", () => {
  const asks = (by: Bundle, check: string) => askedLimit(createDecider(by), { move: highPilot, row: idealResult(check, { now: highPilot.now }), kind: gateKindOf(check) });

  test("a baseline asks for more by a forbid, and the requirement names its number", () => {
    const stricter = published("baseline", `@id("house.fair") @title("groups differ by at most 0.05") forbid (principal, action == Licet::Action::"countResult", resource) when { !(resource has kind && resource.kind != "fair") } unless { resource has most && resource.most <= 50000 };`);
    expect(asks(stricter, "fair.opportunity")).toEqual({ op: "<=", value: 0.05 });
    expect(unmet(highPilot, stricter)).toMatchObject([{ id: "check.fairness", reason: expect.stringContaining("it is not so that groups differ by at most 0.05") }]);
    expect(unmet(withResult("opportunity", { limit: 0.05 }), stricter)).toEqual([]);
  });

  test("a baseline takes less by a permit, also where the packs of the installation say no number", () => {
    const laxer = published("baseline", `
      @id("house.fair") permit (principal, action == Licet::Action::"countResult", resource) when { context.kind == "fair" && resource has kind && resource.kind == "fair" && resource has native && resource.native && resource has most && resource.most <= 200000 };
      @id("house.error") permit (principal, action == Licet::Action::"countResult", resource) when { context.kind == "perf" && resource has check && resource.check == "perf.error" && resource has most && resource.most <= 3500000 };
    `);
    expect(unmet(withResult("opportunity", { limit: 0.2 }), laxer)).toEqual([]);
    expect(unmet(withResult("opportunity", { limit: 0.21 }), laxer)).toMatchObject([{ id: "check.fairness", reason: expect.stringContaining("is laxer than 0.2") }]);
    expect(asks(bundle, "perf.error")).toBeUndefined();
    expect(asks(laxer, "perf.error")).toEqual({ op: "<=", value: 3.5 });
  });

  test("a report of another tool stands for a kind where a baseline says so, and for no other", () => {
    const given = { ...highPilot, checks: highPilot.checks.map((each) => (each.id === "opportunity" ? { ...each, check: "import.report", judged: judged(0.05, { origin: "deepchecks" }) } : each)) };
    const taking = published("baseline", `@id("house.report") permit (principal, action == Licet::Action::"countResult", resource) when { context.kind == "fair" && resource has tool && resource.tool == "deepchecks" && resource has most && resource.most <= 50000 };`);
    expect(unmet(given).map(({ id, reason }) => [id, reason])).toEqual([["check.fairness", expect.stringContaining("opportunity: was counted from a report of deepchecks, which stands for no check of ours")]]);
    expect(unmet(given, taking)).toEqual([]);
    expect(unmet({ ...given, declaredChecks: ["recall", "opportunity"] }, taking).map(({ id }) => id)).toEqual(["check.data"]);
  });

  test("is written as docs/gates.md writes it", () => {
    const [, text = ""] = /^```cedar\n(.*?)^```/msu.exec(readFileSync(new URL("../../../../docs/gates.md", import.meta.url), "utf8")) ?? [];
    const documented = published("baseline", text);
    expect(asks(documented, "fair.opportunity")).toEqual({ op: "<=", value: 0.05 });
    const error = { ...idealResult("perf.error", { now: highPilot.now, figure: "mae" }), id: "error" };
    const dosage = { ...highPilot, system: "dosage" };
    expect(askedLimit(createDecider(documented), { move: dosage, row: error, kind: "perf" })).toEqual({ op: "<=", value: 3.5 });
    expect(askedLimit(createDecider(documented), { move: highPilot, row: error, kind: "perf" })).toBeUndefined();
    const report = { ...error, check: "import.report", judged: judged(0, { origin: "garak" }) };
    expect(askedLimit(createDecider(documented), { move: highPilot, row: report, kind: "injection" })).toEqual({ op: "<=", value: 0.05 });
  });

  test("no baseline lifts what a result must stand on, and no team may permit", () => {
    const everything = published("baseline", `@id("house.all") permit (principal, action == Licet::Action::"countResult", resource);`);
    for (const given of [{ alpha: 0.5 }, { assessed: 0 }, { attempted: 1000 }]) expect(unmet(withResult("opportunity", given), everything).map(({ id }) => id)).toEqual(["check.fairness"]);
    expect(unmet(withResult("opportunity", { limit: 1 }), everything)).toEqual([]);
    expect(() => published("team", `@id("house.all") permit (principal, action == Licet::Action::"countResult", resource);`, ["tumour"])).toThrow(/a team pack only forbids/u);
  });

  test("a team asks for more of its own systems alone", () => {
    const policy = `@id("house.none") @title("nobody's results count") forbid (principal, action == Licet::Action::"countResult", resource);`;
    expect(unmet(highPilot, published("team", policy, ["tumour"])).map(({ id }) => id)).toEqual(["check.data", "check.performance", "check.fairness"]);
    expect(unmet(highPilot, published("team", policy, ["other"]))).toEqual([]);
  });

  test("a policy that cannot be evaluated counts nothing", () => {
    const broken = published("baseline", `@id("house.broken") permit (principal, action == Licet::Action::"countResult", resource) when { resource has assessed && resource.assessed * 9007199254740991 > 0 };`);
    expect(unmet(withResult("opportunity", { assessed: 9_007_199_254_740_991, attempted: 9_007_199_254_740_991 }), broken).map(({ id, reason }) => [id, reason])).toEqual([["check.fairness", expect.stringContaining("opportunity: passes, and the policies could not be asked whether it counts, which denies")]]);
  });

  test("packs of before results were asked about count none", () => {
    const older = schema.replace(/action countResult[\s\S]*?\n {2}\};\n/u, "");
    expect(older).not.toBe(schema);
    const before = composeBundle({ schema: older, builtin: gatePacks.builtin.filter(({ name }) => name !== "gate-limits"), packs: [] }, { tested: false }).bundle;
    expect(unmet(highPilot, before).map(({ id }) => id)).toEqual(["check.data", "check.performance", "check.fairness"]);
  });
});

describe("every check of the engine", () => {
  const decider = createDecider(bundle);
  /** What no number fits: the organisation says which counts, or another check of the kind is declared. */
  const withoutBound = ["data.coverage", "data.labels.suspects", "data.poison.spectral", "data.poison.clusters", "data.poison.neighbours", "perf.error", "privacy.extraction", "llm.format", "llm.consistency", "llm.overrefusal", "llm.agency", "llm.cost", "robust.determinism", "robust.input", "import.report"];

  test("that is of a kind which requirements ask for has a limit that is asked, or is named here", () => {
    const kinds: readonly string[] = gateKinds;
    const open = catalogue.filter(({ check }) => kinds.includes(gateKindOf(check)) && askedLimit(decider, { move: highPilot, row: idealResult(check, { now: highPilot.now }), kind: gateKindOf(check) }) === undefined);
    expect(open.map(({ check }) => check).filter((check) => !withoutBound.includes(check))).toEqual([]);
  });

  test("is asked for the same at limited, high and critical tier, in the direction of its limit", () => {
    for (const { check, op } of catalogue) {
      const asked = (["limited", "high", "critical"] as const).map((tier) => askedLimit(decider, { move: { ...highPilot, tier }, row: idealResult(check, { now: highPilot.now }), kind: gateKindOf(check) }));
      expect(new Set(asked.map((each) => JSON.stringify(each))).size).toBe(1);
      expect([check, asked[0]?.op ?? op]).toEqual([check, op]);
    }
  });

  test("names the member of its declaration that holds its limit", () => {
    const members = declarations(z.toJSONSchema(AssuranceCheck, { io: "input" }));
    expect(new Set(members.keys())).toEqual(new Set(catalogue.map(({ check }) => check)));
    for (const { check, op } of catalogue) {
      const held = ["max", "min", "floor", "limit"].filter((name) => members.get(check)?.includes(name));
      expect([check, held]).toEqual([check, held.length === 0 ? [] : [limitMember(check, op)]]);
    }
  });
});

/** The members of each declarable check, by its name, as a JSON Schema says them. */
function declarations(schema: unknown): ReadonlyMap<string, readonly string[]> {
  if (Array.isArray(schema)) return new Map(schema.flatMap((each) => [...declarations(each)]));
  if (!isRecord(schema)) return new Map();
  const { properties } = schema;
  if (!isRecord(properties) || !isRecord(properties["check"])) return declarations(Object.values(schema));
  const { const: one, enum: several } = properties["check"];
  return new Map((Array.isArray(several) ? several : [one]).map((name: unknown) => [String(name), Object.keys(properties)] as const));
}

describe("loosening", () => {
  const checks = catalogue.map(({ check, op }) => ({ check, op }));
  const figure = fc.constantFrom("auc", "tpr", "log_loss", "brier", "scores", "classes", "accuracy", undefined);
  const nearLimits = fc.oneof(fc.constantFrom(0, 1e-5, 1e-4, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.25, 0.45, 0.5, 0.6, 0.69, 0.8, 0.9, 0.95, 1, 5, 10), fc.double({ min: 0, max: 12, noNaN: true }));
  const result = fc.record({
    of: fc.constantFrom(...checks),
    limit: nearLimits,
    alpha: fc.constantFrom(0.01, 0.05, 0.5),
    attempted: fc.nat(1000),
    unassessed: fc.nat(20),
    figure,
    distance: fc.constantFrom(0.05, 0.1, 1, undefined),
    queries: fc.constantFrom(10, 2000, 5000, undefined),
    norm: fc.constantFrom("linf", "l2", undefined),
    origin: fc.constantFrom("native", "garak"),
  });
  const nothing = { limit: 0, alpha: 0, fewer: 0, nearer: 1, foreign: false };
  /** One thing at a time: what makes two things laxer at once hides what one of them does. */
  const looser = fc.oneof(
    fc.record({ ...still(nothing), limit: fc.oneof(fc.double({ min: 0, max: 2, noNaN: true }), fc.double({ min: 0, max: 1e9, noNaN: true })) }),
    fc.record({ ...still(nothing), alpha: fc.constantFrom(0.001, 0.4) }),
    fc.record({ ...still(nothing), fewer: fc.integer({ min: 1, max: 1000 }) }),
    fc.record({ ...still(nothing), nearer: fc.double({ min: 0, max: 1, noNaN: true }) }),
    fc.constant({ ...nothing, foreign: true }),
  );
  const step = fc.tuple(fc.nat(), looser);
  const moves = fc.record({ tier: fc.constantFrom("minimal" as const, "limited" as const, "high" as const, "critical" as const), to: fc.constantFrom("pilot" as const, "production" as const), by: fc.constantFrom("house", "ours"), own: fc.array(nearLimits, { minLength: 3, maxLength: 3 }) });
  const house = published("baseline", `
    @id("house.less") permit (principal, action == Licet::Action::"countResult", resource) when { resource has kind && resource.kind == context.kind && resource has most && resource.most <= 250000 && context.tier == Licet::Tier::"limited" };
    @id("house.more") forbid (principal, action == Licet::Action::"countResult", resource) when { context.tier == Licet::Tier::"critical" } unless { resource has assessed && resource.assessed >= 300 };
  `);

  test("any declared limit, or what a result stands on, never turns a denied gate into a permitted one", () => {
    let denied = 0;
    let lost = 0;
    fc.assert(
      fc.property(fc.array(result, { maxLength: 5 }), step, moves, (results, [at, loosened], { tier, to, by, own }) => {
        const policies = by === "house" ? house : bundle;
        const rows = results.map(({ of, unassessed, attempted, figure: measured, distance, queries, norm, ...given }, index): GateFacts["checks"][number] => ({
          id: `extra-${index}`,
          check: of.check,
          verdict: "pass",
          producer: "licet",
          producedBy: "server",
          at: highPilot.now - 1,
          result: `entry_${index}`,
          judged: { ...given, op: of.op, attempted: attempted + unassessed, assessed: attempted, ...(measured !== undefined && { figure: measured }), ...(distance !== undefined && { distance }), ...(queries !== undefined && { queries }), ...(norm !== undefined && { norm }) },
        }));
        const declared = highPilot.checks.slice(0, 3).map((row, index) => ({ ...row, judged: { ...(row.judged ?? judged(0)), limit: own[index] ?? 0 } }));
        const all = [...declared, ...rows];
        const facts = { ...highPilot, tier, to, declaredChecks: all.map(({ id }) => id), checks: all };
        const looser = { ...facts, checks: all.map((row, index) => (index === at % all.length ? { ...row, judged: loosenedBy(row.judged ?? judged(0), loosened) } : row)) };
        const [before, after] = [decideGate(facts, policies), decideGate(looser, policies)];
        if (before.decision === "deny") denied++;
        expect(before.decision === "deny" && after.decision === "allow").toBe(false);
        const met = (answer: typeof before) => answer.requirements.filter(({ state }) => state === "met").map(({ id }) => id);
        expect(met(before)).toEqual(expect.arrayContaining(met(after)));
        if (met(after).length < met(before).length) lost++;
      }),
      { numRuns: 300 },
    );
    expect(denied).toBeGreaterThan(0);
    expect(lost).toBeGreaterThan(0);
  });
});

function loosenedBy(from: JudgedBy, { limit, alpha, fewer, nearer, foreign }: { readonly limit: number; readonly alpha: number; readonly fewer: number; readonly nearer: number; readonly foreign: boolean }): JudgedBy {
  return {
    ...from,
    limit: from.op === "<=" ? from.limit + limit : from.limit - limit,
    alpha: from.alpha + alpha,
    assessed: Math.max(0, from.assessed - fewer),
    ...(from.distance !== undefined && { distance: from.distance * nearer }),
    ...(from.queries !== undefined && { queries: Math.floor(from.queries * nearer) }),
    ...(foreign && { origin: "garak" }),
  };
}

/** Arbitraries that always give these values. */
function still<T extends object>(values: T): { readonly [K in keyof T]: fc.Arbitrary<T[K]> };
function still(values: object): object {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, fc.constant(value)]));
}
