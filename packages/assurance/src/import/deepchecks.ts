import { z } from "zod";
import { jsonOf, shaped } from "./read.ts";
import { unreadable } from "./refusal.ts";
import type { ImportedItem, ReadReport } from "./report.ts";

const Condition = z.looseObject({ Status: z.string(), Condition: z.string().optional() });
const Result = z.looseObject({
  type: z.string().optional(),
  header: z.string().optional(),
  check: z.looseObject({ name: z.string().optional() }).nullish(),
  conditions_results: z.array(Condition).optional(),
  exception: z.unknown().optional(),
});
const Suite = z.looseObject({ name: z.string(), results: z.array(Result) });

/**
 * A suite result of Deepchecks as JSON. Each condition is an assertion: FAIL is a violation, ERROR and WARN are unassessed, because a warning
 * is a condition that did not hold by a milder word. Checks that failed to run are unassessed; checks without a condition assert nothing.
 * The format has no totals: that it is one whole JSON document is all that says that it is complete.
 * Source: deepchecks `core/serialization/suite_result/json.py`, `check_result/json.py`, `check_failure/json.py`, `core/condition.py`.
 */
export function readDeepchecks(bytes: Uint8Array): ReadReport {
  const { name, results } = shaped(Suite, jsonOf(bytes), "the suite result");
  if (results.length === 0) throw unreadable("the suite has no result");
  const words = results.flatMap(wordsOf);
  const count = (word: string) => words.filter((one) => one.word === word).length;
  const violations = words.filter(({ word }) => word === "FAIL");
  const n = count("PASS") + violations.length;
  const found = Object.fromEntries(violations.map(({ about }, index) => [`${index + 1}. ${about}`.slice(0, 200), 1]));
  const census: ImportedItem = { kind: "census", id: name.slice(0, 200), n, violations: violations.length, unassessed: words.length - n, complete: true, evidence: "assertions", found };
  return { tool: "deepchecks", toolVersion: null, items: [census] };
}

interface Word {
  readonly word: string;
  readonly about: string;
}

/** One word for each condition; a check that did not run is one that nobody knows. */
function wordsOf(result: z.infer<typeof Result>): readonly Word[] {
  const header = result.header ?? result.check?.name ?? "check";
  const ran = result.conditions_results !== undefined && result.type !== "CheckFailure" && (result.exception ?? null) === null;
  if (!ran) return [{ word: "FAILED TO RUN", about: header }];
  return (result.conditions_results ?? []).map(({ Status: status, Condition: condition }) => ({ word: wordOf(status), about: `${header}: ${condition ?? ""}` }));
}

/** Older versions write the sign of the status. */
function wordOf(status: string): string {
  const signs: Readonly<Record<string, string>> = { "✓": "PASS", "✖": "FAIL", "!": "WARN", "⁈": "ERROR" };
  return signs[status.trim()] ?? status.trim().toUpperCase();
}
