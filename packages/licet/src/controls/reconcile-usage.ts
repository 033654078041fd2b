import { parseJson } from "@licet/evidence";
import { z } from "zod";
import { LicetError } from "../base/errors.ts";
import { malformed, readCsv, type CsvRow } from "./usage-csv.ts";

/** What a provider says it billed for a model in a span of time. */
export interface BilledRow {
  /** Milliseconds since the Unix epoch; the second is exclusive. */
  readonly start: number;
  readonly end: number;
  readonly model: string;
  /** Null where the export has no request counts. */
  readonly requests: number | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Where it stands in the file. */
  readonly place: string;
}

export const usageFormats = ["openai", "anthropic", "csv"] as const;
export type UsageFormat = (typeof usageFormats)[number];

/** Bytes of a usage export. */
export const usageFileBytesMax = 64 * 1024 * 1024;

/** Reads an export of any known form; the form is seen by its content unless it is named. Throws `usage_malformed`, `usage_incomplete`. */
export function readUsage(text: string, format?: UsageFormat): readonly BilledRow[] {
  const rows = /^\s*[[{]/u.test(text) ? fromJson(text, format) : fromCsv(readCsv(text), format);
  if (rows.length === 0) throw new LicetError("usage_malformed", { message: "the export holds no row, so it compares with nothing" });
  return rows;
}

const count = z.int().nonnegative();

const OpenAiPage = z.object({
  object: z.literal("page"),
  data: z.array(z.object({ start_time: count, end_time: count, results: z.array(z.object({ model: z.string().min(1).nullable(), num_model_requests: count, input_tokens: count, output_tokens: count })) })),
  has_more: z.boolean(),
});

const AnthropicPage = z.object({
  data: z.array(
    z.object({
      starting_at: z.iso.datetime({ offset: true }),
      ending_at: z.iso.datetime({ offset: true }),
      results: z.array(
        z.object({
          model: z.string().min(1).nullable(),
          uncached_input_tokens: count,
          cache_read_input_tokens: count,
          cache_creation: z.object({ ephemeral_1h_input_tokens: count, ephemeral_5m_input_tokens: count }).nullable(),
          output_tokens: count,
        }),
      ),
    }),
  ),
  has_more: z.boolean(),
});

function fromJson(text: string, format: UsageFormat | undefined): readonly BilledRow[] {
  if (format === "csv") throw malformed(1, "this is json, not csv");
  const value = parsedJson(text);
  const pages: readonly unknown[] = Array.isArray(value) ? value : [value];
  const anthropic = format === "anthropic" || (format === undefined && /"starting_at"/u.test(text));
  return anthropic ? anthropicRows(pages) : openAiRows(pages);
}

function parsedJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    // The engine names the place for some faults only.
    const line = /\(line (\d+) /u.exec(cause instanceof Error ? cause.message : "")?.[1];
    throw new LicetError("usage_malformed", { message: `${line === undefined ? "" : `line ${line}: `}this is not json`, at: line === undefined ? {} : { line: Number(line) }, cause });
  }
}

/** Every page, in order: the last one must say that it is the last. */
function pagesOf<T extends { readonly has_more: boolean }>(pages: readonly unknown[], shape: z.ZodType<T>): readonly T[] {
  const read = pages.map((page, at) => {
    const parsed = shape.safeParse(page);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const path = [...(pages.length > 1 ? [at] : []), ...(issue?.path ?? [])].join(".");
    throw new LicetError("usage_malformed", { message: `at \`${path}\`: ${issue?.message ?? "the page has another shape"}`, at: { path } });
  });
  if (read.at(-1)?.has_more !== false) throw new LicetError("usage_incomplete", { message: "the last page says that there are more: `has_more` is true" });
  return read;
}

function modelAt(model: string | null, place: string): string {
  if (model !== null) return model;
  throw new LicetError("usage_malformed", { message: `at \`${place}\`: the row names no model; export again grouped by model`, at: { path: place } });
}

function openAiRows(pages: readonly unknown[]): readonly BilledRow[] {
  return pagesOf(pages, OpenAiPage).flatMap(({ data }, page) =>
    data.flatMap((bucket, at) =>
      bucket.results.map((result, of) => {
        const place = `${pages.length > 1 ? `${page}.` : ""}data.${at}.results.${of}`;
        return {
          start: bucket.start_time * 1000,
          end: bucket.end_time * 1000,
          model: modelAt(result.model, place),
          requests: result.num_model_requests,
          inputTokens: result.input_tokens,
          outputTokens: result.output_tokens,
          place,
        };
      }),
    ),
  );
}

/** The usage report counts tokens only; input is what was new, written to a cache, or read from one. */
function anthropicRows(pages: readonly unknown[]): readonly BilledRow[] {
  return pagesOf(pages, AnthropicPage).flatMap(({ data }, page) =>
    data.flatMap((bucket, at) =>
      bucket.results.map((result, of) => {
        const place = `${pages.length > 1 ? `${page}.` : ""}data.${at}.results.${of}`;
        const written = result.cache_creation === null ? 0 : result.cache_creation.ephemeral_1h_input_tokens + result.cache_creation.ephemeral_5m_input_tokens;
        return {
          start: Date.parse(bucket.starting_at),
          end: Date.parse(bucket.ending_at),
          model: modelAt(result.model, place),
          requests: null,
          inputTokens: result.uncached_input_tokens + written + result.cache_read_input_tokens,
          outputTokens: result.output_tokens,
          place,
        };
      }),
    ),
  );
}

interface Columns {
  readonly start: string;
  readonly end: string;
  readonly requests: string;
  readonly time: (text: string) => number | undefined;
}

const plainColumns: Columns = { start: "start", end: "end", requests: "requests", time: utcTime };
/** The members of the usage API as columns, one row for each result. */
const openAiColumns: Columns = { start: "start_time", end: "end_time", requests: "num_model_requests", time: (text) => (/^\d{1,12}$/u.test(text) ? Number(text) * 1000 : utcTime(text)) };

function fromCsv(rows: readonly CsvRow[], format: UsageFormat | undefined): readonly BilledRow[] {
  if (format === "anthropic") throw malformed(1, "an anthropic usage report is json");
  const [first] = rows;
  if (first === undefined) return [];
  const columns = format === "openai" || (format === undefined && first.cells.has("num_model_requests")) ? openAiColumns : plainColumns;
  for (const name of [columns.start, columns.end, "model", columns.requests, "input_tokens", "output_tokens"]) {
    if (!first.cells.has(name)) throw malformed(1, `the header lacks the column \`${name}\``);
  }
  return rows.map((row) => csvRow(row, columns));
}

function csvRow({ line, cells }: CsvRow, columns: Columns): BilledRow {
  const cell = (name: string): string => cells.get(name) ?? "";
  const time = (name: string): number => {
    const value = columns.time(cell(name));
    if (value === undefined) throw malformed(line, `\`${cell(name)}\` in \`${name}\` is not a time in UTC, such as 2026-11-21 or 2026-11-21T10:00:00Z`);
    return value;
  };
  const whole = (name: string): number => {
    if (!/^\d{1,15}$/u.test(cell(name))) throw malformed(line, `\`${cell(name)}\` in \`${name}\` is not a count`);
    return Number(cell(name));
  };
  const model = cell("model");
  if (model === "") throw malformed(line, "the row names no model; export again grouped by model");
  const requests = cell(columns.requests) === "" ? null : whole(columns.requests);
  return { start: time(columns.start), end: time(columns.end), model, requests, inputTokens: whole("input_tokens"), outputTokens: whole("output_tokens"), place: `line ${line}` };
}

/** A date, or a time that says UTC: another zone, or none, would be compared with the wrong day. */
export function utcTime(text: string): number | undefined {
  const day = /^\d{4}-\d{2}-\d{2}$/u.test(text);
  if (!day && !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|\+00:00)$/u.test(text)) return undefined;
  const time = Date.parse(day ? `${text}T00:00:00Z` : text);
  return Number.isNaN(time) || (day && !new Date(time).toISOString().startsWith(text)) ? undefined : time;
}
