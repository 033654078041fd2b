import { importFormats, type ImportCheck } from "@licet/contract";
import { z } from "zod";
import { decideReport } from "../import/decide-import.ts";
import { importReport } from "../import/import-report.ts";
import type { ImportResult } from "../import/report.ts";
import { attemptFigures } from "./language.ts";
import { count } from "./model-figures.ts";
import { statisticsCheck } from "./statistics.ts";

const text = z.string().max(2000);
const id = text;
const item = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("rate"), id, event: text, statistics: attemptFigures, recounted: z.boolean(), reported: z.object({ events: count, assessed: count, unassessed: count, prompts: count }) }),
  z.object({ kind: z.literal("census"), id, n: count, violations: count, unassessed: count, complete: z.boolean(), evidence: z.enum(["assertions", "figures"]), found: z.record(text, count) }),
  z.object({ kind: z.literal("value"), id, value: z.number().nullable(), sign: z.enum(["p_value", "distance", "signed_difference", "absolute_difference", "ratio", "pass_share", "event_share", "unknown"]), method: text }),
]);
const figures: z.ZodType<ImportResult> = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("imported"),
    report: z.object({ format: z.enum(importFormats), tool: text, toolVersion: text.nullable(), digest: text, items: z.array(item).max(2000), notes: z.array(text).max(1000) }),
  }),
  z.object({ kind: z.literal("refused"), reason: z.enum(["tool_error", "aborted", "inconsistent_import"]), problems: z.array(text).max(100), digest: text }),
]);

/** How many attempts or assertions the parts with counts hold, and how many of them are no answer. */
function countsOf(result: ImportResult): { readonly attempted: number; readonly assessed: number; readonly unassessed: number } {
  const items = result.kind === "imported" ? result.report.items : [];
  const parts = items.map((each) => (each.kind === "rate" ? { all: each.statistics.attempted, lost: each.statistics.unassessed } : { all: each.kind === "census" ? each.n + each.unassessed : 0, lost: each.kind === "census" ? each.unassessed : 0 }));
  const attempted = parts.reduce((sum, { all }) => sum + all, 0);
  const unassessed = parts.reduce((sum, { lost }) => sum + lost, 0);
  return { attempted, assessed: attempted - unassessed, unassessed };
}

export const importedReport = statisticsCheck<ImportCheck, ImportResult>({
  check: "import.report",
  version: "2",
  op: "<=",
  exact: true,
  unit: "largest rate of what is unwanted",
  figures,
  limitValue: ({ max }) => max,
  components: ({ report }) => [report],
  measure: async ({ report, format }, files) => {
    const { digest, content } = await files.bytes(report);
    const result = importReport(content, format);
    const notes = result.kind === "refused" ? result.problems : [`${result.report.tool}${result.report.toolVersion === null ? "" : ` ${result.report.toolVersion}`}: ${result.report.items.length} parts, counted again from their rows`, ...result.report.notes];
    const origin = result.kind === "refused" ? { importedFrom: format, recomputed: false } : { importedFrom: result.report.tool, ...(result.report.toolVersion !== null && { toolVersion: result.report.toolVersion }), recomputed: true };
    return { origin, subject: { kind: "import", id: report, digest }, inputs: [], counts: countsOf(result), figures: result, notes };
  },
  decide: decideReport,
});
