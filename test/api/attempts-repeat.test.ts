import { randomUUID } from "node:crypto";
import { decide } from "@licet/assurance";
import { createClient, type Client } from "@licet/client";
import { CheckRepeated, type AssuranceCheck, type CheckResult, type RouteAnswer } from "@licet/contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import { carryOutRegistration } from "../../packages/licet/src/assurance/ci/registration.ts";
import { drawnOf } from "../../packages/licet/src/assurance/attempts/repeat.ts";
import { exampleManifest } from "../../packages/licet/src/inventory/example-manifest.ts";
import { attempting, digestOfText, params, table, type Attempting, type Ticket } from "./attempts-world.ts";
import { ownIssuers, type OwnIssuers } from "./ci-issuers.ts";

const audience = "https://licet.example.org";
const claims = { repository: "octo/app", ref: "refs/heads/main", workflow_ref: "octo/app/.github/workflows/licet.yml@refs/heads/main" };
const columns = ["a", "b"] as const;

let world: Attempting;
let own: OwnIssuers;
beforeAll(async () => {
  [world, own] = await Promise.all([attempting({ risk: { ...exampleManifest.risk, effectOnPeople: "health-liberty-livelihood-or-rights" }, oversight: { mode: "review-before-effect", overseer: "head of pathology" } }), ownIssuers()]);
  // The first release makes the system, for which a CI is registered then.
  await world.push({ today: table(0, "first") });
  const names = { repository: "repository", ref: "ref", workflow: "workflow_ref", commit: "sha", run: "run_id" };
  const detail = { kind: "github", issuer: own.url("good"), audience, names, claims: Object.entries(claims).map(([claim, value]) => ({ claim, value })), allowPrivate: false };
  const { recorder, database } = world.installation;
  await carryOutRegistration({ recorder, read: database.read }, { space: "main", system: "example", request: `req_${randomUUID()}`, detail, by: "per_somebody", outcome: "for this test" });
});
afterAll(async () => {
  await Promise.all([world.close(), own.close()]);
});

async function ciClient(): Promise<Client> {
  const seconds = Math.floor(world.clock.now() / 1000);
  const token = await own.sign({ ...claims, iss: own.url("good"), aud: audience, sub: "repo:octo/app", jti: randomUUID(), iat: seconds, exp: seconds + 300 });
  const { secret } = await world.installation.anonymous("exchangeCiToken", { params, body: { token, authors: [] } });
  return createClient({ baseUrl: world.installation.baseUrl, token: secret });
}

const checks: readonly AssuranceCheck[] = columns.map((column) => ({ check: "drift.missing", id: column, dataset: "today", reference: "before", max: 0.5, columns: [column] }));

interface Returned {
  readonly ci: Client;
  readonly ticket: Ticket;
  readonly release: string;
  readonly answer: RouteAnswer<"returnResults">;
}

async function returned(mark: string, change: (results: readonly CheckResult[]) => readonly CheckResult[] = (results) => results): Promise<Returned> {
  const release = await world.push({ today: table(2, mark), before: table(0, mark) }, { checks });
  const ci = await ciClient();
  const ticket = await ci("issueTicket", { params, body: { release, checks: checks.map(({ id }) => id), datasets: {} } });
  const results = change(await world.results(release, ticket));
  const answer = await ci("returnResults", { params, body: { ticket: ticket.id, results: results.map((result) => ({ ...result })) } });
  return { ci, ticket, release, answer };
}

async function madeAgain({ ci, ticket, answer }: Returned, mark: string): Promise<RouteAnswer<"repeatDrawn">["repeat"]> {
  const texts = [table(2, mark), table(0, mark)];
  for (const { digest } of answer.repeat?.lacking ?? []) {
    await ci("putDrawnFile", { params: { ...params, ticket: ticket.id, digest }, body: Buffer.from(texts.find((text) => digestOfText(text) === digest) ?? "") });
  }
  return (await ci("repeatDrawn", { params: { ...params, ticket: ticket.id }, body: {} })).repeat;
}

const shown = async (release: string) => world.client("showChecks", { params, query: { release } });

test("of what a CI reported at a high tier, one check is drawn after everything is in, and anybody with the log draws the same", async () => {
  const run = await returned("honest");
  const { repeat, items } = run.answer;
  expect(repeat).toMatchObject({ state: "owed", lacking: [{ name: "today" }, { name: "before" }] });
  expect((await shown(run.release)).attempts[0]).toMatchObject({ repeat: { state: "owed", reported: repeat?.reported } });
  const outcome = await madeAgain(run, "honest");
  expect(outcome).toMatchObject({ state: "agrees", check: repeat?.check, lacking: [] });
  const entry = world.installation.entries.findLast(({ kind }) => kind === "check.repeated");
  const { drawn, reported } = CheckRepeated.parse(entry?.body);
  // A stranger knows the entries of the ticket's results, in the order of the log.
  const entries = world.installation.entries.filter(({ kind, body }) => kind === "check.recorded" && items.some(({ id }) => id === body["id"]));
  expect(drawn.from).toBe(entries.at(-1)?.id);
  expect(drawnOf(drawn.from, items.toSorted((a, b) => (a.checkId < b.checkId ? -1 : 1)).map(({ id }) => id))).toBe(reported);
  expect((await shown(run.release)).checks.find(({ declared }) => declared.id === outcome?.check)).toMatchObject({ standing: "pass", result: { producer: "ci", counts: true, repeats: [{ drawn: true, agrees: true }] } });
});

test("it is made once, and the run's credential opens nothing else and ends with it", async () => {
  const run = await returned("once");
  await expect(run.ci("putDrawnFile", { params: { ...params, ticket: run.ticket.id, digest: digestOfText("else") }, body: Buffer.from("else") })).rejects.toMatchObject({ code: "file_undeclared" });
  await expect(run.ci("issueTicket", { params, body: { release: run.release, checks: ["a"], datasets: {} } })).rejects.toMatchObject({ code: "ci_run_over" });
  expect(await madeAgain(run, "once")).toMatchObject({ state: "agrees" });
  await expect(run.ci("repeatDrawn", { params: { ...params, ticket: run.ticket.id }, body: {} })).rejects.toMatchObject({ code: "ci_run_over" });
  expect((await world.client("repeatDrawn", { params: { ...params, ticket: run.ticket.id }, body: {} })).repeat).toMatchObject({ state: "agrees" });
  expect(world.installation.entries.filter(({ kind, body }) => kind === "check.repeated" && body["ticket"] === run.ticket.id)).toHaveLength(1);
});

test("figures that the server does not come to are entered, the result does not count, and the server's own run is the next attempt", async () => {
  const forged = (results: readonly CheckResult[]) =>
    results.map((result) => {
      const basis = JSON.parse(JSON.stringify(result.basis).replaceAll(/"events":\d+,"n":60/gu, '"events":1,"n":60')) as CheckResult["basis"];
      return { ...result, basis, ...decide(basis, result.limit, result.counts) };
    });
  const run = await returned("forged", forged);
  const outcome = await madeAgain(run, "forged");
  expect(outcome).toMatchObject({ state: "disagrees", differences: expect.arrayContaining([expect.stringContaining("current.events: 1 was reported, ")]) });
  const check = outcome?.check ?? "";
  const standing = async () => (await shown(run.release)).checks.find(({ declared }) => declared.id === check);
  expect(await standing()).toMatchObject({ standing: "disputed", result: { counts: false, repeats: [{ drawn: true, agrees: false }] } });
  const { facts, answer } = await world.client("askGate", { params, query: { to: "pilot", release: run.release } });
  expect(facts.checks.find(({ id }) => id === check)?.verdict).toBe("disputed");
  expect(JSON.stringify(answer)).toContain("another run came to other figures");
  const { ticket } = await world.onServer(run.release);
  expect(ticket.attempts.find((attempt) => attempt.check === check)).toMatchObject({ index: 2, repeats: null });
  expect(await standing()).toMatchObject({ standing: "pass", result: { producer: "licet", counts: true } });
});

test("of what somebody's own machine reported nothing is drawn: it does not count there", async () => {
  const release = await world.push({ today: table(2, "self"), before: table(0, "self") }, { checks });
  const ticket = await world.ticket(release);
  await world.back(ticket, await world.results(release, ticket));
  expect((await shown(release)).attempts[0]).toMatchObject({ status: "returned", repeat: null });
});
