import type { CheckResult, SuiteReport } from "@licet/contract";
import { figuresOf, whyOf } from "./words.ts";

/** SARIF 2.1.0, 3.27.9 (kind) and 3.27.10 (level). What is undecided is no other kind: readers drop those, and silence would look like a pass. */
const kinds: Readonly<Record<CheckResult["verdict"], { readonly kind: string; readonly level: string }>> = {
  pass: { kind: "pass", level: "none" },
  fail: { kind: "fail", level: "error" },
  insufficient_evidence: { kind: "fail", level: "warning" },
  errored: { kind: "fail", level: "warning" },
  not_applicable: { kind: "notApplicable", level: "none" },
};

/** SARIF 2.1.0 for code scanning: every check as a result, at the manifest that declares it. */
export function sarifReport(report: SuiteReport, manifest: string = "licet.yaml"): string {
  const rules = [...new Set(report.results.map(({ check }) => check))].map((id) => ({ id, shortDescription: { text: id } }));
  const run = {
    tool: { driver: { name: "Licet", semanticVersion: report.engine.version, rules } },
    invocations: [{ executionSuccessful: report.results.every(({ verdict }) => verdict !== "errored"), startTimeUtc: report.startedAt, endTimeUtc: report.finishedAt }],
    properties: { release: report.release, seed: report.seed, engineDigest: report.engine.digest },
    results: report.results.map((result) => sarifResult(result, { manifest, rules: rules.map(({ id }) => id) })),
  };
  return `${JSON.stringify({ $schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs: [run] }, null, 2)}\n`;
}

function sarifResult(result: CheckResult, { manifest, rules }: { readonly manifest: string; readonly rules: readonly string[] }): object {
  const text = [`${result.label ?? result.id}: ${figuresOf(result)}`, whyOf(result), ...result.notes.slice(0, 10)].filter((part) => part !== undefined).join("\n");
  return {
    ruleId: result.check,
    ruleIndex: rules.indexOf(result.check),
    ...kinds[result.verdict],
    message: { text },
    locations: [{ physicalLocation: { artifactLocation: { uri: manifest }, region: { startLine: 1 } }, logicalLocations: [{ name: result.id, kind: "member" }] }],
    partialFingerprints: { "licetCheck/v1": `${result.check}/${result.id}` },
    properties: { verdict: result.verdict, estimate: result.estimate, interval: result.interval, limit: result.limit, counts: result.counts, requiredN: result.requiredN ?? null, attempt: result.attempt, reuse: result.reuse ?? [] },
  };
}
