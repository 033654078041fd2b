import { annexIII, annexIIIUses, carveOuts, tiers, type AnnexIIIUse, type EuAnswers, type Tier } from "@licet/contract";
import { answerSheet, type Answer, type AnswerSheet, type SheetOptions } from "./answers.ts";
import type { LegalStep, OpenQuestion, UpcomingProhibition } from "./assessment.ts";
import {
  annexIQuestions,
  derogationQuestions,
  dutiesFrom,
  gpaiQuestions,
  prohibitedQuestions,
  roleQuestions,
  scopeQuestions,
  transparencyQuestions,
  type EuQuestion,
} from "./questions.ts";

export interface LegalClass {
  readonly floor: Tier;
  readonly prohibited: readonly string[];
  readonly upcoming: readonly UpcomingProhibition[];
  readonly steps: readonly LegalStep[];
  /** Which tracks led to the floor. */
  readonly because: readonly string[];
}

export interface LegalOptions extends SheetOptions {
  readonly now: number;
}

/** A track of the Act: tracks stack, a system can be in several. */
interface Track {
  readonly steps: readonly LegalStep[];
  readonly floor: Tier;
  readonly because?: string;
}

/** The class under the EU AI Act with the 2026 omnibus: every question in order, each with what follows from it. */
export function legalClass(options: LegalOptions): LegalClass {
  const sheet = answerSheet(options);
  const scope = scopeTrack(sheet);
  if (scope.out) return { floor: "minimal", prohibited: [], upcoming: [], steps: scope.steps, because: ["outside the Act"] };
  const roles = roleSteps(sheet);
  const ban = prohibitions(sheet, options.now);
  const tracks = [annexITrack(sheet), annexIIITrack(sheet, options), transparencyTrack(sheet, roles), gpaiTrack(sheet)];
  const floor = highest(tracks.map((track) => track.floor));
  const because = tracks.flatMap((track) => (track.because !== undefined && track.floor === floor ? [track.because] : []));
  const steps = [...scope.steps, ...roles.steps, ...ban.steps, ...tracks.flatMap((track) => track.steps)];
  return { floor: ban.prohibited.length > 0 ? "critical" : floor, prohibited: ban.prohibited, upcoming: ban.upcoming, steps, because };
}

export function highest(list: readonly Tier[]): Tier {
  return tiers[Math.max(0, ...list.map((tier) => tiers.indexOf(tier)))] ?? "critical";
}

function step(question: EuQuestion, answer: Answer, outcome: string): LegalStep {
  const note = answer.claimed && answer.source === "unanswered" ? "; the manifest claims otherwise, unsigned" : "";
  return { id: question.id, question: question.text, answer: answer.value ? "yes" : "no", source: answer.source, outcome: `${outcome}${note}`, ref: question.ref };
}

function scopeTrack(sheet: AnswerSheet): { readonly out: boolean; readonly steps: readonly LegalStep[] } {
  const leaves = (question: EuQuestion, answer: Answer) => question.judged && answer.value !== question.strict;
  const answered = scopeQuestions.map((question) => [question, sheet.of(question)] as const);
  return {
    out: answered.some(([question, answer]) => leaves(question, answer)),
    steps: answered.map(([question, answer]) => step(question, answer, scopeOutcome(question, leaves(question, answer), answer))),
  };
}

function scopeOutcome(question: EuQuestion, leaves: boolean, answer: Answer): string {
  if (leaves) return "outside the Act";
  return question.id === "S4" && answer.value ? "relief only where nothing below applies" : "inside the Act";
}

interface Roles {
  readonly steps: readonly LegalStep[];
  readonly provider: boolean;
  readonly deployer: boolean;
}

/** Who has not said which role they have, or claims to have none, owes the duties of both. */
function roleSteps(sheet: AnswerSheet): Roles {
  const answered = roleQuestions.map((question) => [question, sheet.of(question)] as const);
  const yes = new Set(answered.flatMap(([question, answer]) => (answer.value ? [question.id] : [])));
  const open = answered.some(([question, answer]) => question.id !== "R3" && answer.source === "unanswered");
  const provider = yes.has("R1") || yes.has("R3");
  // A role that is only assumed, because nobody answered, is not one that the duties of the other could be left for.
  const stated = answered.some(([, answer]) => answer.value && answer.source !== "unanswered");
  const both = open || !stated;
  const steps = answered.map(([question, answer]) => step(question, answer, answer.value ? (question.id === "R2" ? "deployer" : "provider") : "not this role"));
  return { steps, provider: provider || both, deployer: yes.has("R2") || both };
}

interface Prohibitions {
  readonly steps: readonly LegalStep[];
  readonly prohibited: readonly string[];
  readonly upcoming: readonly UpcomingProhibition[];
}

function prohibitions(sheet: AnswerSheet, now: number): Prohibitions {
  const answered = prohibitedQuestions.map((question) => ({ question, answer: sheet.of(question), inForce: now >= Date.parse(question.from ?? "") }));
  const yes = answered.filter(({ answer }) => answer.value);
  return {
    steps: answered.map(({ question, answer, inForce }) => step(question, answer, answer.value ? (inForce ? "prohibited: stop" : `prohibited from ${question.from ?? ""}`) : "not prohibited")),
    prohibited: yes.filter(({ inForce }) => inForce).map(({ question, answer }) => `${question.id} ${question.ref}: ${question.text} ${answer.source === "unanswered" ? "not answered" : "yes"}`),
    upcoming: yes.filter(({ inForce }) => !inForce).map(({ question }) => ({ question: question.id, from: question.from ?? "" })),
  };
}

function annexITrack(sheet: AnswerSheet): Track {
  const answered = annexIQuestions.map((question) => [question, sheet.of(question)] as const);
  const high = answered.every(([question, answer]) => answer.value === question.strict);
  const outcome = high ? `high-risk under Annex I, duties from ${dutiesFrom.annexI}` : "not high-risk under Annex I";
  const steps = answered.map(([question, answer]) => step(question, answer, outcome));
  return high ? { steps, floor: "high", because: "high-risk product under Annex I (A1 yes, A2 yes, A3 no)" } : { steps, floor: "minimal" };
}

function annexIIITrack(sheet: AnswerSheet, { declared, acceptClaims }: LegalOptions): Track {
  const steps = annexIIIUses.flatMap((use) => useStep(use, sheet, { declared, acceptClaims }));
  if (declared.annexIII === undefined) steps.push({ id: "annexIII", question: "does the use fall in an area of Annex III?", answer: "yes", source: "unanswered", outcome: "high-risk candidate", ref: "Art.6(2)" });
  const candidates = steps.filter((each) => each.answer === "yes").map((each) => each.id);
  if (candidates.length === 0) return { steps, floor: "minimal" };
  const answered = derogationQuestions.map((question) => [question, sheet.of(question)] as const);
  const exempt = derogates(new Set(answered.flatMap(([question, answer]) => (answer.value ? [question.id] : []))));
  const outcome = exempt ? "not high-risk by derogation: document (Art.6(4)) and register (Art.49(2))" : `no derogation: high-risk, duties from ${dutiesFrom.annexIII}`;
  const all = [...steps, ...answered.map(([question, answer]) => step(question, answer, outcome))];
  return exempt ? { steps: all, floor: "minimal" } : { steps: all, floor: "high", because: `high-risk candidate under Annex III (${candidates.join(", ")}) without derogation` };
}

/** Not high-risk if and only if D0 is no, D5 is yes, and one of D1 to D4 is yes. */
function derogates(yes: ReadonlySet<string>): boolean {
  return !yes.has("D0") && yes.has("D5") && ["D1", "D2", "D3", "D4"].some((id) => yes.has(id));
}

function useStep(use: AnnexIIIUse, sheet: AnswerSheet, { declared, acceptClaims }: Pick<SheetOptions, "declared" | "acceptClaims">): readonly LegalStep[] {
  const point = annexIII[use];
  const signed = sheet.signed(point);
  const listed = declared.annexIII?.includes(use) ?? false;
  if (!listed && signed !== true) return [];
  const exempt = signed === false || (signed === undefined && acceptClaims && claimsCarveOut(declared, use));
  const outcome = exempt ? "not in the area" : `high-risk candidate${claimsCarveOut(declared, use) ? "; the manifest claims a carve-out, unsigned" : ""}`;
  return [{ id: point, question: `does the use fall under ${use}?`, answer: exempt ? "no" : "yes", source: signed === undefined ? "declared" : "signed", outcome, ref: point }];
}

function claimsCarveOut(declared: EuAnswers, use: AnnexIIIUse): boolean {
  return (declared.carveOuts ?? []).some((carveOut) => carveOuts[carveOut] === use);
}

function transparencyTrack(sheet: AnswerSheet, roles: Roles): Track {
  const judged = transparencyQuestions.map((question) => {
    const answer = sheet.of(question);
    const ours = question.who === "provider" ? roles.provider : roles.deployer;
    return { question, answer, owed: answer.value && ours, outcome: dutyOutcome(question, answer.value, ours) };
  });
  const steps = judged.map(({ question, answer, outcome }) => step(question, answer, outcome));
  const owed = judged.filter((each) => each.owed).map((each) => each.question.id);
  return owed.length > 0 ? { steps, floor: "limited", because: `transparency duty (${owed.join(", ")})` } : { steps, floor: "minimal" };
}

function dutyOutcome(question: EuQuestion, yes: boolean, ours: boolean): string {
  if (!yes) return "no duty";
  return ours ? `transparency duty of the ${question.who ?? ""} since ${dutiesFrom.transparency}` : `a duty of the ${question.who ?? ""}, which is not the role here`;
}

function gpaiTrack(sheet: AnswerSheet): Track {
  const answered = gpaiQuestions.map((question) => [question, sheet.of(question)] as const);
  const yes = new Set(answered.flatMap(([question, answer]) => (answer.value ? [question.id] : [])));
  const systemic = yes.has("G1") && yes.has("G2");
  const outcome = !yes.has("G1") ? "no duties of a model provider" : systemic ? `model with systemic risk, duties since ${dutiesFrom.gpai}` : `duties of a model provider since ${dutiesFrom.gpai}`;
  const steps = (yes.has("G1") ? answered : answered.slice(0, 1)).map(([question, answer]) => step(question, answer, outcome));
  return systemic ? { steps, floor: "critical", because: "general-purpose model with systemic risk (G1 yes, G2 yes)" } : { steps, floor: "minimal" };
}

/** Claims that a signature would let count, and declared prohibitions from which an exception may exist. */
export function openQuestions(options: LegalOptions): readonly OpenQuestion[] {
  const held = legalClass({ ...options, acceptClaims: false });
  const claimed = legalClass({ ...options, acceptClaims: true });
  const sheet = answerSheet({ ...options, acceptClaims: false });
  const exceptions = prohibitedQuestions.filter((question) => held.prohibited.length > 0 && sheet.of(question).value && sheet.of(question).source === "declared");
  const open = exceptions.map((question): OpenQuestion => ({ question: question.id, text: `the manifest says yes: ${question.text} does an exception of Article 5 apply (no), or is it prohibited (yes)?`, turn: "risk-owner" }));
  const lower = tiers.indexOf(claimed.floor) < tiers.indexOf(held.floor) || claimed.prohibited.length < held.prohibited.length;
  return lower ? [...open, ...claims(options.declared, sheet, held)] : open;
}

function claims(declared: EuAnswers, sheet: AnswerSheet, held: LegalClass): readonly OpenQuestion[] {
  const shown = new Set(held.steps.map((each) => each.id));
  const asked = [...scopeQuestions, ...annexIQuestions, ...derogationQuestions].filter((question) => shown.has(question.id) && sheet.of(question).claimed);
  const areas = (declared.carveOuts ?? []).map((carveOut) => ({ carveOut, use: carveOuts[carveOut] })).filter(({ use }) => shown.has(annexIII[use]) && sheet.signed(annexIII[use]) === undefined);
  return [
    ...asked.map((question): OpenQuestion => ({ question: question.id, text: question.text, turn: "risk-owner" })),
    ...areas.map(({ carveOut, use }): OpenQuestion => ({ question: annexIII[use], text: `does the use really fall under ${use}? the manifest claims the carve-out ${carveOut}`, turn: "risk-owner" })),
  ];
}
