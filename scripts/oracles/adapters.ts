import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { decideReport, reportedInterval } from "../../packages/assurance/src/import/decide-import.ts";
import { guessFormat, importReport } from "../../packages/assurance/src/import/import-report.ts";
import type { ImportedCensus, ImportedRate, ImportedReport, ImportOptions, ImportResult } from "../../packages/assurance/src/import/report.ts";
import { json, type OracleOptions, type Tally } from "./tally.ts";

type Figures = Readonly<Record<string, unknown>>;
type Read = (report: ImportedReport) => unknown;

/** Genuine reports of other tools: every figure that is expected of one, from our own count. */
export function compareAdapters(tally: Tally, options: OracleOptions): void {
  const expected = json(options, "adapters/expected.json") as Readonly<Record<string, unknown>>;
  for (const [name, figures] of Object.entries(expected)) {
    const file = path.join(options.dir, "adapters", name);
    if (!existsSync(file)) {
      if (typeof figures === "object") tally.same(name, "no such file", name);
      continue;
    }
    compareReport(tally, { name, bytes: readFileSync(file), figures: figures as Figures });
  }
}

function compareReport(tally: Tally, { name, bytes, figures }: { readonly name: string; readonly bytes: Uint8Array; readonly figures: Figures }): void {
  const format = guessFormat(name, bytes);
  if (format === undefined) return tally.same(name, "no known format", figures["tool"]);
  const result = importReport(bytes, format, optionsOf(figures));
  for (const [key, figure] of Object.entries(figures)) {
    if (key === "note" || key === "why" || key === "version_field") continue;
    compareFigure(tally, { at: `${name} ${key}`, key, figure, result });
  }
}

/** What a person would declare beside the file. */
function optionsOf(figures: Figures): ImportOptions {
  const { rows, csv } = figures as { rows?: number; csv?: ImportOptions["csv"] };
  return { ...(typeof rows === "number" && { rows }), ...(csv !== undefined && { csv }) };
}

interface Compared {
  readonly at: string;
  readonly key: string;
  readonly figure: unknown;
  readonly result: ImportResult;
}

function compareFigure(tally: Tally, { at, key, figure, result }: Compared): void {
  const outcome = decideReport(result, { op: "<=", value: 0.05, alpha: 0.05, source: "oracle" });
  if (key === "verdict") return tally.same(at, outcome.verdict, figure);
  if (key === "reason") return tally.same(at, outcome.reason, figure);
  if (key === "refused" || key === "must_refuse") return tally.same(at, result.kind === "refused", figure);
  if (result.kind === "refused") return tally.same(at, `refused: ${result.problems.join("; ")}`, figure);
  if (key === "evals") return compareEvaluations(tally, at, { expected: figure, report: result.report });
  const level = /^clopper_pearson_(\d+)_failure_rate$/u.exec(key)?.[1];
  if (level !== undefined && Array.isArray(figure)) return compareInterval(tally, at, { report: result.report, level: Number(level) / 100, expected: figure });
  const read = readers[key];
  if (read === undefined) tally.same(at, "not known", figure);
  else if (typeof figure === "number") tally.near(at, Number(read(result.report)), figure);
  else tally.same(at, read(result.report), figure);
}

/** Figures are given with six digits. */
function compareInterval(tally: Tally, at: string, { report, level, expected }: { readonly report: ImportedReport; readonly level: number; readonly expected: readonly unknown[] }): void {
  const { lower, upper } = reportedInterval(rateOf(report), level);
  for (const [index, bound] of [lower, upper].entries()) tally.same(`${at} ${index === 0 ? "lower" : "upper"}`, Math.abs(bound - Number(expected[index])) <= 6e-7 ? expected[index] : bound, expected[index]);
}

function compareEvaluations(tally: Tally, at: string, { expected, report }: { readonly expected: unknown; readonly report: ImportedReport }): void {
  const rates = report.items.filter((item) => item.kind === "rate");
  const wanted = expected as readonly Figures[];
  tally.same(`${at} number`, rates.length, wanted.length);
  for (const evaluation of wanted) {
    const id = `${String(evaluation["probe"])} ${String(evaluation["detector"])}`;
    const rate = rates.find((item) => item.id === id);
    const { events, assessed, unassessed, prompts } = rate?.reported ?? { events: NaN, assessed: NaN, unassessed: NaN, prompts: NaN };
    const found: Readonly<Record<string, unknown>> = {
      probe: rate?.id.split(" ")[0],
      detector: rate?.id.split(" ")[1],
      failures: events,
      assessed,
      nones: unassessed,
      unassessed,
      prompts,
      generations: (assessed + unassessed) / prompts,
      failure_rate: events / assessed,
    };
    for (const [key, figure] of Object.entries(evaluation)) if (key !== "note") tally.same(`${at} ${id} ${key}`, found[key] ?? "not known", figure);
    if (typeof evaluation["prompts"] === "number") tally.same(`${at} ${id} clusters`, rate?.statistics.clusters.reduce((sum, { count }) => sum + count, 0), evaluation["prompts"]);
  }
}

const readers: Readonly<Record<string, Read>> = {
  tool: ({ tool }) => tool,
  version: ({ toolVersion }) => toolVersion,
  total: (report) => rateOf(report).statistics.attempted,
  assessed: (report) => rateOf(report).reported.assessed,
  failures: (report) => countOf(report).events,
  errors: (report) => found(report, "errors") ?? countOf(report).unassessed,
  successes: (report) => countOf(report).n - countOf(report).events,
  prompts: (report) => rateOf(report).reported.prompts,
  tests: (report) => censusOf(report).n + censusOf(report).unassessed,
  failed: (report) => censusOf(report).violations,
  skipped: (report) => found(report, "skipped") ?? censusOf(report).unassessed,
  issues: (report) => found(report, "issues") ?? censusOf(report).violations,
  critical: (report) => found(report, "CRITICAL") ?? 0,
  high: (report) => found(report, "HIGH") ?? 0,
  medium: (report) => found(report, "MEDIUM") ?? 0,
  low: (report) => found(report, "LOW") ?? 0,
  severity: (report) => Object.keys(censusOf(report).found)[0],
  scanned_files: (report) => found(report, "scanned") ?? censusOf(report).n,
  infected_files: (report) => censusOf(report).violations,
  suspicious_globals: (report) => found(report, "suspicious"),
  dangerous_globals: (report) => found(report, "dangerous"),
};

function rateOf({ items }: ImportedReport): ImportedRate {
  const rate = items.find((item) => item.kind === "rate");
  if (rate === undefined) throw new Error("the report has no rate");
  return rate;
}

const noCensus: ImportedCensus = { kind: "census", id: "", n: 0, violations: 0, unassessed: 0, complete: false, evidence: "assertions", found: {} };

/** Suites of one report together. */
function censusOf({ items }: ImportedReport): ImportedCensus {
  return items
    .filter((item) => item.kind === "census")
    .reduce((sum, { n, violations, unassessed, found: more }) => ({ ...sum, n: sum.n + n, violations: sum.violations + violations, unassessed: sum.unassessed + unassessed, found: { ...sum.found, ...more } }), noCensus);
}

function countOf(report: ImportedReport): { readonly events: number; readonly n: number; readonly unassessed: number } {
  if (!report.items.some(({ kind }) => kind === "rate")) {
    const { violations, n, unassessed } = censusOf(report);
    return { events: violations, n, unassessed };
  }
  const { events, assessed, unassessed } = rateOf(report).reported;
  return { events, n: assessed, unassessed };
}

function found(report: ImportedReport, name: string): number | undefined {
  return censusOf(report).found[name];
}
