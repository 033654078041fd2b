import { z } from "zod";
import { jsonOf, shaped } from "./read.ts";
import { inconsistent, requireEqual, unfinished } from "./refusal.ts";
import type { ImportOptions, ReadReport } from "./report.ts";
import { rateOfRows, requireUnique, type Row } from "./rows.ts";

const Score = z.looseObject({ score_value: z.union([z.string(), z.boolean(), z.number()]), score_type: z.string().optional() }).nullish();
const Attack = z.looseObject({
  conversation_id: z.string(),
  objective: z.string(),
  outcome: z.enum(["success", "failure", "undetermined"]),
  executed_turns: z.int().nonnegative().optional(),
  automated_objective_score: Score,
  human_objective_score: Score,
  last_score: Score,
});
const Scenario = z.looseObject({
  scenario_run_state: z.string(),
  scenario_identifier: z.looseObject({ name: z.string().optional(), pyrit_version: z.string().nullish() }).nullish(),
  attack_results: z.record(z.string(), z.array(Attack)),
});
const Report = z.union([Scenario, z.array(Attack)]);

type Attack = z.infer<typeof Attack>;

/**
 * Attack results of PyRIT, as a scenario result or as a list. `undetermined` is unassessed; so is a result of no turn, and one without any
 * score, because PyRIT has called errored and blocked answers failed attacks. A scenario ended when its state is COMPLETED; a list has no such
 * mark, so the number of results has to be given. Source: PyRIT `models/attack_result.py`, `models/scenario_result.py`, issue 2044.
 */
export function readPyrit(bytes: Uint8Array, options: ImportOptions): ReadReport {
  const report = shaped(Report, jsonOf(bytes), "the attack results");
  const groups: Readonly<Record<string, readonly Attack[]>> = Array.isArray(report) ? { attacks: report } : report.attack_results;
  const attacks = Object.values(groups).flat();
  if (Array.isArray(report)) {
    if (options.rows === undefined) throw unfinished("a list of attack results does not say that the run ended: give the number of its results");
    requireEqual("results", options.rows, attacks.length);
  } else if (report.scenario_run_state !== "COMPLETED") throw unfinished(`the scenario is in state \`${report.scenario_run_state.slice(0, 40)}\`: run it to its end`);
  requireUnique("the conversation", attacks.map(({ conversation_id: id }) => id));
  const items = [["all", attacks] as const, ...Object.entries(groups).map(([name, members]) => [`attack ${name}`, members] as const)];
  const version = Array.isArray(report) ? null : (report.scenario_identifier?.pyrit_version ?? null);
  return { tool: "pyrit", toolVersion: version, items: items.map(([id, members]) => rateOfRows(members.map(rowOf), { id, event: "objective achieved" })) };
}

function rowOf(attack: Attack): Row {
  const cluster = attack.objective;
  const score = valueOf(attack.human_objective_score ?? attack.automated_objective_score ?? attack.last_score);
  if (attack.outcome === "undetermined") return { cluster, outcome: "unassessed", why: "judge_failed" };
  const reported = attack.outcome === "success" ? "event" : "no_event";
  if (score !== undefined && score !== (reported === "event")) throw inconsistent(`the attack \`${attack.conversation_id.slice(0, 100)}\` has the outcome ${attack.outcome} and the opposite score`);
  if (attack.executed_turns === 0) return { cluster, outcome: "unassessed", why: "empty", reported };
  if (score === undefined && reported === "no_event") return { cluster, outcome: "unassessed", why: "judge_failed", reported };
  return { cluster, outcome: reported };
}

function valueOf(score: z.infer<typeof Score>): boolean | undefined {
  if (score === null || score === undefined) return undefined;
  if (typeof score.score_value === "boolean") return score.score_value;
  const text = String(score.score_value).toLowerCase();
  if (text === "true" || text === "false") return text === "true";
  return undefined;
}
