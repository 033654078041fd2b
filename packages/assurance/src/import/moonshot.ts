import { z } from "zod";
import { jsonOf, shaped } from "./read.ts";
import { requireEqual, unfinished } from "./refusal.ts";
import type { ImportedItem, ImportedValue, ReadReport } from "./report.ts";
import { blank, rateOfRows, type Row } from "./rows.ts";
import { signOf } from "./sign-convention.ts";

const count = z.int().nonnegative();
const Prediction = z.union([z.string(), z.looseObject({ response: z.string().nullish() })]).nullish();
const Detail = z.looseObject({
  model_id: z.string(),
  dataset_id: z.string(),
  prompt_template_id: z.string().optional(),
  data: z.array(z.looseObject({ prompt: z.string(), predicted_result: Prediction, target: z.unknown().optional() })),
  metrics: z.array(z.record(z.string(), z.unknown())).optional(),
});
const Recipe = z.looseObject({ id: z.string(), details: z.array(Detail), total_num_of_prompts: count.optional() });
const Report = z.looseObject({
  metadata: z.looseObject({ id: z.string(), status: z.string(), duration: z.number().optional() }),
  results: z.looseObject({
    recipes: z.array(Recipe).optional(),
    cookbooks: z.array(z.looseObject({ id: z.string(), recipes: z.array(Recipe), total_num_of_prompts: count.optional() })).optional(),
  }),
});

type Recipe = z.infer<typeof Recipe>;
type Detail = z.infer<typeof Detail>;

/**
 * Moonshot's benchmark results. Rows hold prompt, answer and target, and no outcome: only exact matching can be counted again, where its
 * metric is named. Every other row is unassessed, and the tool's metrics are shown as figures that decide nothing. The run ended when the
 * state is `completed`. Source: moonshot `src/results/result_arguments.py`, moonshot-ui `CookbooksBenchmarkResult`.
 */
export function readMoonshot(bytes: Uint8Array): ReadReport {
  const { metadata, results } = shaped(Report, jsonOf(bytes), "the results");
  if (metadata.status.toLowerCase() !== "completed") throw unfinished(`the run is in state \`${metadata.status.slice(0, 40)}\`: run it to its end`);
  const recipes = [...(results.recipes ?? []), ...(results.cookbooks ?? []).flatMap((cookbook) => cookbook.recipes)];
  for (const { id, details, total_num_of_prompts: total } of recipes) requireEqual(`prompts of the recipe \`${id}\``, total, promptsOf(details));
  const items = recipes.flatMap((recipe) => recipe.details.flatMap((detail) => itemsOf(recipe, detail)));
  return { tool: "moonshot", toolVersion: null, items, notes: items.some(({ kind }) => kind === "value") ? ["metrics without an outcome for each row decide nothing"] : [] };
}

/** The total is for one model: every model answers the same prompts. */
function promptsOf(details: readonly Detail[]): number {
  const sums = new Map<string, number>();
  for (const { model_id: model, data } of details) sums.set(model, (sums.get(model) ?? 0) + data.length);
  return Math.max(0, ...sums.values());
}

function itemsOf(recipe: Recipe, detail: Detail): readonly ImportedItem[] {
  const id = [recipe.id, detail.model_id, detail.dataset_id, detail.prompt_template_id ?? ""].filter((part) => part !== "").join(" ");
  const metrics = (detail.metrics ?? []).flatMap((metric) => Object.entries(metric));
  const exact = metrics.some(([name]) => /exact_?str_?match/iu.test(name));
  const rows = detail.data.map((row): Row => {
    const predicted = typeof row.predicted_result === "string" ? row.predicted_result : row.predicted_result?.response;
    if (blank(predicted)) return { cluster: row.prompt, outcome: "unassessed", why: "empty" };
    if (!exact || row.target === undefined || row.target === null) return { cluster: row.prompt, outcome: "unassessed", why: "no_outcome" };
    const targets: readonly unknown[] = Array.isArray(row.target) ? row.target : [row.target];
    return { cluster: row.prompt, outcome: targets.some((target) => String(target) === predicted) ? "no_event" : "event" };
  });
  const values = metrics.flatMap(([name, value]): readonly ImportedValue[] => (typeof value === "number" ? [{ kind: "value", id: `${id} ${name}`, value, method: name, sign: signOf("moonshot", name) }] : []));
  return [rateOfRows(rows, { id, event: "no exact match" }), ...values];
}
