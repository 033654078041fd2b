import { createHash } from "node:crypto";
import { logAtUrl, verifyLog } from "@licet/evidence";
import { z } from "zod";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openWire, type Wire } from "../../../../test/unit/support/wire.ts";
import { newId } from "../base/ids.ts";
import { systemClock } from "../base/clock.ts";
import { addGateway, gatewayList, gatewayTrust, removeGateway } from "../fleet/gateways.ts";
import { standingVersion } from "../gateway/store.ts";
import { rotateKey } from "../ledger/key-rotation.ts";
import { placeHold } from "../oversight/holds.ts";
import { asked, call, consoleUrl, openFleetWorld, post, providerKey, space, system, until, type GatewayProcess, type World } from "./fleet-fixture.ts";
import { checkLog } from "./log-check.ts";
import { openRecordKeeping } from "./record-keeping.ts";

/** The lease of a snapshot: what the invariant allows, and what these tests hold the records to. */
const leaseMs = 1000;

let world: World;
let wire: Wire;
let one: GatewayProcess;
let two: GatewayProcess;
const measured: string[] = [];

beforeAll(async () => {
  world = await openFleetWorld();
  wire = await openWire(world.control.dataUrl);
  [one, two] = await Promise.all([world.gateway("one"), world.gateway("two", { control: wire.url })]);
  await until(async () => (await bothAnswer()).every(({ status }) => status === 200));
}, 120_000);

afterAll(async () => {
  await wire?.close();
  await world?.close();
  process.stdout.write(`${measured.join("\n")}\n`);
});

const bothAnswer = () => Promise.all([call(one.url, world.credential), call(two.url, world.credential)]);

interface Taken {
  readonly id: string;
  readonly gateway: string;
  readonly decision: string;
  readonly code: string | null;
  readonly version: number;
  readonly leaseUntil: number;
  readonly user: string | undefined;
}

/** What the control plane has of the gateways, once nothing more comes. */
async function taken(): Promise<readonly Taken[]> {
  const { records } = world.control;
  let before = -1;
  await until(async () => {
    await records.recorder.settle();
    const now = records.log.size;
    const quiet = now === before;
    before = now;
    if (!quiet) await new Promise((resolve) => setTimeout(resolve, 250));
    return quiet;
  });
  const rows = await records.database.read.selectFrom("decision").selectAll().where("gateway", "like", "gwy%").execute();
  return rows.map((row) => {
    const detail = JSON.parse(row.detail) as { readonly snapshot?: { readonly version: number; readonly leaseUntil: number } | null; readonly messages?: { readonly newest: readonly string[] } | null };
    return { id: row.id, gateway: row.gateway, decision: row.decision, code: row.code, version: detail.snapshot?.version ?? -1, leaseUntil: detail.snapshot?.leaseUntil ?? -1, user: detail.messages?.newest.at(-1) };
  });
}

/** Calls at both gateways without a pause, from before `change` until both refuse with one of `codes`; strangers that were refused too often are told so instead. */
async function refusedAfter(change: () => Promise<unknown>, ...codes: readonly string[]): Promise<Changed & { readonly milliseconds: readonly number[] }> {
  await change();
  const what = await changed();
  const milliseconds = await Promise.all([one, two].map(({ url }) => until(async () => codes.includes((await call(url, world.credential)).code ?? ""))));
  return { ...what, milliseconds };
}

/**
 * The bound of the invariant, by what stands in the records and not by who was quicker: a call that was allowed by a
 * standing with the change in it, or by one without it whose lease lasts longer than a lease after the change.
 */
async function allowedBeyond({ changedAt, version }: Changed): Promise<readonly Taken[]> {
  return (await taken()).filter((row) => row.decision === "allow" && (row.version === version || (row.version < version && row.leaseUntil > changedAt + leaseMs)));
}

interface Changed {
  readonly changedAt: number;
  /** Of the standing that has the change in it. */
  readonly version: number;
}

async function changed(): Promise<Changed> {
  const changedAt = Date.now();
  return { changedAt, version: await standingVersion(world.control.records.database.read) };
}

async function lift(hold: string): Promise<void> {
  await world.control.commit("hold.lifted", { hold, request: newId("req", Date.now()), liftedBy: "per_1", outcome: hold, approvals: [] });
  await until(async () => (await bothAnswer()).every(({ status }) => status === 200));
}

const placed = () => placeHold(world.control.records.recorder, { space, scope: "system", system, reason: "drift", by: "per_1" });

describe("two gateway processes beside one control plane", () => {
  test("decide by its snapshot, call with the provider's key, and their decisions stand in its record with the place in their own log", async () => {
    expect(world.upstream.received[0]?.headers.authorization).toBe(`Bearer ${providerKey}`);
    const rows = await taken();
    const { items } = await gatewayList(world.control.fleet.deps, space);
    expect(items.map(({ name, state, connected }) => [name, state, connected])).toEqual([["one", "joined", true], ["two", "joined", true]]);
    for (const { id } of items) expect(rows.some(({ gateway, decision }) => gateway.startsWith(`${id}:gw_`) && decision === "allow")).toBe(true);
    const entry = await world.control.records.recorder.readAt(space, (await world.control.records.database.read.selectFrom("decision").select("log_index").where("gateway", "like", "gwy%").executeTakeFirstOrThrow()).log_index);
    expect(entry?.body["shipped"]).toMatchObject({ log: expect.stringMatching(/\/log\//u), index: expect.any(Number), leaf: expect.stringMatching(/^sha256:/u) });
    const outcomes = await world.control.records.database.read.selectFrom("decision").select("outcome").where("gateway", "like", "gwy%").where("decision", "=", "allow").execute();
    expect(outcomes.every(({ outcome }) => outcome !== null)).toBe(true);
  });

  test("refuse the next call under a hold, and cut a stream in flight", async () => {
    world.upstream.mode = { kind: "paced", pieces: Array.from({ length: 400 }, (_, n) => `piece ${n} `), intervalMs: 10 };
    const streams = await Promise.all([one, two].map(({ url }) => post(url, world.credential, { ...asked("in a stream"), stream: true })));
    const ends = streams.map(async (response) => {
      const text = await untilBroken(response);
      return { at: Date.now(), text };
    });
    world.upstream.mode = { kind: "answer" };
    let hold = "";
    const held = await refusedAfter(async () => (hold = await placed()), "held");
    const ended = await Promise.all(ends);
    measured.push(`hold: refused after ${held.milliseconds.map(Math.round).join(" and ")} ms, streams cut after ${ended.map(({ at }) => at - held.changedAt).join(" and ")} ms`);
    const beyond = await allowedBeyond(held);
    await lift(hold);
    expect(beyond).toEqual([]);
    for (const { text } of ended) {
      expect(text).toContain("piece 0");
      expect(text).not.toContain("[DONE]");
    }
  });

  test("refuse the next call under a suspension, and go on when it is lifted", async () => {
    const suspended = await refusedAfter(() => world.control.commit("ato.state-changed", { ato: "ato_1", state: "suspended", reason: "drift", by: "per_1" }), "ato_suspended");
    measured.push(`suspension: refused after ${suspended.milliseconds.map(Math.round).join(" and ")} ms`);
    const beyond = await allowedBeyond(suspended);
    await world.control.commit("ato.state-changed", { ato: "ato_1", state: "granted", reason: "checked", by: "per_1" });
    await until(async () => (await bothAnswer()).every(({ status }) => status === 200));
    expect(beyond).toEqual([]);
  });

  test("deny every call once the feed is cut and the lease is over, also a hold's that never came, and go on when it heals", async () => {
    wire.cut();
    const hold = await placed();
    const cut = await changed();
    const after = await until(async () => (await call(two.url, world.credential)).code === "snapshot_stale");
    measured.push(`feed cut: denied after ${Math.round(after)} ms`);
    await until(async () => (await call(one.url, world.credential)).code === "held");
    expect((await call(two.url, world.credential)).code).toBe("snapshot_stale");
    wire.heal();
    await until(async () => (await call(two.url, world.credential)).code === "held");
    const beyond = await allowedBeyond(cut);
    await lift(hold);
    expect(beyond).toEqual([]);
  });

  test("go on after their control plane was restarted, and lose none of their records by it", async () => {
    await world.restart(() => until(async () => (await bothAnswer()).every(({ code }) => code === "snapshot_stale")));
    const back = await until(async () => (await bothAnswer()).every(({ status }) => status === 200));
    measured.push(`control plane restarted: traffic again after ${Math.round(back)} ms`);
    const { rows, copies } = await copiesOf(one);
    expect(rows).toEqual(copies);
    expect(new Set(copies).size).toBe(copies.length);
  });

  test("follow a new statement key of their control plane without being started again", async () => {
    const { records } = world.control;
    const before = records.keys.statementKeyId;
    await rotateKey({ ...records, clock: systemClock }, { role: "statement" });
    await world.restart(() => until(async () => (await bothAnswer()).every(({ code }) => code === "snapshot_stale")));
    expect(world.control.records.keys.statementKeyId).not.toBe(before);
    await until(async () => (await bothAnswer()).every(({ status }) => status === 200));
    const hold = await placed();
    await until(async () => (await bothAnswer()).every(({ code }) => code === "held"));
    await lift(hold);
  });

  test("tell where a refusal can be opened, and answer a workload's own questions, which stand in the record too", async () => {
    const hold = await placed();
    await until(async () => (await bothAnswer()).every(({ code }) => code === "held"));
    const text = await (await post(one.url, world.credential, asked())).text();
    await lift(hold);
    expect(text).toContain(`"url":"${consoleUrl}/`);
    const question = { subject: { type: "workload", id: "dep_1" }, action: { name: "callModel" }, resource: { type: "model", id: "chat" } };
    const answer = await fetch(`${two.url}/access/v1/evaluation`, { method: "POST", headers: { authorization: `Bearer ${world.credential}`, "content-type": "application/json" }, body: JSON.stringify(question) });
    const said = z.object({ decision: z.boolean(), context: z.object({ id: z.string() }) }).parse(await answer.json());
    expect(said.decision).toBe(true);
    await until(async () => (await taken()).some(({ id }) => id === said.context.id));
  });

  test("leave a durable decision for every request that the provider got, when one is killed in a storm of calls", async () => {
    const before = world.upstream.received.length;
    const storm = { going: true };
    const callers = Array.from({ length: 32 }, async (_, caller) => {
      for (let n = 0; storm.going; n++) await call(two.url, world.credential, `${caller}-${n}`).catch(() => undefined);
    });
    await until(async () => world.upstream.received.length - before > 200, 60_000);
    await two.stop("SIGKILL");
    storm.going = false;
    await Promise.all(callers);
    const got = world.upstream.received.slice(before).map(({ body }) => `sha256:${createHash("sha256").update(JSON.stringify((body["messages"] as readonly unknown[])[1])).digest("hex")}`);
    const decided = await decisionsIn(two);
    const allowed = new Set(decided.filter(({ decision }) => decision === "allow").map(({ user }) => user));
    expect(got.length).toBeGreaterThan(200);
    expect(got.filter((digest) => !allowed.has(digest)).length).toBe(0);
    measured.push(`killed in a storm: ${got.length} requests reached the provider, each with its decision`);
    expect((await checkLog({ directory: two.directory, keysDirectory: two.keys, clock: systemClock })).findings).toEqual([]);
    two = await world.gateway("two", { control: wire.url, again: true });
    // All that it had recorded before it was killed comes after it is started again.
    const missing = async (): Promise<number> => {
      const { copies } = await copiesOf(two);
      return decided.filter(({ id }) => !copies.includes(id)).length;
    };
    await until(async () => (await missing()) === 0);
    const { rows, copies } = await copiesOf(two);
    expect(rows).toEqual(copies);
    expect(new Set(copies).size).toBe(copies.length);
  });

  test("refuse a revoked credential at the next call", async () => {
    const revoked = await refusedAfter(() => world.control.commit("credential.revoked", { credential: "crd_1", digest: `sha256:${"ab".repeat(32)}`, deployment: "dep_1", system, release: `sha256:${"ab".repeat(32)}`, reason: "leaked", revokedBy: "per_1" }), "credential_invalid", "caller_limited");
    measured.push(`revocation: refused after ${revoked.milliseconds.map(Math.round).join(" and ")} ms`);
    expect(await allowedBeyond(revoked)).toEqual([]);
  });

  test("are cut off when they are removed", async () => {
    const { deps } = world.control.fleet;
    await removeGateway(deps, { space, name: "one", reason: "lost", by: "per_1" });
    await until(async () => (await call(one.url, world.credential)).code === "snapshot_stale");
    expect((await gatewayList(deps, space)).items.find(({ name }) => name === "one")).toMatchObject({ state: "removed", connected: false });
  });

  test("have logs of their own, which verify by the trust file that the control plane gives", async () => {
    const { trust, entry } = await gatewayTrust(world.control.fleet.deps, space, "two");
    expect(two.said()).toContain(String((trust["log"] as readonly string[])[0]));
    expect((await world.control.records.recorder.read(space, entry))?.kind).toBe("gateway.joined");
    expect(JSON.stringify(trust)).not.toContain(world.control.records.keys.statementKeyId);
    const source = logAtUrl(`${two.url}/log`);
    await until(async () => (await source.read("checkpoint", 65_536)) !== undefined);
    const report = await verifyLog({ source, trust: JSON.stringify(trust) });
    expect(report.findings.filter(({ status }) => status === "fail")).toEqual([]);
    expect((await verifyLog({ source, trust: JSON.stringify(world.control.records.trustFile()) })).verified).toBe(false);
  });

  test("join once, under a name of their own", async () => {
    await expect(addGateway(world.control.fleet.deps, { space, name: "two", by: "per_1" })).rejects.toMatchObject({ code: "gateway_exists" });
  });
});

/** What came of a stream that may end in the middle. */
async function untilBroken(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
  } catch {
    // Cut: what came before is what counts.
  }
  return text;
}

interface Decided {
  readonly id: string;
  readonly decision: string;
  readonly user: string | undefined;
}

/** Read from a gateway's own log, which must not be served. */
async function decisionsIn(gateway: GatewayProcess): Promise<readonly Decided[]> {
  const records = await openRecordKeeping({ directory: gateway.directory, keysDirectory: gateway.keys, clock: systemClock });
  try {
    const found: Decided[] = [];
    for (let index = 0; index < records.log.size; index++) {
      const entry = await records.recorder.readAt(space, index);
      if (entry?.kind !== "gateway.decision") continue;
      const body = entry.body as unknown as { readonly id: string; readonly decision: string; readonly messages: { readonly newest: readonly string[] } | null };
      found.push({ id: body.id, decision: body.decision, user: body.messages?.newest.at(-1) });
    }
    return found;
  } finally {
    await records.close();
  }
}

/** Decisions of the gateway as the control plane has them: entries of its log, and rows. */
async function copiesOf(gateway: GatewayProcess): Promise<{ readonly rows: readonly string[]; readonly copies: readonly string[] }> {
  const { records, fleet } = world.control;
  const name = gateway === two ? "two" : "one";
  const id = (await gatewayList(fleet.deps, space)).items.find((item) => item.name === name)?.id ?? "";
  const copies: string[] = [];
  const size = records.log.size;
  for (let index = 0; index < size; index++) {
    const entry = await records.recorder.readAt(space, index);
    if ((entry?.kind === "gateway.decision" || entry?.kind === "access.decision") && entry.gateway?.startsWith(`${id}:`) === true) copies.push(z.string().parse(entry.body["id"]));
  }
  await records.recorder.settle();
  const rows = await records.database.read.selectFrom("decision").select("id").where("gateway", "like", `${id}:%`).where("log_index", "<", size).execute();
  expect(copies.length).toBeGreaterThan(0);
  return { rows: rows.map((row) => row.id).toSorted(), copies: copies.toSorted() };
}
