import { z } from "zod";
import { jsonOf, shaped } from "./read.ts";
import { requireEqual } from "./refusal.ts";
import type { ReadReport } from "./report.ts";

const count = z.int().nonnegative();
const Report = z.looseObject({
  summary: z.looseObject({
    total_issues_by_severity: z.record(z.string(), count),
    total_issues: count,
    modelscan_version: z.string().optional(),
    timestamp: z.string(),
    scanned: z.looseObject({ total_scanned: count, scanned_files: z.array(z.string()).optional() }),
    skipped: z.looseObject({ total_skipped: count, skipped_files: z.array(z.unknown()).optional() }).default({ total_skipped: 0 }),
  }),
  issues: z.array(z.looseObject({ severity: z.string(), source: z.string(), description: z.string().optional() })),
  errors: z.array(z.unknown()),
});

/**
 * modelscan's JSON report. Files with an issue are violations; skipped files and errors are unassessed, so that a report which left files
 * out never passes. Versions built from source call themselves 0.0.0. Source: modelscan `modelscan/modelscan.py` (`_generate_results`).
 */
export function readModelscan(bytes: Uint8Array): ReadReport {
  const { summary, issues, errors } = shaped(Report, jsonOf(bytes), "the report");
  const severities: Record<string, number> = {};
  for (const { severity } of issues) severities[severity] = (severities[severity] ?? 0) + 1;
  requireEqual("issues", summary.total_issues, issues.length);
  for (const [severity, reported] of Object.entries(summary.total_issues_by_severity)) requireEqual(`issues of severity ${severity}`, reported, severities[severity] ?? 0);
  requireEqual("issues by severity", Object.values(summary.total_issues_by_severity).reduce((sum, value) => sum + value, 0), issues.length);
  const scanned = summary.scanned.total_scanned;
  if (summary.scanned.scanned_files !== undefined) requireEqual("scanned files", scanned, summary.scanned.scanned_files.length);
  const skipped = summary.skipped.total_skipped;
  if (summary.skipped.skipped_files !== undefined) requireEqual("skipped files", skipped, summary.skipped.skipped_files.length);
  const infected = new Set(issues.map(({ source }) => source)).size;
  return {
    tool: "modelscan",
    toolVersion: summary.modelscan_version ?? null,
    items: [
      {
        kind: "census",
        id: "files",
        n: Math.max(scanned, infected),
        violations: infected,
        unassessed: skipped + errors.length,
        complete: true,
        evidence: "assertions",
        found: { issues: issues.length, errors: errors.length, skipped, ...severities },
      },
    ],
  };
}
