import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonicalize } from "@licet/evidence";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builtinBundle } from "../policy/builtin.ts";
import { bundleJson } from "../policy/bundle-read.ts";
import { createDecider } from "../policy/decide.ts";
import { canonicalOutcome } from "../policy/scenario-outcome.ts";
import { reportFailure } from "./failure.ts";
import { program } from "./program.ts";

let folder = "";
const before = process.cwd();
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "licet-policy-"));
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The command line as `main.ts` runs it, in this process: a process of its own would compile all policies anew for each line. */
async function licet(...args: readonly string[]): Promise<Ran> {
  const said = { out: "", err: "" };
  const terminal = { out: (text: string) => void (said.out += `${text}\n`), err: (text: string) => void (said.err += `${text}\n`), colour: false, width: 100 };
  const outside = process.exitCode;
  process.exitCode = 0;
  try {
    await program(terminal).parseAsync(["policy", ...args], { from: "user" });
    return { code: process.exitCode, ...said };
  } catch (error) {
    return { code: reportFailure(terminal, error), ...said };
  } finally {
    process.exitCode = outside;
  }
}

const rules = () => join(folder, "policies/packs/card-team/rules.cedar");

describe("licet policy", () => {
  it("begins a pack, checks, formats and tests it, and says what changes", { timeout: 240_000 }, async () => {
    expect(await licet("check")).toMatchObject({ code: 2, err: expect.stringContaining("licet policy new NAME") });
    expect(await licet("new", "card-team", "--kind", "team", "--system", "card-check")).toMatchObject({ code: 0, out: expect.stringContaining("wrote policies/packs/card-team/tests/rules.yaml") });
    expect((await licet("new", "card-team", "--kind", "team", "--system", "card-check")).err).toContain("error[already_exists]");
    const report = JSON.parse((await licet("check", "--json")).out);
    expect(report).toMatchObject({ ok: true, packs: ["card-team"], policies: 1, scenarios: 3, diagnostics: [] });

    cpSync(join(folder, "policies"), join(folder, "before"), { recursive: true });
    const written = readFileSync(rules(), "utf8");
    writeFileSync(rules(), written.replace("forbid (\n  principal,", "forbid ( principal,").replace('"special"', '"personal"'));
    expect(await licet("fmt", "--check")).toMatchObject({ code: 1, out: expect.stringContaining("would change: policies/packs/card-team/rules.cedar") });
    expect(await licet("fmt")).toMatchObject({ code: 0 });
    expect(readFileSync(rules(), "utf8")).toBe(written.replace('"special"', '"personal"'));

    const tested = await licet("test", "--coverage", "--min-coverage", "100", "--junit", "report.xml");
    const differed = await licet("diff", "before", "policies");
    expect(tested.code).toBe(1);
    expect(tested.out).toMatch(/policies\/packs\/card-team\/tests\/rules.yaml:\d+:11: error\[scenario_failed\]: `a call with special-category data is refused, inside the boundary too`: expected deny, came allow/u);
    expect(tested.out).toContain("2 passed, 1 failed\ncoverage: 0 %");
    expect(readFileSync(join(folder, "report.xml"), "utf8")).toMatch(/<testsuites name="licet policy test" tests="3" failures="1">[\s\S]*<failure message="expected deny, came allow by/u);
    expect(differed.code).toBe(1);
    expect(differed.out).toContain('~ card-team.no-special-data (card-team)');
    expect(differed.out).toMatch(/- when \{ context.dataClasses.contains\("special"\) \};\n +\+ when \{ context.dataClasses.contains\("personal"\) \};/u);
    expect(differed.out).toContain("1 policy differs; 1 of 3 decisions change\n! a call with special-category data is refused, inside the boundary too: deny (by card-team.no-special-data) -> allow (by runtime.call)");
  });

  it("decides a file of requests by a saved bundle, in one canonical line each", { timeout: 240_000 }, async () => {
    const bundle = builtinBundle();
    const requests = bundle.golden.slice(0, 50).map(({ request }) => request);
    writeFileSync(join(folder, "requests.jsonl"), requests.map((request) => JSON.stringify(request)).join("\n"));
    writeFileSync(join(folder, "bundle.json"), canonicalize({ ...JSON.parse(bundleJson(bundle)), digest: bundle.digest }));
    writeFileSync(join(folder, "changed.json"), canonicalize({ ...JSON.parse(bundleJson(bundle)), schema: "", digest: bundle.digest }));
    const decider = createDecider(bundle);
    const saved = await licet("test", "--requests", "requests.jsonl", "--bundle", "bundle.json");
    const changed = await licet("test", "--requests", "requests.jsonl", "--bundle", "changed.json");
    expect(saved).toMatchObject({ code: 0, out: requests.map((request) => `${canonicalOutcome(decider.decide(request))}\n`).join("") });
    expect(changed).toMatchObject({ code: 3, err: expect.stringContaining("error[policy_bundle_changed]") });
  });

  it("shows a policy with everything that people need, and suggests what was meant", { timeout: 240_000 }, async () => {
    const [shown, missed] = [await licet("show", "runtime.held"), await licet("show", "runtime.hold")];
    for (const part of ["requirement  held", "remedy ", "turn ", "controls ", "mode         enforce", "forbid"]) expect(shown.out).toContain(part);
    expect(missed).toMatchObject({ code: 3, err: expect.stringContaining("did you mean `runtime.held`?") });
  });
});
