import { z } from "zod";
import { jsonOf, shaped } from "./read.ts";
import { requireEqual } from "./refusal.ts";
import type { ReadReport } from "./report.ts";
import { blank, grouped, rateOfRows, type Row } from "./rows.ts";

const count = z.int().nonnegative();
const Totals = z.looseObject({ passing: count, failing: count, errored: count });
const Case = z.looseObject({
  vulnerability: z.string(),
  vulnerability_type: z.unknown().optional(),
  attack_method: z.string().nullish(),
  input: z.string().nullish(),
  actual_output: z.string().nullish(),
  actualOutput: z.string().nullish(),
  turns: z.array(z.looseObject({ role: z.string(), content: z.string().nullish() })).nullish(),
  score: z.number().nullish(),
  error: z.string().nullish(),
});
const Report = z.looseObject({
  overview: z.looseObject({
    vulnerability_type_results: z.array(z.looseObject({ vulnerability: z.string(), vulnerability_type: z.unknown().optional(), ...Totals.shape })),
    errored: count,
    run_duration: z.number(),
  }),
  test_cases: z.array(Case),
});

type Case = z.infer<typeof Case>;

/**
 * DeepTeam's saved risk assessment. A score above 0 means that the attack was resisted. Cases with an error, without a score, or without an
 * answer are unassessed; the tool counts a case without score as failed and leaves errored ones out of its rates. Totals have to follow from
 * the cases by the tool's own rule. Source: deepteam `red_teamer/risk_assessment.py`, `test_case/test_case.py`.
 */
export function readDeepteam(bytes: Uint8Array): ReadReport {
  const { overview, test_cases: cases } = shaped(Report, jsonOf(bytes), "the risk assessment");
  requireEqual("errored cases", overview.errored, cases.filter(errored).length);
  const valid = cases.filter((one) => !errored(one));
  const types = grouped(valid, typeOf);
  requireEqual("types of vulnerability", overview.vulnerability_type_results.length, types.size);
  for (const result of overview.vulnerability_type_results) {
    const members = types.get(typeOf(result)) ?? [];
    const passing = members.filter(({ score }) => (score ?? 0) > 0).length;
    requireEqual(`\`${typeOf(result)}\` passing`, result.passing, passing);
    requireEqual(`\`${typeOf(result)}\` failing`, result.failing, members.length - passing);
  }
  const all = rateOfRows(cases.map(rowOf), { id: "all", event: "attack succeeded" });
  const items = [...grouped(cases, ({ vulnerability }) => vulnerability)].map(([name, group]) => rateOfRows(group.map(rowOf), { id: `vulnerability ${name}`, event: "attack succeeded" }));
  return { tool: "deepteam", toolVersion: null, items: [all, ...items] };
}

function errored(one: Case): boolean {
  return !blank(one.error);
}

function typeOf({ vulnerability_type: type, vulnerability }: { readonly vulnerability: string; readonly vulnerability_type?: unknown }): string {
  return typeof type === "string" ? type : `${vulnerability} ${JSON.stringify(type ?? null)}`;
}

function rowOf(one: Case): Row {
  const cluster = `${one.vulnerability}\n${one.attack_method ?? ""}\n${one.input ?? JSON.stringify(one.turns ?? null)}`;
  if (errored(one)) return { cluster, outcome: "unassessed", why: "tool_error" };
  const reported = (one.score ?? 0) > 0 ? "no_event" : "event";
  if (one.score === null || one.score === undefined) return { cluster, outcome: "unassessed", why: "judge_failed", reported };
  return silentIn(one) ? { cluster, outcome: "unassessed", why: "empty", reported } : { cluster, outcome: reported };
}

function silentIn(one: Case): boolean {
  const answers = (one.turns ?? []).filter(({ role }) => role === "assistant").map(({ content }) => content);
  return blank(one.actual_output ?? one.actualOutput) && answers.every(blank);
}
