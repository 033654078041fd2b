import { z } from "zod";
import { jsonOf, shaped } from "./read.ts";
import { inconsistent, unfinished, unreadable } from "./refusal.ts";
import type { ImportedItem, ReadReport } from "./report.ts";

const Result = z.looseObject({
  ruleId: z.string().optional(),
  ruleIndex: z.int().optional(),
  kind: z.enum(["pass", "open", "informational", "notApplicable", "review", "fail"]).optional(),
  level: z.enum(["none", "note", "warning", "error"]).optional(),
  suppressions: z.array(z.unknown()).optional(),
  guid: z.string().optional(),
});
const Notification = z.looseObject({ level: z.enum(["none", "note", "warning", "error"]).optional() });
const Invocation = z.looseObject({ executionSuccessful: z.boolean(), toolExecutionNotifications: z.array(Notification).optional() });
const Run = z.looseObject({
  tool: z.looseObject({ driver: z.looseObject({ name: z.string(), version: z.string().optional(), semanticVersion: z.string().optional() }) }),
  results: z.array(Result).nullish(),
  invocations: z.array(Invocation).optional(),
});
const Log = z.looseObject({ version: z.string(), runs: z.array(Run).min(1).max(1000) });

type Run = z.infer<typeof Run>;

/**
 * SARIF 2.1.0. A result is a violation unless its kind says otherwise: `open` and `review` are unassessed, `informational` and
 * `notApplicable` say nothing. Suppressed results count: who suppressed them is not known here. Errors in tool notifications are unassessed.
 * A run ended when one of its invocations says `executionSuccessful`; without invocation nothing says that it looked at everything.
 * Source: OASIS SARIF 2.1.0, sections 3.14, 3.20, 3.27.9 (kind defaults to fail), 3.58.
 */
export function readSarif(bytes: Uint8Array): ReadReport {
  const { version, runs } = shaped(Log, jsonOf(bytes), "the log");
  if (version !== "2.1.0") throw unreadable(`SARIF version \`${version.slice(0, 20)}\` is not supported: export 2.1.0`);
  const [first] = runs;
  const driver = first?.tool.driver;
  return { tool: driver?.name.slice(0, 200) ?? "sarif", toolVersion: driver?.semanticVersion ?? driver?.version ?? null, items: runs.map(itemOf) };
}

function itemOf(run: Run, index: number): ImportedItem {
  const invocations = run.invocations ?? [];
  if (invocations.length === 0) throw unfinished(`run ${index + 1} has no invocation: nothing says that it ended`);
  if (invocations.some(({ executionSuccessful }) => !executionSuccessful)) throw unfinished(`run ${index + 1} did not execute successfully`);
  // Null means that the tool could not say (3.14.23); an empty list, that it looked and found nothing.
  if (run.results === null || run.results === undefined) throw unfinished(`run ${index + 1} has no results`);
  const guids = run.results.map(({ guid }) => guid).filter((guid) => guid !== undefined);
  if (new Set(guids).size !== guids.length) throw inconsistent(`run ${index + 1} has a result twice`);
  const kinds = run.results.map(({ kind, level }) => kind ?? (level === "none" ? "informational" : "fail"));
  const failed = run.results.filter((_, place) => kinds[place] === "fail");
  const found: Record<string, number> = {};
  for (const { ruleId, ruleIndex } of failed) {
    const rule = (ruleId ?? `rule ${ruleIndex ?? "unknown"}`).slice(0, 200);
    found[rule] = (found[rule] ?? 0) + 1;
  }
  const errors = invocations.flatMap(({ toolExecutionNotifications: notifications }) => notifications ?? []).filter(({ level }) => level === "error").length;
  const open = kinds.filter((kind) => kind === "open" || kind === "review").length;
  const passed = kinds.filter((kind) => kind === "pass").length;
  // Tools that report findings only say nothing about what held: the run itself is the one thing that was assessed.
  return { kind: "census", id: `run ${index + 1} ${run.tool.driver.name}`.slice(0, 200), n: Math.max(1, failed.length + passed), violations: failed.length, unassessed: open + errors, complete: true, evidence: "assertions", found };
}
