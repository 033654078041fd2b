import type { UsageRow } from "@licet/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { periodOf, reconcile, type Compared } from "./reconcile.ts";
import { readUsage, type BilledRow } from "./reconcile-usage.ts";

const day = Date.UTC(2026, 10, 20);
const hour = 3_600_000;
const seconds = day / 1000;

const openAiResult = (change: object = {}) => ({ object: "organization.usage.completions.result", input_tokens: 1000, output_tokens: 500, input_cached_tokens: 800, num_model_requests: 5, project_id: null, user_id: null, api_key_id: null, model: "sim-1", batch: null, service_tier: null, ...change });
const openAi = (results: readonly object[], more = false) => ({ object: "page", data: [{ object: "bucket", start_time: seconds, end_time: seconds + 86_400, results }], has_more: more, next_page: null });
const anthropicResult = (change: object = {}) => ({ uncached_input_tokens: 600, cache_creation: { ephemeral_1h_input_tokens: 100, ephemeral_5m_input_tokens: 100 }, cache_read_input_tokens: 200, output_tokens: 500, server_tool_use: { web_search_requests: 0 }, api_key_id: null, workspace_id: null, model: "sim-1", service_tier: null, context_window: null, ...change });
const anthropic = (results: readonly object[]) => ({ data: [{ starting_at: "2026-11-20T00:00:00Z", ending_at: "2026-11-21T00:00:00Z", results }], has_more: false, next_page: null });
const plain = "start,end,model,requests,input_tokens,output_tokens\n";

const billed = { start: day, end: day + 24 * hour, model: "sim-1", requests: 5, inputTokens: 1000, outputTokens: 500 };
const logged: UsageRow = { day, provider: "models", model: "sim-1", calls: 5, answered: 5, tokensUnknown: 0, inputTokens: 1000, outputTokens: 500 };

function refusal(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

describe("a usage export", () => {
  test("is read from the OpenAI usage API's pages", () => {
    expect(readUsage(JSON.stringify(openAi([openAiResult()])))).toEqual([{ ...billed, place: "data.0.results.0" }]);
    expect(readUsage(JSON.stringify([openAi([openAiResult()], true), openAi([openAiResult({ model: "sim-2" })])])).map(({ model, place }) => [model, place])).toEqual([["sim-1", "0.data.0.results.0"], ["sim-2", "1.data.0.results.0"]]);
  });

  test("is read from OpenAI's members as columns", () => {
    const text = `start_time,end_time,project_id,num_model_requests,model,input_tokens,output_tokens\n${seconds},${seconds + 86_400},p,5,sim-1,1000,500\n`;
    expect(readUsage(text)).toEqual([{ ...billed, place: "line 2" }]);
  });

  test("is read from an Anthropic report, whose input is new, cached and read from cache, and which counts no requests", () => {
    expect(readUsage(JSON.stringify(anthropic([anthropicResult()])))).toEqual([{ ...billed, requests: null, place: "data.0.results.0" }]);
    expect(readUsage(JSON.stringify(anthropic([anthropicResult({ cache_creation: null })])))[0]?.inputTokens).toBe(800);
  });

  test("is read from the plain csv, by dates and by times in UTC", () => {
    expect(readUsage(`${plain}2026-11-20,2026-11-21,sim-1,5,1000,500\n`)).toEqual([{ ...billed, place: "line 2" }]);
    expect(readUsage(`${plain}2026-11-20T00:00:00Z,2026-11-20T01:00:00Z,sim-1,,1,2\n`)).toEqual([{ ...billed, end: day + hour, requests: null, inputTokens: 1, outputTokens: 2, place: "line 2" }]);
  });

  test.each([
    ["usage_malformed", `${plain}2026-11-20,2026-11-21,sim-1,5,1000,500\n2026-11-20,2026-11-21,sim-1,5,many,500\n`, /^line 3: `many` in `input_tokens`/u],
    ["usage_malformed", `${plain}2026-11-20T00:00:00,2026-11-21,sim-1,5,1,1\n`, /^line 2: .*not a time in UTC/u],
    ["usage_malformed", `${plain}2026-11-20T00:00:00+02:00,2026-11-21,sim-1,5,1,1\n`, /^line 2: .*not a time in UTC/u],
    ["usage_malformed", `${plain}2026-02-30,2026-11-21,sim-1,5,1,1\n`, /^line 2: .*not a time in UTC/u],
    ["usage_malformed", `${plain}2026-11-20,2026-11-21,,5,1,1\n`, /^line 2: the row names no model/u],
    ["usage_malformed", `${plain}2026-11-20,2026-11-21,sim-1,-5,1,1\n`, /^line 2: `-5` in `requests`/u],
    ["usage_malformed", "start,end,model,requests,input_tokens\n1,2,3,4,5\n", /^line 1: the header lacks the column `output_tokens`/u],
    ["usage_malformed", plain, /holds no row/u],
    ["usage_malformed", '{\n"object": "page",\n"data" [}\n', /^line 3: this is not json/u],
    ["usage_malformed", '{"data": [}', /^this is not json/u],
    ["usage_malformed", JSON.stringify(openAi([openAiResult({ model: null })])), /^at `data.0.results.0`: the row names no model/u],
    ["usage_malformed", JSON.stringify(openAi([openAiResult({ input_tokens: -1 })])), /^at `data.0.results.0.input_tokens`/u],
    ["usage_incomplete", JSON.stringify(openAi([openAiResult()], true)), /has_more/u],
    ["usage_incomplete", "[]", /has_more/u],
  ])("that cannot be read is refused: %s %j", (code, text, message) => {
    expect(refusal(() => readUsage(text))).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test("named as one form is not read as another", () => {
    expect(refusal(() => readUsage("[]", "csv"))).toMatchObject({ code: "usage_malformed" });
    expect(refusal(() => readUsage(plain, "anthropic"))).toMatchObject({ code: "usage_malformed" });
    expect(refusal(() => readUsage(JSON.stringify(openAi([openAiResult()])), "anthropic"))).toMatchObject({ code: "usage_malformed" });
  });
});

describe("the period", () => {
  const row = (change: Partial<BilledRow>): BilledRow => ({ ...billed, place: "line 2", ...change });

  test("is what the export covers, unless one asks for less", () => {
    expect(periodOf([row({}), row({ start: day + 24 * hour, end: day + 30 * hour })], {})).toEqual({ from: day, to: day + 30 * hour });
    expect(periodOf([row({})], { from: day - 24 * hour })).toEqual({ from: day - 24 * hour, to: day + 24 * hour });
  });

  test.each([
    ["usage_period", row({ end: day + 25 * hour }), {}],
    ["usage_period", row({}), { to: day + hour }],
    ["usage_period", row({}), { from: day + 1 }],
    ["usage_period", row({}), { from: day + 48 * hour }],
    ["usage_malformed", row({ start: day + hour, end: day + hour }), { from: day, to: day + 24 * hour }],
  ])("%s where a bucket does not lie in one day and inside it", (code, bucket, asked) => {
    expect(refusal(() => periodOf([bucket], asked))).toMatchObject({ code });
  });
});

const period = { from: day, to: day + 24 * hour };

function verdicts(bill: readonly Partial<BilledRow>[], log: readonly Partial<UsageRow>[], names: readonly (readonly [string, string])[] = []): readonly Compared["verdict"][] {
  const rows = reconcile({ billed: bill.map((row) => ({ ...billed, place: "line 2", ...row })), logged: log.map((row) => ({ ...logged, ...row })), period, names: new Map(names) });
  return rows.map(({ verdict }) => verdict);
}

describe("bill and log", () => {
  test("agree where requests and tokens are the same, summed over the rows of a day", () => {
    expect(verdicts([{}], [{}])).toEqual(["agrees"]);
    expect(verdicts([{ end: day + hour, requests: 2, inputTokens: 400, outputTokens: 200 }, { start: day + hour, requests: 3, inputTokens: 600, outputTokens: 300 }], [{}])).toEqual(["agrees"]);
  });

  test("a request that was billed and not logged is found, in a bucket, for a model, on a day that the log does not know", () => {
    expect(verdicts([{ requests: 6 }], [{}])).toEqual(["unlogged"]);
    expect(verdicts([{}, { model: "sim-2" }], [{}])).toEqual(["agrees", "unlogged"]);
    expect(verdicts([{}], [])).toEqual(["unlogged"]);
    expect(verdicts([{ inputTokens: 1001 }], [{}])).toEqual(["unlogged"]);
  });

  test("without request counts, tokens still show a call that is not logged", () => {
    expect(verdicts([{ requests: null }], [{}])).toEqual(["agrees"]);
    expect(verdicts([{ requests: null, outputTokens: 501 }], [{}])).toEqual(["unlogged"]);
  });

  test("more tokens than the log counts cannot be told from those of calls without counts, but more requests can", () => {
    expect(verdicts([{ outputTokens: 600 }], [{ tokensUnknown: 1 }])).toEqual(["unknown"]);
    expect(verdicts([{ requests: 6, outputTokens: 600 }], [{ tokensUnknown: 1 }])).toEqual(["unlogged"]);
  });

  test("more in the log than on the bill is said, and is no finding", () => {
    expect(verdicts([{ requests: 4, inputTokens: 900 }], [{}])).toEqual(["unbilled"]);
    expect(verdicts([], [{}])).toEqual(["unbilled"]);
  });

  test("a model is compared under the name that the log has for it", () => {
    expect(verdicts([{ model: "sim-1-2026-11-01" }], [{}])).toEqual(["unbilled", "unlogged"]);
    expect(verdicts([{ model: "sim-1-2026-11-01" }], [{}], [["sim-1-2026-11-01", "sim-1"]])).toEqual(["agrees"]);
  });

  test("of several providers are not mixed", () => {
    expect(refusal(() => verdicts([{}], [{}, { provider: "other" }]))).toMatchObject({ code: "usage_provider_unnamed" });
  });

  test("no call that was billed beyond the log passes, whatever the rest says", () => {
    const usage = fc.record({ calls: fc.nat(20), inputTokens: fc.nat(1000), outputTokens: fc.nat(1000), tokensUnknown: fc.nat(3) });
    fc.assert(
      fc.property(usage, fc.nat(20), fc.nat(1000), (row, requests, tokens) => {
        const [verdict] = verdicts([{ requests, inputTokens: tokens, outputTokens: 0 }], [row]);
        expect(verdict === "unlogged").toBe(requests > row.calls || (tokens > row.inputTokens && row.tokensUnknown === 0));
      }),
    );
  });
});
