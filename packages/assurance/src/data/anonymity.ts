import type { Limit, Outcome } from "../verdict/outcome.ts";
import { silent } from "../verdict/outcome.ts";
import { castNumber, isMissing } from "../table/cast.ts";
import { requireFilled } from "../table/filled.ts";
import type { Table } from "../table/table.ts";
import { rounded } from "../verdict/settle.ts";
import { round12 } from "../verdict/round.ts";
import { groupRowsBy, type RowGroups } from "./row-groups.ts";

export interface AnonymityOptions {
  /** Columns by which somebody might know a person. */
  readonly quasiIdentifiers: readonly string[];
  /** Columns that nobody should learn. */
  readonly sensitive?: readonly string[];
  /** For the count of rows in small groups. Default 5. */
  readonly k?: number;
}

/** Diversity and closeness of one sensitive column over all groups. */
export interface SensitiveColumn {
  readonly name: string;
  /** Fewest different values in any group (distinct l-diversity). */
  readonly distinctL: number;
  /** exp of the smallest entropy of any group (entropy l-diversity). */
  readonly entropyL: number;
  /** Largest distance of a group's distribution from that of all rows. */
  readonly t: number;
  /** Equal ground distance for text (total variation), ordered for numbers (earth mover's distance). */
  readonly tDistance: "equal" | "ordered";
}

export interface AnonymityStatistics {
  readonly kind: "data.privacy.kanon";
  readonly rows: number;
  readonly groups: number;
  /** Size of the smallest group; 0 without rows. */
  readonly k: number;
  readonly rowsBelow: number;
  readonly sensitive: readonly SensitiveColumn[];
  readonly notes: readonly string[];
}

/**
 * `data.privacy.kanon`: how small the smallest group is that shares all quasi-identifiers, and what it gives away.
 * Missing cells are a value of their own. Sources: Sweeney 2002 (k); Machanavajjhala et al. 2007 (l); Li, Li &
 * Venkatasubramanian 2007 (t).
 */
export function measureAnonymity(table: Table, options: AnonymityOptions): AnonymityStatistics {
  requireFilled([table], options.quasiIdentifiers);
  const groups = groupRowsBy(table, options.quasiIdentifiers);
  const k = groups.sizes.reduce((least, size) => Math.min(least, size), table.rows);
  const wanted = options.k ?? 5;
  const rowsBelow = groups.sizes.reduce((sum, size) => sum + (size < wanted ? size : 0), 0);
  const sensitive = table.rows === 0 ? [] : (options.sensitive ?? []).map((name) => measureSensitive(table, name, groups));
  const notes = [
    `${groups.sizes.length} groups; ${rowsBelow} of ${table.rows} rows stand in groups smaller than ${wanted}`,
    ...sensitive.map(({ name, distinctL, t }) => `column \`${name}\`: at least ${distinctL} different values in a group, distance from all rows at most ${t}`),
  ];
  return { kind: "data.privacy.kanon", rows: table.rows, groups: groups.sizes.length, k, rowsBelow, sensitive, notes };
}

function measureSensitive(table: Table, name: string, groups: RowGroups): SensitiveColumn {
  const cells = table.cells(name);
  const known = cells.filter((cell) => !isMissing(cell));
  const numeric = known.length > 0 && known.every((cell) => castNumber(cell) !== undefined);
  const order = [...new Set(cells)].sort(numeric ? (a, b) => (castNumber(a) ?? Infinity) - (castNumber(b) ?? Infinity) : undefined);
  const index = new Map(order.map((value, at) => [value, at]));
  const overall = new Float64Array(order.length);
  const byGroup = groups.sizes.map(() => new Map<number, number>());
  for (const [row, cell] of cells.entries()) {
    const value = index.get(cell) ?? 0;
    overall[value] = (overall[value] ?? 0) + 1 / cells.length;
    const counts = byGroup[groups.of[row] ?? 0];
    counts?.set(value, (counts.get(value) ?? 0) + 1);
  }
  let [distinctL, entropy, t] = [Infinity, Infinity, 0];
  for (const [group, counts] of byGroup.entries()) {
    const size = groups.sizes[group] ?? 1;
    distinctL = Math.min(distinctL, counts.size);
    entropy = Math.min(entropy, entropyOf(counts, size));
    t = Math.max(t, closeness(counts, { size, overall, numeric }));
  }
  return { name, distinctL, entropyL: round12(Math.exp(entropy)), t: round12(t), tDistance: numeric ? "ordered" : "equal" };
}

function entropyOf(counts: ReadonlyMap<number, number>, size: number): number {
  return [...counts.values()].reduce((sum, count) => sum - (count / size) * Math.log(count / size), 0);
}

function closeness(counts: ReadonlyMap<number, number>, { size, overall, numeric }: { size: number; overall: Float64Array; numeric: boolean }): number {
  let [sum, running] = [0, 0];
  for (let value = 0; value < overall.length; value += 1) {
    const difference = (counts.get(value) ?? 0) / size - (overall[value] ?? 0);
    running += difference;
    sum += Math.abs(numeric ? running : difference);
  }
  return numeric ? sum / Math.max(1, overall.length - 1) : sum / 2;
}

/** A fact about the file: pass when the smallest group has at least `limit.value` rows (`>=`). */
export function decideAnonymity({ rows, k }: Pick<AnonymityStatistics, "rows" | "k">, limit: Limit): Outcome {
  if (rows === 0) return silent("too_few");
  return rounded({ estimate: k, interval: { method: "census", level: 1, sides: 2, lower: k, upper: k }, verdict: k >= limit.value ? "pass" : "fail" });
}

/** l-diversity of one sensitive column, distinct values, against a floor. */
export function decideDiversity({ rows, sensitive }: Pick<AnonymityStatistics, "rows" | "sensitive">, limit: Limit): Outcome {
  if (rows === 0 || sensitive.length === 0) return silent("too_few");
  const l = Math.min(...sensitive.map(({ distinctL }) => distinctL));
  return rounded({ estimate: l, interval: { method: "census", level: 1, sides: 2, lower: l, upper: l }, verdict: l >= limit.value ? "pass" : "fail" });
}

/** t-closeness of every sensitive column against a ceiling. */
export function decideCloseness({ rows, sensitive }: Pick<AnonymityStatistics, "rows" | "sensitive">, limit: Limit): Outcome {
  if (rows === 0 || sensitive.length === 0) return silent("too_few");
  const t = Math.max(...sensitive.map((column) => column.t));
  return rounded({ estimate: t, interval: { method: "census", level: 1, sides: 2, lower: t, upper: t }, verdict: t <= limit.value ? "pass" : "fail" });
}
