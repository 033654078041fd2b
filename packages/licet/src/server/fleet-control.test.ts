import { randomBytes } from "node:crypto";
import { keyRotationStatement } from "@licet/evidence";
import { z } from "zod";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { join } from "node:path";
import { addGateway, gatewayList, removeGateway } from "../fleet/gateways.ts";
import { boundElsewhere } from "../fleet/bound-elsewhere.ts";
import { ControlLine } from "../fleet/control-line.ts";
import { FeedClient } from "../fleet/feed-client.ts";
import { joinControl } from "../fleet/join.ts";
import { controlKeys, readMembership, VersionFloor, type Membership } from "../fleet/membership.ts";
import { TrustedKeys } from "../fleet/trusted-keys.ts";
import { RecordsAnswer, SharesAnswer, SubjectAnswer, type ShippedEntry } from "../fleet/wire.ts";
import { BoundIds } from "../gateway/files/bound-ids.ts";
import type { JsonObject } from "../ledger/recorder.ts";
import { rotateKey } from "../ledger/key-rotation.ts";
import { openKeys, signedBy, type Keys } from "../ledger/keys.ts";
import { fileSigner, newPrivateKey } from "../ledger/signer.ts";
import { endUserSubject } from "../privacy/erase.ts";
import { openFleetWorld, space, system, until, type World } from "./fleet-fixture.ts";

let world: World;
let keys: Keys;
let member: Membership;
let line: ControlLine;
let numbered = 0;

const keysAt = (name: string) => openKeys({ directory: join(world.folder, name), fresh: true, now: Date.now() });
const joined = (token: string, with_: Keys) => joinControl({ control: world.control.dataUrl, token, keys: with_, clock: systemClock });
const lineOf = (of: Membership, with_: Keys, clock = systemClock) => new ControlLine({ control: of.control, clock, sign: (type, payload) => with_.signEnvelope(type, payload), gateway: of.gateway, keys: () => controlKeys(of) });

beforeAll(async () => {
  world = await openFleetWorld();
  keys = await keysAt("keys-one");
  member = await joined(await world.control.join("one"), keys);
  line = lineOf(member, keys);
}, 60_000);

afterAll(async () => {
  await line.close();
  await world.close();
});

function decision(index: number, more: Partial<NonNullable<ShippedEntry["entry"]>> = {}): ShippedEntry {
  const id = `dec_${randomBytes(13).toString("hex")}`;
  const body = {
    id,
    decision: "deny",
    code: "snapshot_stale",
    reasons: [],
    policyErrors: [],
    policyBundle: null,
    snapshot: null,
    cedar: null,
    deployment: null,
    credential: null,
    release: null,
    model: null,
    findings: [],
    action: "unknown",
    digest: null,
    client: null,
    asked: null,
    obligations: [],
    exported: null,
  };
  return { index, leaf: `sha256:${"ab".repeat(32)}`, entry: { kind: "access.decision", v: 2, time: Date.now() - 60_000, space, actor: "unknown", subject: "space", class: "runtime", gateway: `${member.gateway}:gw_1`, seq: ++numbered, body, ...more } };
}

const send = (log: string, entries: readonly ShippedEntry[], over = line) => over.ask("records", { log, entries }, RecordsAnswer).then(({ next }) => next);
const idOf = (entry: ShippedEntry) => z.string().parse(entry.entry?.body["id"]);

async function rows(ids: readonly string[]): Promise<readonly { readonly id: string; readonly decided_at: number }[]> {
  const { records } = world.control;
  await records.recorder.settle();
  return records.database.read.selectFrom("decision").select(["id", "decided_at"]).where("id", "in", ids).execute();
}

describe("joining", () => {
  test("works once, for the gateway that the token was made for, and is recorded with its keys", async () => {
    const { fleet, records } = world.control;
    const token = await world.control.join("twice");
    const other = await keysAt("keys-twice");
    const membership = await joined(token, other);
    expect(membership).toMatchObject({ name: "twice", space, control: world.control.dataUrl });
    expect(membership.keys[0]?.keyid).toBe(records.keys.statementKeyId);
    await expect(joined(token, await keysAt("keys-thief"))).rejects.toMatchObject({ code: "gateway_join_refused", message: "this token was used before" });
    const view = (await gatewayList(fleet.deps, space)).items.find(({ name }) => name === "twice");
    expect(view).toMatchObject({ state: "joined", log: other.origin, connected: false });
    const row = await records.database.read.selectFrom("gateway").selectAll().where("name", "=", "twice").executeTakeFirstOrThrow();
    expect(JSON.stringify(row)).not.toContain(token.split(".")[2]);
    const entry = await records.recorder.read(space, row.joined_entry ?? "");
    expect(entry).toMatchObject({ kind: "gateway.joined", body: { gateway: membership.gateway, logOrigin: other.origin } });
    await expect(addGateway(fleet.deps, { space, name: "twice", by: "per_1" })).rejects.toMatchObject({ code: "gateway_exists" });
  });

  test("needs the secret, an answer by the key that the token names, and a log that nobody else has", async () => {
    const token = await world.control.join("three");
    const [head, id, , keyid] = token.split(".");
    await expect(joined([head, id, randomBytes(32).toString("base64url"), keyid].join("."), await keysAt("keys-guess"))).rejects.toMatchObject({ message: "no gateway waits for this token" });
    await expect(joined([...token.split(".").slice(0, 3), "ab".repeat(32)].join("."), await keysAt("keys-imposter"))).rejects.toMatchObject({ code: "gateway_stranger" });
    await expect(joined(token, keys)).rejects.toMatchObject({ message: "another gateway has joined with this log" });
    await expect(joined("lgw.nothing", keys)).rejects.toMatchObject({ code: "gateway_join_refused" });
  });
});

describe("records of a gateway", () => {
  test("become entries here, with the time and the place where they were decided, and each batch once", async () => {
    const batch = [decision(0), decision(1), decision(2)];
    expect(await send("log/a", batch)).toBe(3);
    expect(await send("log/a", batch)).toBe(3);
    expect(await send("log/a", [...batch.slice(1), decision(3)])).toBe(4);
    const found = await rows(batch.map(idOf));
    expect(found.map(({ id }) => id).toSorted()).toEqual(batch.map(idOf).toSorted());
    expect(found.every(({ decided_at }) => batch.some(({ entry }) => entry?.time === decided_at))).toBe(true);
    const before = world.control.records.log.size;
    expect(await send("log/a", batch)).toBe(4);
    expect(world.control.records.log.size).toBe(before);
  });

  test("are asked for again from where they are missing, and never skipped", async () => {
    expect(await send("log/b", [decision(5)])).toBe(0);
    expect(await send("log/b", [decision(0), { index: 1, leaf: `sha256:${"cd".repeat(32)}`, entry: null }])).toBe(2);
  });

  test("are taken once also when the control plane died between the record and its number", async () => {
    const batch = [decision(0), decision(1)];
    expect(await send("log/c", batch)).toBe(2);
    await world.control.records.database.operational.updateTable("gateway_shipment").set({ next_index: 0 }).where("log", "=", "log/c").execute();
    await world.restart();
    const size = world.control.records.log.size;
    expect(await send("log/c", [...batch, decision(2)])).toBe(3);
    await world.control.records.recorder.settle();
    expect(world.control.records.log.size).toBe(size + 1);
    expect((await rows(batch.map(idOf))).length).toBe(2);
  });

  test.each([
    ["of another space", { space: "other" }],
    ["numbered by another gateway", { gateway: "gwy_other:gw_1" }],
    ["without a number", { seq: undefined, gateway: undefined }],
    ["that would govern", { kind: "role.granted" }],
    ["of another class than its kind", { class: "content" as const }],
    ["of a version that is not known here", { v: 99 }],
    ["with a body that is none", { body: { id: "dec_x" } }],
  ])("are refused whole where one is %s", async (_what, more) => {
    const good = decision(0);
    const bad = decision(1);
    const entry = JSON.parse(JSON.stringify({ ...bad.entry, ...more })) as NonNullable<ShippedEntry["entry"]>;
    await expect(send(`log/${randomBytes(4).toString("hex")}`, [good, { ...bad, entry }])).rejects.toMatchObject({ code: "gateway_request_invalid" });
    expect(await rows([idOf(good)])).toEqual([]);
  });

  test("are refused from a key that has not joined, from another clock, twice, and after a removal", async () => {
    const stranger = lineOf(member, await keysAt("keys-stranger"));
    await expect(send("log/d", [decision(0)], stranger)).rejects.toMatchObject({ code: "gateway_stranger" });
    const late = lineOf(member, keys, { now: () => Date.now() - 6000 });
    await expect(send("log/d", [decision(0)], late)).rejects.toMatchObject({ code: "gateway_clock_apart" });
    const { request } = line.request("records", { log: "log/d", entries: [decision(0)] });
    const raw = () => fetch(`${world.control.dataUrl}${request.path}`, { method: "POST", headers: { "content-type": "application/json" }, body: String(request.body) });
    expect([(await raw()).status, (await raw()).status]).toEqual([200, 403]);
    const gone = await keysAt("keys-gone");
    const left = await joined(await world.control.join("gone"), gone);
    await removeGateway(world.control.fleet.deps, { space, name: "gone", reason: "taken away", by: "per_1" });
    const over = lineOf(left, gone);
    await expect(send("log/e", [decision(0)], over)).rejects.toMatchObject({ code: "gateway_stranger" });
    await Promise.all([stranger.close(), late.close(), over.close()]);
  });
});

describe("shares of a budget", () => {
  const day = () => Math.floor(Date.now() / 86_400_000);
  const counter = () => ({ system, of: "dayTokens" as const, index: day(), currency: "" });
  let asked = 0;

  interface Asking {
    readonly run: string;
    readonly need?: number;
    readonly hold?: number;
    readonly log?: string;
    readonly size?: number;
    readonly number?: number;
  }

  /** What may be used after it. */
  async function lease({ run, need = 0, hold = 0, log = "log/s", size = 0, number = ++asked }: Asking, over = line): Promise<number | undefined> {
    const wants = need === 0 ? [] : [[{ ...counter(), need, unmet: need, ahead: 0 }]];
    const { granted } = await over.ask("shares", { run, log, size, number, holds: [{ ...counter(), amount: hold, settled: 0 }], wants }, SharesAnswer);
    return granted.find(({ of }) => of === "dayTokens")?.amount;
  }

  const run = (name: string) => `${member.gateway}:gw_${name}`;

  beforeAll(() => world.control.commit("budget.changed", { system, limits: { tokensPerDay: 1000 }, reason: "a test", changedBy: "per_1" }));

  test("are leased up to the limit and not beyond, and known again after a restart of the control plane", async () => {
    expect(await lease({ run: run("a"), need: 900 })).toBe(900);
    expect(await lease({ run: run("a"), hold: 900, need: 200 })).toBe(900);
    await world.restart();
    expect(await lease({ run: run("a"), hold: 900, need: 200 })).toBe(900);
    const rows = await world.control.records.database.read.selectFrom("budget_share").selectAll().execute();
    expect(rows.map((row) => [row.gateway, row.run])).toEqual([[member.gateway, run("a")]]);
  });

  test("of a run that was killed are free when its log has come over as far as it was when the next run began", async () => {
    const sent = decision(0);
    expect(await lease({ run: run("b"), size: 1, need: 200 })).toBe(0);
    await world.restart();
    expect(await lease({ run: run("b"), size: 1, need: 200 })).toBe(0);
    await send("log/s", [sent]);
    expect(await lease({ run: run("b"), size: 1, need: 1000 })).toBe(1000);
  });

  test("are refused to an earlier run, to a request that comes late, and to another gateway's run", async () => {
    await expect(lease({ run: run("a"), hold: 0 })).rejects.toMatchObject({ code: "gateway_request_invalid", message: "a later run of this gateway has begun" });
    await expect(lease({ run: run("b"), size: 1, number: 1 })).rejects.toMatchObject({ message: "a later request of this run has come before" });
    await expect(lease({ run: "gwy_other:gw_1" })).rejects.toMatchObject({ code: "gateway_request_invalid" });
    expect(await lease({ run: run("b"), size: 1, hold: 1000 })).toBe(1000);
  });

  test("stay spent where a gateway's log was set back, because what the earlier run decided may be missing", async () => {
    expect(await lease({ run: run("c"), log: "log/restored", size: 1, need: 100 })).toBe(0);
    await send("log/restored", [decision(0)]);
    await world.restart();
    expect(await lease({ run: run("c"), log: "log/restored", size: 1, need: 100 })).toBe(0);
  });

  test("are leased to two gateways at once only as far as both fit", async () => {
    await world.control.commit("budget.changed", { system, limits: { tokensPerDay: 3000 }, reason: "a test", changedBy: "per_1" });
    const other = await keysAt("keys-two");
    const second = await joined(await world.control.join("beside"), other);
    const over = lineOf(second, other);
    const answers = await Promise.all([lease({ run: run("c"), log: "log/restored", size: 1, need: 1500 }), lease({ run: `${second.gateway}:gw_1`, log: "log/beside", need: 1500 }, over)]);
    expect(answers.toSorted()).toEqual([0, 1500]);
    await over.close();
  });
});

test("an end user's words are sealed at a gateway under the subject that an erasure here looks for", async () => {
  const { subject } = await line.ask("subject", { user: "maria@example.com" }, SubjectAnswer);
  expect(subject).toBe(await endUserSubject(world.control.records.keyring, space, "maria@example.com"));
});

describe("files and batches that gateways stored", () => {
  const outcome = { deployment: "dep_1", release: "r", status: 200, code: null, finish: "complete", finishReasons: [], abortedBy: null, usage: null, findings: [], scanned: "full", answerBytes: 1, timings: { decisionMs: 1, firstByteMs: 1, totalMs: 1 }, upstreamStatus: 200 };
  const detail = { object: "file", provider: "sim", deployment: "dep_1", release: "r", purpose: "user_data", digest: null, bytes: 1, classes: [], endpoint: null, models: [], from: null };
  const stored = (index: number, more: JsonObject): ShippedEntry => ({
    index,
    leaf: `sha256:${"ab".repeat(32)}`,
    entry: { kind: "gateway.outcome", v: 2, time: Date.now(), space, actor: "dep_1", system, subject: `system:${system}`, class: "runtime", gateway: `${member.gateway}:gw_1`, seq: ++numbered, body: { decision: `dec_${randomBytes(13).toString("hex")}`, ...outcome, ...more } },
  });

  test("are known to every other gateway once they are shipped, by id and in lists, until they are deleted", async () => {
    const other = await keysAt("keys-reader");
    const second = await joined(await world.control.join("reader"), other);
    const over = lineOf(second, other);
    const failures: unknown[] = [];
    const ids = new BoundIds({ elsewhere: boundElsewhere(over, (error) => failures.push(error)) });
    const place = { space, provider: "sim", id: "file-1" };
    const page = async (limit = 10) => (await ids.page({ space, system, object: "file", provider: "sim", purpose: undefined, after: undefined, limit, oldestFirst: false, fits: () => true })).ids.map(({ id }) => id);
    expect(await ids.find(place)).toBeUndefined();
    await send("log/files", [stored(0, { bound: ["file-1", "file-2"].map((id) => ({ ...detail, id })) })]);
    expect(await ids.find(place)).toEqual({ ...detail, id: "file-1", space, system });
    expect(await ids.find({ ...place, provider: "other" })).toBeUndefined();
    ids.add({ ...detail, object: "file", id: "file-3", space, system });
    expect((await page()).toSorted()).toEqual(["file-1", "file-2", "file-3"]);
    expect((await page())[0]).toBe("file-3");
    await send("log/files", [stored(1, { unbound: [{ provider: "sim", id: "file-1" }] })]);
    expect(await ids.find(place)).toBeUndefined();
    expect((await page()).toSorted()).toEqual(["file-2", "file-3"]);
    await over.close();
    expect(failures).toEqual([]);
  });

  test("are nobody's where the control plane does not answer", async () => {
    const failures: unknown[] = [];
    const ids = new BoundIds({ elsewhere: boundElsewhere({ ask: () => Promise.reject(new Error("away")) }, (error) => failures.push(error)) });
    expect(await ids.find({ space, provider: "sim", id: "file-2" })).toBeUndefined();
    expect(failures).toHaveLength(1);
  });
});

describe("a gateway's trust in the control plane's key", () => {
  test("follows a rotation that the old key and the new one have signed, and nothing else", async () => {
    const trusted = new TrustedKeys(keys.directory, member);
    const { records } = world.control;
    await rotateKey({ ...records, clock: systemClock }, { role: "statement" });
    await world.restart();
    const forged = signedBy([fileSigner("ed25519", newPrivateKey("ed25519"))], keyRotationStatement({ role: "statement", keyid: "ab".repeat(32), publicKey: "", algorithm: "ed25519", previous: trusted.all[0]?.keyid ?? "", notBefore: 1 }));
    await trusted.follow([forged, "nothing", null]);
    expect(trusted.all.length).toBe(1);
    const over = new ControlLine({ control: member.control, clock: systemClock, sign: (type, payload) => keys.signEnvelope(type, payload), gateway: member.gateway, keys: () => trusted.signing });
    const floor = await VersionFloor.open(keys.directory, () => undefined);
    const failures: unknown[] = [];
    const feed = new FeedClient({ membership: member, keys: trusted, line: over, clock: systemClock, floor, build: async ({ version }) => ({ version, credentials: [], spaces: [] }), onTaken: () => undefined, onFailure: (error) => failures.push(error) });
    feed.start();
    await until(async () => feed.current() !== undefined);
    feed.stop();
    expect(failures).toEqual([]);
    expect(trusted.signing.map(({ keyid }) => keyid)).toEqual([world.control.records.keys.statementKeyId]);
    expect(trusted.all.length).toBe(2);
    expect((await readMembership(keys.directory))?.keys.length).toBe(2);
    expect((await over.ask("subject", { user: "maria@example.com" }, SubjectAnswer)).subject).toMatch(/^person:/u);
    await Promise.all([over.close(), floor.close()]);
  });
});
