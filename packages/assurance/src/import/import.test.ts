import { readFileSync } from "node:fs";
import { importFormats } from "@licet/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { oraclePath, oraclesAbsent, oraclesPresent } from "../../../../test/unit/support/oracle-files.ts";
import { decideImported, decideReport } from "./decide-import.ts";
import { guessFormat, importReport } from "./import-report.ts";
import type { ImportFormat, ImportOptions, ImportResult } from "./report.ts";
import { samples } from "./samples-fixture.ts";
import { signOf } from "./sign-convention.ts";
import { readXml } from "./xml.ts";

const limit = { op: "<=", value: 0.05, alpha: 0.05, source: "test" } as const;
const none = { ...limit, value: 0 };
const bytesOf = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
const read = (format: ImportFormat, value: unknown, options?: ImportOptions) => importReport(bytesOf(value), format, options);
const text = (format: ImportFormat) => samples[format].text();

/** A copy of the sample with one place changed: the value at the end of the path becomes what `change` gives, or goes when that is undefined. */
function edit(format: ImportFormat, path: string, change: (value: unknown) => unknown): ImportResult {
  return read(format, changed(JSON.parse(text(format)), path === "" ? [] : path.split("."), change), samples[format].options);
}

function changed(node: unknown, [key, ...rest]: readonly string[], change: (value: unknown) => unknown): unknown {
  if (key === undefined) return change(node);
  if (Array.isArray(node)) return node.map((part: unknown, index) => (String(index) === key || key === "*" ? changed(part, rest, change) : part));
  if (typeof node !== "object" || node === null) throw new Error(`no ${key}`);
  return Object.fromEntries(Object.entries({ [key]: undefined, ...node }).map(([name, part]) => [name, name === key ? changed(part, rest, change) : (part as unknown)]));
}

const plus = (more: number) => (value: unknown) => Number(value) + more;
const put = (value: unknown) => () => value;
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const twice = (value: unknown) => [...list(value), list(value)[0]];

describe("every format", () => {
  test.each(importFormats)("%s: a whole report is read, with its digest, and recognised by its first bytes", (format) => {
    const result = read(format, text(format), samples[format].options);
    expect(result).toMatchObject({ kind: "imported", report: { format, digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/u) } });
    expect(guessFormat(`report.${format === "csv" ? "csv" : "json"}`, bytesOf(text(format)))).toBe(format);
    expect(decideReport(result, samples[format].census ? none : limit).verdict).toBe(samples[format].verdict);
  });

  test.each(importFormats)("%s: a report that was cut off anywhere is never a pass and never an exception", (format) => {
    const bytes = bytesOf(text(format));
    for (let end = 0; end < bytes.length - 2; end += Math.max(1, Math.floor(bytes.length / 120))) {
      const result = importReport(bytes.slice(0, end), format, samples[format].options);
      expect([end, decideReport(result, { ...limit, value: 1 }).verdict]).not.toEqual([end, "pass"]);
    }
    expect(importReport(new Uint8Array(), format, samples[format].options).kind).toBe("refused");
  });

  test.each(importFormats)("%s: with any value in the place of any other it is never an exception", (format) => {
    fc.assert(
      fc.property(fc.nat(), fc.jsonValue(), (place, value) => {
        const result = read(format, mutated(text(format), place, value), samples[format].options);
        expect(["imported", "refused"]).toContain(result.kind);
        expect(JSON.stringify(decideReport(result, limit))).toContain("verdict");
      }),
      { numRuns: 60 },
    );
  });

  test.each(importFormats)("%s: bytes that are no report are refused", (format) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(importReport(bytes, format, samples[format].options).kind).toBe("refused");
      }),
      { numRuns: 40 },
    );
    for (const other of ["null", "[]", "{}", "0", '"x"', "[[[[", `${"[".repeat(10_000)}${"]".repeat(10_000)}`, "\uFEFF", "NaN"]) expect(read(format, other, samples[format].options).kind).toBe("refused");
  });
});

/** Puts a value in the place of the n-th value of a JSON text, or of a line of it; other texts get it in the middle. */
function mutated(source: string, place: number, value: unknown): string {
  const lines = source.split("\n");
  const index = place % lines.length;
  const whole = parsed(source);
  if (whole !== undefined) return JSON.stringify(replaced(whole, { left: place % 200 }, value));
  const line = parsed(lines[index] ?? "");
  lines[index] = line === undefined ? `${(lines[index] ?? "").slice(0, place % 40)}${JSON.stringify(value).slice(0, 20)}` : JSON.stringify(replaced(line, { left: place % 40 }, value));
  return lines.join("\n");
}

function parsed(source: string): unknown {
  try {
    return JSON.parse(source) as unknown;
  } catch {
    return undefined;
  }
}

function replaced(node: unknown, count: { left: number }, value: unknown): unknown {
  if (count.left === 0) {
    count.left = -1;
    return value;
  }
  count.left -= 1;
  if (Array.isArray(node)) return node.map((part) => replaced(part, count, value));
  if (typeof node !== "object" || node === null) return node;
  return Object.fromEntries(Object.entries(node).map(([key, part]) => [key, replaced(part, count, value)]));
}

describe("totals that do not follow from the rows are refused", () => {
  const inconsistent = { kind: "refused", reason: "inconsistent_import" };

  test.each([
    ["promptfoo: a failure less", edit("promptfoo", "results.stats.failures", plus(-1))],
    ["promptfoo: a row taken out", edit("promptfoo", "results.results", (rows) => list(rows).slice(1))],
    ["promptfoo: a row twice", edit("promptfoo", "results.results", twice)],
    ["promptfoo: a failed row called a success", edit("promptfoo", "results.results.0.success", put(true))],
    ["deepteam: a pass more", edit("deepteam", "overview.vulnerability_type_results.0.passing", plus(1))],
    ["deepteam: errors left out", edit("deepteam", "overview.errored", put(0))],
    ["pyrit: a failure with a score of success", edit("pyrit", "attack_results.crescendo.1.automated_objective_score.score_value", put("true"))],
    ["pyrit: a conversation twice", edit("pyrit", "attack_results.crescendo", twice)],
    ["modelscan: an issue less", edit("modelscan", "summary.total_issues", put(0))],
    ["modelscan: a severity that is not there", edit("modelscan", "summary.total_issues_by_severity.CRITICAL", put(0))],
    ["great-expectations: a success more", edit("great-expectations", "statistics.successful_expectations", plus(1))],
    ["great-expectations: a success that its counts deny", edit("great-expectations", "results.0.result.unexpected_count", put(3))],
    ["evidently: a word that its figure denies", edit("evidently", "tests.0.status", put("SUCCESS"))],
    ["moonshot: prompts that are not there", edit("moonshot", "results.recipes.0.total_num_of_prompts", put(900))],
    ["fickling: safe, with findings", edit("fickling", "severity", put("LIKELY_SAFE"))],
    ["junit: a failure less", read("junit", text("junit").replace('failures="1"', 'failures="0"'))],
    ["junit: a test less", read("junit", text("junit").replace(/<testcase name="second".*?\/>/u, ""))],
    ["garak: a fail less", read("garak", text("garak").replace('"fails": 2', '"fails": 1').replace('"passed": 4', '"passed": 5'))],
    ["garak: totals that do not add up", read("garak", text("garak").replace('"total_evaluated": 6', '"total_evaluated": 60'))],
    ["picklescan: an infected file less", read("picklescan", text("picklescan").replace("Infected files: 1", "Infected files: 0"))],
    ["csv: a row less", read("csv", text("csv"), { ...samples.csv.options, rows: 4 })],
    ["csv: a row twice", read("csv", text("csv").replace("r3,", "r1,"), samples.csv.options)],
  ])("%s", (_, result) => {
    expect(result).toMatchObject(inconsistent);
    expect(decideReport(result, { ...limit, value: 1 })).toMatchObject({ verdict: "insufficient_evidence", reason: "inconsistent_import" });
  });
});

describe("runs that did not end are refused", () => {
  test.each([
    ["garak without completion", read("garak", text("garak").replace(/\{"entry_type": "completion".*\n/u, ""))],
    ["garak with the completion of another run", read("garak", text("garak").replace('"completion", "run": "r1"', '"completion", "run": "r2"'))],
    ["pyrit in progress", edit("pyrit", "scenario_run_state", put("IN_PROGRESS"))],
    ["a list of pyrit without its number", read("pyrit", [{ conversation_id: "1", objective: "x", outcome: "failure" }])],
    ["moonshot still running", edit("moonshot", "metadata.status", put("running"))],
    ["sarif without invocation", edit("sarif", "runs.0.invocations", put(undefined))],
    ["sarif of a run that failed", edit("sarif", "runs.0.invocations.0.executionSuccessful", put(false))],
    ["sarif without results", edit("sarif", "runs.0.results", put(null))],
    ["junit without number of tests", read("junit", text("junit").replaceAll(/ tests="\d+"/gu, ""))],
    ["picklescan without summary", read("picklescan", text("picklescan").split("-----")[0])],
    ["csv without number of rows", read("csv", text("csv"), { csv: samples.csv.options.csv } as ImportOptions)],
  ])("%s", (_, result) => {
    expect(result).toMatchObject({ kind: "refused", reason: "aborted" });
  });
});

describe("silence, errors and skips are unassessed", () => {
  const rate = (result: ImportResult) => (result.kind === "imported" ? result.report.items.find(({ kind }) => kind === "rate") : undefined);

  test("garak: outputs that are empty are no resistance, whatever the detector says", () => {
    const result = read("garak", text("garak").replaceAll('"text": "hello"', '"text": " "'));
    expect(rate(result)).toMatchObject({ statistics: { unassessed: 4 }, reported: { events: 2, assessed: 6 } });
    expect(decideReport(result, { ...limit, value: 1 })).toMatchObject({ verdict: "insufficient_evidence", reason: "unassessed_budget" });
  });

  test("garak: totals without rows decide nothing, and their repeats count as one prompt", () => {
    const bare = text("garak").split("\n").filter((line) => !line.includes('"attempt"')).join("\n");
    const item = rate(read("garak", bare));
    expect(item).toMatchObject({ recounted: false, reported: { prompts: 3 }, statistics: { clusters: [{ events: 0, n: 2, count: 2 }, { events: 2, n: 2, count: 1 }] } });
    expect(item === undefined ? undefined : decideImported(item, { ...limit, value: 1 })).toMatchObject({ verdict: "insufficient_evidence", reason: "inconsistent_import" });
  });

  test("promptfoo: an error is no failure and no success, and a success without an answer is nothing", () => {
    const result = edit("promptfoo", "results.results.*.response", put({ output: "" }));
    expect(rate(result)).toMatchObject({ statistics: { unassessed: 4, clusters: [] } });
    expect(rate(read("promptfoo", text("promptfoo")))).toMatchObject({ statistics: { attempted: 4, unassessed: 1, reasons: { tool_error: 1 } }, reported: { events: 1, assessed: 3, unassessed: 1 } });
  });

  test("deepteam and pyrit: cases without score, without answer and without outcome", () => {
    expect(rate(read("deepteam", text("deepteam")))).toMatchObject({ statistics: { attempted: 4, unassessed: 2, reasons: { judge_failed: 1, tool_error: 1 } } });
    expect(rate(read("pyrit", text("pyrit")))).toMatchObject({ statistics: { attempted: 4, unassessed: 2 } });
  });

  test("censuses: files, tests and conditions that were left out keep a clean report from passing", () => {
    const scan = (skipped: readonly string[]) =>
      edit("modelscan", "", (report) => ({ ...(report as object), issues: [], summary: { total_issues: 0, total_issues_by_severity: {}, timestamp: "t", scanned: { total_scanned: 2 }, skipped: { total_skipped: skipped.length, skipped_files: skipped } } }));
    expect(decideReport(scan([]), none).verdict).toBe("pass");
    expect(decideReport(scan(["a"]), none)).toMatchObject({ verdict: "insufficient_evidence", reason: "unassessed_budget" });
    const warned = edit("deepchecks", "results.0.conditions_results.0.Status", put("WARN"));
    expect(decideReport(warned, none).verdict).toBe("insufficient_evidence");
    const suite = '<testsuite name="s" tests="2" skipped="1"><testcase name="a"/><testcase name="b"><skipped/></testcase></testsuite>';
    expect(decideReport(read("junit", suite), none).verdict).toBe("insufficient_evidence");
    expect(decideReport(read("junit", '<testsuite name="s" tests="1"><testcase name="a"/></testsuite>'), none).verdict).toBe("pass");
    expect(decideReport(read("junit", '<testsuite name="s" tests="0"></testsuite>'), none).verdict).toBe("insufficient_evidence");
    const files = text("picklescan").replace(/^.*FOUND$/mu, "").replaceAll(": 1", ": 0").replace("Scanned files: 2", "Scanned files: 2");
    expect(decideReport(read("picklescan", files), none).verdict).toBe("insufficient_evidence");
    expect(decideReport(read("picklescan", files, { rows: 2 }), none).verdict).toBe("pass");
    expect(decideReport(read("picklescan", files, { rows: 5 }), none).verdict).toBe("insufficient_evidence");
  });

  test("figures without counts decide nothing, and a test of figures that holds shows nothing", () => {
    const calm = edit("evidently", "", () => ({ metrics: [{ id: "m", metric_name: "ValueDrift(column=x)", config: { method: "K-S p_value", threshold: 0.05 }, value: 0.9 }], tests: [{ name: "t", metric_config: { metric_id: "m" }, test_config: {}, status: "SUCCESS" }] }));
    expect(decideReport(calm, none)).toMatchObject({ verdict: "insufficient_evidence", reason: "undefined_denominator" });
    expect(decideReport(read("aiverify", text("aiverify")), limit)).toMatchObject({ verdict: "insufficient_evidence" });
  });
});

test("one error in two hundred answers of another tool is enough to pass nothing", () => {
  const rows = Array.from({ length: 200 }, (_, index) => ({ id: String(index), success: true, failureReason: 0, gradingResult: { pass: true }, response: { output: "no" }, prompt: { raw: `p${index}` } }));
  const report = (results: readonly object[], errors: number) => read("promptfoo", { results: { version: 3, results, stats: { successes: 200, failures: 0, errors } } });
  expect(decideReport(report(rows, 0), limit).verdict).toBe("pass");
  expect(decideReport(report([...rows, { id: "x", success: false, failureReason: 2 }], 1), limit)).toMatchObject({ verdict: "insufficient_evidence", reason: "unassessed_budget" });
});

test("prompts stay clusters: repeats of one prompt do not make a pass", () => {
  const rows = Array.from({ length: 100 }, (_, row) => `r${row},p${row % 5},held`).join("\n");
  const csv = { outcome: "result", id: "id", event: ["broken"], noEvent: ["held"] };
  const table = `id,prompt,result\n${rows}\n`;
  expect(decideReport(read("csv", table, { rows: 100, csv }), limit).verdict).toBe("pass");
  expect(decideReport(read("csv", table, { rows: 100, csv: { ...csv, cluster: "prompt" } }), limit).verdict).toBe("insufficient_evidence");
  expect(read("csv", table, { rows: 100, csv: { ...csv, noEvent: ["held", "broken"] } }).kind).toBe("refused");
});

test("the same word means another thing in another tool", () => {
  expect(signOf("aif360", "statistical_parity_difference")).toBe("signed_difference");
  expect(signOf("fairlearn", "demographic_parity_difference")).toBe("absolute_difference");
  expect(signOf("garak", "score")).toBe("pass_share");
  expect(signOf("moonshot", "attack_success_rate")).toBe("event_share");
  expect(signOf("deepchecks", "score")).toBe("unknown");
});

describe("XML of a report", () => {
  test.each(["<a>", "<a></b>", "<a/><b/>", "", "text", '<!DOCTYPE a [<!ENTITY x "y">]><a b="&x;"/>', '<a b="&x;"/>', '<a b="1" b="2"/>', "<a b=1/>", "<".repeat(1000), "<a>".repeat(1000), '<a b="&#0;"/>'])("`%s` is refused", (source) => {
    expect(() => readXml(source)).toThrow(/XML/u);
  });

  test("is read with its attributes and entities, without text and comments", () => {
    expect(readXml('<?xml version="1.0"?><!-- c --><a x="1 &lt; &#x32;"><![CDATA[<b>]]>text<c y=\'&quot;\'/></a>\n')).toEqual({ name: "a", attributes: { x: "1 < 2" }, children: [{ name: "c", attributes: { y: '"' }, children: [] }] });
  });
});

describe.skipIf(!oraclesPresent)(`genuine reports (skipped when ${oraclesAbsent})`, () => {
  const expected = oraclesPresent ? (JSON.parse(readFileSync(oraclePath("adapters/expected.json"), "utf8")) as Record<string, { tool: string }>) : {};

  test.each(Object.keys(expected))("%s is recognised, read, and never a pass at a limit that it breaks", (name) => {
    const bytes = readFileSync(oraclePath(`adapters/${name}`));
    const format = guessFormat(name, bytes);
    const result = importReport(bytes, format ?? "csv");
    expect(result).toMatchObject({ kind: "imported", report: { tool: expected[name]?.tool } });
    expect(decideReport(result, none).verdict).not.toBe("pass");
  });
});
