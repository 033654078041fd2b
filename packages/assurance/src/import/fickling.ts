import { z } from "zod";
import { jsonOf, shaped } from "./read.ts";
import { inconsistent, unreadable } from "./refusal.ts";
import type { ReadReport } from "./report.ts";

/** From harmless to worst. */
const severities = ["LIKELY_SAFE", "POSSIBLY_UNSAFE", "SUSPICIOUS", "LIKELY_UNSAFE", "LIKELY_OVERTLY_MALICIOUS", "OVERTLY_MALICIOUS"] as const;
const Report = z.looseObject({
  severity: z.string(),
  analysis: z.string(),
  detailed_results: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});

/**
 * fickling's check of one pickle. Only `LIKELY_SAFE` without a single finding is no violation; a severity that is not known is unassessed.
 * fickling blocks by a list of imports, so that safe means "nothing on the list was seen". Source: fickling `fickling/analysis.py`.
 */
export function readFickling(bytes: Uint8Array): ReadReport {
  const { severity, detailed_results: detailed } = shaped(Report, jsonOf(bytes), "the report");
  const rank = severities.findIndex((known) => known === severity);
  const findings = Object.values(detailed ?? {}).reduce((sum, group) => sum + Object.keys(group).length, 0);
  if (severity.trim() === "") throw unreadable("the report has no severity");
  if (rank === 0 && findings > 0) throw inconsistent("the severity is LIKELY_SAFE, and findings are listed");
  return {
    tool: "fickling",
    toolVersion: null,
    items: [
      {
        kind: "census",
        id: "pickle",
        n: rank < 0 ? 0 : 1,
        violations: rank > 0 ? 1 : 0,
        unassessed: rank < 0 ? 1 : 0,
        complete: true,
        evidence: "assertions",
        found: { [severity.slice(0, 100)]: 1, findings },
      },
    ],
  };
}
