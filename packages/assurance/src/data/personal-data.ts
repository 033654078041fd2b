import { rounded } from "../verdict/settle.ts";
import { clopperPearson } from "../stats/proportion.ts";
import { isMissing } from "../table/cast.ts";
import type { Table } from "../table/table.ts";
import { type Limit, type Outcome, silent } from "../verdict/outcome.ts";
import { round12 } from "../verdict/round.ts";

/** Kinds of personal data found in one cell, such as `email` or `iban`; none found: empty. */
export type PersonalDataDetector = (cell: string) => readonly string[];

export interface PersonalDataOptions {
  readonly detect: PersonalDataDetector;
  /** Kinds that a column is declared to hold, by column. */
  readonly declared?: Readonly<Record<string, readonly string[]>>;
  readonly columns?: readonly string[];
}

export interface PersonalDataFinding {
  readonly column: string;
  readonly kind: string;
  readonly cells: number;
  /** Non-empty cells of the column. */
  readonly n: number;
  readonly declared: boolean;
  /** Two-sided 95 % Clopper-Pearson interval of the share of such cells. */
  readonly lower: number;
  readonly upper: number;
}

export interface PersonalDataStatistics {
  readonly kind: "data.pii";
  readonly rows: number;
  readonly cells: number;
  readonly undeclaredCells: number;
  readonly findings: readonly PersonalDataFinding[];
  readonly notes: readonly string[];
}

const findingsMax = 500;

/**
 * `data.pii`: cells in which a detector finds personal data that the column is not declared to hold. The detectors are
 * those of the gateway, given in as a function; equal cells are asked once. No cell's content enters the result.
 */
export function measurePersonalData(table: Table, options: PersonalDataOptions): PersonalDataStatistics {
  const perColumn = (options.columns ?? table.columns).map((column) => inspect(table, column, options));
  const findings = perColumn.flatMap((found) => found.findings);
  const undeclared = findings.filter(({ declared }) => !declared);
  const notes = undeclared
    .toSorted((a, b) => b.cells - a.cells)
    .slice(0, 20)
    .map(({ column, kind, cells, n }) => `column \`${column}\` holds \`${kind}\` in ${cells} of ${n} cells and is not declared to`);
  const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
  return {
    kind: "data.pii",
    rows: table.rows,
    cells: sum(perColumn.map(({ n }) => n)),
    undeclaredCells: sum(perColumn.map(({ undeclaredCells }) => undeclaredCells)),
    findings: findings.slice(0, findingsMax),
    notes,
  };
}

function inspect(table: Table, column: string, { detect, declared }: PersonalDataOptions): { findings: readonly PersonalDataFinding[]; n: number; undeclaredCells: number } {
  const allowed = new Set(declared?.[column]);
  const known = new Map<string, readonly string[]>();
  const counts = new Map<string, number>();
  let [n, undeclaredCells] = [0, 0];
  for (const cell of table.cells(column)) {
    if (isMissing(cell)) continue;
    n += 1;
    let kinds = known.get(cell);
    if (kinds === undefined) {
      kinds = [...new Set(detect(cell))];
      known.set(cell, kinds);
    }
    for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    if (kinds.some((kind) => !allowed.has(kind))) undeclaredCells += 1;
  }
  const findings = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, cells]) => {
    const { lower, upper } = clopperPearson(cells, n, 0.025);
    return { column, kind, cells, n, declared: allowed.has(kind), lower: round12(lower), upper: round12(upper) };
  });
  return { findings, n, undeclaredCells };
}

/**
 * A count over the whole file. Detectors overlook some cells and report some wrongly, so a finding fails but its
 * absence only says that these detectors found nothing.
 */
export function decidePersonalData({ cells, undeclaredCells }: Pick<PersonalDataStatistics, "cells" | "undeclaredCells">, limit: Limit): Outcome {
  if (cells === 0) return silent("too_few");
  const estimate = undeclaredCells / cells;
  const interval = { method: "census", level: 1, sides: 2, lower: estimate, upper: estimate } as const;
  return rounded({ estimate, interval, verdict: undeclaredCells <= limit.value * cells ? "pass" : "fail" });
}
