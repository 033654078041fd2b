import { alphaMax, type AssuranceCheck, type CheckResult, type DatasetReuse, type ReservedAttempt } from "@licet/contract";
import { digestOf } from "@licet/evidence";
import { componentsOf, definitionFor } from "../checks/catalogue.ts";
import { round12 } from "../verdict/round.ts";

/**
 * What the i-th attempt may spend: 6 alpha / (pi^2 i^2). The sum of 1/i^2 is pi^2/6 (Euler 1735), so all attempts together, however
 * many, spend alpha: whoever tries until it passes has passed wrongly with at most that probability (union bound).
 */
export function attemptAlpha(index: number, alpha: number = alphaMax): number {
  if (!Number.isInteger(index) || index < 1) throw new RangeError("attempts are counted from 1");
  return round12((6 * alpha) / (Math.PI ** 2 * index ** 2));
}

/** Names of the components that a check judges, and of those that it judges them on. */
export interface CheckParts {
  /** `released`: the whole release without its data, where a report about it is read. */
  readonly subject: readonly string[] | "released";
  readonly data: readonly string[];
  /** Of a language model: the prompt that it is asked with, `any` where the check names none. */
  readonly prompt?: string | { readonly any: true };
}

/**
 * What stays the same while somebody tries again, and what they can draw anew. Of a drift check the reference stays: whoever
 * takes another week's table tries again. A report of another tool is data about the release, however often it was made.
 */
export function partsOf(check: AssuranceCheck): CheckParts {
  const names = componentsOf(check);
  const subject = subjectName(check, names);
  if (subject === undefined) return { subject: "released", data: names };
  const data = [...new Set(names)].filter((name) => name !== subject);
  if (!asksModel(check)) return { subject: [subject], data };
  return { subject: [subject], data, prompt: "prompt" in check && typeof check.prompt === "string" ? check.prompt : { any: true } };
}

function subjectName(check: AssuranceCheck, names: readonly string[]): string | undefined {
  if ("report" in check) return undefined;
  if ("model" in check && check.model !== undefined) return check.model;
  if (check.check.startsWith("drift.") && "reference" in check) return check.reference;
  return names[0];
}

/** Whether the same files give the same figures on every machine: else the runner draws data that nobody knows before. */
export function knownBefore(check: AssuranceCheck): boolean {
  return definitionFor(check).fresh !== true && !asksModel(check);
}

function asksModel(check: AssuranceCheck): boolean {
  return check.check.startsWith("llm.");
}

/** The check as declared, without what it is called and whether it is demanded: renaming it does not make it another. */
export function configurationDigest(check: AssuranceCheck): string {
  const { id: _, label: __, advisory: ___, ...asked } = check;
  return digestOf(asked);
}

/** What a ticket tells whoever runs its checks. */
export interface TicketPlan {
  readonly seed: string;
  readonly attempts: readonly Pick<ReservedAttempt, "check" | "index" | "alpha" | "previous" | "repeats" | "seed" | "drawnAs" | "reads">[];
  readonly reuse?: readonly DatasetReuse[];
}

export interface PlannedRun {
  readonly attempt: CheckResult["attempt"];
  readonly seed: string;
  readonly drawnAs: string;
  readonly reuse: readonly DatasetReuse[];
}

/** The part of `runSuite`'s options that a ticket decides. */
export function runOfTicket(ticket: TicketPlan): { readonly seed: string; readonly planned: (check: AssuranceCheck) => PlannedRun | undefined } {
  const plans = new Map(ticket.attempts.map((each) => [each.check, each]));
  return {
    seed: ticket.seed,
    planned: ({ id }) => {
      const plan = plans.get(id);
      if (plan === undefined) return undefined;
      const attempt = { index: plan.index, alphaSpent: plan.alpha, previous: [...plan.previous], ...(plan.repeats !== null && { repeats: plan.repeats }) };
      return { attempt, seed: plan.seed, drawnAs: plan.drawnAs, reuse: (ticket.reuse ?? []).filter(({ digest }) => plan.reads.includes(digest)) };
    },
  };
}
