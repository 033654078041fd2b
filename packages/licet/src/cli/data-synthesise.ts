import { castNumber, csvText, isMissing, secretNoise, synthesise, tableBounds, type CodedDomain, type Table } from "@licet/assurance";
import type { ColumnDomain, DataLineage } from "@licet/contract";
import { budgetFileOf, withBudget } from "./data-budget.ts";
import { lineageBase, outputOf, publish, targetOf, type OutputOptions } from "./data-output.ts";
import { deltaFor, domainsOf, parameterInvalid, positive, wholeFrom } from "./data-parameters.ts";
import { reportRefusal, reportTransform, type ReportOptions } from "./data-report.ts";
import { readSource, requireColumns, type SourceOptions } from "./data-source.ts";
import { ownerNotes, spentOf } from "./data-spent.ts";
import type { ExitCode } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

export interface BudgetCommandOptions extends SourceOptions, OutputOptions, ReportOptions {
  readonly epsilon: string;
  readonly delta?: string;
  readonly total?: string;
  readonly budgetFile?: string;
}

export interface SynthesiseOptions extends BudgetCommandOptions {
  readonly column?: readonly string[];
  readonly domains?: string;
  readonly rows: string;
}

type Domains = Readonly<Record<string, ColumnDomain>>;

/** Draws a new table from noisy counts of the real one, and pays for it from the data's privacy budget. */
export async function runSynthesise(named: string, options: SynthesiseOptions, terminal: Terminal): Promise<ExitCode> {
  const source = await readSource(named, options);
  const { table } = source;
  const domains = domainsOf(options.column ?? [], options.domains);
  requireColumns(table, Object.keys(domains), "`--column`");
  const rows = wholeFrom(options.rows, "--rows", { min: 1, max: tableBounds.rowsMax });
  checkWork(domains, rows);
  const epsilon = positive(options.epsilon, "--epsilon");
  if (options.delta === undefined) throw parameterInvalid("a synthetic table needs `--delta`, such as 1e-6: far below one over the number of people");
  const delta = deltaFor(options.delta, table.rows);
  const file = options.budgetFile ?? budgetFileOf(source.file);
  const target = targetOf(options, [source.file, file]);
  const total = options.total === undefined ? undefined : positive(options.total, "--total");
  return withBudget({ file, epsilon, delta, ...(total !== undefined && { total }) }, (budget) => {
    const made = synthesise(table, { domains: coded(domains), rows, budget: { epsilon, delta }, accountant: budget.accountant, source: secretNoise() });
    if (made.kind === "refused") return reportRefusal(made.reason, options, terminal);
    const output = outputOf(csvText(made.table));
    const lineage: DataLineage = {
      ...lineageBase(source, output, target),
      method: "synthesise",
      parameters: { domains, rows, epsilon, delta },
      randomness: { kind: "secret" },
      privacy: { spent: spentOf(budget), copies: made.privacy.copies, pairs: made.edges.map(([parent, child]) => [parent, child]) },
      loss: made.loss,
      notes: [...ownerNotes(epsilon), ...outsideNotes(table, domains)],
    };
    budget.record({ command: "synthesise", source: source.digest, output: output.digest });
    publish(target, output, lineage);
    return reportTransform({ lineage, target }, options, terminal);
  });
}

function coded(domains: Domains): Readonly<Record<string, CodedDomain>> {
  return Object.fromEntries(
    Object.entries(domains).map(([column, domain]): [string, CodedDomain] => {
      if ("values" in domain) return [column, { kind: "categories", values: domain.values }];
      const { min, max, bins, whole = false } = domain;
      return [column, { kind: "range", min, max, bins, whole }];
    }),
  );
}

const columnsMax = 200;
const pairCellsMax = 4_000_000;
const drawStepsMax = 20_000_000_000;

/** Counts of two columns take a cell for each pair of their values, and each row is drawn from such a list. */
function checkWork(domains: Domains, rows: number): void {
  const sizes = Object.values(domains).map((domain) => 1 + ("values" in domain ? domain.values.length : domain.bins)).toSorted((a, b) => b - a);
  if (sizes.length === 0 || sizes.length > columnsMax) throw parameterInvalid(`${sizes.length} columns are declared: give from 1 to ${columnsMax} with --column or --domains`);
  if ((sizes[0] ?? 1) * (sizes[1] ?? 1) > pairCellsMax) throw parameterInvalid("the two columns with most values have too many together: declare fewer values or bins");
  if (rows * sizes.reduce((sum, size) => sum + size, 0) > drawStepsMax) throw parameterInvalid("so many rows of so many values would take hours: ask for fewer rows, values or bins");
}

function outsideNotes(table: Table, domains: Domains): readonly string[] {
  return Object.entries(domains).flatMap(([column, domain]) => {
    const outside = table.cells(column).filter((cell) => !isInside(cell, domain)).length;
    return outside === 0 ? [] : [`column \`${column}\`: ${outside} of ${table.rows} rows are missing or outside of what is declared; they are empty cells here, or moved to the ends of the range`];
  });
}

function isInside(cell: string, domain: ColumnDomain): boolean {
  if ("values" in domain) return domain.values.includes(cell);
  const value = isMissing(cell) ? undefined : castNumber(cell);
  return value !== undefined && value >= domain.min && value <= domain.max;
}
