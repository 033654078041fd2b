import { approvingRoles, type GateFacts } from "@licet/contract";
import type { PolicyRequest } from "../policy/decide.ts";
import { checkSets, sorted } from "./check-sets.ts";
import { licetEntity } from "./result-request.ts";

type Approval = GateFacts["approvals"][number];

/**
 * Facts as the gate's policies see them. Sets are sorted: the same facts give the same request. `kinds`: of evidence that
 * results stand for, as `countResults` found.
 */
export function gateRequest(facts: GateFacts, action: "promote" | "demand", kinds: readonly string[]): PolicyRequest {
  const system = { type: "Licet::System", id: facts.system };
  const release = { type: "Licet::Release", id: facts.release };
  return {
    principal: system,
    action: { type: "Licet::Action", id: action },
    resource: release,
    context: move(facts, kinds),
    entities: [
      { uid: system, attrs: { stage: licetEntity("Stage", facts.from) }, parents: [] },
      { uid: release, attrs: { system: licetEntity("System", facts.system) }, parents: [] },
    ],
  };
}

function move(facts: GateFacts, kinds: readonly string[]): Record<string, unknown> {
  const approvals = countedApprovals(facts);
  return {
    to: licetEntity("Stage", facts.to),
    tier: licetEntity("Tier", facts.tier),
    known: !facts.offline,
    prohibited: facts.prohibited,
    environmentDeclared: facts.declaredEnvironment,
    declared: sorted(facts.declared),
    ownersDiffer: ownersDiffer(facts),
    ...(!facts.offline && recorded(facts)),
    checks: { ...checkSets(facts), kinds: sorted(kinds) },
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

/** At most one approval a person, the first: nobody stands for two. Authors and lapsed approvals never count. */
export function countedApprovals(facts: GateFacts): readonly Approval[] {
  const roles: readonly string[] = approvingRoles;
  const standing = facts.approvals
    .filter((each) => each.counts && each.answer === "approve" && facts.now < each.notAfter && roles.includes(each.role))
    .filter((each) => each.person.trim() !== "" && !facts.authors.some((author) => samePerson(author, each.person)))
    .sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  return standing.filter((each, index) => standing.findIndex((other) => samePerson(other.person, each.person)) === index);
}
