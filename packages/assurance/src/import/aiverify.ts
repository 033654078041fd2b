import { z } from "zod";
import { jsonOf, shaped } from "./read.ts";
import { unreadable } from "./refusal.ts";
import type { ImportedValue, ReadReport } from "./report.ts";
import { signOf } from "./sign-convention.ts";

const Result = z.looseObject({
  gid: z.string(),
  cid: z.string(),
  version: z.string().nullish(),
  start_time: z.string().optional(),
  startTime: z.string().optional(),
  time_taken: z.number().nonnegative().optional(),
  timeTaken: z.number().nonnegative().optional(),
  output: z.unknown(),
});
const valuesMax = 2000;

/**
 * AI Verify's test result. It holds figures and no rows, so nothing of it can be counted again: the figures are shown and decide nothing.
 * `time_taken` is written at the end of a test. Source: aiverify `common/schemas/aiverify.testresult.schema.json`.
 */
export function readAiVerify(bytes: Uint8Array): ReadReport {
  const result = shaped(Result, jsonOf(bytes), "the test result");
  if (result.time_taken === undefined && result.timeTaken === undefined) throw unreadable("the result has no `time_taken`: the test did not end");
  const method = `${result.gid} ${result.cid}`;
  const values = figures(result.output, "").slice(0, valuesMax);
  const items = values.map(([path, value]): ImportedValue => ({ kind: "value", id: `${result.cid}${path}`.slice(0, 400), value, method, sign: signOf("aiverify", path) }));
  return { tool: "aiverify", toolVersion: result.version ?? null, items, notes: ["the report holds figures without the counts behind them: they decide nothing"] };
}

function figures(value: unknown, path: string): readonly (readonly [string, number])[] {
  if (typeof value === "number") return Number.isFinite(value) ? [[path, value]] : [];
  if (Array.isArray(value)) return value.flatMap((part, index) => figures(part, `${path}/${index}`));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => figures(part, `${path}/${key}`));
}
