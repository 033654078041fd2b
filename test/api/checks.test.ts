import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runOfTicket, runSuite } from "@licet/assurance";
import type { Client } from "@licet/client";
import { AssuranceCheck, type CheckStanding, type ChecksView } from "@licet/contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import { personalDataIn } from "../../packages/licet/src/detect/personal-data.ts";
import { manualClock } from "../../packages/licet/src/base/clock.ts";
import { exampleBundle, exampleManifest } from "../../packages/licet/src/inventory/example-manifest.ts";
import { install, type Installation } from "./installation.ts";

const rows = "a,b\n1,1\n2,3\n4,\n";
const digest = `sha256:${createHash("sha256").update(rows).digest("hex")}`;
const params = { space: "main", system: "example" };
const hour = 3_600_000;
const clock = manualClock(Date.now());

/** Half of the limit, and too few rows to show it: insufficient; of `a` alone nothing is missing. */
const open = { check: "data.missing", id: "open", dataset: "rows", max: 0.6 } as const satisfies AssuranceCheck;
const whole = { check: "data.missing", id: "whole", dataset: "rows", max: 0, columns: ["a"] } as const satisfies AssuranceCheck;
/** Its data are only known when it runs: asked for again, it is another attempt. */
const fresh = AssuranceCheck.parse({ check: "data.pii", id: "fresh", advisory: true, dataset: "rows" });
const later = { check: "data.missing", id: "later", label: "Not yet run", advisory: true, dataset: "rows", max: 0.5 } as const satisfies AssuranceCheck;

function bundleWith(checks: readonly AssuranceCheck[]) {
  const { prompts } = exampleManifest.components;
  return {
    ...exampleBundle({
      ...exampleManifest,
      environments: ["local", "other"],
      components: {
        ...(prompts === undefined ? {} : { prompts }),
        models: [{ name: "tiny", provider: "local", model: "tiny", file: "rows.csv", description: "its bytes do not matter here" }],
        datasets: [{ name: "rows", file: "rows.csv", sensitivity: "internal", licence: "our own", retentionDays: 30 }],
      },
      assurance: { checks: [...checks] },
    }),
    files: [{ path: "rows.csv", digest, bytes: rows.length }],
  };
}

let installation: Installation;
let folder: string;
let client: Client;
const releases: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "licet-checks-"));
  await writeFile(join(folder, "rows.csv"), rows);
  installation = await install({ clock });
  ({ client } = await installation.person("main", ["developer", "platform-engineer"]));
});
afterAll(async () => {
  await installation.close();
  await rm(folder, { recursive: true, force: true });
});

async function push(checks: readonly AssuranceCheck[]): Promise<string> {
  const { release } = await client("pushRelease", { params: { space: "main" }, body: bundleWith(checks) });
  releases.push(release);
  return release;
}

async function run(release: string, checks: readonly AssuranceCheck[], of = params): Promise<void> {
  const ticket = await client("issueTicket", { params: of, body: { release, checks: checks.map(({ id }) => id), datasets: {} } });
  const suite = { checks: checks.filter(({ id }) => ticket.checks.includes(id)) };
  const { results } = await runSuite({ suite, root: folder, resolve: () => ({ path: "rows.csv", digest }), ...runOfTicket(ticket), release, now: () => clock.now(), personalData: personalDataIn });
  if (results.length > 0) await client("returnResults", { params: of, body: { ticket: ticket.id, results: results.map((result) => ({ ...result })) } });
  clock.advance(1000);
}

async function view(release?: string): Promise<ChecksView> {
  return client("showChecks", { params, query: release === undefined ? {} : { release } });
}

function standingOf({ checks }: ChecksView, id: string): CheckStanding | undefined {
  return checks.find(({ declared }) => declared.id === id);
}

test("a declared check without a result is missing, with its limit, and nothing is compared before anything is deployed", async () => {
  const release = await push([open, whole, fresh, later]);
  await run(release, [open, whole, fresh]);
  const shown = await view();
  expect(shown.checks.map(({ declared, standing }) => [declared.id, standing])).toEqual([
    ["open", "insufficient_evidence"],
    ["whole", "pass"],
    ["fresh", "pass"],
    ["later", "missing"],
  ]);
  expect(standingOf(shown, "later")).toMatchObject({ declared: { label: "Not yet run", advisory: true, components: ["rows"], limit: { op: "<=", value: 0.5 } }, result: null, results: 0, asked: { op: "<=", value: 0.05 } });
  expect(standingOf(shown, "fresh")?.asked).toEqual({ op: "<=", value: 0 });
  expect(shown).toMatchObject({ tier: "minimal", compared: null, dropped: [] });
});

test("an explained move says to do what the gate says, which knows the record", async () => {
  const { answer } = await client("askGate", { params, query: { to: "production" } });
  const { reasons, source } = await client("explainPolicy", { params: { space: "main" }, body: { system: "example", to: "production" } });
  expect(source).toBe("gate");
  expect(reasons.map(({ policy, remedy }) => [policy, remedy])).toEqual(answer.requirements.filter(({ state }) => state !== "met").map(({ id, remedy }) => [id, remedy]));
  expect(reasons.find(({ policy }) => policy === "gate.pilot-first")?.remedy).toContain("licet promote example --to pilot");
});

test("what is open says how many cases there are, of the kind that it needs", async () => {
  const result = standingOf(await view(), "open")?.result;
  expect(result).toMatchObject({ producer: "self", counts: true, attempt: 1, cases: [{ of: "", n: 3 }], figures: { reason: "too_few", limit: { value: 0.6 } } });
  expect(result?.figures.requiredN).toBeGreaterThan(3);
});

test("an attempt that is not back by its lease is aborted, and stands above the older result", async () => {
  await client("issueTicket", { params, body: { release: releases[0] ?? "", checks: ["fresh"], datasets: {} } });
  expect(standingOf(await view(), "fresh")?.standing).toBe("pass");
  clock.advance(2 * hour);
  const shown = await view();
  expect(standingOf(shown, "fresh")).toMatchObject({ standing: "aborted", result: { figures: { verdict: "pass" } } });
  expect(shown.attempts.map(({ attempt, status, returned }) => [attempt, status, returned.toSorted()])).toEqual([
    [2, "aborted", []],
    [1, "returned", ["fresh", "open", "whole"]],
  ]);
});

test("the deployed release stands beside a later one, with what the later one no longer declares", async () => {
  const first = releases[0] ?? "";
  const { status } = await client("requestPromotion", { params, body: { to: "experiment", environment: "local", release: first } });
  expect(status).toBe("open");
  const before = await push([whole, later]);
  await run(before, [whole, later]);
  // The lower stage is recorded last: the height decides.
  for (const [stage, environment] of [["pilot", "local"], ["experiment", "other"]] as const) {
    expect(await client("requestPromotion", { params, body: { to: stage, environment, release: before } })).toMatchObject({ status: "granted" });
    await client("recordDeployment", { params, body: { release: before, environment, stage } });
    clock.advance(1000);
  }
  expect(await view(before)).toMatchObject({ compared: { release: before, number: 2, stage: "pilot", environment: "local" }, dropped: [], checks: [{ compared: null }, { compared: null }] });
  const after = await push([open, later]);
  await run(after, [later]);
  const shown = await view();
  expect(shown).toMatchObject({ release: { digest: after, number: 3 }, compared: { release: before, number: 2 }, dropped: [{ checkId: "whole", release: before, releaseNumber: 2 }] });
  expect(shown.checks.map(({ declared, standing, compared }) => [declared.id, standing, compared?.releaseNumber])).toEqual([
    ["open", "missing", undefined],
    ["later", "insufficient_evidence", 2],
  ]);
});

test("the history of a check goes over all releases, page by page, newest first", async () => {
  const address = { ...params, check: "whole" };
  const first = await client("listCheckResults", { params: address, query: { limit: 1 } });
  const rest = await client("listCheckResults", { params: address, query: { limit: 1, cursor: first.next ?? "" } });
  expect([...first.items, ...rest.items].map(({ releaseNumber, attempt }) => [releaseNumber, attempt])).toEqual([
    [2, 1],
    [1, 1],
  ]);
  expect([first.declared, rest.next]).toEqual([null, null]);
  expect((await client("listCheckResults", { params: address, query: { limit: 2 } })).next).toBeNull();
  await expect(client("listCheckResults", { params: address, query: { cursor: "chk_' or 1=1" } })).rejects.toMatchObject({ code: "invalid_request" });
  await expect(client("listCheckResults", { params: { ...params, check: "never-declared" }, query: {} })).rejects.toMatchObject({ code: "not_found" });
});

test("one result is shown in full, under its own check and system only", async () => {
  const { items } = await client("listCheckResults", { params: { ...params, check: "whole" }, query: {} });
  const result = items[0]?.id ?? "";
  const shown = await client("showCheckResult", { params: { ...params, check: "whole", result } });
  expect(shown).toMatchObject({ recorded: { id: result }, result: { id: "whole", basis: { kind: "columns", columns: [{ name: "a", events: 0, n: 3 }] }, inputs: [{ id: "rows", digest, rows: 3 }], subject: { digest } } });
  await expect(client("showCheckResult", { params: { ...params, check: "open", result } })).rejects.toMatchObject({ code: "not_found" });
  const stranger = (await installation.person("other", ["developer"])).client;
  await expect(stranger("showCheckResult", { params: { ...params, space: "other", check: "whole", result } })).rejects.toMatchObject({ code: "not_found" });
});

test("above minimal tier a result of the server's runner stands over a later one of somebody's own, as at the gate", async () => {
  const params2 = { space: "main", system: "weighty" };
  const bundle = bundleWith([whole]);
  const manifest = { ...bundle.manifest, name: "weighty", risk: { ...bundle.manifest.risk, effectOnPeople: "health-liberty-livelihood-or-rights", peopleReached: "thousands-outside" } } as const;
  const { release } = await client("pushRelease", { params: { space: "main" }, body: { ...bundle, ...exampleBundle(manifest), files: bundle.files } });
  await client("putFile", { params: { space: "main", digest }, body: Buffer.from(rows) });
  await run(release, [whole], params2);
  await client("runOnServer", { params: params2, body: { release } });
  clock.advance(1000);
  // What counts stands already: nothing is run, and nothing of lesser weight is entered above it.
  await run(release, [whole], params2);
  const shown = await client("showChecks", { params: params2, query: {} });
  expect(shown.tier).not.toBe("minimal");
  expect(standingOf(shown, "whole")).toMatchObject({ standing: "pass", results: 2, result: { producer: "licet", counts: true } });
  const { facts } = await client("askGate", { params: params2, query: { to: "experiment" } });
  expect(facts.checks.map((fact) => fact.result)).toEqual([standingOf(shown, "whole")?.result?.entry]);
  const { items } = await client("listCheckResults", { params: { ...params2, check: "whole" }, query: {} });
  expect(items.map((item) => [item.producer, item.counts])).toEqual([
    ["licet", true],
    ["self", false],
  ]);
});

test("a release that was never pushed has no checks", async () => {
  await expect(view(`sha256:${"0".repeat(64)}`)).rejects.toMatchObject({ code: "release_unknown" });
});
