import type { GateFacts, Requirement } from "@licet/contract";
import { list, type PolicyReason } from "../policy/decide.ts";
import { awaitedFinding } from "./awaited-repeat.ts";
import { checkSets, producerCounts } from "./check-sets.ts";
import { countedApprovals, samePerson } from "./gate-request.ts";

export const unknownOffline = "unknown offline";

/** Requirements that the manifest alone decides; all others ask the record. */
const decidedOffline: readonly string[] = [
  "gate.destination",
  "declared.owners",
  "declared.purpose",
  "declared.environment",
  "declared.data-boundary",
  "declared.rollback",
  "declared.overseer",
  "risk.not-prohibited",
];

export function isKnownOffline(id: string): boolean {
  return decidedOffline.includes(id);
}

/** What the record shows, for a requirement of the built-in bundle. */
type Finding = (facts: GateFacts, met: boolean) => string;

const findings: Readonly<Record<string, Finding>> = {
  "gate.destination": (facts) => `from ${facts.from} to ${facts.to}`,
  "gate.pilot-first": (_, met) => (met ? "a pilot was authorised" : "no pilot of this system was ever authorised"),
  "gate.no-hold": (facts, met) => (met ? "no hold is in force" : `in force: ${facts.holds.join(", ")}`),
  "declared.owners": (facts, met) => ownersFinding(facts, met),
  "declared.purpose": (facts) => lacking(facts, ["purpose", "users", "affectedPeople", "deploymentContext"]),
  "declared.environment": (facts, met) => `\`${facts.environment}\` is ${met ? "" : "not "}declared`,
  "declared.data-boundary": (facts) => lacking(facts, ["dataBoundary"]),
  "declared.rollback": (facts) => lacking(facts, ["rollback"]),
  "declared.overseer": (facts) => lacking(facts, ["overseer"]),
  "declared.providers": (facts, met) => (met ? "all are registered" : `not registered: ${facts.unregisteredProviders.join(", ")}`),
  "risk.not-prohibited": (facts, met) => (met ? "no practice of Article 5 was found" : facts.tierReasons.join("; ") || "a practice of Article 5 was found"),
  "risk.answers": (facts, met) => (met ? "nothing is open" : `open: ${facts.openQuestions.join(", ")}; until answered the stricter branch holds`),
  "check.declared": (facts, met) => checksFinding(facts, met),
};

const approvalIds = /^approval\.(?:production|limited|high|critical)$/u;

export function isApproval(id: string): boolean {
  return approvalIds.test(id);
}

/** The sentence under a requirement: what the record shows, what the policy still asks for, or why it cannot be known here. */
export function finding(id: string, facts: GateFacts, { met, told }: { readonly met: boolean; readonly told?: string | undefined }): string {
  if (facts.offline && !met && !isKnownOffline(id)) return unknownOffline;
  if (isApproval(id)) return approvalsFinding(facts);
  const said = findings[id];
  if (said !== undefined) return said(facts, met);
  return met ? "the record holds it" : (told ?? "nothing in the record shows it");
}

function lacking(facts: GateFacts, names: readonly string[]): string {
  const absent = names.filter((name) => !facts.declared.includes(name));
  return absent.length === 0 ? "declared" : `not declared: ${absent.join(", ")}`;
}

function ownersFinding({ owners }: GateFacts, met: boolean): string {
  const named = Object.entries(owners).map(([kind, who]) => `${kind} ${who ?? "nobody"}`);
  return met ? named.join(", ") : `${named.join(", ")}; business and technical owner must be two people`;
}

function checksFinding(facts: GateFacts, met: boolean): string {
  const { declared, passed } = checkSets(facts);
  if (met) return declared.length === 0 ? "no check is declared, and this move demands none" : `passed: ${passed.join(", ")}`;
  return declared
    .filter((id) => !passed.includes(id))
    .concat(facts.checks.filter((row) => row.verdict !== "pass" && !declared.includes(row.id)).map((row) => row.id))
    .map((id) => `${id}: ${checkFinding(facts, id)}`)
    .join("; ");
}

/** The verdict of a check, and whether its producer counts. */
export function checkFinding(facts: GateFacts, id: string): string {
  const rows = facts.checks.filter((row) => row.id === id);
  const [row] = rows.filter((each) => each.verdict !== "pass").concat(rows);
  if (row === undefined) return "no result for this release";
  if (row.verdict === "disputed") return "disputed: the server could not confirm its run, or another run came to other figures; find out why, then run it again with `licet check`";
  if (row.verdict === "awaiting_repeat") return awaitedFinding(row);
  if (row.verdict !== "pass") return row.verdict.replaceAll("_", " ");
  return producerCounts(row, facts.tier) ? "passes" : `passes, but producer \`self\` does not count at ${facts.tier} tier`;
}

function approvalsFinding(facts: GateFacts): string {
  if (facts.requestedAt === null && facts.approvals.length === 0) return "nobody has asked for this move yet";
  const counted = countedApprovals(facts);
  const given = counted.map((each) => `${each.person} as ${each.role}`);
  const not = facts.approvals.filter((each) => !counted.includes(each)).map((each) => `${each.person} as ${each.role} does not count: ${each.why || "counted once already, or an author"}`);
  return [...given, ...not].join("; ") || "nobody has approved yet";
}

/** Unmet, or stale where an approval was given and the facts have moved on. */
export function requirementState(id: string, facts: GateFacts, met: boolean): Requirement["state"] {
  if (met) return "met";
  const stale = isApproval(id) && facts.approvals.some((each) => !each.counts && each.why.startsWith("stale"));
  return stale ? "stale" : "unmet";
}

/** Whose turn: the annotation's roles and owners; for approvals only the roles that nobody has approved in. */
export function turns(reason: PolicyReason, facts: GateFacts): { readonly turn: string; readonly people: readonly string[] } {
  const named = list(reason.turn);
  const counted = countedApprovals(facts);
  const open = isApproval(reason.policy) ? named.filter((role) => !counted.some((each) => each.role === role)) : named;
  const shown = open.length === 0 ? named : open;
  const excluded = isApproval(reason.policy) ? [...facts.authors, ...counted.map((each) => each.person)] : [];
  const people = shown.flatMap((key) => facts.turns[key] ?? []).filter((who) => !excluded.some((other) => samePerson(other, who)));
  return { turn: shown.join(", "), people: [...new Set(people)].sort() };
}

/** Since when the requirement waits, in the record's clock; offline there is none. */
export function waitingSince(id: string, facts: GateFacts): number | null {
  if (facts.offline) return null;
  if (isApproval(id)) return facts.requestedAt ?? facts.releasePushedAt;
  if (id.startsWith("check.")) {
    const failed = facts.checks.filter((row) => row.verdict !== "pass" && !facts.advisoryChecks.includes(row.id)).map((row) => row.at);
    return failed.length > 0 ? Math.min(...failed) : facts.releasePushedAt;
  }
  return facts.releasePushedAt;
}
