import { type AssuranceCheck, type AssuranceSection, type CheckResult, LicetError, type SuiteReport } from "@licet/contract";
import { componentsOf, declaredLimit, definitionFor } from "../checks/catalogue.ts";
import type { Measured } from "../checks/definition.ts";
import type { LanguageTargets, ResumedTargets } from "../checks/language-targets.ts";
import type { PersonalDataDetector } from "../data/personal-data.ts";
import { engine } from "../engine.ts";
import { decide } from "../verdict/decide.ts";
import { Components, type ResolveComponent } from "./component.ts";
import type { PlannedRun } from "./attempts.ts";
import { type MeasurementCache, measurementKey } from "./measurement-cache.ts";
import type { ModelsOptions } from "./models-under-test.ts";
import { unanswered } from "./unanswered.ts";

export type Attempt = CheckResult["attempt"];

export type Progress =
  | { readonly kind: "started"; readonly id: string; readonly index: number; readonly total: number }
  | { readonly kind: "finished"; readonly id: string; readonly index: number; readonly total: number; readonly result: CheckResult; readonly remembered: boolean };

export interface RunSuiteOptions {
  /** The `assurance:` section of the manifest, parsed. */
  readonly suite: AssuranceSection;
  /** Folder of the manifest; no file outside it is read. */
  readonly root: string;
  /** Component name to file and digest. */
  readonly resolve: ResolveComponent;
  /** Recorded in every result, drawn by whoever issues the ticket: what a check draws comes from it and the check's id. */
  readonly seed: string;
  /** Release digest, or null for practice. */
  readonly release: string | null;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onProgress?: (progress: Progress) => void;
  /** Which attempt this is and the alpha it may spend, from the attempt ledger. Default: the first, at 0.05. */
  readonly attempt?: (check: AssuranceCheck) => Attempt;
  /** The same with everything else that a ticket says of a check; stands above `attempt` and `seed`. See `runOfTicket`. */
  readonly planned?: (check: AssuranceCheck) => PlannedRun | undefined;
  /** Measurements of earlier runs: what has not changed since is not measured again. Default: none. */
  readonly cache?: MeasurementCache;
  /** Where models of providers answer. Default: nowhere, and checks that ask one are errored. */
  readonly language?: LanguageTargets;
  /** Kinds of personal data in a cell. Default: none are looked for, and checks that do are errored. */
  readonly personalData?: PersonalDataDetector;
  /** Rows of one table. Default: as any table. */
  readonly rowsMax?: number;
  /** Where models without a file answer, and how those with one are run. Default: nowhere; in a process of their own, within limits. */
  readonly models?: ModelsOptions;
}

const firstAttempt: Attempt = { index: 1, alphaSpent: 0.05, previous: [] };

/**
 * Runs every check of an assurance section on real files and returns all results, whatever happens to one of them.
 * A file that is missing, changed or unreadable makes its checks `errored`; nothing but evidence makes a pass.
 * Never throws for what a file contains.
 */
export async function runSuite(options: RunSuiteOptions): Promise<SuiteReport> {
  const { suite, now, onProgress } = options;
  await using checks = openSuite(options);
  const startedAt = new Date(now()).toISOString();
  const results: CheckResult[] = [];
  const total = suite.checks.length;
  for (const [index, check] of suite.checks.entries()) {
    onProgress?.({ kind: "started", id: check.id, index, total });
    const { result, remembered } = await checks.run(check);
    results.push(result);
    onProgress?.({ kind: "finished", id: check.id, index, total, result, remembered });
  }
  return suiteReport(results, { release: options.release, seed: options.seed, startedAt, finishedAt: new Date(now()).toISOString() });
}

/** Checks of one suite, run one after the other in any order: no result depends on which others are run here. */
export interface OpenSuite extends AsyncDisposable {
  /** Never rejects for what a file contains. */
  run(check: AssuranceCheck): Promise<Ran>;
}

/** For whoever shares a suite out among threads. What was read for one check is there for the next. */
export function openSuite(options: Omit<RunSuiteOptions, "suite" | "onProgress">): OpenSuite {
  const components = new Components(options.root, options.resolve, { ...options.models, ...(options.rowsMax !== undefined && { rowsMax: options.rowsMax }) });
  return { run: (check) => runCheck(check, components, options), [Symbol.asyncDispose]: () => components[Symbol.asyncDispose]() };
}

/** The result of a check that was broken off, or whose thread ended: nothing was shown. */
export function abortedResult(check: AssuranceCheck, message: string, options: Pick<RunSuiteOptions, "seed" | "planned">): CheckResult {
  const { base, attempt } = identityOf(check, options);
  return { ...base, ...nothing(check, attempt), basis: { kind: "none", reason: "aborted" }, verdict: "insufficient_evidence", reason: "aborted", notes: [message], cost: { queries: 0, wallMs: 0 } };
}

/** The report of results that are there, wherever they were made. */
export function suiteReport(results: readonly CheckResult[], run: Pick<SuiteReport, "release" | "seed" | "startedAt" | "finishedAt">): SuiteReport {
  return { schema: "licet.assurance.report/v1", ...run, engine: results[0]?.engine ?? engine, verdict: overall(results), summary: summarise(results), results: [...results] };
}

export interface Ran {
  readonly result: CheckResult;
  /** Its measurement was made by an earlier run. */
  readonly remembered: boolean;
}

type SuiteOptions = Omit<RunSuiteOptions, "suite" | "onProgress">;

function identityOf(check: AssuranceCheck, options: Pick<RunSuiteOptions, "seed" | "planned" | "attempt">): { readonly base: Identity; readonly attempt: Attempt; readonly drawSeed: string } {
  const { attempt, seed, drawnAs, reuse } = planOf(check, options);
  const base: Identity = {
    schema: "licet.assurance.result/v1",
    id: check.id,
    ...(check.label === undefined ? {} : { label: check.label }),
    check: check.check,
    checkVersion: definitionFor(check).version,
    engine,
    attempt,
    seed,
    evidence: [],
    ...(reuse.length === 0 ? {} : { reuse: [...reuse] }),
  };
  return { base, attempt, drawSeed: `${seed}/${drawnAs}` };
}

function planOf(check: AssuranceCheck, options: Pick<RunSuiteOptions, "seed" | "planned" | "attempt">): PlannedRun {
  return options.planned?.(check) ?? { attempt: options.attempt?.(check) ?? firstAttempt, seed: options.seed, drawnAs: check.id, reuse: [] };
}

async function runCheck(check: AssuranceCheck, components: Components, options: SuiteOptions): Promise<Ran> {
  const started = options.now();
  const { base, attempt, drawSeed } = identityOf(check, options);
  const files = components.forCheck();
  try {
    const { measured, remembered } = await measuredOf(check, files, { ...options, drawSeed, alpha: attempt.alphaSpent });
    return { result: { ...base, ...concluded(measured, attempt), cost: cost(remembered ? 0 : measured.measurement.queries, started, options) }, remembered };
  } catch (error) {
    const silence = unanswered(error);
    const fields = silence === undefined ? errored(check, error, attempt) : unmeasured(check, silence, { attempt, files });
    return { result: { ...base, ...fields, cost: cost(0, started, options) }, remembered: false };
  }
}

async function measuredOf(check: AssuranceCheck, components: Components, options: Measuring): Promise<{ readonly measured: Measured; readonly remembered: boolean }> {
  const { cache, resolve, drawSeed: seed } = options;
  const definition = definitionFor(check);
  const files = await Promise.all(definition.components(check).map(async (name) => resolve(name)));
  const digests = files.flatMap((file) => (file === undefined ? [] : [file.digest]));
  // What is not there cannot be what it was.
  const key = cache === undefined || definition.fresh === true || digests.length < files.length ? undefined : measurementKey({ check, definition, digests, seed: `${seed}/${options.alpha}`, peer: options.models?.peer });
  const before = key === undefined ? undefined : await cache?.read(key);
  if (before !== undefined) return { measured: before, remembered: true };
  const found = await measuredNow(check, components, options);
  await components.settle();
  const measured = { ...found, measurement: { ...found.measurement, notes: [...found.measurement.notes, ...components.notes()] } };
  if (key !== undefined) await cache?.write(key, measured);
  return { measured, remembered: false };
}

type Measuring = SuiteOptions & { readonly drawSeed: string; readonly alpha: number };

/** Answers that were kept of a run that was broken off are worth nothing beside answers of another version of the model: then everything is asked. */
async function measuredNow(check: AssuranceCheck, components: Components, options: Measuring): Promise<Measured> {
  const { drawSeed: seed, alpha, language, personalData } = options;
  const resumed = language?.forCheck?.({ id: check.id, seed });
  const measure = (targets: LanguageTargets | undefined) => definitionFor(check).measure(check, components, { seed, alpha, language: targets, personalData });
  if (resumed === undefined) return measure(language);
  const measured = await unlessChanged(resumed, () => measure(resumed.targets));
  return measured ?? measure(language?.forCheck?.({ id: check.id, seed }).targets);
}

/** What was kept answers under the old name, and what is asked now under the new one: a check may have seen that by itself. */
async function unlessChanged(resumed: ResumedTargets, measure: () => Promise<Measured>): Promise<Measured | undefined> {
  try {
    const measured = await measure();
    return resumed.changed() ? undefined : measured;
  } catch (error) {
    if (error instanceof LicetError && error.code === "subject_stale" && resumed.changed()) return undefined;
    throw error;
  }
}

type Identity = Pick<CheckResult, "schema" | "id" | "label" | "check" | "checkVersion" | "engine" | "attempt" | "seed" | "evidence" | "reuse">;
type Fields = Omit<CheckResult, keyof Identity | "cost">;

function concluded({ measurement, subject, inputs, group, origin = "native" }: Measured, attempt: Attempt): Fields {
  const { basis, counts, unit, notes } = measurement;
  const limit = { ...measurement.limit, alpha: attempt.alphaSpent, source: "manifest" };
  const scope = group === undefined ? {} : { scope: { group } };
  return { subject, inputs: [...inputs], ...scope, unit, counts, basis, limit, ...decide(basis, limit, counts), notes: [...notes], origin };
}

function errored(check: AssuranceCheck, error: unknown, attempt: Attempt): Fields {
  const known = error instanceof LicetError ? error : new LicetError("internal", { cause: error });
  return {
    ...nothing(check, attempt),
    basis: { kind: "none", reason: "tool_error" },
    verdict: "errored",
    reason: known.code,
    notes: [],
    error: { code: known.code, message: known.message, at: { ...known.at } },
  };
}

/** What was tested gave no answer, or was not what it was: nothing is wrong with the check, and nothing was shown. */
function unmeasured(check: AssuranceCheck, { reason, message }: NonNullable<ReturnType<typeof unanswered>>, { attempt, files }: { readonly attempt: Attempt; readonly files: Components }): Fields {
  const [subject = ""] = componentsOf(check);
  const seen = files.subjectOf(subject);
  return { ...nothing(check, attempt), ...(seen !== undefined && { subject: seen }), basis: { kind: "none", reason }, verdict: "insufficient_evidence", reason, notes: [message] };
}

function nothing(check: AssuranceCheck, attempt: Attempt): Pick<Fields, "subject" | "inputs" | "estimate" | "interval" | "unit" | "counts" | "limit" | "origin"> {
  return {
    subject: declaredSubject(check),
    inputs: [],
    estimate: null,
    interval: null,
    unit: "none",
    counts: { attempted: 0, assessed: 0, unassessed: 0 },
    limit: { ...declaredLimit(check), alpha: attempt.alphaSpent, source: "manifest" },
    origin: "native",
  };
}

/** What a check is about, by name, before its file was read. */
function declaredSubject(check: AssuranceCheck): CheckResult["subject"] {
  const [id = ""] = componentsOf(check);
  if ("report" in check) return { kind: "import", id, digest: null };
  if ("artifact" in check) return { kind: "artifact", id, digest: null };
  if (check.check.startsWith("llm.")) return { kind: "openai", id, digest: null };
  return { kind: "model" in check ? "onnx" : "table", id, digest: null };
}

function cost(queries: number, started: number, options: Pick<RunSuiteOptions, "now">): CheckResult["cost"] {
  return { queries, wallMs: Math.max(0, options.now() - started) };
}

function summarise(results: readonly CheckResult[]): SuiteReport["summary"] {
  const summary = { pass: 0, fail: 0, insufficient_evidence: 0, errored: 0, not_applicable: 0 };
  for (const { verdict } of results) summary[verdict] += 1;
  return summary;
}

/** The gravest verdict speaks for the suite; a suite without checks has shown nothing. */
function overall(results: readonly CheckResult[]): SuiteReport["verdict"] {
  // What decides nothing by itself decides nothing here.
  const found = new Set(results.filter(({ reason }) => reason !== "advisory").map(({ verdict }) => verdict));
  if (found.has("fail")) return "fail";
  if (found.has("errored")) return "errored";
  return found.size === 1 && found.has("pass") ? "pass" : "insufficient_evidence";
}
