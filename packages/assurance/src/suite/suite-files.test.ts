import { describe, expect, test } from "vitest";
import { checkResult } from "../../../../test/unit/support/run-check.ts";

/** Protocol 0: imports a function, calls it with a text, ends. */
const calling = (module: string, name: string, argument: string) => Buffer.from(`c${module}\n${name}\n(V${argument}\ntR.`);
const harmless = Buffer.from("(lp0\nI1\naI2\na.");

describe("files of models and reports of other tools", () => {
  test("a pickle that calls the system fails, a list of numbers passes, and bytes of no known form show nothing", async () => {
    const scan = (artifact: Uint8Array) => checkResult({ check: "artifact.scan", artifact: "weights" }, { weights: artifact });
    expect(await scan(calling("os", "system", "id"))).toMatchObject({ verdict: "fail", subject: { kind: "artifact", id: "weights" } });
    expect(await scan(harmless)).toMatchObject({ verdict: "pass" });
    expect((await scan(Buffer.from([0, 1, 2, 3, 250, 251]))).verdict).toBe("insufficient_evidence");
    expect((await scan(Buffer.alloc(0))).verdict).not.toBe("pass");
  });

  test("a JUnit report is counted again: skipped and errored cases are no passes, and a summary that lies is refused", async () => {
    const report = (summary: string, ...cases: readonly string[]) => `<?xml version="1.0"?><testsuites><testsuite name="s" ${summary}>${cases.join("")}</testsuite></testsuites>`;
    const good = Array.from({ length: 400 }, (_, at) => `<testcase classname="c" name="t${at}"/>`);
    const imported = (text: string) => checkResult({ check: "import.report", report: "r", format: "junit" }, { r: text });
    expect(await imported(report('tests="400" failures="0" errors="0" skipped="0"', ...good))).toMatchObject({ verdict: "pass", origin: { importedFrom: expect.any(String), recomputed: true } });
    const skipped = '<testcase classname="c" name="u"><skipped/></testcase>';
    expect((await imported(report('tests="401" failures="0" errors="0" skipped="1"', ...good, skipped))).verdict).not.toBe("pass");
    expect(await imported(report('tests="400" failures="0" errors="0" skipped="0"', ...good, skipped))).toMatchObject({ verdict: "insufficient_evidence" });
    expect((await imported("<testsuites>")).verdict).toBe("insufficient_evidence");
  });
});
