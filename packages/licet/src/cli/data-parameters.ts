import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { castNumber } from "@licet/assurance";
import { ColumnDomain, LicetError, NoisyFigure } from "@licet/contract";
import { z } from "zod";
import { parseYaml } from "../inventory/yaml-document.ts";

export function parameterInvalid(message: string): LicetError {
  return new LicetError("transform_parameter_invalid", { message });
}

/** Throws `transform_parameter_invalid` for anything but a finite number above 0. */
export function positive(text: string, option: string): number {
  const value = castNumber(text) ?? Number.NaN;
  if (value > 0) return value;
  throw parameterInvalid(`\`${option}\` is \`${text}\`: it must be a number above 0`);
}

export function wholeFrom(text: string, option: string, { min, max }: { readonly min: number; readonly max: number }): number {
  const value = /^\d{1,15}$/u.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw parameterInvalid(`\`${option}\` is \`${text}\`: it must be a whole number from ${min} to ${max}`);
}

/** The chance that the promise fails altogether: only below one over the number of people does it protect each of them. */
export function deltaFor(text: string, rows: number): number {
  const value = positive(text, "--delta");
  if (value < 1 / rows) return value;
  throw parameterInvalid(`\`--delta\` is \`${text}\`: it must be below one over the number of rows, far below it to mean something, such as 1e-6`);
}

const number = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?`;
const range = new RegExp(String.raw`^(${number})\.\.(${number})(?:/(\d{1,9})(/whole)?)?$`, "u");

interface Spec {
  readonly column: string;
  readonly rest: string;
}

function split(spec: string, option: string): Spec {
  const at = spec.indexOf("=");
  if (at < 1) throw parameterInvalid(`\`${option} ${spec}\` is not COLUMN=…: see docs/data.md`);
  return { column: spec.slice(0, at), rest: spec.slice(at + 1) };
}

/** `sex=f,m` or `age=0..119/24` (a range in 24 bins) or `age=0..119/24/whole`. */
export function domainsOf(specs: readonly string[], file: string | undefined): Readonly<Record<string, ColumnDomain>> {
  const inFile = file === undefined ? {} : fromFile(file, z.record(z.string().min(1).max(500), ColumnDomain));
  const entries = specs.map((spec): readonly [string, ColumnDomain] => {
    const { column, rest } = split(spec, "--column");
    const [, min, max, bins, whole] = range.exec(rest) ?? [];
    if (min === undefined || max === undefined) return [column, { values: rest.split(",") }];
    if (bins === undefined) throw parameterInvalid(`\`--column ${spec}\` says no bins: write \`${column}=${min}..${max}/10\` for ten`);
    return [column, { min: Number(min), max: Number(max), bins: Number(bins), ...(whole !== undefined && { whole: true }) }];
  });
  const all = [...Object.entries(inFile), ...entries];
  onlyOnce(all.map(([column]) => column), "column");
  for (const [column, domain] of all) {
    checked(ColumnDomain, domain, column);
    if ("values" in domain) checkValues(domain.values, column);
    else checkRange(domain, column);
  }
  return Object.fromEntries(all);
}

/** Counts `illness=flu,cold`, sums `age=0..119`. */
export function figuresOf({ counts, sums, file }: { readonly counts: readonly string[]; readonly sums: readonly string[]; readonly file?: string | undefined }): readonly NoisyFigure[] {
  const inFile = file === undefined ? [] : fromFile(file, z.array(NoisyFigure).max(figuresMax));
  const all: readonly NoisyFigure[] = [
    ...inFile,
    ...counts.map((spec) => {
      const { column, rest } = split(spec, "--count");
      return { figure: "count" as const, column, values: rest.split(",") };
    }),
    ...sums.map((spec) => {
      const { column, rest } = split(spec, "--sum");
      const [, min, max, bins] = range.exec(rest) ?? [];
      if (min === undefined || max === undefined || bins !== undefined) throw parameterInvalid(`\`--sum ${spec}\` is not COLUMN=MIN..MAX: every value is moved into that range first`);
      return { figure: "sum" as const, column, min: Number(min), max: Number(max) };
    }),
  ];
  if (all.length === 0 || all.length > figuresMax) throw parameterInvalid(`${all.length} figures are asked for: give from 1 to ${figuresMax} with --count, --sum or --figures`);
  for (const figure of all) {
    checked(NoisyFigure, figure, figure.column);
    if (figure.figure === "count") checkValues(figure.values, figure.column);
    else checkRange(figure, figure.column);
  }
  return all;
}

function checked(schema: z.ZodType, value: unknown, column: string): void {
  const issue = schema.safeParse(value).error?.issues[0];
  if (issue !== undefined) throw parameterInvalid(`what is declared for \`${column}\` cannot be used: at most 4096 values of 500 characters, or a range with at most 4096 bins`);
}

function checkValues(values: readonly string[], column: string): void {
  if (values.includes("")) throw parameterInvalid(`an empty value is declared for \`${column}\`: missing cells need no declaration`);
  onlyOnce(values, `value of \`${column}\``);
}

function checkRange({ min, max }: { readonly min: number; readonly max: number }, column: string): void {
  if (!(Number.isFinite(min) && Number.isFinite(max) && max > min && Number.isFinite(max - min))) throw parameterInvalid(`the range of \`${column}\` is empty: give a maximum above the minimum`);
}

function onlyOnce(names: readonly string[], what: string): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw parameterInvalid(`the ${what} \`${twice}\` stands twice: keep one`);
}

const figuresMax = 1000;
const fileBytesMax = 1_000_000;

function fromFile<T>(file: string, schema: z.ZodType<T>): T {
  if (statSync(file).size > fileBytesMax) throw parameterInvalid(`\`${basename(file)}\` has more than ${fileBytesMax} bytes`);
  const parsed = parseYaml(readFileSync(file, "utf8"));
  const result = schema.safeParse(parsed.kind === "document" ? parsed.document.data : undefined);
  if (result.success) return result.data;
  throw parameterInvalid(`\`${basename(file)}\` does not have the form that docs/data.md shows: ${result.error.issues[0]?.path.join(".") || "the whole of it"}`);
}
