import { type AssuranceCheck, type AssuranceSection, type CheckResult, LicetError, type SuiteReport } from "@licet/contract";
import { checkVersions, engine } from "../engine.ts";
import { decide } from "../verdict/decide.ts";
import { Components, type ResolveComponent } from "./component.ts";
import { declaredSubject, measure, type Measured } from "./run-check.ts";

export type Attempt = CheckResult["attempt"];

export type Progress =
  | { readonly kind: "started"; readonly id: string; readonly index: number; readonly total: number }
  | { readonly kind: "finished"; readonly id: string; readonly index: number; readonly total: number; readonly result: CheckResult };

export interface RunSuiteOptions {
  /** The `assurance:` section of the manifest, parsed. */
  readonly suite: AssuranceSection;
  /** Folder of the manifest; no file outside it is read. */
  readonly root: string;
  /** Component name to file and digest. */
  readonly resolve: ResolveComponent;
  /** Recorded in every result, drawn by whoever issues the ticket. The checks of this version draw no numbers. */
  readonly seed: string;
  /** Release digest, or null for practice. */
  readonly release: string | null;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onProgress?: (progress: Progress) => void;
  /** Which attempt this is and the alpha it may spend, from the attempt ledger. Default: the first, at 0.05. */
  readonly attempt?: (check: AssuranceCheck) => Attempt;
}

const firstAttempt: Attempt = { index: 1, alphaSpent: 0.05, previous: [] };

/**
 * Runs every check of an assurance section on real files and returns all results, whatever happens to one of them.
 * A file that is missing, changed or unreadable makes its checks `errored`; nothing but evidence makes a pass.
 * Never throws for what a file contains.
 */
export async function runSuite(options: RunSuiteOptions): Promise<SuiteReport> {
  const { suite, now, onProgress } = options;
  const components = new Components(options.root, options.resolve);
  const startedAt = new Date(now()).toISOString();
  const results: CheckResult[] = [];
  const total = suite.checks.length;
  for (const [index, check] of suite.checks.entries()) {
    onProgress?.({ kind: "started", id: check.id, index, total });
    const result = await runCheck(check, components, options);
    results.push(result);
    onProgress?.({ kind: "finished", id: check.id, index, total, result });
  }
  return {
    schema: "licet.assurance.report/v1",
    release: options.release,
    seed: options.seed,
    engine,
    startedAt,
    finishedAt: new Date(now()).toISOString(),
    verdict: overall(results),
    summary: summarise(results),
    results,
  };
}

async function runCheck(check: AssuranceCheck, components: Components, options: RunSuiteOptions): Promise<CheckResult> {
  const started = options.now();
  const attempt = options.attempt?.(check) ?? firstAttempt;
  const base: Identity = {
    schema: "licet.assurance.result/v1",
    id: check.id,
    ...(check.label === undefined ? {} : { label: check.label }),
    check: check.check,
    checkVersion: checkVersions[check.check],
    engine,
    attempt,
    seed: options.seed,
    evidence: [],
    origin: "native",
  };
  try {
    const measured = await measure(check, components);
    return { ...base, ...concluded(measured, attempt), cost: cost(measured.measurement.queries, started, options) };
  } catch (error) {
    return { ...base, ...errored(check, error, attempt), cost: cost(0, started, options) };
  }
}

type Identity = Pick<CheckResult, "schema" | "id" | "label" | "check" | "checkVersion" | "engine" | "attempt" | "seed" | "evidence" | "origin">;
type Fields = Omit<CheckResult, keyof Identity | "cost">;

function concluded({ measurement, subject, inputs, group }: Measured, attempt: Attempt): Fields {
  const { basis, counts, unit, notes } = measurement;
  const limit = { ...measurement.limit, alpha: attempt.alphaSpent, source: "manifest" };
  const scope = group === undefined ? {} : { scope: { group } };
  return { subject, inputs: [...inputs], ...scope, unit, counts, basis, limit, ...decide(basis, limit, counts), notes: [...notes] };
}

function errored(check: AssuranceCheck, error: unknown, attempt: Attempt): Fields {
  const known = error instanceof LicetError ? error : new LicetError("internal", { cause: error });
  return {
    subject: declaredSubject(check),
    inputs: [],
    estimate: null,
    interval: null,
    unit: "none",
    counts: { attempted: 0, assessed: 0, unassessed: 0 },
    basis: { kind: "none", reason: "tool_error" },
    limit: { ...declaredLimit(check), alpha: attempt.alphaSpent, source: "manifest" },
    verdict: "errored",
    reason: known.code,
    notes: [],
    error: { code: known.code, message: known.message, at: { ...known.at } },
  };
}

/** The limit that a declared check is judged by. */
export function declaredLimit(check: AssuranceCheck): Pick<CheckResult["limit"], "op" | "value"> {
  if (check.check === "perf.metric") return { op: ">=", value: check.floor };
  return { op: "<=", value: check.check === "data.schema" ? 0 : check.max };
}

function cost(queries: number, started: number, options: RunSuiteOptions): CheckResult["cost"] {
  return { queries, wallMs: Math.max(0, options.now() - started) };
}

function summarise(results: readonly CheckResult[]): SuiteReport["summary"] {
  const summary = { pass: 0, fail: 0, insufficient_evidence: 0, errored: 0, not_applicable: 0 };
  for (const { verdict } of results) summary[verdict] += 1;
  return summary;
}

/** The gravest verdict speaks for the suite; a suite without checks has shown nothing. */
function overall(results: readonly CheckResult[]): SuiteReport["verdict"] {
  const found = new Set(results.map(({ verdict }) => verdict));
  if (found.has("fail")) return "fail";
  if (found.has("errored")) return "errored";
  return found.size === 1 && found.has("pass") ? "pass" : "insufficient_evidence";
}
