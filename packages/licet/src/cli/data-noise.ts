import { csvText, noisyCounts, noisySum, rhoOfBudget, secretNoise, tableOf, typedFrom, type Mechanism, type NoiseLoss, type Table } from "@licet/assurance";
import type { DataLineage, NoisyFigure } from "@licet/contract";
import { budgetFileOf, withBudget, type OpenBudget } from "./data-budget.ts";
import { lineageBase, outputOf, publish, targetOf } from "./data-output.ts";
import { deltaFor, figuresOf, parameterInvalid, positive } from "./data-parameters.ts";
import { reportRefusal, reportTransform } from "./data-report.ts";
import { readSource, requireColumns, type DataSource } from "./data-source.ts";
import { ownerNotes, spentOf } from "./data-spent.ts";
import type { BudgetCommandOptions } from "./data-synthesise.ts";
import type { ExitCode } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

export interface NoiseOptions extends BudgetCommandOptions {
  readonly count?: readonly string[];
  readonly sum?: readonly string[];
  readonly figures?: string;
  readonly mechanism: "laplace" | "gaussian";
}

/** Counts and sums with noise, paid for from the data's privacy budget: all of them, or none. */
export async function runNoise(named: string, options: NoiseOptions, terminal: Terminal): Promise<ExitCode> {
  const source = await readSource(named, options);
  const figures = figuresOf({ counts: options.count ?? [], sums: options.sum ?? [], file: options.figures });
  requireColumns(source.table, figures.map(({ column }) => column), "a figure");
  const epsilon = positive(options.epsilon, "--epsilon");
  const delta = options.delta === undefined ? undefined : deltaFor(options.delta, source.table.rows);
  const file = options.budgetFile ?? budgetFileOf(source.file);
  const target = targetOf(options, [source.file, file]);
  const total = options.total === undefined ? undefined : positive(options.total, "--total");
  return withBudget({ file, epsilon, ...(delta !== undefined && { delta }), ...(total !== undefined && { total }) }, (budget) => {
    const answered = answer(source, figures, { budget, mechanism: mechanismOf(options.mechanism, { epsilon, delta: budget.delta }, figures.length) });
    if (answered.kind === "refused") return reportRefusal(answered.reason, options, terminal);
    const output = outputOf(csvText(tableOf(["figure", "column", "value", "result", "expected_error"], transposed(answered.rows))));
    const lineage: DataLineage = {
      ...lineageBase(source, output, target),
      method: "noise",
      parameters: { figures: [...figures], mechanism: options.mechanism, epsilon, delta: budget.delta },
      randomness: { kind: "secret" },
      privacy: { spent: spentOf(budget) },
      loss: { figures: [...answered.losses] },
      notes: [...ownerNotes(epsilon)],
    };
    budget.record({ command: "noise", source: source.digest, output: output.digest });
    publish(target, output, lineage);
    return reportTransform({ lineage, target }, options, terminal);
  });
}

/** The run's epsilon in equal parts. */
function mechanismOf(kind: NoiseOptions["mechanism"], run: { readonly epsilon: number; readonly delta: number }, figures: number): Mechanism {
  if (kind === "laplace") return { kind, epsilon: run.epsilon / figures };
  if (run.delta === 0) throw parameterInvalid("gaussian noise needs `--delta`, such as 1e-6, from the first run on a budget on");
  // A hair less than all, so that rounding refuses nothing.
  return { kind, rho: (rhoOfBudget(run) * (1 - 1e-9)) / figures };
}

type FigureLoss = NoiseLoss & { readonly column: string; readonly figure: NoisyFigure["figure"] };
type Answered = { readonly kind: "refused"; readonly reason: string } | { readonly kind: "answered"; readonly rows: readonly (readonly string[])[]; readonly losses: readonly FigureLoss[] };

function answer({ table }: DataSource, figures: readonly NoisyFigure[], { budget, mechanism }: { readonly budget: OpenBudget; readonly mechanism: Mechanism }): Answered {
  const options = { mechanism, accountant: budget.accountant, source: secretNoise() };
  const categories = typed(table, figures.filter(({ figure }) => figure === "count"), "category");
  const numbers = typed(table, figures.filter(({ figure }) => figure === "sum"), "number");
  const rows: (readonly string[])[] = [];
  const losses: FigureLoss[] = [];
  for (const each of figures) {
    const { column } = each;
    const noisy = each.figure === "count" ? noisyCounts(categories, { column, categories: each.values }, options) : noisySum(numbers, each, options);
    if (noisy.kind === "refused") return noisy;
    const error = String(noisy.loss.expectedError);
    const results = typeof noisy.figures === "number" ? [{ category: "", count: noisy.figures }] : noisy.figures;
    rows.push(...results.map(({ category, count }) => [each.figure, column, category, String(count), error]));
    losses.push({ column, figure: each.figure, ...noisy.loss });
  }
  return { kind: "answered", rows, losses };
}

function typed(table: Table, figures: readonly NoisyFigure[], kind: "category" | "number"): ReturnType<typeof typedFrom> {
  return typedFrom(table, Object.fromEntries(figures.map(({ column }) => [column, kind])));
}

function transposed(rows: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return (rows[0] ?? []).map((_, column) => rows.map((row) => row[column] ?? ""));
}
