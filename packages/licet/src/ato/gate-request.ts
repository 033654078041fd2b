import { approvingRoles, gateKindOf, type GateFacts } from "@licet/contract";
import type { PolicyRequest } from "../policy/decide.ts";

type Approval = GateFacts["approvals"][number];
type Check = GateFacts["checks"][number];

/** Facts as the gate's policies see them. Sets are sorted: the same facts give the same request. */
export function gateRequest(facts: GateFacts, action: "promote" | "demand"): PolicyRequest {
  const system = { type: "Licet::System", id: facts.system };
  const release = { type: "Licet::Release", id: facts.release };
  return {
    principal: system,
    action: { type: "Licet::Action", id: action },
    resource: release,
    context: move(facts),
    entities: [
      { uid: system, attrs: { stage: entity("Stage", facts.from) }, parents: [] },
      { uid: release, attrs: { system: entity("System", facts.system) }, parents: [] },
    ],
  };
}

function entity(type: string, id: string): { readonly __entity: { readonly type: string; readonly id: string } } {
  return { __entity: { type: `Licet::${type}`, id } };
}

function move(facts: GateFacts): Record<string, unknown> {
  const approvals = countedApprovals(facts);
  return {
    to: entity("Stage", facts.to),
    tier: entity("Tier", facts.tier),
    known: !facts.offline,
    prohibited: facts.prohibited,
    environmentDeclared: facts.declaredEnvironment,
    declared: sorted(facts.declared),
    ownersDiffer: ownersDiffer(facts),
    ...(!facts.offline && recorded(facts)),
    checks: { ...checkSets(facts) },
    approvals: { people: approvals.length, roles: sorted(approvals.map((each) => each.role)) },
    evidence: facts.offline ? [] : sorted(facts.evidence),
  };
}

/** What only the record can say. Offline it is absent, and absence is unmet. */
function recorded(facts: GateFacts): Record<string, unknown> {
  return {
    openQuestions: sorted(facts.openQuestions),
    unregisteredProviders: sorted(facts.unregisteredProviders),
    holds: sorted(facts.holds),
  };
}

function ownersDiffer({ owners }: GateFacts): boolean {
  const { business, technical } = owners;
  return business !== null && technical !== null && !samePerson(business, technical);
}

export function samePerson(a: string, b: string): boolean {
  return a.trim().toLowerCase() === b.trim().toLowerCase();
}

export interface CheckSets {
  readonly declared: readonly string[];
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  readonly kinds: readonly string[];
}

/** A check passes when it has results, every one of them passes, and every one comes from a producer that counts. */
export function checkSets(facts: GateFacts): CheckSets {
  const passed = facts.declaredChecks.filter((id) => {
    const rows = rowsOf(facts, id);
    return rows.length > 0 && rows.every((row) => row.verdict === "pass" && producerCounts(row, facts.tier));
  });
  const advisory = facts.advisoryChecks.filter((id) => !facts.declaredChecks.includes(id));
  const failed = facts.checks.filter((row) => row.verdict !== "pass" && !advisory.includes(row.id)).map((row) => row.id);
  const kinds = passed.flatMap((id) => rowsOf(facts, id).map((row) => gateKindOf(row.check)));
  return { declared: sorted(facts.declaredChecks), passed: sorted(passed), failed: sorted(failed), kinds: sorted(kinds) };
}

function rowsOf(facts: GateFacts, id: string): readonly Check[] {
  return facts.checks.filter((row) => row.id === id);
}

/** `self` never counts above minimal tier. */
export function producerCounts(row: Pick<Check, "producer">, tier: GateFacts["tier"]): boolean {
  return row.producer !== "self" || tier === "minimal";
}

/** At most one approval a person, the first: nobody stands for two. Authors and lapsed approvals never count. */
export function countedApprovals(facts: GateFacts): readonly Approval[] {
  const roles: readonly string[] = approvingRoles;
  const standing = facts.approvals
    .filter((each) => each.counts && each.answer === "approve" && facts.now < each.notAfter && roles.includes(each.role))
    .filter((each) => each.person.trim() !== "" && !facts.authors.some((author) => samePerson(author, each.person)))
    .sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  return standing.filter((each, index) => standing.findIndex((other) => samePerson(other.person, each.person)) === index);
}

function sorted(values: readonly string[]): readonly string[] {
  return [...new Set(values)].sort();
}
