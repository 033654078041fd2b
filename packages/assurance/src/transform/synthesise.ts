import { RowIndex } from "../data/row-groups.ts";
import type { Table } from "../table/table.ts";
import { tableOf } from "../table/table-of.ts";
import { round12 } from "../verdict/round.ts";
import { epsilonOfRho, PrivacyAccountant, type PrivacyBudget, rhoOfBudget } from "./accountant.ts";
import { codeColumn, type ColumnDomain } from "./coded-columns.ts";
import { type CodedColumn, countOne, countTwo, dependence, drawCode, marginalDistance, noisyMarginal } from "./marginals.ts";
import type { NoiseSource } from "./noise-source.ts";

export interface SynthesiseOptions {
  /** The columns of the result, and what may stand in them. */
  readonly domains: Readonly<Record<string, ColumnDomain>>;
  /** Rows of the result; declared, because the number of people may be a secret too. */
  readonly rows: number;
  /** What this table may cost. */
  readonly budget: PrivacyBudget;
  /** Keeps what other answers about the same people cost, at the same delta; default: there were none. */
  readonly accountant?: PrivacyAccountant;
  readonly source: NoiseSource;
}

export interface SynthesisLoss {
  /** Mean distance (total variation, 0 to 1) between real and synthetic shares of one column, and of two together. */
  readonly oneWay: number;
  readonly twoWay: number;
}

export interface SynthesisPrivacy {
  readonly epsilon: number;
  readonly delta: number;
  /** Rows of the result that equal a real row in every column, which independent draws also do by chance. */
  readonly copies: number;
}

export type Synthesised = { readonly kind: "refused"; readonly reason: string } | { readonly kind: "table"; readonly table: Table; readonly loss: SynthesisLoss; readonly privacy: SynthesisPrivacy; readonly edges: readonly (readonly [string, string])[] };

/**
 * A table drawn anew from noisy marginals: counts of every column, then of the pairs of columns that depend on each
 * other most (a tree, chosen by the exponential mechanism), each with Gaussian noise. What is not in a chosen pair is
 * lost. Source: McKenna, Miklau & Sheldon 2021 (arXiv:2108.04978), MST. One row per person; the loss figures look at
 * the real data and are for the owner, not for publication.
 */
export function synthesise(table: Table, { domains, rows, budget, source, accountant = new PrivacyAccountant(budget) }: SynthesiseOptions): Synthesised {
  const codings = Object.entries(domains).map(([name, domain]) => codeColumn(table, name, domain));
  const columns = codings.map(({ column }) => column);
  // A hair less than all, so that rounding refuses nothing.
  const rho = (rhoOfBudget(budget) * (1 - 1e-9)) / 3;
  if (rho === 0 || columns.length === 0) return { kind: "refused", reason: "synthesis needs a column, an epsilon above 0 and a delta between 0 and 1: declare them" };
  const spent = accountant.spendAll(["counts of columns", "choice of pairs", "counts of pairs"].map((name) => ({ name, mechanism: "gaussian" as const, rho })));
  if (spent.kind === "refused") return spent;
  const single = columns.map((column) => noisyMarginal(countOne(column), rho / columns.length, source));
  const tree = chooseTree(columns, single, { rho, source });
  const pairs = tree.map(({ parent, child }) => noisyMarginal(countTwo(at(columns, parent), at(columns, child)), rho / Math.max(1, tree.length), source));
  const codes = drawRows({ columns, single, tree, pairs }, rows, source);
  const result = tableOf(columns.map(({ name }) => name), codings.map(({ decode }, index) => Array.from(codes[index] ?? [], (code) => decode(code, source))));
  return {
    kind: "table",
    table: result,
    loss: lossOf(columns, codes),
    privacy: { epsilon: round12(epsilonOfRho(3 * rho, budget.delta)), delta: budget.delta, copies: copiesOf(table, result) },
    edges: tree.map(({ parent, child }) => [at(columns, parent).name, at(columns, child).name] as const),
  };
}

interface Edge {
  readonly parent: number;
  readonly child: number;
}

function at(columns: readonly CodedColumn[], index: number): CodedColumn {
  const column = columns[index];
  if (column === undefined) throw new RangeError(`there is no column ${index}`);
  return column;
}

/** Adds the column that depends most on one already in the tree, chosen with noise each time (Prim's order). */
function chooseTree(columns: readonly CodedColumn[], single: readonly Float64Array[], { rho, source }: { rho: number; source: NoiseSource }): readonly Edge[] {
  const tree: Edge[] = [];
  const inside = new Set([0]);
  // The exponential mechanism with epsilon costs epsilon^2 / 8; one person changes a score by at most 2.
  const epsilon = Math.sqrt((8 * rho) / Math.max(1, columns.length - 1));
  const scores = new Map<string, number>();
  const score = (parent: number, child: number) => {
    const key = `${parent} ${child}`;
    const known = scores.get(key) ?? dependence(countTwo(at(columns, parent), at(columns, child)), single[parent] ?? new Float64Array(), single[child] ?? new Float64Array());
    scores.set(key, known);
    return known;
  };
  while (inside.size < columns.length) {
    const candidates = [...inside].flatMap((parent) => columns.flatMap((_, child): Edge[] => (inside.has(child) ? [] : [{ parent, child }])));
    const exponents = Float64Array.from(candidates, ({ parent, child }) => (epsilon * score(parent, child)) / 4);
    const largest = exponents.reduce((most, each) => Math.max(most, each), -Infinity);
    const chosen = candidates[drawCode(exponents.map((each) => Math.exp(each - largest)), source)];
    if (chosen === undefined) break;
    tree.push(chosen);
    inside.add(chosen.child);
  }
  return tree;
}

interface Model {
  readonly columns: readonly CodedColumn[];
  readonly single: readonly Float64Array[];
  readonly tree: readonly Edge[];
  readonly pairs: readonly Float64Array[];
}

/** The first column by its counts, each further one given its parent; where a parent's value has no counts, by its own. */
function drawRows({ columns, single, tree, pairs }: Model, rows: number, source: NoiseSource): readonly Uint32Array[] {
  const codes = columns.map(() => new Uint32Array(rows));
  for (let row = 0; row < rows; row += 1) {
    const first = codes[0];
    if (first !== undefined) first[row] = drawCode(single[0] ?? new Float64Array(1), source);
    for (const [index, { parent, child }] of tree.entries()) {
      const size = at(columns, child).size;
      const given = (codes[parent]?.[row] ?? 0) * size;
      const weights = (pairs[index] ?? new Float64Array()).subarray(given, given + size);
      const own = codes[child];
      if (own !== undefined) own[row] = drawCode(weights.some((weight) => weight > 0) ? weights : (single[child] ?? weights), source);
    }
  }
  return codes;
}

function lossOf(columns: readonly CodedColumn[], codes: readonly Uint32Array[]): SynthesisLoss {
  const drawn = columns.map((column, index) => ({ ...column, codes: codes[index] ?? new Uint32Array() }));
  const mean = (values: readonly number[]) => (values.length === 0 ? 0 : round12(values.reduce((sum, value) => sum + value, 0) / values.length));
  const one = columns.map((column, index) => marginalDistance(countOne(column), countOne(at(drawn, index))));
  const two = columns.flatMap((first, i) => columns.slice(i + 1).map((second, j) => marginalDistance(countTwo(first, second), countTwo(at(drawn, i), at(drawn, i + 1 + j)))));
  return { oneWay: mean(one), twoWay: mean(two) };
}

function copiesOf(real: Table, synthetic: Table): number {
  const index = new RowIndex(synthetic.columns.map((column) => real.cells(column)));
  for (let row = 0; row < real.rows; row += 1) index.add(row);
  const cells = synthetic.columns.map((column) => synthetic.cells(column));
  let copies = 0;
  for (let row = 0; row < synthetic.rows; row += 1) if (index.find(cells, row) !== undefined) copies += 1;
  return copies;
}
