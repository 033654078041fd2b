import { z } from "zod";
import { ArtifactCheck } from "./assurance/artifact.ts";
import { alphaMax, DatasetReuse } from "./assurance/attempts.ts";
import { DataCheck } from "./assurance/data.ts";
import { columnName, componentName, declared, scored, share } from "./assurance/declared.ts";
import { DriftCheck } from "./assurance/drift.ts";
import { ImportCheck } from "./assurance/import.ts";
import { DefenceCheck, HarmCheck, LanguageCheck, LanguageFigureCheck } from "./assurance/language.ts";
import { ModelCheck } from "./assurance/models.ts";
import { LatencyCheck } from "./assurance/ops.ts";
import { PoisonCheck } from "./assurance/poison.ts";
import { RegressionCheck } from "./assurance/regression.ts";
import { RobustnessCheck } from "./assurance/robustness.ts";
import { patternRefusal } from "./linear-pattern.ts";
import { Digest } from "./vocabulary.ts";

const count = z.int().nonnegative();

/** What one column must hold. An empty cell is judged by `required` alone. `min`, `max`: numbers, or ISO dates for `date`. */
export const ColumnRule = z
  .strictObject({
    type: z.enum(["string", "number", "integer", "boolean", "date"]),
    required: z.boolean().optional(),
    min: z.union([z.number(), z.string()]).optional(),
    max: z.union([z.number(), z.string()]).optional(),
    enum: z.array(z.union([z.string(), z.number()])).min(1).max(10_000).optional(),
    /** Regular expression for the whole cell, as it stands in the file: without groups, with one variable quantifier at most. */
    pattern: z.string().min(1).max(200).optional(),
  })
  .refine(({ pattern }) => pattern === undefined || patternRefusal(pattern) === undefined, { path: ["pattern"], error: "`pattern` is for the whole cell: literals, classes, no groups, and one variable quantifier at most" })
  .refine((rule) => [rule.min, rule.max].every((bound) => bound === undefined || boundFits(rule.type, bound)), {
    error: "`min` and `max` are numbers for number and integer, ISO dates for date, and mean nothing for other types",
  });

function boundFits(type: string, bound: number | string): boolean {
  if (typeof bound === "number") return type === "number" || type === "integer";
  if (type !== "date" || !/^\d{4}-\d{2}-\d{2}$/u.test(bound)) return false;
  const time = new Date(`${bound}T00:00:00Z`);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(bound);
}

export const DataSchemaCheck = z.strictObject({
  check: z.literal("data.schema"),
  ...declared,
  dataset: componentName,
  columns: z.record(columnName, ColumnRule).refine((columns) => Object.keys(columns).length > 0, {
    error: "a schema without columns checks nothing: name at least one",
  }),
  /** Largest share of rows that break a rule. Default 0, which is a census: not one row. */
  max: share.optional(),
});

export const DataMissingCheck = z.strictObject({
  check: z.literal("data.missing"),
  ...declared,
  dataset: componentName,
  /** Largest share of missing cells in any column, 0 to 1. 0 is a census: not one empty cell. */
  max: share,
  /** Default: every column. */
  columns: z.array(columnName).min(1).optional(),
  /** What else stands for nothing, such as -999 or `unknown`. */
  sentinels: z.array(z.union([z.string().max(500), z.number()])).min(1).max(100).optional(),
});

export const PerformanceCheck = z.strictObject({
  check: z.literal("perf.metric"),
  ...declared,
  ...scored,
  metric: z.enum(["accuracy", "recall", "precision", "specificity", "auc"]),
  floor: share,
});

/** `median-split`: `high` is a value >= the median of the same column in the data set `of`; the rest is `low`. */
export const GroupTransform = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("value") }),
  z.strictObject({ kind: z.literal("median-split"), of: componentName }),
]);

/** `and`: groups are the combinations with a second column; those with fewer than 30 rows are named and not compared. */
export const FairnessGroup = z.strictObject({ name: componentName, column: columnName, transform: GroupTransform, and: z.strictObject({ column: columnName, transform: GroupTransform }).optional() });

const fairness = { ...declared, ...scored, group: FairnessGroup, max: share };

export const FairnessCheck = z.discriminatedUnion("check", [
  z.strictObject({ check: z.literal("fair.opportunity"), ...fairness }),
  z.strictObject({ check: z.literal("fair.parity"), ...fairness }),
  z.strictObject({ check: z.literal("fair.odds"), ...fairness }),
]);

export const AssuranceCheck = z.discriminatedUnion("check", [
  DataSchemaCheck,
  DataMissingCheck,
  PerformanceCheck,
  FairnessCheck,
  DataCheck,
  DriftCheck,
  ModelCheck,
  ArtifactCheck,
  LanguageCheck,
  LanguageFigureCheck,
  HarmCheck,
  DefenceCheck,
  ImportCheck,
  RobustnessCheck,
  RegressionCheck,
  LatencyCheck,
  PoisonCheck,
]);

/** The `assurance:` section of the manifest: which checks, on which declared components, against which limits. */
export const AssuranceSection = z.strictObject({
  /** What all attempts of one check on one subject may spend together; each takes its part. Default 0.05. */
  alpha: z.number().positive().max(alphaMax).optional(),
  checks: z
    .array(AssuranceCheck)
    .max(200)
    .refine((checks) => new Set(checks.map((check) => check.id)).size === checks.length, {
      error: "two checks have the same `id`: give each its own",
    }),
});

/** A record is derived again by the server, so what it may ask to compute is bounded. */
const countMax = 10_000_000;
const figuresCharactersMax = 1_000_000;
const trials = count.max(countMax);

/** Counts from which a verdict can be derived again, without data or model. */
const RateCount = z.object({ name: z.string().max(500), events: trials, n: trials });
const degenerate = z.enum(["constant_predictions", "one_class"]).nullable();

export const CheckBasis = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("none"), reason: z.string().max(100) }),
  z.object({ kind: z.literal("census"), violations: trials, n: trials }),
  z.object({ kind: z.literal("columns"), columns: z.array(RateCount).max(4096) }),
  /** These three stand in results of `perf.metric` and of the fairness checks in version 1 only; later ones record statistics. */
  z.object({ kind: z.literal("rate"), events: trials, n: trials, degenerate }),
  z.object({ kind: z.literal("auc"), wins: count, ties: count, positives: trials, negatives: trials, degenerate }),
  z.object({
    kind: z.literal("differences"),
    families: z.array(z.object({ rate: z.enum(["selection", "tpr", "fpr"]), groups: z.array(RateCount).max(50) })).max(2),
    degenerate,
  }),
  /** Figures of one kind of check, in the form that the engine knows for it. */
  z.object({
    kind: z.literal("statistics"),
    of: z.string().max(100),
    figures: z.record(z.string(), z.unknown()).refine((figures) => JSON.stringify(figures).length <= figuresCharactersMax, { error: `figures take at most ${figuresCharactersMax} characters` }),
  }),
]);

export const CheckVerdict = z.enum(["pass", "fail", "insufficient_evidence", "errored", "not_applicable"]);

const Interval = z.object({
  method: z.string(),
  /** Confidence of each side when `sides` is 1, of both together when 2. */
  level: z.number(),
  sides: z.union([z.literal(1), z.literal(2)]),
  lower: z.number().nullable(),
  upper: z.number().nullable(),
});

/** What is known of a model that is only seen through its answers. */
const Served = z.object({
  /** Without credentials and query. */
  url: z.string().max(2000),
  model: z.string().max(500),
  /** That answered every time; null where it says none. */
  version: z.string().max(500).nullable(),
  /** Of the metadata that it gives of itself. */
  metadata: Digest.nullable(),
  /** `attested`: the server says the declared digest. `unseen`: nothing is known of the weights. */
  weights: z.enum(["attested", "unseen"]),
});

/** Another interpreter of the same model file: `compared` with ours on some rows, `scored` in its place where ours lacks an operator, or `silent` because it could not run it. */
const Interpreter = z.object({
  name: z.string().max(100),
  version: z.string().max(100),
  part: z.enum(["compared", "scored", "silent"]),
  rows: count,
  /** Largest difference between two scores; null where none was compared. */
  deviation: z.number().nonnegative().nullable(),
  /** The operator that ours lacks, or why it is silent. */
  why: z.string().max(500).optional(),
});

/** One test in an assessment, with everything that its verdict was derived from. Figures have 12 significant digits. */
export const CheckResult = z.object({
  schema: z.literal("licet.assurance.result/v1"),
  id: z.string(),
  label: z.string().optional(),
  check: z.string(),
  checkVersion: z.string(),
  engine: z.object({ name: z.string(), version: z.string(), digest: Digest }),
  subject: z.object({
    kind: z.enum(["onnx", "oip", "http", "openai", "table", "artifact", "import"]),
    id: z.string(),
    /** Of the file; of what is declared about it where only an endpoint is known. null only when the run stopped before it was read. */
    digest: Digest.nullable(),
    /** Of an endpoint: all that was seen of what answered. */
    served: Served.optional(),
    /** Of a model file, where another interpreter was there. */
    interpreter: Interpreter.optional(),
  }),
  inputs: z.array(
    z.object({
      role: z.enum(["test", "reference", "train", "prompts", "judge_labels", "judge"]),
      id: z.string(),
      digest: Digest,
      rows: count,
    }),
  ),
  scope: z.object({ slice: z.string().optional(), group: z.string().optional(), attackClass: z.string().optional() }).optional(),
  estimate: z.number().nullable(),
  unit: z.string(),
  interval: Interval.nullable(),
  counts: z.object({
    attempted: trials,
    assessed: trials,
    unassessed: trials,
    clusters: count.optional(),
    nEffective: z.number().optional(),
    events: count.optional(),
  }),
  basis: CheckBasis,
  limit: z.object({ op: z.enum(["<=", ">="]), value: z.number(), alpha: z.number(), source: z.string() }),
  verdict: CheckVerdict,
  reason: z.string().optional(),
  /** Cases of the kind that `basis` counts, which would decide it with 80 % power at today's estimate. */
  requiredN: count.optional(),
  /** What a person should look at first: worst columns, worst pair of groups. Sentences. */
  notes: z.array(z.string().max(2000)).max(5000),
  error: z.object({ code: z.string(), message: z.string(), at: z.record(z.string(), z.unknown()) }).optional(),
  attempt: z.object({
    index: z.int().positive(),
    alphaSpent: z.number(),
    /** Results of the attempts before; of one without a result, its ticket. */
    previous: z.array(z.string()),
    /** The result of another producer that was made again: nothing was spent a second time. */
    repeats: z.string().optional(),
  }),
  /** How often each data set has judged something of this system, this time included. Not known in practice runs. */
  reuse: z.array(DatasetReuse).optional(),
  seed: z.string(),
  cost: z.object({ queries: count, tokens: count.optional(), wallMs: z.number().nonnegative() }),
  evidence: z.array(z.object({ mediaType: z.string(), digest: Digest })),
  origin: z.union([
    z.literal("native"),
    z.object({ importedFrom: z.string(), toolVersion: z.string().optional(), recomputed: z.boolean() }),
  ]),
});

/** All results of one run of an assurance section. `verdict` is pass only when every check passed. */
export const SuiteReport = z.object({
  schema: z.literal("licet.assurance.report/v1"),
  release: z.string().nullable(),
  seed: z.string(),
  engine: z.object({ name: z.string(), version: z.string(), digest: Digest }),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  verdict: z.enum(["pass", "fail", "insufficient_evidence", "errored"]),
  summary: z.record(CheckVerdict, count),
  results: z.array(CheckResult),
});

export type AssuranceSection = z.infer<typeof AssuranceSection>;
export type AssuranceCheck = z.infer<typeof AssuranceCheck>;
export type ColumnRule = z.infer<typeof ColumnRule>;
export type DataSchemaCheck = z.infer<typeof DataSchemaCheck>;
export type DataMissingCheck = z.infer<typeof DataMissingCheck>;
export type PerformanceCheck = z.infer<typeof PerformanceCheck>;
export { alphaMax, repeatMsDefault, reuseMax, ReservedAttempt, SettledCheck, DatasetReuse, RepeatView } from "./assurance/attempts.ts";
export { RunnerBudget, runnerDefaults, RunnerSettings, RunnerView } from "./assurance/runner.ts";
export type { ArtifactCheck } from "./assurance/artifact.ts";
export type { DataCheck } from "./assurance/data.ts";
export type { DriftCheck } from "./assurance/drift.ts";
export { gateKindOf, gateKinds, limitMember } from "./assurance/gate-kinds.ts";
export { importFormats, type ImportCheck } from "./assurance/import.ts";
export { attackCheckIds, taskCheckIds, type DefenceCheck, type HarmCheck, type LanguageCheck, type LanguageFigureCheck } from "./assurance/language.ts";
export type { RegressionCheck } from "./assurance/regression.ts";
export type { RobustnessCheck } from "./assurance/robustness.ts";
export type { ModelCheck } from "./assurance/models.ts";
export type { LatencyCheck } from "./assurance/ops.ts";
export type { PoisonCheck } from "./assurance/poison.ts";
export type FairnessCheck = z.infer<typeof FairnessCheck>;
export type FairnessGroup = z.infer<typeof FairnessGroup>;
export type CheckBasis = z.infer<typeof CheckBasis>;
export type CheckVerdict = z.infer<typeof CheckVerdict>;
export type CheckResult = z.infer<typeof CheckResult>;
export type SuiteReport = z.infer<typeof SuiteReport>;
