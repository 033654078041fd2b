import type { Client } from "@licet/client";
import type { AssuranceCheck } from "@licet/contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../packages/licet/src/base/clock.ts";
import { snapshotHolder, type HoldView } from "../../packages/licet/src/gateway/snapshot.ts";
import { exampleBundle, exampleManifest } from "../../packages/licet/src/inventory/example-manifest.ts";
import { startUpstream, type Upstream } from "../unit/support/upstream.ts";
import { install, type Installation } from "./installation.ts";

const params = { space: "main", system: "example" };
const leak = { check: "llm.leak.system", id: "leak", model: "chat", prompts: 70 } as const satisfies AssuranceCheck;
const defence = { check: "llm.defence.replay", id: "defence", model: "chat" } as const satisfies AssuranceCheck;
const hourMs = 3_600_000;

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
  installation = await install({ snapshots });
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
  const { items, left } = await client("runOnServer", { params, body: { release } });
  return { verdicts: items.map((item) => [item.checkId, item.verdict, item.producer]).toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1)), left };
}

test("the server's runner asks a model where its provider is registered, and replays hijacked calls through the gateway's pipeline", async () => {
  stand();
  expect(await ran([leak, defence])).toEqual({ verdicts: [["defence", "fail", "licet"], ["leak", "pass", "licet"]], left: [] });
  expect(upstream.received).toHaveLength(70);
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
