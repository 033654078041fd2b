import { errorInfo, isErrorCode, reasonWords, reuseMax, type CheckResult } from "@licet/contract";

type Verdict = CheckResult["verdict"];

/** In the order in which a summary names them. */
export const verdicts = ["pass", "fail", "insufficient_evidence", "errored", "not_applicable"] as const satisfies readonly Verdict[];

export const verdictWords: Readonly<Record<Verdict, string>> = {
  pass: "pass",
  fail: "fail",
  insufficient_evidence: "insufficient",
  errored: "errored",
  not_applicable: "not applicable",
};

/** Why there is no verdict, or what went wrong, in one line; undefined where there is nothing to say. */
export function whyOf(result: CheckResult): string | undefined {
  if (result.error !== undefined) return `${result.error.code}: ${result.error.message}`;
  if (result.reason === undefined) return undefined;
  const needed = result.requiredN === undefined ? "" : `; about ${result.requiredN} such cases would decide it`;
  return `${reasonWords[result.reason] ?? result.reason}${needed}`;
}

/** What to do about a check that is open, by its reason. */
const steps: Readonly<Record<string, string>> = {
  too_few: "give it more cases, of data on which no verdict rests yet",
  unassessed_budget: "find out why cases have no answer, and mend that",
  undefined_denominator: "give it cases of every group and class that the rate is taken over",
  degenerate: "give it data in which the answers differ, and look whether the model answers everything alike",
  no_figure: "look for values that are far too large, and correct them",
  inconsistent_import: "have the other tool write its report again",
  stale_subject: "pin the version of the model, and run the check again while nobody deploys",
  tool_error: "look at what the check says went wrong, correct it, and run it again",
  aborted: "run it again, with a larger budget where that ended it",
  unanswered: "look into the model's own log, correct it, and run the check again",
  weights_unseen: "declare the model's file, or use `robust.evasion`",
  operator_unknown: "export the model with operators that the engine knows, or install the second interpreter that it names",
  interpreters_differ: "find out which of the two is right before anybody relies on the model",
  advisory: "look at what it names; it decides nothing",
};

/** The next step with a check; undefined where it passed. */
export function nextStepOf({ check, verdict, reason = "", error, notes }: CheckResult): string | undefined {
  if (verdict === "pass" || verdict === "not_applicable") return undefined;
  if (verdict === "errored") return error !== undefined && isErrorCode(error.code) ? errorInfo(error.code).fix : steps["tool_error"];
  if (verdict === "fail") return "find the cause in what is named here, mend it, and push: a further attempt is judged more strictly";
  if (notes.some((note) => note.startsWith("the run ended early"))) return steps["aborted"];
  if (reason === "too_few" && check.startsWith("llm.")) return "ask more: raise the number of prompts or pairs in the check";
  return steps[reason] ?? steps["tool_error"];
}

/** Four significant digits: nobody reads more, and the record has them all. */
export function figure(value: number): string {
  return String(Number(value.toPrecision(4)));
}

/** The estimate, the bound that is held against the limit, and the limit. */
export function figuresOf(result: CheckResult): string {
  if (result.estimate === null) return `${result.check}, no figure`;
  const { op, value } = result.limit;
  const bound = decidingBound(result);
  const side = op === "<=" ? "at most" : "at least";
  const shown = bound === undefined || result.interval?.method === "census" ? "" : ` (${side} ${figure(bound)})`;
  return `${result.unit} ${figure(result.estimate)}${shown}, limit ${op} ${value}`;
}

/** The end of the interval that a pass is decided by. */
export function decidingBound({ interval, limit }: CheckResult): number | undefined {
  return (limit.op === "<=" ? interval?.upper : interval?.lower) ?? undefined;
}

/** Which attempt this was, and what it could spend. */
export function attemptOf({ attempt: { index, alphaSpent, previous, repeats } }: CheckResult): string {
  const before = previous.length === 0 ? "" : `, after ${previous.length} on the same subject`;
  return `attempt ${index}${before}, judged at alpha ${figure(alphaSpent)}${repeats === undefined ? "" : `; makes ${repeats} again and spends nothing`}`;
}

/** How often each data set has judged the system; above the bound that is a warning. */
export function reuseOf({ reuse = [] }: CheckResult): readonly { readonly id: string; readonly text: string; readonly worn: boolean }[] {
  return reuse.map(({ id, uses }) => ({ id, worn: uses > reuseMax, text: `has judged this system ${uses === 1 ? "once" : `${uses} times`}${uses > reuseMax ? `: above ${reuseMax}, what passes on it may only fit it, and new data are needed` : ""}` }));
}

/** One warning for each data set that has judged too often. */
export function wornOut(results: readonly CheckResult[]): readonly string[] {
  return [...new Set(results.flatMap((result) => reuseOf(result).flatMap(({ id, text, worn }) => (worn ? [`${id} ${text}`] : []))))];
}

export function summaryOf(results: readonly CheckResult[]): string {
  const counts = verdicts.flatMap((verdict) => {
    const count = results.filter((result) => result.verdict === verdict).length;
    return count === 0 ? [] : [`${count} ${verdictWords[verdict]}`];
  });
  return counts.length === 0 ? "no checks are declared" : counts.join(", ");
}
