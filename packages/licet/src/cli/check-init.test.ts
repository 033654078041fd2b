import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readTable, type Table } from "@licet/assurance";
import { AssuranceCheck, AssuranceSection, Manifest, type GateFacts, type Model, type Tier } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { proposeChecks } from "../assurance/propose/suite.ts";
import { declaredFacts } from "../ato/declared-facts.ts";
import { kindOfRequirement } from "../ato/evidence-finding.ts";
import { minimalPilot } from "../ato/gate-fixture.ts";
import { decideGate } from "../ato/gate.ts";
import { builtinBundle } from "../policy/bundle.ts";
import { assess } from "../risk/assess.ts";
import { askedOf, withPassed } from "./check-asked.ts";

const example = (name: string) => Manifest.parse(parse(readFileSync(join(import.meta.dirname, `../../../../examples/${name}/licet.yaml`), "utf8")));
const [tumour, helpdesk] = [example("tumour-classifier"), example("helpdesk-assistant")];

const csv = (header: string, row: (at: number) => string): Table => readTable(Buffer.from([header, ...Array.from({ length: 400 }, (_, at) => row(at))].join("\n")));
const people = csv("income,sex,target", (at) => `${at},${at % 2},${at % 3 === 0 ? 1 : 0}`);
const nobody = csv("income,debt,target", (at) => `${at},${at % 7},${at % 3 === 0 ? 1 : 0}`);
const amounts = csv("income,debt,target", (at) => `${at},${at % 7},${at * 1.5}`);
const both = (table: Table) => new Map([["train", table], ["test", table]]);

const [classical] = tumour.components.models;
const [chat] = helpdesk.components.models;
if (classical === undefined || chat === undefined) throw new Error("the examples have models");
const served: Model = { name: "score", provider: "acme", model: "score", scoring: { protocol: "oip" } };
const pickled: Model = { ...classical, file: "model/tumour.pkl" };
const withModels = (manifest: Manifest, models: readonly Model[]): Manifest => ({ ...manifest, assurance: undefined, components: { ...manifest.components, models: [...models] } });

interface System {
  readonly manifest: Manifest;
  readonly tables: ReadonlyMap<string, Table>;
  /** What production at high tier asks for that the manifest gives nothing to make from. */
  readonly named: readonly string[];
}

const systems: Readonly<Record<string, System>> = {
  "a classical model with data about people": { manifest: withModels(tumour, [classical]), tables: both(people), named: [] },
  "a classical model whose data name nobody": { manifest: withModels(tumour, [classical]), tables: both(nobody), named: ["fair"] },
  "a classical model with test data alone": { manifest: withModels(tumour, [classical]), tables: new Map([["test", nobody]]), named: ["fair", "privacy"] },
  "a classical model without data": { manifest: withModels(tumour, [classical]), tables: new Map(), named: ["data", "explain", "fair", "perf", "privacy", "robust"] },
  "a model of numbers": { manifest: withModels(tumour, [classical]), tables: both(amounts), named: ["fair", "privacy", "robust"] },
  "a served model with data about people": { manifest: withModels(tumour, [served]), tables: both(people), named: ["artifact"] },
  "a model in a form that no check reads": { manifest: withModels(tumour, [pickled]), tables: both(people), named: ["explain", "fair", "injection", "perf", "privacy", "quality", "robust"] },
  "a language model": { manifest: withModels(helpdesk, [chat]), tables: new Map(), named: [] },
  "a language model beside a classical one": { manifest: withModels(tumour, [classical, chat]), tables: both(people), named: [] },
};
const tiers: readonly Tier[] = ["minimal", "limited", "high", "critical"];

/** Kinds of evidence that the gate asks for when all of these checks have passed. */
function unmetOf(manifest: Manifest, checks: readonly AssuranceCheck[], { tier, to }: { readonly tier: Tier; readonly to: "pilot" | "production" }): readonly string[] {
  const { requirements } = decideGate(withPassed(factsOf(manifest, tier, to), checks), builtinBundle());
  return requirements.filter(({ state }) => state !== "met").flatMap(({ id }) => kindOfRequirement[id] ?? []).toSorted();
}

function factsOf(manifest: Manifest, tier: Tier, to: "pilot" | "production"): GateFacts {
  const assessment = assess({ manifest, answers: [], now: minimalPilot.now });
  return { ...minimalPilot, ...declaredFacts({ v: 1, manifest, manifestText: "-", prompts: [], tools: [], files: [] }, assessment, { to }), tier, to, prohibited: false };
}

describe("what init proposes", () => {
  test.each(Object.entries(systems))("for %s is all that the gate asks for at every tier, save what it names", (_, { manifest, tables, named }) => {
    const proposed = proposeChecks({ manifest, tables });
    const suite = AssuranceSection.parse({ checks: proposed.checks.map(({ check }) => check) });
    for (const tier of tiers) {
      for (const to of ["pilot", "production"] as const) {
        const facts = factsOf(manifest, tier, to);
        const asked = askedOf(facts, proposed);
        const unmet = unmetOf(manifest, suite.checks, { tier, to });
        expect(asked.missing.map(({ kind }) => kind).toSorted()).toEqual([...unmet]);
        expect(named).toEqual(expect.arrayContaining([...unmet]));
        // Whatever is named comes with what to add.
        expect(asked.missing.filter(({ sentence }) => !/; .{20,}/u.test(sentence))).toEqual([]);
      }
    }
    expect(unmetOf(manifest, suite.checks, { tier: "high", to: "production" })).toEqual([...named].toSorted());
  });

  test("an extra check is no evidence: without those of a kind, the gate asks for it", () => {
    const { manifest, tables } = systems["a classical model with data about people"] ?? { manifest: tumour, tables: new Map() };
    const { checks } = proposeChecks({ manifest, tables });
    const without = checks.flatMap(({ check }) => AssuranceCheck.parse(check)).filter(({ check }) => !check.startsWith("fair."));
    const unmet = decideGate(withPassed(factsOf(manifest, "high", "production"), without), builtinBundle()).requirements.filter(({ state }) => state !== "met").map(({ id }) => id);
    expect(unmet).toContain("check.fairness");
  });
});
