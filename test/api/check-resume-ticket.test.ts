import type { Client } from "@licet/client";
import { Id } from "@licet/contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundleOf, readProject } from "../../packages/licet/src/inventory/project.ts";
import { newCache, projectWith, runLicet, startModel, type ModelServer, type Running } from "../unit/support/licet-process.ts";
import { install, type Installation } from "./installation.ts";

/** Many starts of the program: on a busy machine that takes its time. */
const busyMsMax = 600_000;
const leaseMs = 2 * 3_600_000;
/** What is asked at a time: so much is on its way when a run is killed, and has no answer here. */
const parallelMax = 16;

const checks = [
  { id: "leak", check: "llm.leak.system", model: "chat", prompts: 40 },
  { id: "inject", check: "llm.injection.direct", model: "chat", prompts: 40 },
];

let shift = 0;
let installation: Installation;
let client: Client;
let token: string;
let folder: string;
let system: string;
beforeAll(async () => {
  installation = await install({ clock: { now: () => Date.now() + shift } });
  ({ client, token } = await installation.person("main", ["developer"]));
  folder = projectWith("helpdesk-assistant", checks);
  const bundle = bundleOf(readProject(folder));
  system = bundle.manifest.name;
  await client("pushRelease", { params: { space: "main" }, body: bundle });
});
afterAll(() => installation.close());

function checking(model: ModelServer, cache: string): Running {
  const before = process.env["LICET_TOKEN"];
  process.env["LICET_TOKEN"] = token;
  try {
    return runLicet(["check", "--dir", folder, "--url", installation.baseUrl, "--space", "main", "--json", "--workers", "2", "--endpoint", model.url], cache);
  } finally {
    if (before === undefined) delete process.env["LICET_TOKEN"];
    else process.env["LICET_TOKEN"] = before;
  }
}

async function killed(model: ModelServer, cache: string, after: number): Promise<void> {
  const from = model.answered.length;
  const run = checking(model, cache);
  model.onAnswer = (answers) => {
    if (answers - from === after) run.child.kill("SIGKILL");
  };
  expect(await run.ended).toMatchObject({ signal: "SIGKILL", stdout: "" });
  model.onAnswer = undefined;
}

const attempts = async () => (await client("showChecks", { params: { space: "main", system }, query: {} })).attempts;
const tickets = () => installation.entries.filter(({ kind }) => kind === "ticket.issued");

test("a counted run that is killed goes on with its ticket: nothing that was answered is asked again, and it is one attempt", async () => {
  await using model = await startModel();
  const cache = newCache();
  await killed(model, cache, 30);
  const ticket = Id.parse(tickets()[0]?.body["id"]);
  expect(await attempts()).toMatchObject([{ ticket, status: "open", returned: [] }]);
  const before = model.answered.length;
  const second = await checking(model, cache).ended;
  expect(second.stderr).toContain(`going on with ticket ${ticket}, which was broken off: the same attempt`);
  const report: unknown = JSON.parse(second.stdout);
  expect(report).toMatchObject({ seed: tickets()[0]?.body["seed"], results: [{ id: "leak", attempt: { index: 1, previous: [] } }, { id: "inject", attempt: { index: 1, previous: [] } }] });
  // A run that nobody kills asks each question as often as its plan does.
  const asked = new Set(model.answered).size;
  expect(model.answered.length - before).toBeLessThanOrEqual(asked - 30 + parallelMax);
  expect(model.answered.length - asked).toBeLessThanOrEqual(parallelMax);
  expect(await attempts()).toMatchObject([{ ticket, status: "returned", returned: expect.arrayContaining(["leak", "inject"]), reserved: [{ index: 1 }, { index: 1 }] }]);
  expect(tickets()).toHaveLength(1);
}, busyMsMax);

test("one that nobody takes up again is an aborted attempt, which the next run has behind it", async () => {
  await using model = await startModel();
  const already = tickets().length;
  await killed(model, newCache(), 20);
  const lost = tickets().at(-1)?.body["id"];
  expect(tickets()).toHaveLength(already + 1);
  shift += leaseMs + 1;
  expect((await attempts()).find(({ ticket }) => ticket === lost)).toMatchObject({ status: "aborted", returned: [] });
  const next = await checking(model, newCache()).ended;
  const report = JSON.parse(next.stdout) as { readonly results: readonly { readonly attempt: { readonly index: number; readonly previous: readonly string[] } }[] };
  expect(report.results.map(({ attempt }) => [attempt.index, attempt.previous.at(-1)])).toEqual([[already + 2, lost], [already + 2, lost]]);
}, busyMsMax);
