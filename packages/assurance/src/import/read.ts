import { parseJson } from "@licet/evidence";
import type { z } from "zod";
import { unreadable } from "./refusal.ts";

export const reportBytesMax = 128 * 1024 * 1024;
export const rowsMax = 1_000_000;
const depthMax = 200;

/** Text of a report. UTF-16 and damaged UTF-8 are refused: a replaced character could be part of a key. */
export function textOf(bytes: Uint8Array): string {
  if (bytes.byteLength > reportBytesMax) throw unreadable(`the report has more than ${reportBytesMax} bytes`);
  if (bytes.byteLength === 0) throw unreadable("the report is empty");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw unreadable("the report is not UTF-8 text");
  }
}

export function jsonOf(bytes: Uint8Array): unknown {
  return textToJson(textOf(bytes), "the report");
}

/** `NaN` and `Infinity`, which Python writes, become null: they are no figures. */
export function textToJson(text: string, what: string): unknown {
  if (nesting(text) > depthMax) throw unreadable(`${what} is nested too deeply`);
  try {
    return parseJson(text);
  } catch {
    // Read again below.
  }
  try {
    return parseJson(withoutNonFinite(text));
  } catch {
    throw unreadable(`${what} is not well-formed JSON: it may have been cut off`);
  }
}

function withoutNonFinite(text: string): string {
  return text.replaceAll(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/gu, (token) => (token.startsWith('"') ? token : "null"));
}

function nesting(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const token of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gu)) {
    if (token[0] === "[" || token[0] === "{") depth += 1;
    else if (token[0] === "]" || token[0] === "}") depth -= 1;
    deepest = Math.max(deepest, depth);
    if (deepest > depthMax) break;
  }
  return deepest;
}

/** One JSON value for each line. Empty lines are allowed at the end only. */
export function jsonLinesOf(bytes: Uint8Array): readonly unknown[] {
  const lines = textOf(bytes).split(/\r?\n/u);
  while (lines.at(-1)?.trim() === "") lines.pop();
  if (lines.length > rowsMax) throw unreadable(`the report has more than ${rowsMax} lines`);
  return lines.map((line, index) => textToJson(line, `line ${index + 1}`));
}

/** Parses by a schema; the first place that does not fit is the refusal. */
export function shaped<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw unreadable(`${what} has not the form of its format: \`${issue?.path.join(".") ?? ""}\` ${issue?.message ?? ""}`.trim());
}
