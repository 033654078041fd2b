import { tiers, type GateFacts, type Tier } from "@licet/contract";
import { decideGate } from "../../packages/licet/src/ato/gate.ts";
import { minimalPilot } from "../../packages/licet/src/ato/gate-fixture.ts";
import { builtinBundle } from "../../packages/licet/src/policy/bundle.ts";
import { isGateRequirement } from "../../packages/licet/src/policy/requirement.ts";
import { table } from "./block.ts";

const stages = ["experiment", "pilot", "production"] as const;
const letters = { experiment: "E", pilot: "P", production: "Pr" } as const;

/** What spares a requirement, as the facts name it and as people say it. */
const spares = [
  ["classical:none", "not where every model comes from a provider"],
  ["llm:none", "not where every model is a local ONNX file"],
  ["vendors:none", "not without vendors"],
] as const;

const bundle = builtinBundle();
const asked = new Map<string, ReadonlySet<string>>();

/** The requirements that apply, by id; each question is asked once. */
function demanded(tier: Tier, to: (typeof stages)[number], declared: readonly string[]): ReadonlySet<string> {
  const key = [tier, to, ...declared].join(" ");
  const facts: GateFacts = { ...minimalPilot, tier, to, declared: [...declared] };
  const ids = asked.get(key) ?? new Set(decideGate(facts, bundle).requirements.map((each) => each.id));
  asked.set(key, ids);
  return ids;
}

function stagesOf(id: string, tier: Tier): string {
  return stages.filter((to) => demanded(tier, to, []).has(id)).map((to) => letters[to]).join(" ");
}

function sparedBy(id: string): string {
  const names = spares.filter(([fact]) => tiers.some((tier) => stages.some((to) => demanded(tier, to, []).has(id) && !demanded(tier, to, [fact]).has(id))));
  return names.map(([, words]) => words).join("; ");
}

/** Every requirement with the stages at which each tier demands it, asked of the policies themselves. */
export function requirementTable(): string {
  const policies = bundle.policies.filter((policy) => isGateRequirement(policy) && policy.pack.startsWith("gate-"));
  const rows = policies.map(({ id, annotations }) => {
    const missing = (annotations["remedy"] ?? "").startsWith("this version of Licet");
    const note = [missing ? "cannot be met in this version" : "", sparedBy(id)].filter((part) => part !== "").join("; ");
    return [`\`${id}\``, annotations["requirement"] ?? "", ...tiers.map((tier) => stagesOf(id, tier)), annotations["turn"] ?? "", note];
  });
  return table(["id", "requirement", ...tiers, "turn", "note"], rows);
}

const ofEveryCall: ReadonlySet<string> = new Set(["runtime-standing", "runtime-model-calls", "runtime-data", "runtime-budgets", "runtime-vendors", "runtime-oversight"]);

/** The policies that every call meets, in the order in which they give a refusal its code. */
export function runtimeTable(): string {
  const policies = bundle.policies.filter((policy) => policy.effect === "forbid" && ofEveryCall.has(policy.pack));
  return table(["policy", "what must be so", "code of the refusal"], policies.map(({ id, annotations }) => [`\`${id}\``, annotations["title"] ?? "", `\`${annotations["requirement"] ?? ""}\``]));
}
