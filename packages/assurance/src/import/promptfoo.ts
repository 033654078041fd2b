import { z } from "zod";
import { jsonOf, shaped } from "./read.ts";
import { inconsistent, requireEqual, unreadable } from "./refusal.ts";
import type { ReadReport } from "./report.ts";
import { grouped, rateOfRows, requireUnique, type Row } from "./rows.ts";

const count = z.int().nonnegative();
const Result = z.looseObject({
  id: z.string().optional(),
  success: z.boolean(),
  error: z.string().nullish(),
  failureReason: z.int().min(0).max(2).optional(),
  gradingResult: z.looseObject({ pass: z.boolean() }).nullish(),
  prompt: z.looseObject({ raw: z.string() }).optional(),
  promptId: z.string().optional(),
  promptIdx: count.optional(),
  testIdx: count.optional(),
  provider: z.union([z.string(), z.looseObject({ id: z.string().optional() })]).optional(),
  response: z.looseObject({ output: z.unknown().optional(), error: z.string().nullish() }).nullish(),
  testCase: z.looseObject({ metadata: z.looseObject({ pluginId: z.string().optional(), strategyId: z.string().optional() }).nullish() }).nullish(),
});
const Metrics = z.looseObject({ testPassCount: count, testFailCount: count, testErrorCount: count.optional() });
const Report = z.looseObject({
  results: z.looseObject({
    version: z.number(),
    prompts: z.array(z.looseObject({ metrics: Metrics.nullish() })).optional(),
    results: z.array(Result),
    stats: z.looseObject({ successes: count, failures: count, errors: count.optional() }),
  }),
  metadata: z.looseObject({ promptfooVersion: z.string().optional() }).nullish(),
});

type Result = z.infer<typeof Result>;

/**
 * promptfoo's JSON export, version 3 of its results. `failureReason`: 0 none, 1 an assertion, 2 an error. Rows that ended in an error, and
 * rows that passed without an answer, are unassessed. The totals under `stats` are written at the end of a run: without them it did not end.
 * Source: promptfoo `src/types/index.ts` (EvaluateResult, EvaluateStats, ResultFailureReason).
 */
export function readPromptfoo(bytes: Uint8Array): ReadReport {
  const { results, metadata } = shaped(Report, jsonOf(bytes), "the export");
  if (results.version !== 3) throw unreadable(`version ${results.version} of promptfoo's results is not known: export with promptfoo 0.90 or later`);
  const rows = results.results.map((result) => ({ result, row: rowOf(result) }));
  requireUnique("the result", results.results.map(({ id }) => id).filter((id) => id !== undefined));
  const total = rateOfRows(rows.map(({ row }) => row), { id: "all", event: "failed assertion" });
  requireEqual("failures", results.stats.failures, total.reported.events);
  requireEqual("successes", results.stats.successes, total.reported.assessed - total.reported.events);
  requireEqual("errors", results.stats.errors ?? 0, total.reported.unassessed);
  requireMetrics(results.prompts ?? [], total.reported);
  const plugins = [...grouped(rows, ({ result }) => result.testCase?.metadata?.pluginId ?? "")].filter(([plugin]) => plugin !== "");
  const items = plugins.map(([plugin, group]) => rateOfRows(group.map(({ row }) => row), { id: `plugin ${plugin}`, event: "failed assertion" }));
  return { tool: "promptfoo", toolVersion: metadata?.promptfooVersion ?? null, items: [total, ...items] };
}

function rowOf(result: Result): Row {
  const errored = erroredIn(result);
  requireCoherent(result, errored);
  const cluster = `${providerOf(result)}\n${promptOf(result)}`;
  if (errored) return { cluster, outcome: "unassessed", why: "tool_error" };
  const reported = result.success ? "no_event" : "event";
  return silentIn(result) ? { cluster, outcome: "unassessed", why: "empty", reported } : { cluster, outcome: reported };
}

/** Older exports have no reason: an error without grading is one. */
function erroredIn({ failureReason, gradingResult, error }: Result): boolean {
  return failureReason === 2 || (failureReason === undefined && gradingResult === null && !blankText(error));
}

function requireCoherent({ id, success, failureReason, gradingResult }: Result, errored: boolean): void {
  const passed = gradingResult?.pass;
  if (success && (errored || passed === false || failureReason === 1)) throw inconsistent(`the result \`${id ?? ""}\` passed and failed at once`);
  if (!success && !errored && passed === true) throw inconsistent(`the result \`${id ?? ""}\` failed and its assertions passed`);
}

function silentIn({ response }: Result): boolean {
  return blankText(response?.output) || !blankText(response?.error);
}

function promptOf({ prompt, promptIdx, testIdx }: Result): string {
  return prompt?.raw ?? `${promptIdx ?? ""}/${testIdx ?? ""}`;
}

function providerOf({ provider }: Result): string {
  return typeof provider === "string" ? provider : (provider?.id ?? "");
}

function blankText(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === "string" && value.trim() === "");
}

function requireMetrics(prompts: readonly { readonly metrics?: z.infer<typeof Metrics> | null | undefined }[], reported: { readonly events: number; readonly assessed: number; readonly unassessed: number }): void {
  const metrics = prompts.map((prompt) => prompt.metrics).filter((value) => value !== null && value !== undefined);
  if (metrics.length === 0 || metrics.length < prompts.length) return;
  const sum = (key: "testPassCount" | "testFailCount" | "testErrorCount") => metrics.reduce((total, entry) => total + (entry[key] ?? 0), 0);
  requireEqual("tests that failed by prompt", sum("testFailCount"), reported.events);
  requireEqual("tests that passed by prompt", sum("testPassCount"), reported.assessed - reported.events);
  requireEqual("tests that errored by prompt", sum("testErrorCount"), reported.unassessed);
}
