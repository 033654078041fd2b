import { reasonWords, reuseMax, type CheckResult } from "@licet/contract";

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
