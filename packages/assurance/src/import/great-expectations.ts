import { z } from "zod";
import { jsonOf, shaped } from "./read.ts";
import { inconsistent, requireEqual } from "./refusal.ts";
import type { ImportedItem, ReadReport } from "./report.ts";

const count = z.int().nonnegative();
const Exception = z.union([z.looseObject({ raised_exception: z.boolean() }), z.record(z.string(), z.unknown())]).nullish();
const Result = z.looseObject({
  success: z.boolean().nullable(),
  expectation_config: z.looseObject({ expectation_type: z.string().optional(), type: z.string().optional(), kwargs: z.looseObject({ column: z.string().optional(), mostly: z.number().optional() }).nullish() }).nullish(),
  result: z.looseObject({ element_count: count.nullish(), unexpected_count: count.nullish(), missing_count: count.nullish() }).nullish(),
  exception_info: Exception,
});
const Statistics = z.looseObject({ evaluated_expectations: count, successful_expectations: count, unsuccessful_expectations: count });
const Report = z.looseObject({
  success: z.boolean().nullable(),
  results: z.array(Result),
  statistics: Statistics,
  meta: z.looseObject({ great_expectations_version: z.string().optional() }).nullish(),
});

type Result = z.infer<typeof Result>;

/**
 * A validation result of Great Expectations. Each expectation holds or not; one that raised an exception is unassessed. Where rows were
 * counted, each gives a rate of unexpected values, too, over the values that are not missing. The statistics close the run, and have to
 * follow from the results. Source: great_expectations `core/expectation_validation_result.py`.
 */
export function readGreatExpectations(bytes: Uint8Array): ReadReport {
  const { success, results, statistics, meta } = shaped(Report, jsonOf(bytes), "the validation result");
  const successful = results.filter((result) => result.success === true).length;
  requireEqual("evaluated expectations", statistics.evaluated_expectations, results.length);
  requireEqual("successful expectations", statistics.successful_expectations, successful);
  requireEqual("unsuccessful expectations", statistics.unsuccessful_expectations, results.length - successful);
  if (success !== null && success !== (successful === results.length)) throw inconsistent("the overall success does not follow from the results");
  for (const result of results) if (raised(result) && result.success === true) throw inconsistent(`\`${nameOf(result)}\` raised an exception and succeeded`);
  const judged = results.filter((result) => !raised(result) && result.success !== null);
  const failed = judged.filter((result) => result.success === false);
  const census: ImportedItem = {
    kind: "census",
    id: "expectations",
    n: judged.length,
    violations: failed.length,
    unassessed: results.length - judged.length,
    complete: true,
    evidence: "assertions",
    found: Object.fromEntries(failed.slice(0, 200).map((result, index) => [`${index + 1}. ${nameOf(result)}`, result.result?.unexpected_count ?? 1])),
  };
  return { tool: "great_expectations", toolVersion: meta?.great_expectations_version ?? null, items: [census, ...judged.flatMap(rateOf)] };
}

/** Newer versions key the exception by metric. */
function raised({ exception_info: info }: Result): boolean {
  if (info === null || info === undefined) return false;
  if (info["raised_exception"] !== undefined) return info["raised_exception"] === true;
  return Object.values(info).some((part) => z.looseObject({ raised_exception: z.literal(true) }).safeParse(part).success);
}

function nameOf({ expectation_config: config }: Result): string {
  return [config?.type ?? config?.expectation_type ?? "expectation", config?.kwargs?.column ?? ""].filter((part) => part !== "").join(" ").slice(0, 200);
}

function mostlyOf({ expectation_config: config }: Result): number {
  return config?.kwargs?.mostly ?? 1;
}

/** Null and absent are one. */
function countOf(value: number | null | undefined): number {
  return value ?? Number.NaN;
}

function rateOf(result: Result): readonly ImportedItem[] {
  const events = countOf(result.result?.unexpected_count);
  const n = countOf(result.result?.element_count) - (result.result?.missing_count ?? 0);
  if (Number.isNaN(events) || Number.isNaN(n)) return [];
  if (n < events) throw inconsistent(`\`${nameOf(result)}\` has more unexpected values than values`);
  if (n > 0 && result.success !== ((n - events) / n >= mostlyOf(result))) throw inconsistent(`\`${nameOf(result)}\`: success does not follow from its counts`);
  // Rows stand in the report as counts, which cannot be counted again: they describe, and the census decides.
  return [{ kind: "value", id: nameOf(result), value: n === 0 ? null : events / n, method: `unexpected of ${n}`, sign: "event_share" }];
}
