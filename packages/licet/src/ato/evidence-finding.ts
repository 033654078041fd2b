import { gateKindOf, type gateKinds, type GateFacts } from "@licet/contract";
import type { Decider } from "../policy/decide.ts";
import { askedLimit, idealResult, limitText, plainNumber, type AskedLimit } from "./asked-bound.ts";
import { checkSets, rowsOf } from "./check-sets.ts";
import { kindsAsked, type CountedResults } from "./count-results.ts";
import { checkFinding, unknownOffline } from "./gate-reasons.ts";
import { shortfall } from "./shortfall.ts";

type GateKind = (typeof gateKinds)[number];

/** The requirements of the built-in bundle that ask for a kind of evidence. */
export const kindOfRequirement: Readonly<Record<string, GateKind | undefined>> = {
  "check.data": "data",
  "check.performance": "perf",
  "check.fairness": "fair",
  "check.quality": "quality",
  "check.injection": "injection",
  "check.robustness": "robust",
  "check.privacy": "privacy",
  "check.explainability": "explain",
  "check.artifact": "artifact",
};

/** Checks that are usual for a kind: what is said of it where none is declared. */
const usualChecks: Readonly<Record<GateKind, readonly string[]>> = {
  data: ["data.schema", "data.missing"],
  perf: ["perf.metric"],
  fair: ["fair.parity", "fair.opportunity"],
  quality: ["llm.utility", "llm.grounded"],
  injection: ["llm.injection.direct"],
  robust: ["robust.evasion", "robust.noise"],
  privacy: ["privacy.membership", "llm.leak.system"],
  explain: ["explain.permutation"],
  artifact: ["artifact.scan"],
};

export interface Shown {
  readonly finding: string;
  /** Where something better can be said than what the policy says. */
  readonly remedy?: string;
}

interface Weighed {
  readonly met: boolean;
  readonly counted: CountedResults;
  readonly decider: Decider;
}

/** What the record shows of the evidence that a requirement asks for; undefined for one that asks for something else. */
export function evidenceFinding(id: string, facts: GateFacts, { met, counted, decider }: Weighed): Shown | undefined {
  const kind = kindOfRequirement[id];
  if (kind === undefined) return undefined;
  if (facts.offline && !met) return { finding: unknownOffline };
  const standing = counted.standingFor(kind);
  if (standing.length > 0) return { finding: `passed: ${standing.map((check) => `${check}${limitOf(facts, check)}`).join(", ")}` };
  const ids = [...new Set(facts.checks.filter((row) => isAbout(row, kind)).map((row) => row.id))];
  if (ids.length === 0) return { finding: `no result that stands for it; it takes ${usualLimits(decider, facts, kind).join(", or ")}` };
  const { passed } = checkSets(facts);
  const told = ids.map((check) => ({ check, ...(passed.includes(check) ? laxest(decider, facts, { check, kind }) : { finding: verdictOf(facts, check) }) }));
  const changes = told.flatMap((each) => ("change" in each && each.change !== undefined ? [each.change] : []));
  const language = kind === "quality" || kind === "injection";
  const finding = told.map((each) => `${each.check}: ${each.finding}`).join("; ");
  const run = `run \`licet check ${language ? "--ci --endpoint URL" : "--on-server"}\``;
  if (changes.length > 0) return { finding, remedy: `tighten the check: ${changes.join(", or ")}; then push, and ${run}` };
  return { finding, ...declaredRemedy(facts, ids, run) };
}

/** Nobody who declared a check already needs to hear that it is to be declared. */
function declaredRemedy(facts: GateFacts, ids: readonly string[], run: string): Pick<Shown, "remedy"> {
  const declared = ids.filter((check) => facts.declaredChecks.includes(check));
  if (declared.length === 0) return {};
  const names = declared.map((check) => `\`${check}\``).join(", ");
  const isPassing = declared.every((check) => rowsOf(facts, check).some(({ verdict }) => verdict === "pass"));
  return { remedy: isPassing ? `let ${names} pass where it counts: ${run}` : `mend what ${names} found, or give it more data, and ${run}` };
}

type Row = GateFacts["checks"][number];

/** Of a requirement about checks: the results that stand in its way, and a declared check without any. */
export function unmetRows(id: string, facts: GateFacts): readonly Row[] | undefined {
  const kind = kindOfRequirement[id];
  if (kind !== undefined) return facts.checks.filter((row) => isAbout(row, kind));
  if (id !== "check.declared") return undefined;
  const { passed, declared } = checkSets(facts);
  const advisory = facts.advisoryChecks.filter((each) => !declared.includes(each));
  if (declared.some((check) => rowsOf(facts, check).length === 0)) return undefined;
  return facts.checks.filter((row) => !advisory.includes(row.id) && !(passed.includes(row.id) && row.verdict === "pass"));
}

function isAbout(row: Row, kind: GateKind): boolean {
  return gateKindOf(row.check) === kind || (row.judged !== undefined && row.judged.origin !== "native" && kindsAsked([row]).includes(kind));
}

function verdictOf(facts: GateFacts, check: string): string {
  const advisory = facts.advisoryChecks.includes(check) && !facts.declaredChecks.includes(check);
  return advisory ? `${checkFinding(facts, check)}, and is advisory, which stands for nothing` : checkFinding(facts, check);
}

/** Of several results of a check, the first that does not count. */
function laxest(decider: Decider, facts: GateFacts, { check, kind }: { readonly check: string; readonly kind: GateKind }): ReturnType<typeof shortfall> {
  const [row, ...others] = rowsOf(facts, check);
  if (row === undefined) return { finding: "no result for this release" };
  const first = [row, ...others].map((each) => shortfall(decider, { move: facts, row: each, kind }));
  return first.find(({ change }) => change !== undefined) ?? first[0] ?? { finding: "no result for this release" };
}

function limitOf(facts: GateFacts, check: string): string {
  const [row] = rowsOf(facts, check);
  return row?.judged === undefined ? "" : ` (${ownLimit(row.judged)})`;
}

function ownLimit({ op, limit }: NonNullable<Row["judged"]>): string {
  return limitText({ op, value: limit });
}

/** The usual checks of a kind, each with the limit that is asked of it. */
export function usualLimits(decider: Decider, facts: GateFacts, kind: GateKind): readonly string[] {
  return usualChecks[kind].map((check) => {
    const asked = askedLimit(decider, { move: facts, row: idealResult(check, { now: facts.now }), kind });
    return asked === undefined ? `\`${check}\`` : `\`${check}\` with ${asText(asked)}`;
  });
}

function asText({ op, value }: AskedLimit): string {
  return value === 0 && op === "<=" ? "nothing found" : `a limit of ${op === "<=" ? "at most" : "at least"} ${plainNumber(value)}`;
}
