import type { Client } from "@licet/client";
import { RunnerAnswered, RunnerAsked, runnerDefaults, type AssuranceCheck } from "@licet/contract";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { LicetError } from "../../packages/licet/src/base/errors.ts";
import { systemClock } from "../../packages/licet/src/base/clock.ts";
import { snapshotHolder, type HoldView } from "../../packages/licet/src/gateway/snapshot.ts";
import { exampleBundle, exampleManifest } from "../../packages/licet/src/inventory/example-manifest.ts";
import { startUpstream, type Upstream } from "../unit/support/upstream.ts";
import { install, type Installation } from "./installation.ts";

const params = { space: "main", system: "example" };
const leak = { check: "llm.leak.system", id: "leak", model: "chat", prompts: 70 } as const satisfies AssuranceCheck;
const defence = { check: "llm.defence.replay", id: "defence", model: "chat" } as const satisfies AssuranceCheck;
const hourMs = 3_600_000;
const questionsMax = 100;

let upstream: Upstream;
let installation: Installation;
let client: Client;
const snapshots = snapshotHolder(systemClock, hourMs);
let version = 0;

function stand(holds: readonly HoldView[] = [], registered = true): void {
  const provider = { id: "simulator", baseUrl: upstream.baseUrl, region: "eu", vendor: "test", keyRef: "main/simulator", allow: ["loopback"] };
  snapshots.publish({ version: ++version, credentials: [], spaces: [{ space: "main", holds, providers: registered ? [provider] : [], policyBundle: { digest: `sha256:${"b".repeat(64)}`, decide: async () => ({ decision: "allow", reasons: [], errors: [] }) } }] });
}

beforeAll(async () => {
  upstream = await startUpstream();
  upstream.mode = { kind: "answer", text: "I cannot help with that." };
  installation = await install({ snapshots, runner: { ...runnerDefaults, budget: { ...runnerDefaults.budget, queries: questionsMax } } });
  ({ client } = await installation.person("main", ["developer", "platform-engineer"]));
});
afterAll(async () => {
  await installation.close();
  await upstream[Symbol.asyncDispose]();
});

/** Each time another release: attempts at one are counted together. */
let releases = 0;
async function ran(checks: readonly AssuranceCheck[]) {
  const body = exampleBundle({ ...exampleManifest, title: `Example ${++releases}`, assurance: { checks: [...checks] } });
  const { release } = await client("pushRelease", { params: { space: "main" }, body });
  const { items, left, ticket } = await client("runOnServer", { params, body: { release } });
  return { ticket, verdicts: items.map((item) => [item.checkId, item.verdict, item.producer]).toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1)), left };
}

test("the server's runner asks a model where its provider is registered, and replays hijacked calls through the gateway's pipeline", async () => {
  stand();
  expect(await ran([leak, defence])).toMatchObject({ verdicts: [["defence", "fail", "licet"], ["leak", "pass", "licet"]], left: [] });
  expect(upstream.received).toHaveLength(70);
});

const asked = (ticket: string) => installation.entries.flatMap(({ kind, body }) => (kind === "runner.asked" && body["ticket"] === ticket ? [RunnerAsked.parse(body)] : []));
const answered = (ticket: string) => installation.entries.flatMap(({ kind, body }) => (kind === "runner.answered" && body["ticket"] === ticket ? [RunnerAnswered.parse(body)] : []));

test("each of its questions is in the log before the provider gets it, and what came of it, under the ticket that declares what they may come to", async () => {
  stand();
  upstream.received.length = 0;
  const missing: number[] = [];
  upstream.onRequest = () => {
    const allowed = installation.entries.filter(({ kind, body }) => kind === "runner.asked" && body["decision"] === "allow").length - before;
    if (allowed < upstream.received.length) missing.push(upstream.received.length);
  };
  const before = installation.entries.filter(({ kind, body }) => kind === "runner.asked" && body["decision"] === "allow").length;
  const { ticket, verdicts } = await ran([leak]);
  upstream.onRequest = () => undefined;
  // The second attempt: its alpha asks for more than seventy.
  expect([verdicts, missing]).toEqual([[["leak", "insufficient_evidence", "licet"]], []]);
  expect(ticket.budget).toEqual({ ...runnerDefaults.budget, queries: questionsMax });
  const issued = installation.entries.find(({ kind, body }) => kind === "ticket.issued" && body["id"] === ticket.id);
  expect(issued?.body["budget"]).toEqual(ticket.budget);
  expect(asked(ticket.id).map(({ number, provider, model, decision }) => [number, provider, model, decision])).toEqual(Array.from({ length: 70 }, (_, at) => [at + 1, "simulator", "chat", "allow"]));
  expect(new Set(answered(ticket.id).map(({ question }) => question))).toEqual(new Set(asked(ticket.id).map(({ id }) => id)));
});

test("over what the ticket declares no question leaves, and what was not asked is insufficient evidence", async () => {
  stand();
  upstream.received.length = 0;
  const { ticket, verdicts } = await ran([{ ...leak, check: "llm.injection.direct", id: "one" }, { ...leak, check: "llm.leak.pii", id: "two" }]);
  expect(upstream.received).toHaveLength(questionsMax);
  expect(asked(ticket.id).filter(({ decision }) => decision === "allow")).toHaveLength(questionsMax);
  expect(asked(ticket.id).filter(({ decision }) => decision === "deny")).toMatchObject([{ code: "budget_exceeded", number: questionsMax, reserved: null }]);
  expect(verdicts.find(([id]) => id === "two")).toEqual(["two", "insufficient_evidence", "licet"]);
});

test("while the log takes no entries, no question leaves, and nothing is concluded", async () => {
  stand();
  upstream.received.length = 0;
  const append = vi.spyOn(installation.recorder, "append").mockRejectedValue(new LicetError("disk_full"));
  const { ticket, verdicts } = await ran([leak]);
  append.mockRestore();
  expect([verdicts, upstream.received]).toEqual([[["leak", "insufficient_evidence", "licet"]], []]);
  expect(asked(ticket.id)).toEqual([]);
});

test("under a hold nobody is asked, and nothing is concluded", async () => {
  stand([{ id: "h", scope: "system", system: "example", reason: "stop" }]);
  upstream.received.length = 0;
  expect((await ran([leak])).verdicts).toEqual([["leak", "insufficient_evidence", "licet"]]);
  expect(upstream.received).toHaveLength(0);
});

test("a check of a model whose provider is not registered is left to others", async () => {
  stand([], false);
  await expect(ran([leak, defence])).rejects.toThrow(/registered provider/u);
});
