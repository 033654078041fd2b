import { measureAnonymity, type AnonymityStatistics } from "../data/anonymity.ts";
import { castNumber, isMissing } from "../table/cast.ts";
import type { Table } from "../table/table.ts";
import { tableOf } from "../table/table-of.ts";
import { round12 } from "../verdict/round.ts";

export interface GeneraliseOptions {
  readonly quasiIdentifiers: readonly string[];
  readonly k: number;
  /** Column and number of different values that every group must keep. */
  readonly diversity?: { readonly column: string; readonly l: number };
  /** Columns left out altogether, such as names and ids. */
  readonly drop?: readonly string[];
}

export interface GeneralisationLoss {
  readonly rows: number;
  /** Rows left out because no group of the wanted size and diversity can hold them. */
  readonly suppressed: number;
  /** Mean width of the generalised cells, 0 (exact) to 1 (anything). Normalised certainty penalty, Xu et al. 2006. */
  readonly certaintyPenalty: number;
  /** Mean size of the groups over k; 1 is the least possible. LeFevre, DeWitt & Ramakrishnan 2006. */
  readonly groupSizeOverK: number;
}

export interface Generalised {
  readonly table: Table;
  readonly privacy: AnonymityStatistics;
  readonly loss: GeneralisationLoss;
}

interface Quasi {
  readonly name: string;
  readonly cells: readonly string[];
  /** Place of each cell in the order of the column: the number itself, or the place of the text among all texts. */
  readonly places: Float64Array;
  readonly numeric: boolean;
  readonly span: number;
}

/**
 * Coarsens the quasi-identifiers until every combination stands for at least k rows (and l values of the sensitive
 * column): numbers become ranges, texts become sets. Rows are halved again and again along the column in which they
 * differ most. Source: LeFevre, DeWitt & Ramakrishnan 2006 (Mondrian, strict). The result is measured, not assumed.
 */
export function generalise(table: Table, options: GeneraliseOptions): Generalised {
  const quasi = options.quasiIdentifiers.map((name) => quasiColumn(name, table.cells(name)));
  const sensitive = options.diversity === undefined ? undefined : table.cells(options.diversity.column);
  const fits = (rows: readonly number[]) =>
    rows.length >= Math.max(1, options.k) && (sensitive === undefined || new Set(rows.map((row) => sensitive[row])).size >= (options.diversity?.l ?? 1));
  const all = Array.from({ length: table.rows }, (_, row) => row);
  const groups = fits(all) ? partition(all, quasi, fits) : [];
  const kept = groups.flat().toSorted((a, b) => a - b);
  const written = new Map(quasi.map((column) => [column.name, generalisedCells(column, groups)]));
  const columns = table.columns.filter((name) => options.drop?.includes(name) !== true);
  const result = tableOf(columns, columns.map((name) => kept.map((row) => written.get(name)?.[row] ?? table.cells(name)[row] ?? "")));
  const privacy = measureAnonymity(result, { quasiIdentifiers: options.quasiIdentifiers, k: options.k, ...(options.diversity !== undefined && { sensitive: [options.diversity.column] }) });
  return {
    table: result,
    privacy,
    loss: {
      rows: table.rows,
      suppressed: table.rows - kept.length,
      certaintyPenalty: round12(penalty(groups, quasi, kept.length)),
      groupSizeOverK: groups.length === 0 ? 0 : round12(kept.length / groups.length / options.k),
    },
  };
}

function quasiColumn(name: string, cells: readonly string[]): Quasi {
  const known = cells.filter((cell) => !isMissing(cell));
  const numeric = known.length === cells.length && known.every((cell) => castNumber(cell) !== undefined);
  const order = new Map([...new Set(cells)].toSorted().map((cell, place) => [cell, place]));
  const places = Float64Array.from(cells, (cell) => (numeric ? (castNumber(cell) ?? 0) : (order.get(cell) ?? 0)));
  return { name, cells, places, numeric, span: spread(places, cells.map((_, row) => row)) };
}

function spread(places: Float64Array, rows: readonly number[]): number {
  const { low, high } = extremes(places, rows);
  return rows.length === 0 ? 0 : high - low;
}

function extremes(places: Float64Array, rows: readonly number[]): { readonly low: number; readonly high: number } {
  let [low, high] = [Infinity, -Infinity];
  for (const row of rows) {
    const place = places[row] ?? 0;
    low = Math.min(low, place);
    high = Math.max(high, place);
  }
  return { low, high };
}

function partition(rows: readonly number[], quasi: readonly Quasi[], fits: (rows: readonly number[]) => boolean): readonly (readonly number[])[] {
  const done: (readonly number[])[] = [];
  const open: (readonly number[])[] = [rows];
  for (let group = open.pop(); group !== undefined; group = open.pop()) {
    const halves = halve(group, quasi, fits);
    if (halves === undefined) done.push(group);
    else open.push(...halves);
  }
  return done;
}

/** Along the first column, widest first, in which both halves still fit. */
function halve(rows: readonly number[], quasi: readonly Quasi[], fits: (rows: readonly number[]) => boolean): readonly [readonly number[], readonly number[]] | undefined {
  const width = ({ places, span }: Quasi) => (span === 0 ? 0 : spread(places, rows) / span);
  for (const column of quasi.toSorted((a, b) => width(b) - width(a))) {
    if (width(column) === 0) return undefined;
    const sorted = rows.map((row) => column.places[row] ?? 0).toSorted((a, b) => a - b);
    const middle = sorted[(sorted.length - 1) >> 1] ?? 0;
    // Equal values stay together: cut below or above the middle one, whichever fits.
    for (const isLow of [(place: number) => place <= middle, (place: number) => place < middle]) {
      const low = rows.filter((row) => isLow(column.places[row] ?? 0));
      const high = rows.filter((row) => !isLow(column.places[row] ?? 0));
      if (fits(low) && fits(high)) return [low, high];
    }
  }
  return undefined;
}

function generalisedCells({ cells, numeric, places }: Quasi, groups: readonly (readonly number[])[]): readonly string[] {
  const written: string[] = Array.from({ length: cells.length }, () => "");
  for (const rows of groups) {
    const values = [...new Set(rows.map((row) => cells[row] ?? ""))];
    const text = numeric ? rangeOf(rows, places) : values.toSorted().join("|");
    for (const row of rows) written[row] = text;
  }
  return written;
}

function rangeOf(rows: readonly number[], places: Float64Array): string {
  const { low, high } = extremes(places, rows);
  // Written anew: `035` and `35` are one number, and their spelling would tell them apart.
  return low === high ? String(low) : `${low}..${high}`;
}

function penalty(groups: readonly (readonly number[])[], quasi: readonly Quasi[], kept: number): number {
  if (kept === 0 || quasi.length === 0) return 0;
  const cost = (rows: readonly number[], column: Quasi) => {
    if (column.span === 0) return 0;
    const values = new Set(rows.map((row) => column.places[row])).size;
    return column.numeric ? spread(column.places, rows) / column.span : (values > 1 ? values / (column.span + 1) : 0);
  };
  const sum = groups.reduce((total, rows) => total + rows.length * quasi.reduce((all, column) => all + cost(rows, column), 0), 0);
  return sum / (kept * quasi.length);
}
