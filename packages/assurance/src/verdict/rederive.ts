import type { CheckBasis, CheckResult } from "@licet/contract";
import { definitionOf } from "../checks/catalogue.ts";
import type { CheckDefinition } from "../checks/definition.ts";
import { decide } from "./decide.ts";

/** What the stored counts say, beside what the record says. */
export interface Rederivation {
  /** True only when the record is consistent in itself and its verdict follows from its counts. */
  readonly agrees: boolean;
  readonly verdict: CheckResult["verdict"];
  /** One sentence per difference. */
  readonly problems: readonly string[];
}

/**
 * Derives the verdict of a stored result again from its counts and limit, without data, model or clock.
 * Needs nothing but the record; figures must agree in all twelve digits. Never throws on a parsed record.
 */
export function rederive(result: CheckResult): Rederivation {
  const problems = [...inconsistencies(result)];
  if (result.verdict === "not_applicable") {
    return { agrees: false, verdict: "insufficient_evidence", problems: [...problems, "the engine never says not applicable: look for the signed statement"] };
  }
  if (result.verdict === "errored") return rederiveErrored(result, problems);
  const outcome = decide(result.basis, result.limit, result.counts);
  const fields = [
    ["verdict", result.verdict, outcome.verdict],
    ["reason", result.reason, outcome.reason],
    ["requiredN", result.requiredN, outcome.requiredN],
    ["estimate", result.estimate, outcome.estimate],
    ["interval", JSON.stringify(result.interval, intervalKeys), JSON.stringify(outcome.interval, intervalKeys)],
  ] as const;
  for (const [name, stored, derived] of fields) {
    if (stored !== derived) problems.push(`${name} is recorded as ${String(stored)} and follows as ${String(derived)}`);
  }
  return { agrees: problems.length === 0, verdict: problems.length === 0 ? outcome.verdict : notPass(outcome.verdict), problems };
}

const intervalKeys = ["method", "level", "sides", "lower", "upper"];

/** A record that contradicts itself supports nothing, so a derived pass is not handed on. */
function notPass(verdict: CheckResult["verdict"]): CheckResult["verdict"] {
  return verdict === "pass" ? "insufficient_evidence" : verdict;
}

function rederiveErrored(result: CheckResult, problems: string[]): Rederivation {
  if (result.error === undefined) problems.push("an errored result has no error");
  if (result.basis.kind !== "none") problems.push("an errored result has counts");
  return { agrees: problems.length === 0, verdict: "errored", problems };
}

function* inconsistencies(result: CheckResult): Generator<string> {
  const { basis, counts, limit, attempt } = result;
  const definition = definitionOf(result.check);
  if (definition === undefined) yield `this engine has no check \`${result.check}\``;
  else {
    // Figures of another version may mean something else, and its rule is gone.
    if (result.checkVersion !== definition.version) yield `it was made by version ${result.checkVersion} of \`${result.check}\`, and this engine has version ${definition.version}: run the check again`;
    if (limit.op !== definition.op) yield `the limit of \`${result.check}\` points the wrong way`;
    const wrong = basis.kind === "none" ? undefined : mismatch(definition, basis);
    if (wrong !== undefined) yield wrong;
  }
  if (counts.attempted !== counts.assessed + counts.unassessed) yield "assessed and unassessed rows do not add up";
  if (limit.alpha !== attempt.alphaSpent) yield "the limit's alpha is not the attempt's";
  if (!(limit.alpha > 0 && limit.alpha <= 0.05)) yield "alpha lies outside 0 to 0.05";
  yield* impossibleCounts(basis, counts);
}

function mismatch(definition: CheckDefinition, basis: CheckBasis): string | undefined {
  return definition.bases.includes(basis.kind) ? definition.mismatch?.(basis) : `\`${definition.check}\` is not derived from ${basis.kind}`;
}

function* impossibleCounts(basis: CheckBasis, counts: CheckResult["counts"]): Generator<string> {
  for (const { events, n } of ratesIn(basis)) {
    if (events > n) yield "more events than trials are recorded";
    if (n > counts.assessed) yield "more trials than assessed rows are recorded";
  }
  if (basis.kind !== "statistics") return;
  const { attempted, assessed } = basis.figures;
  const differ = (figure: unknown, count: number) => typeof figure === "number" && figure !== count;
  if (differ(attempted, counts.attempted) || differ(assessed, counts.assessed)) yield "the figures are of other rows than were counted";
}

function ratesIn(basis: CheckBasis): readonly { events: number; n: number }[] {
  if (basis.kind === "census") return [{ events: basis.violations, n: basis.n }];
  return basis.kind === "columns" ? basis.columns : [];
}
