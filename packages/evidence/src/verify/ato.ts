import { isRecord } from "../canonical.ts";
import { factsDigest } from "../facts.ts";
import { refused, type Parsed, type Refused } from "../parsed.ts";
import { atoPredicateType, checkResultPredicateType, readApproval, readAto, readCheckResult, type ApprovalPredicate, type AtoPredicate, type CheckResultPredicate, type CitedApproval, type CitedCheck } from "../predicates.ts";
import { covers } from "../shape.ts";
import type { GivenApproval } from "./approvals.ts";
import type { OpenedEntry, ProvedStatement } from "./entries.ts";
import { count, fail, pass, verdict, type Check, type Finding } from "./report.ts";

/** What the authorizations are judged by: everything that the export proves. */
export interface Proved {
  readonly entries: readonly OpenedEntry[];
  readonly statements: readonly ProvedStatement[];
  readonly approvals: readonly GivenApproval[];
}

/** An authorization to operate that could be read. */
export interface ReadAto {
  readonly ato: AtoPredicate;
  readonly source: ProvedStatement;
}

/** The authorizations in the export. */
export function readAtos({ statements }: Proved): { readonly findings: readonly Finding[]; readonly value: readonly ReadAto[] } {
  const findings: Finding[] = [];
  const value: ReadAto[] = [];
  for (const source of statements.filter(({ statement }) => statement.predicateType === atoPredicateType)) {
    const ato = readAto(source.statement);
    if (ato.ok) value.push({ ato: ato.value, source });
    else findings.push(fail("release", ato.code, `entry ${source.entry.index}: ${ato.message}`));
  }
  return { findings, value };
}

/** The release that was authorised is one that was pushed for this system. */
export function checkRelease({ ato, source }: ReadAto, { entries }: Proved): readonly Finding[] {
  const pushed = entries.some(({ index, leaf, plaintext }) => {
    const { system, digest } = plaintext.body;
    return leaf.kind === "release.pushed" && system === ato.system && digest === ato.release && index < source.entry.index;
  });
  return pushed
    ? [pass("release", `\`${ato.id}\` authorises release ${ato.release} of \`${ato.system}\` for ${ato.stage} in \`${ato.environment}\`; that release was pushed before`)]
    : [fail("release", "release_missing", `\`${ato.id}\`: no earlier entry in the export pushes release ${ato.release} of \`${ato.system}\``)];
}

/** The facts that the gate decided by stand beside the statement that names their digest, and they allowed the move. */
export function checkFacts({ ato, source }: ReadAto): readonly Finding[] {
  const { facts, answer } = source.entry.plaintext.body;
  if (!isRecord(facts) || factsDigest(facts) !== ato.factsDigest) return [fail("facts", "facts_differ", `\`${ato.id}\`: the facts in its entry are not those that it names`)];
  const allowed = covers(answer, { decision: (said) => said === "allow", release: (said) => said === ato.release, factsDigest: (said) => said === ato.factsDigest, policyDigest: (said) => said === ato.policyDigest });
  return allowed
    ? [pass("facts", `\`${ato.id}\`: the gate allowed this release by facts ${ato.factsDigest.slice(0, 19)}… and policies ${ato.policyDigest.slice(0, 19)}…`)]
    : [fail("facts", "gate_denied", `\`${ato.id}\`: the gate's answer in its entry does not allow this release by these facts and policies`)];
}

/** Each cited approval exists, came before, says yes to the same move, and is by somebody else than authors and other approvers. */
export function checkApprovals(read: ReadAto, proved: Proved): readonly Finding[] {
  const failures: Finding[] = [];
  const known: Known = { authors: authorsOf(read, proved), emails: emailsIn(proved), approvers: new Set() };
  const given: GivenApproval[] = [];
  for (const citation of read.ato.approvers) {
    const found = proved.approvals.find(({ entry, digest }) => entry.leaf.id === citation.entry && digest === citation.statementDigest && entry.index < read.source.entry.index);
    const approval = found === undefined ? refused("approval_missing", "it is not in the export as cited, before the grant") : readApproval(found.statement);
    const defects = found === undefined || !approval.ok ? [approval] : approvalDefects(read, { ...approval.value, citation, source: found.entry }, known);
    for (const defect of defects) if (!defect.ok) failures.push(fail("approval", defect.code, `\`${read.ato.id}\`, approval \`${citation.entry}\`: ${defect.message}`));
    if (found !== undefined) given.push(found);
  }
  return verdict(failures, pass("approval", `\`${read.ato.id}\` ${approvalsSentence(given)}`));
}

interface Known {
  /** Ids and lower-case e-mail addresses. */
  readonly authors: ReadonlySet<string>;
  readonly emails: ReadonlyMap<string, string>;
  /** Ids and pseudonyms of those whose approvals were looked at already. */
  readonly approvers: Set<string>;
}

interface Approval extends ApprovalPredicate {
  readonly citation: CitedApproval;
  readonly source: OpenedEntry;
}

function approvalDefects(read: ReadAto, approval: Approval, known: Known): readonly Refused[] {
  const { citation, source } = approval;
  const email = known.emails.get(approval.approver);
  const names = [approval.approver, source.leaf.actor, ...(email === undefined ? [] : [email])];
  const rules: readonly (readonly [boolean, string, string])[] = [
    [approval.answer !== "approve", "approval_not_given", "it does not approve"],
    [!sameMove(approval, read.ato), "approval_other_move", "it is about another system, release, stage or environment"],
    [read.source.entry.leaf.time >= approval.notAfter, "approval_lapsed", "it had lapsed when it was used"],
    [!isCited(citation, [approval.approver, ...(email === undefined ? [] : [email])]) || approval.role !== citation.role, "approval_cited_wrong", "it is cited with another person or role"],
    [email === undefined, "approver_unknown", "no entry in the export says who the approver is"],
    [names.some((name) => known.approvers.has(name)), "approval_same_person", "it is by somebody who approved already"],
    [names.some((name) => known.authors.has(name)), "approval_by_author", "it is by an author of the release"],
  ];
  for (const name of names) known.approvers.add(name);
  return rules.filter(([broken]) => broken).map(([, code, message]) => refused(code, message));
}

/** A statement names its approvers by id or by the address that the record gives them. */
function isCited({ person }: CitedApproval, names: readonly string[]): boolean {
  return names.includes(person) || names.includes(person.toLowerCase());
}

function approvalsSentence(given: readonly GivenApproval[]): string {
  if (given.length === 0) return "cites no approval";
  const passkeys = given.filter(({ byPasskey }) => byPasskey).length;
  return `rests on ${count(given.length, "approval")} by different people who are not authors: ${passkeys} signed by passkey, ${given.length - passkeys} server-asserted`;
}

/** Who has which e-mail address, in lower case. */
function emailsIn({ entries }: Proved): ReadonlyMap<string, string> {
  const emails = new Map<string, string>();
  for (const { leaf, plaintext } of entries) {
    const { person, email } = plaintext.body;
    if (leaf.kind === "person.added" && typeof person === "string" && typeof email === "string") emails.set(person, email.toLowerCase());
  }
  return emails;
}

function sameMove(approval: ApprovalPredicate, ato: AtoPredicate): boolean {
  return approval.system === ato.system && approval.release === ato.release && approval.stage === ato.stage && approval.environment === ato.environment;
}

/** The authors that the gate's facts name, and those who follow from the export: who pushed it, who produced what it cites. */
function authorsOf(read: ReadAto, proved: Proved): ReadonlySet<string> {
  const { facts } = read.source.entry.plaintext.body;
  const named: unknown = isRecord(facts) ? facts["authors"] : [];
  const authors = new Set(Array.isArray(named) ? named.map((author) => String(author).toLowerCase()) : []);
  for (const { leaf, plaintext } of proved.entries) {
    const { system, digest, pushedBy } = plaintext.body;
    if (leaf.kind === "release.pushed" && system === read.ato.system && digest === read.ato.release && typeof pushedBy === "string") authors.add(pushedBy);
  }
  for (const citation of read.ato.checks) {
    const result = citedResult(read, citation, proved);
    if (result?.ok === true && result.value.producer !== "licet") authors.add(result.value.producedBy);
  }
  return authors;
}

/** Each cited check result exists, came before, is about the same release, and has the verdict that was counted. */
export function checkResults(read: ReadAto, proved: Proved): readonly Finding[] {
  const failures: Finding[] = [];
  for (const citation of read.ato.checks) {
    const result = citedResult(read, citation, proved);
    if (result === undefined) failures.push(complain(read, "check", "check_missing", `check result \`${citation.entry}\` is not in the export as cited`));
    else if (!result.ok) failures.push(complain(read, "check", result.code, result.message));
    else if (result.value.release !== read.ato.release) failures.push(complain(read, "check", "check_other_release", `\`${citation.entry}\` is about another release`));
    else if (result.value.verdict !== citation.verdict) failures.push(complain(read, "check", "check_verdict", `\`${citation.entry}\` says ${result.value.verdict}, but was counted as ${citation.verdict}`));
  }
  const passed = read.ato.checks.filter(({ verdict: counted }) => counted === "pass").length;
  const rest = read.ato.checks.length - passed;
  const sentence = read.ato.checks.length === 0 ? "cites no check result" : `cites ${count(passed, "check result that passes", "check results that pass")}${rest === 0 ? "" : ` and ${rest} that do not`}`;
  return verdict(failures, pass("check", `\`${read.ato.id}\` ${sentence}`));
}

/** The check result that is cited, if it stands in the log before the statement that cites it. */
function citedResult(read: ReadAto, citation: CitedCheck, { statements }: Proved): Parsed<CheckResultPredicate> | undefined {
  const found = statements.filter(({ entry, statement }) => entry.leaf.id === citation.entry && statement.predicateType === checkResultPredicateType && entry.index < read.source.entry.index);
  return found.map(({ statement }) => readCheckResult(statement)).find((result) => !result.ok || result.value.digest === citation.digest);
}

function complain(read: ReadAto, check: Check, code: string, sentence: string): Finding {
  return fail(check, code, `\`${read.ato.id}\`: ${sentence}`);
}

/** One approval opens one authorization. */
export function checkSpentOnce(atos: readonly ReadAto[]): readonly Finding[] {
  const spent = new Map<string, string>();
  return atos.flatMap((read) =>
    read.ato.approvers.flatMap(({ entry }) => {
      const first = spent.get(entry);
      spent.set(entry, read.ato.id);
      return first === undefined ? [] : [complain(read, "approval", "approval_spent_twice", `\`${entry}\` was spent on \`${first}\` already`)];
    }),
  );
}
