import { LicetError } from "@licet/contract";
import { castNumber, isMissing } from "../table/cast.ts";
import type { Table } from "../table/table.ts";
import type { CodedColumn } from "./marginals.ts";
import type { NoiseSource } from "./noise-source.ts";

/** What may stand in a column, declared and not looked up: that a value occurs is a secret itself. */
export type ColumnDomain = { readonly kind: "categories"; readonly values: readonly string[] } | { readonly kind: "range"; readonly min: number; readonly max: number; readonly bins: number; readonly whole?: boolean };

export interface Coding {
  readonly column: CodedColumn;
  /** A cell for a code; numbers anywhere in their bin. */
  readonly decode: (code: number, source: NoiseSource) => string;
}

/** Codes 1 and up are values of the domain; 0 is a missing cell or one outside of it. */
export function codeColumn(table: Table, name: string, domain: ColumnDomain): Coding {
  if (domain.kind === "categories") {
    const known = new Map(domain.values.map((value, index) => [value, index + 1]));
    const codes = Uint32Array.from(table.cells(name), (cell) => known.get(cell) ?? 0);
    return { column: { name, codes, size: domain.values.length + 1 }, decode: (code) => domain.values[code - 1] ?? "" };
  }
  const { min, max, bins } = domain;
  if (!(max > min && Number.isSafeInteger(bins) && bins > 0)) {
    throw new LicetError("table_value_invalid", { message: `the range of \`${name}\` is empty: give \`max\` above \`min\` and at least one bin`, at: { column: name } });
  }
  const width = (max - min) / bins;
  const codes = Uint32Array.from(table.cells(name), (cell) => {
    const value = isMissing(cell) ? undefined : castNumber(cell);
    return value === undefined ? 0 : 1 + Math.min(bins - 1, Math.max(0, Math.floor((value - min) / width)));
  });
  const decode = (code: number, source: NoiseSource) => {
    if (code === 0) return "";
    const value = min + (code - 1 + source.uniform()) * width;
    return domain.whole === true ? String(Math.min(max, Math.round(value))) : String(Number(value.toPrecision(9)));
  };
  return { column: { name, codes, size: bins + 1 }, decode };
}
