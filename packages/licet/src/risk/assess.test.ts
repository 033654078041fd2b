import { readFileSync } from "node:fs";
import { annexIIIUses, autonomyLevels, Manifest, riskLevels, tiers, type EuAnswers } from "@licet/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { exampleManifest } from "../inventory/example-manifest.ts";
import { assess, questionText } from "./assess.ts";
import type { Assessment, SignedAnswer } from "./assessment.ts";
import { euQuestions, type EuQuestion } from "./questions.ts";
import { scoreTier } from "./score.ts";

const now = Date.parse("2026-11-21");
const later = Date.parse("2026-12-02");

function eu(change: Partial<EuAnswers>): Manifest {
  return { ...exampleManifest, risk: { ...exampleManifest.risk, eu: { ...exampleManifest.risk?.eu, ...change } } };
}
function sign(question: string, value: boolean, at = 1): SignedAnswer {
  return { question, value, at, by: "r@example.com", entry: "ent_1" };
}
function run(manifest: Manifest, answers: readonly SignedAnswer[] = [], at = now): Assessment {
  return assess({ manifest, answers, now: at });
}
function example(name: string): Manifest {
  return Manifest.parse(parse(readFileSync(new URL(`../../../../examples/${name}/licet.yaml`, import.meta.url), "utf8")));
}
const rank = (assessment: Assessment) => tiers.indexOf(assessment.tier) + (assessment.prohibited.length > 0 ? 10 : 0);

describe("the examples", () => {
  it("an assistant for staff on internal data is minimal, and waits for nobody", () => {
    expect(run(example("helpdesk-assistant"))).toMatchObject({ tier: "minimal", floor: "minimal", prohibited: [], open: [] });
  });

  it("a classifier in a medical device is high, by law and by score", () => {
    const assessment = run(example("tumour-classifier"));
    expect(assessment).toMatchObject({ tier: "high", floor: "high", prohibited: [], open: [] });
    expect(assessment.arithmetic).toContain("tier = max(high, high) = high");
  });
});

describe("the legal class", () => {
  const recruitment = { annexIII: ["recruitment" as const] };
  const claim = { ...recruitment, derogation: { profiles: false, narrowProcedural: true, noSignificantRisk: true } };

  it("of a system in an area of Annex III is high", () => {
    expect(run(eu(recruitment))).toMatchObject({ tier: "high", floor: "high", open: [] });
  });

  it("stays high under a claimed derogation until the risk owner has signed each part of it", () => {
    const open = run(eu(claim));
    expect(open.tier).toBe("high");
    expect(open.open.map((each) => [each.question, each.turn])).toEqual([["D0", "risk-owner"], ["D1", "risk-owner"], ["D5", "risk-owner"]]);
    expect(run(eu(claim), [sign("D0", false), sign("D1", true)]).tier).toBe("high");
    const signed = run(eu(claim), [sign("D0", false), sign("D1", true), sign("D5", true)]);
    expect(signed).toMatchObject({ tier: "minimal", open: [] });
    expect(signed.legal.find((step) => step.id === "D5")).toMatchObject({ source: "signed", answer: "yes" });
  });

  it("stays high when the risk owner signs that persons are profiled", () => {
    expect(run(eu(claim), [sign("D0", true), sign("D1", true), sign("D5", true)]).tier).toBe("high");
  });

  it("takes the later of two signed answers", () => {
    const answers = [sign("D0", false), sign("D1", true), sign("D5", true)];
    expect(run(eu(claim), [...answers, sign("D5", false, 2)]).tier).toBe("high");
    expect(run(eu(claim), [sign("D5", false, 0), ...answers]).tier).toBe("minimal");
  });

  it("keeps a carve-out of Annex III open until it is signed", () => {
    const manifest = eu({ annexIII: ["creditworthiness"], carveOuts: ["financial-fraud-detection"] });
    expect(run(manifest)).toMatchObject({ tier: "high", open: [{ question: "Annex.III.5.b", turn: "risk-owner" }] });
    expect(run(manifest, [sign("Annex.III.5.b", false)])).toMatchObject({ tier: "minimal", open: [] });
  });

  it("of a regulated product is high, unless it is signed to be no safety component", () => {
    const product = { regulatedProduct: true, thirdPartyAssessment: true };
    expect(run(eu({ annexI: product })).tier).toBe("high");
    const claimed = eu({ annexI: { ...product, onlyAssistance: true } });
    expect(run(claimed)).toMatchObject({ tier: "high", open: [{ question: "A3" }] });
    expect(run(claimed, [sign("A3", true)])).toMatchObject({ tier: "minimal", open: [] });
  });

  it("falls outside the Act only by signature, and is asked for only where it would change anything", () => {
    const scope = { aiSystem: true, inUnion: true, excludedUse: true };
    expect(run(eu({ scope }))).toMatchObject({ tier: "minimal", open: [] });
    expect(run(eu({ scope, ...recruitment }))).toMatchObject({ tier: "high", open: [{ question: "S3" }] });
    expect(run(eu({ scope, ...recruitment }), [sign("S3", true)]).tier).toBe("minimal");
  });

  it("refuses a prohibited practice, whatever else is declared, and asks about an exception", () => {
    const prohibited = { ...exampleManifest.risk?.eu?.prohibited, realTimeBiometricId: true };
    const assessment = run(eu({ prohibited }));
    expect(assessment.prohibited).toEqual([expect.stringContaining("P10 Art.5(1)(h)")]);
    expect(assessment.open).toMatchObject([{ question: "P10", turn: "risk-owner" }]);
    expect(run(eu({ prohibited }), [sign("P10", false)])).toMatchObject({ prohibited: [], tier: "minimal" });
  });

  it("takes the prohibitions of the omnibus from their day on", () => {
    const manifest = eu({ prohibited: { ...exampleManifest.risk?.eu?.prohibited, intimateMaterial: true } });
    expect(run(manifest, [], later - 1)).toMatchObject({ prohibited: [], upcoming: [{ question: "P3", from: "2026-12-02" }] });
    expect(run(manifest, [], later)).toMatchObject({ upcoming: [], prohibited: [expect.stringContaining("P3")] });
  });

  it("counts a transparency duty for the role that owes it", () => {
    const transparency = { ...exampleManifest.risk?.eu?.transparency, syntheticContent: true };
    expect(run(eu({ transparency })).tier).toBe("minimal");
    expect(run(eu({ transparency, role: { provider: true, deployer: true, becomesProvider: false } })).tier).toBe("limited");
    expect(run(eu({ transparency, role: { provider: false, deployer: false, becomesProvider: false } })).tier).toBe("limited");
    expect(run(eu({ transparency, role: { provider: false, becomesProvider: false } })).tier).toBe("limited");
  });

  it("of a general-purpose model with systemic risk is critical", () => {
    expect(run(eu({ gpai: { placesModel: true, systemicRisk: true } })).tier).toBe("critical");
    expect(run(eu({ gpai: { placesModel: true, systemicRisk: false } })).tier).toBe("minimal");
    expect(run(eu({ gpai: { placesModel: true } })).tier).toBe("critical");
  });

  it("of a manifest without answers takes every stricter branch", () => {
    const { risk: _risk, ...silent } = exampleManifest;
    const assessment = run(silent);
    expect(assessment.tier).toBe("critical");
    expect(assessment.prohibited).toHaveLength(8);
    expect(assessment.legal.filter((step) => step.source === "declared")).toEqual([]);
  });
});

describe("the score", () => {
  const zero = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`Q${index + 1}`, 0]));
  const tier = (levels: Readonly<Record<string, number>>) => scoreTier(Object.entries({ ...zero, ...levels }).map(([id, level]) => ({ id, level }))).tier;

  it.each([
    [{}, "minimal"],
    [{ Q1: 1, Q2: 1, Q3: 1, Q4: 1, Q5: 1, Q6: 1, Q7: 1, Q11: 1 }, "minimal"],
    [{ Q8: 3, Q9: 3, Q10: 3 }, "minimal"],
    [{ Q2: 3 }, "limited"],
    [{ Q3: 3 }, "limited"],
    [{ Q5: 2, Q7: 2 }, "limited"],
    [{ Q2: 2, Q3: 2, Q5: 2, Q7: 2 }, "limited"],
    [{ Q5: 2, Q7: 2, Q11: 2 }, "high"],
    [{ Q1: 3 }, "high"],
    [{ Q5: 3, Q3: 3 }, "high"],
    [{ Q7: 3 }, "high"],
    [{ Q11: 3 }, "high"],
    [{ Q1: 3, Q3: 1 }, "high"],
    [{ Q1: 3, Q3: 2 }, "critical"],
    [{ Q4: 3, Q3: 3 }, "critical"],
    [{ Q6: 3, Q3: 2 }, "critical"],
  ] as const)("of %j is %s", (levels, expected) => {
    expect(tier(levels)).toBe(expected);
  });

  it("reads autonomy, data and tool power off the facts, and takes the stricter of declared and derived", () => {
    const tools = [{ name: "wire", description: "Sends money.", power: "pay" as const, schema: {} }];
    const manifest: Manifest = { ...exampleManifest, autonomy: "acts-alone", components: { ...exampleManifest.components, tools }, risk: { ...exampleManifest.risk, toolPower: "none", data: "special-or-secret" } };
    const lines = run(manifest).score;
    expect(lines.find((line) => line.id === "Q3")).toMatchObject({ level: 3, source: "derived" });
    expect(lines.find((line) => line.id === "Q5")).toMatchObject({ level: 3, source: "declared" });
    expect(lines.find((line) => line.id === "Q6")).toMatchObject({ level: 3, source: "derived", meaning: "pay-delete-run-or-grant" });
    expect(run(manifest).tier).toBe("critical");
  });
});

const quiet = exampleManifest.risk?.eu ?? {};
/** Mostly a calm answer, so that one question decides and is not drowned by the others. */
function section(name: EuQuestion["section"]) {
  const questions = euQuestions.filter((question) => question.section === name);
  const any = fc.record(Object.fromEntries(questions.map((question) => [question.key, fc.boolean()])), { requiredKeys: [] });
  return fc.oneof({ arbitrary: fc.constant(quiet[name] ?? {}), weight: 4 }, { arbitrary: any, weight: 1 });
}
const anyEu = fc.record({
  scope: section("scope"),
  role: section("role"),
  prohibited: section("prohibited"),
  annexI: section("annexI"),
  derogation: section("derogation"),
  transparency: section("transparency"),
  gpai: section("gpai"),
  annexIII: fc.oneof({ arbitrary: fc.constant([]), weight: 3 }, { arbitrary: fc.subarray([...annexIIIUses], { maxLength: 2 }), weight: 1 }),
});
const anyRisk = fc.record(Object.fromEntries(Object.entries(riskLevels).map(([key, words]) => [key, fc.constantFrom(...words)])), { requiredKeys: [] });
const calmRisk = fc.oneof({ arbitrary: fc.constant(exampleManifest.risk ?? {}), weight: 2 }, { arbitrary: anyRisk, weight: 1 });
const anyManifest = fc.tuple(calmRisk, anyEu, fc.constantFrom(...autonomyLevels)).map(([risk, answers, autonomy]) => Manifest.parse({ ...exampleManifest, autonomy, risk: { ...risk, eu: answers } }));
const signatures = fc.array(fc.tuple(fc.constantFrom(...euQuestions.map((question) => question.id), "Annex.III.4.a"), fc.boolean()).map(([id, value]) => sign(id, value)), { maxLength: 6 });

describe("whatever is answered", () => {
  it("raising a level never lowers the tier", () => {
    const level = fc.constantFrom(...Object.keys(riskLevels), "autonomy");
    fc.assert(
      fc.property(anyManifest, level, (manifest, key) => {
        const words: readonly string[] = key === "autonomy" ? autonomyLevels : (Object.entries(riskLevels).find(([name]) => name === key)?.[1] ?? []);
        const answers: Readonly<Record<string, unknown>> = { ...manifest.risk, autonomy: manifest.autonomy };
        const at = words.findIndex((word) => word === answers[key]);
        const next = words[at + 1];
        fc.pre(at >= 0 && next !== undefined);
        const raised = Manifest.parse(key === "autonomy" ? { ...manifest, autonomy: next } : { ...manifest, risk: { ...manifest.risk, [key]: next } });
        expect(rank(run(raised))).toBeGreaterThanOrEqual(rank(run(manifest)));
      }),
    );
  });

  it("removing a declared answer never lowers the tier", () => {
    fc.assert(
      fc.property(anyManifest, fc.constantFrom(...euQuestions), fc.constantFrom(now, later), (manifest, question, at) => {
        const section = Object.fromEntries(Object.entries(manifest.risk?.eu?.[question.section] ?? {}).filter(([key]) => key !== question.key));
        const without = Manifest.parse({ ...manifest, risk: { ...manifest.risk, eu: { ...manifest.risk?.eu, [question.section]: section } } });
        expect(rank(run(without, [], at))).toBeGreaterThanOrEqual(rank(run(manifest, [], at)));
      }),
      { numRuns: 3000 },
    );
  });

  it("removing every answer to a question, declared and signed, never lowers the tier", () => {
    const noRole = eu({ role: { provider: false, deployer: false, becomesProvider: false } });
    const foundByChance = euQuestions.filter(({ id }) => id === "R3").map((question): [Manifest, SignedAnswer[], EuQuestion] => [noRole, [sign("T4", true)], question]);
    expect(foundByChance).toHaveLength(1);
    fc.assert(
      fc.property(anyManifest, signatures, fc.constantFrom(...euQuestions), (manifest, signed, question) => {
        const section = Object.fromEntries(Object.entries(manifest.risk?.eu?.[question.section] ?? {}).filter(([key]) => key !== question.key));
        const without = Manifest.parse({ ...manifest, risk: { ...manifest.risk, eu: { ...manifest.risk?.eu, [question.section]: section } } });
        const rest = signed.filter((each) => each.question !== question.id);
        expect(rank(run(without, rest))).toBeGreaterThanOrEqual(rank(run(manifest, signed)));
      }),
      // No role at all is declared, and a duty of deployers is signed.
      { numRuns: 3000, examples: foundByChance },
    );
  });

  it("declaring the milder answer to a question for people changes nothing by itself", () => {
    const judged = euQuestions.filter((question) => question.judged);
    fc.assert(
      fc.property(anyManifest, fc.constantFrom(...judged), (manifest, question) => {
        const section = { ...manifest.risk?.eu?.[question.section], [question.key]: !question.strict };
        const milder = Manifest.parse({ ...manifest, risk: { ...manifest.risk, eu: { ...manifest.risk?.eu, [question.section]: section } } });
        const strict = Manifest.parse({ ...manifest, risk: { ...manifest.risk, eu: { ...manifest.risk?.eu, [question.section]: { ...section, [question.key]: question.strict } } } });
        expect(rank(run(milder))).toBe(rank(run(strict)));
      }),
    );
  });
});

describe("a question", () => {
  it("is known by its id", () => {
    expect(questionText("D5")).toContain("no significant risk");
    expect(() => questionText("D9")).toThrow(expect.objectContaining({ code: "risk_question_unknown" }));
  });

  it("is asked in the manifest under its own key", () => {
    const keys = Object.fromEntries(Object.entries(exampleManifest.risk?.eu ?? {}));
    expect(euQuestions.map((question) => question.section).every((section) => section in keys || section === "derogation")).toBe(true);
    for (const question of euQuestions) expect(Manifest.safeParse({ ...exampleManifest, risk: { eu: { [question.section]: { [question.key]: true } } } }).success).toBe(true);
  });
});
