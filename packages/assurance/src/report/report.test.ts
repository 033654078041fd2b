import { intervalScale, reasonWords, type CheckResult, type SuiteReport } from "@licet/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide } from "../verdict/decide.ts";
import { htmlReport } from "./html.ts";
import { plottedInterval } from "./plotted-interval.ts";
import { junitReport } from "./junit.ts";
import { markdownReport } from "./markdown.ts";
import { sarifReport } from "./sarif.ts";
import { formatReport } from "./terminal.ts";
import { nextStepOf } from "./words.ts";

const digest = `sha256:${"0".repeat(64)}`;

function resultOf(id: string, events: number, n: number, more: Partial<CheckResult> = {}): CheckResult {
  const limit = { op: "<=", value: 0.1, alpha: 0.05, source: "manifest" } as const;
  const counts = { attempted: n, assessed: n, unassessed: 0 };
  const basis = { kind: "columns" as const, columns: [{ name: "a", events, n }] };
  return {
    schema: "licet.assurance.result/v1", id, check: "data.missing", checkVersion: "1", engine: { name: "@licet/assurance", version: "1", digest },
    subject: { kind: "table", id: "t", digest }, inputs: [{ role: "test", id: "t", digest, rows: n }], unit: "share", counts, basis, limit, notes: [],
    attempt: { index: 1, alphaSpent: 0.05, previous: [] }, seed: "s", cost: { queries: 0, wallMs: 3 }, evidence: [], origin: "native", ...decide(basis, limit, counts), ...more,
  };
}

function reportOf(results: readonly CheckResult[]): SuiteReport {
  const summary = { pass: 0, fail: 0, insufficient_evidence: 0, errored: 0, not_applicable: 0 };
  for (const { verdict } of results) summary[verdict] += 1;
  return { schema: "licet.assurance.report/v1", release: digest, seed: "s", engine: { name: "@licet/assurance", version: "1", digest }, startedAt: "2026-01-01T00:00:00.000Z", finishedAt: "2026-01-01T00:00:01.500Z", verdict: "fail", summary, results: [...results] };
}

const [good, bad, open] = [resultOf("good", 1, 400), resultOf("bad", 300, 400), resultOf("open", 1, 12)];
const report = reportOf([good, bad, open]);

describe("reports", () => {
  test("every form says all three verdicts, and none calls insufficient evidence a pass", () => {
    expect([good.verdict, bad.verdict, open.verdict]).toEqual(["pass", "fail", "insufficient_evidence"]);
    expect(formatReport(report)).toMatch(/pass +good .*\n.*●.*\n.*attempt 1, judged at alpha 0\.05\n.*fail +bad [\s\S]*insufficient +open[\s\S]*1 pass, 1 fail, 1 insufficient/u);
    expect(junitReport(report)).toContain('tests="3" failures="2" errors="0" skipped="0"');
    expect(markdownReport(report)).toMatch(/\| good .*✅ pass.*\n\| bad .*❌ fail.*\n\| open .*❔ insufficient/u);
    const { runs } = JSON.parse(sarifReport(report)) as { runs: { results: { kind: string; level: string }[] }[] };
    expect(runs[0]?.results.map(({ kind, level }) => [kind, level])).toEqual([["pass", "none"], ["fail", "error"], ["fail", "warning"]]);
    expect(htmlReport(report, { system: "x" }).match(/<svg class="(\w+)"/gu)).toEqual(['<svg class="pass"', '<svg class="fail"', '<svg class="insufficient_evidence"']);
  });

  test("what is left to do comes first, with the next step of each open check; what passed and what is advisory asks for nothing", () => {
    const errored = resultOf("broken", 0, 0, { verdict: "errored", reason: "table_malformed", error: { code: "table_malformed", message: "line 3 is cut off", at: {} } });
    const page = htmlReport(reportOf([good, bad, open, errored, resultOf("aside", 300, 400)]), { system: "x", advisory: new Set(["aside"]) });
    const left = /<h2>What is left to do<\/h2>(.*?)<h2>/su.exec(page)?.[1] ?? "";
    expect(Array.from(left.matchAll(/href="#(\w+)"/gu), ([, id]) => id)).toEqual(["bad", "open", "broken"]);
    expect(left).toContain(`about ${open.requiredN} such cases would decide it; give it more cases`);
    expect(left).toContain("RFC 4180");
    expect(page.match(/class="chip advisory"/gu)).toHaveLength(2);
    expect(htmlReport(reportOf([good]), { system: "x" })).not.toContain("left to do");
    expect(formatReport(reportOf([open]))).toContain("do: give it more cases");
    expect(formatReport(reportOf([good]))).not.toContain("do:");
    expect(markdownReport(reportOf([bad]))).toContain("  - do: find the cause");
  });

  test("every reason why a check may be open has a next step of its own", () => {
    const steps = Object.keys(reasonWords).map((reason) => nextStepOf(resultOf("a", 1, 12, { reason })));
    for (const step of steps) expect(step).toMatch(/^[a-z].{20,}[^.]$/u);
    expect(new Set(steps).size).toBe(steps.length);
  });

  test("a run that a budget ended is not told to bring more data, and a language model is asked more instead", () => {
    const early = resultOf("early", 1, 12, { check: "llm.leak.system", notes: ["the run ended early: budget"] });
    expect(nextStepOf(early)).toContain("larger budget");
    expect(nextStepOf({ ...early, notes: [] })).toContain("prompts");
  });

  test("a model behind an endpoint is shown with what was seen of it, whatever it calls itself", () => {
    const served = { url: "https://models.example.com/v2/models/credit", model: "credit", version: "<b>7</b>", metadata: digest, weights: "unseen" } as const;
    const page = htmlReport(reportOf([resultOf("served", 1, 400, { subject: { kind: "oip", id: "credit", digest, served } })]), { system: "x" });
    expect(page).toContain("credit at https://models.example.com/v2/models/credit, version &lt;b&gt;7&lt;/b&gt;; the weights are not seen");
  });

  test("every attempt is shown with what it could spend, worn data with a warning, and practice as no attempt", () => {
    const again = resultOf("again", 1, 400, { attempt: { index: 3, alphaSpent: 0.0034, previous: ["chk_1", "tkt_2"], repeats: "chk_9" }, reuse: [{ id: "test", digest, uses: 21 }, { id: "train", digest, uses: 1 }] });
    const given = reportOf([again]);
    expect(formatReport(given)).toMatch(/attempt 3, after 2 on the same subject, judged at alpha 0\.0034; makes chk_9 again and spends nothing[\s\S]*warning: test has judged this system 21 times: above 20/u);
    expect(formatReport({ ...given, release: null })).not.toContain("attempt 3");
    expect(markdownReport(given)).toMatch(/\| 3, α 0\.0034 \|[\s\S]*⚠️ test has judged/u);
    const html = htmlReport(given, { system: "x" });
    for (const text of ["attempt 3", "chk_1, tkt_2", "has judged this system once", "Warning: test has judged this system 21 times"]) expect(html).toContain(text);
    expect(htmlReport({ ...given, release: null }, { system: "x" })).toMatch(/no attempt was spent[\s\S]*none: practice, judged at alpha 0\.0034/u);
    expect(htmlReport({ ...given, release: null }, { system: "x" })).not.toContain("attempt 3");
    const { runs } = JSON.parse(sarifReport(given)) as { runs: { results: { properties: object }[] }[] };
    expect(runs[0]?.results[0]?.properties).toMatchObject({ attempt: { index: 3 }, reuse: [{ uses: 21 }, { uses: 1 }] });
  });

  test("whatever a name or a note holds, it stays text", () => {
    const hostile = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("</script><script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "](javascript:alert(1))", "a|b\n| c", "]]>", "\u0000\ud800"));
    fc.assert(
      fc.property(hostile, (text) => {
        const given = reportOf([resultOf("a", 300, 400, { label: text, notes: [text], unit: text, error: { code: "x", message: text, at: {} } })]);
        const html = htmlReport(given, { system: text });
        expect(html.match(/<(?!\/?(?:html|head|meta|title|style|body|header|main|footer|section|p|h1|h2|b|a|span|table|thead|tbody|tr|th|td|svg|rect|line|circle|text|dl|dt|dd|ul|li|details|summary|pre|code|!doctype)\b)/giu)).toBe(null);
        expect(html).not.toMatch(/<[^>]*\son\w+=/iu);
        expect(junitReport(given)).not.toMatch(/(?![\t\n\r])\p{Cc}/u);
        expect(junitReport(given).match(/<testcase /gu)).toHaveLength(1);
        // A name cannot open a row, a link or markup of its own.
        expect(markdownReport(given).split("\n").filter((line) => line.startsWith("|"))).toHaveLength(3);
        expect(markdownReport(given)).not.toMatch(/(?<!\\)\]\(/u);
        JSON.parse(sarifReport(given));
      }),
      { numRuns: 200 },
    );
  });

  test("on the line, the order of interval, estimate and limit is that of the figures", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, part) => {
        const result = resultOf("a", Math.round(part * n), n);
        const scale = intervalScale(result);
        expect(scale).toBeDefined();
        if (scale === undefined) return;
        expect(scale.lower <= scale.estimate && scale.estimate <= scale.upper).toBe(true);
        expect(scale.limit > scale.estimate).toBe(result.limit.value > (result.estimate ?? 0));
        expect(plottedInterval(scale)).toMatch(/^.{40}$/u);
      }),
    );
  });
});
