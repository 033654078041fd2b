import { generateKeyPairSync, sign as signBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pae, statementKeyId } from "@licet/evidence";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startEventServer, type EventResponse, type EventServer } from "../../../../test/unit/support/event-server.ts";
import { manualClock, type ManualClock } from "../base/clock.ts";
import { blobRef } from "../gateway/snapshot-wire.ts";
import { seal } from "../ledger/secret.ts";
import { ControlLine } from "./control-line.ts";
import { FeedClient } from "./feed-client.ts";
import { sealPair } from "./key-seal.ts";
import { VersionFloor, type Membership } from "./membership.ts";
import { claimed, parsedJson, signedText, type SignEnvelope } from "./signed.ts";
import { TrustedKeys } from "./trusted-keys.ts";
import { FeedRequest, keyAad } from "./wire.ts";

function signer() {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const sign: SignEnvelope = (payloadType, payload) => ({ payloadType, payload: Buffer.from(payload).toString("base64"), signatures: [{ keyid: statementKeyId(raw), sig: signBytes(null, pae(payloadType, payload), privateKey).toString("base64") }] });
  return { sign, key: { keyid: statementKeyId(raw), publicKey: raw.toString("base64") } };
}

/** One subscription as the other side sees it: what is written goes to the client. */
interface Subscribed {
  readonly request: FeedRequest;
  readonly response: EventResponse;
  readonly send: (message: object, by?: SignEnvelope) => void;
  readonly blob: (text: string, ref?: string) => void;
}

const start = Date.UTC(2026, 10, 21, 12);
const control = signer();
const gateway = signer();
const bundle = '{"v":2}';
const policy = { space: "main", digest: "sha256:x", bundle: blobRef(bundle), published_by: "p", published_at: 1, active: 1, entry: "e" };
const nothing = { credentials: [], deployments: [], atos: [], holds: [], providers: [], policies: [], releases: [], privacy: [], budgetLimits: [], modelPrices: [], waivers: [] };

let folder: string;
let server: EventServer;
let clock: ManualClock;
let client: FeedClient;
let line: ControlLine;
let floor: VersionFloor;
let built: string[];
const failures: string[] = [];
const waiting: ((subscribed: Subscribed) => void)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "licet-feed-"));
  clock = manualClock(start);
  failures.length = 0;
  built = [];
  server = await startEventServer((body, response) => {
    const asked = FeedRequest.parse(claimed(parsedJson(body)));
    waiting.shift()?.({
      request: asked,
      response,
      send: (message, by = control.sign) => void response.write(`data: ${signedText(by, "feed", { v: 1, stream: asked.nonce, ...message })}\n\n`),
      blob: (text, ref = blobRef(text)) => void response.write(`event: blob\ndata: ${JSON.stringify({ ref, text })}\n\n`),
    });
  });
});

afterEach(async () => {
  client.stop();
  await line.close();
  await floor.close();
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

async function connected(): Promise<Subscribed> {
  const membership: Membership = { v: 1, gateway: "gwy_1", name: "one", space: "main", control: server.url, keys: [control.key] };
  const trusted = new TrustedKeys(folder, membership);
  line = new ControlLine({ control: membership.control, clock, sign: gateway.sign, gateway: membership.gateway, keys: () => trusted.signing });
  floor = await VersionFloor.open(folder, (error) => failures.push(String(error)));
  client = new FeedClient({
    membership,
    keys: trusted,
    line,
    clock,
    floor,
    build: async (rows) => {
      built.push(...rows.policies.map((row) => row.bundle));
      return { version: rows.version, credentials: [], spaces: [] };
    },
    onTaken: () => undefined,
    onFailure: (error) => failures.push(error instanceof Error ? error.message : "unknown"),
  });
  const next = subscription();
  client.start();
  return next;
}

function subscription(): Promise<Subscribed> {
  return new Promise((resolve) => waiting.push(resolve));
}

const hello = (more: object = {}) => ({ seq: 0, type: "hello", now: clock.now(), leaseMs: 1000, space: "main", sealKey: sealPair().publicKey, taken: {}, ...more });
const standing = (version: number, more: object = {}) => ({ seq: 1, type: "standing", version, readAt: clock.now(), log: "control/log", standing: { ...nothing, version }, keys: [], ...more });

async function until(reached: () => boolean): Promise<void> {
  for (let n = 0; n < 400 && !reached(); n++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(reached()).toBe(true);
}

async function standingAt(version: number): Promise<Subscribed> {
  const feed = await connected();
  feed.send(hello());
  feed.send(standing(version));
  await until(() => client.current()?.version === version);
  return feed;
}

/** Sends what must not be believed on a feed that is in order, and answers why the client left. */
async function refusal(message: (feed: Subscribed) => void): Promise<string | undefined> {
  const feed = await standingAt(7);
  const left = new Promise((resolve) => feed.response.once("close", resolve));
  message(feed);
  await left;
  await until(() => failures.length > 0);
  // What was in force stays so while its lease runs, and no longer.
  expect(client.current()?.version).toBe(7);
  clock.advance(1000);
  expect(client.current()).toBeUndefined();
  return failures.at(-1);
}

describe("a gateway on its feed", () => {
  test("decides by a signed standing while the heartbeats come, and by nothing when they stop", async () => {
    const feed = await standingAt(7);
    clock.advance(900);
    feed.send({ seq: 2, type: "beat", version: 7, readAt: clock.now() });
    await until(() => client.current()?.leaseUntil === start + 1900);
    clock.advance(999);
    expect(client.current()?.version).toBe(7);
    clock.advance(1);
    expect(client.current()).toBeUndefined();
  });

  test("counts the lease from when the database was read: what was held back on its way has less of it, or none", async () => {
    const feed = await standingAt(7);
    clock.advance(800);
    feed.send({ seq: 2, type: "beat", version: 7, readAt: start + 300 });
    await until(() => client.current()?.leaseUntil === start + 1300);
    clock.advance(700);
    feed.send({ seq: 3, type: "beat", version: 7, readAt: start + 400 });
    feed.send({ seq: 4, type: "standing", version: 8, readAt: start + 450, log: "control/log", standing: { ...nothing, version: 8 }, keys: [] });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(client.current()).toBeUndefined();
  });

  test("counts it the same when the control plane's clock is seconds away", async () => {
    const feed = await connected();
    feed.send(hello({ now: start - 4000 }));
    feed.send(standing(7, { readAt: start - 4000 }));
    await until(() => client.current()?.version === 7);
    expect(client.current()?.leaseUntil).toBe(start + 1000);
  });

  test("does not begin where the clocks are further apart", async () => {
    const feed = await connected();
    feed.send(hello({ now: start - 5001 }));
    feed.send(standing(7, { readAt: start - 5001 }));
    await until(() => failures.length > 0);
    expect(failures[0]).toMatch(/clocks of gateway and control plane are 5001 ms apart/u);
    expect(client.current()).toBeUndefined();
  });

  test("refuses a message that another key has signed", async () => {
    expect(await refusal((feed) => feed.send({ seq: 2, type: "beat", version: 7, readAt: clock.now() }, gateway.sign))).toMatch(/not signed by the control plane/u);
  });

  test("refuses a message whose bytes were changed", async () => {
    const why = await refusal((feed) => {
      const envelope = JSON.parse(signedText(control.sign, "feed", { v: 1, stream: feed.request.nonce, seq: 2, type: "beat", version: 7, readAt: start })) as { payload: string };
      envelope.payload = Buffer.from(JSON.stringify({ v: 1, stream: feed.request.nonce, seq: 2, type: "beat", version: 7, readAt: start + 900 })).toString("base64");
      feed.response.write(`data: ${JSON.stringify(envelope)}\n\n`);
    });
    expect(why).toMatch(/not signed by the control plane/u);
  });

  test("refuses a signed message of another kind", async () => {
    expect(await refusal((feed) => feed.response.write(`data: ${signedText(control.sign, "answer", { v: 1, stream: feed.request.nonce, seq: 2, type: "beat", version: 7, readAt: start })}\n\n`))).toMatch(/not signed by the control plane/u);
  });

  test("refuses what was made for another connection", async () => {
    expect(await refusal((feed) => feed.send({ ...standing(8), seq: 2, stream: "ab".repeat(16) }))).toMatch(/another connection/u);
  });

  test("refuses a message that comes twice, or after a missing one", async () => {
    expect(await refusal((feed) => feed.send(standing(8)))).toMatch(/missing, or came twice/u);
  });

  test("refuses an older standing than one that was in force, on the same connection and after a restart", async () => {
    expect(await refusal((feed) => feed.send({ ...standing(6), seq: 2 }))).toMatch(/older than one that was in force/u);
    client.stop();
    await floor.close();
    failures.length = 0;
    const again = await connected();
    again.send(hello());
    again.send(standing(6));
    await until(() => failures.length > 0);
    expect(failures[0]).toMatch(/older than one that was in force/u);
    expect(client.current()).toBeUndefined();
  });

  test("takes a lower version of a control plane that was restored into a new shard of its log", async () => {
    const feed = await standingAt(7);
    feed.send({ ...standing(3), seq: 2, log: "control/log/2-abcdef01" });
    await until(() => client.current()?.version === 3);
    expect(failures).toEqual([]);
  });

  test("refuses a time that has not come", async () => {
    expect(await refusal((feed) => feed.send({ seq: 2, type: "beat", version: 7, readAt: start + 5000 }))).toMatch(/a time that has not come/u);
  });

  test("refuses a text that is not the one of its digest, and a standing whose text did not come", async () => {
    expect(await refusal((feed) => feed.blob("another bundle", blobRef(bundle)))).toMatch(/not the one of its digest/u);
    expect(built).toEqual([]);
    clock.set(start);
    const next = await subscription();
    next.send(hello());
    next.send(standing(8, { standing: { ...nothing, version: 8, policies: [policy] } }));
    await until(() => failures.some((each) => /bundle that did not come/u.test(each)));
  });

  test("gets a bundle once: the next connection says that it has it", async () => {
    const feed = await connected();
    expect(feed.request.have).toEqual([]);
    feed.send(hello());
    feed.blob(bundle);
    feed.send(standing(7, { standing: { ...nothing, version: 7, policies: [policy] } }));
    await until(() => client.current()?.version === 7);
    expect(built).toEqual([bundle]);
    const next = subscription();
    feed.response.destroy();
    expect((await next).request.have).toEqual([blobRef(bundle)]);
  });

  test("refuses the standing of another space", async () => {
    expect(await refusal((feed) => feed.send({ ...standing(8, { standing: { ...nothing, version: 8, policies: [{ ...policy, space: "other" }] } }), seq: 2 }))).toMatch(/bundle that did not come|another space/u);
  });

  test("opens provider keys that were sealed to this connection, and holds none after it stops", async () => {
    const feed = await connected();
    const pair = sealPair();
    const shared = pair.shared(feed.request.sealKey, feed.request.nonce);
    const sealed = seal(shared, Buffer.from("sk-provider"), keyAad(feed.request.nonce, "main", "simulator")).toString("base64");
    expect(sealed).not.toContain("sk-provider");
    feed.send(hello({ sealKey: pair.publicKey }));
    feed.send(standing(7, { keys: [{ provider: "simulator", sealed }] }));
    await until(() => client.current()?.version === 7);
    expect(await client.providerKey("main", "simulator")).toBe("sk-provider");
    expect(await client.providerKey("main", "other")).toBe("");
    client.stop();
    expect(await client.providerKey("main", "simulator")).toBe("");
  });

  test("comes back by itself when the connection ends", async () => {
    const feed = await standingAt(7);
    const next = subscription();
    feed.response.end();
    const again = await next;
    expect(again.request.nonce).not.toBe(feed.request.nonce);
    again.send(hello());
    again.send(standing(9));
    await until(() => client.current()?.version === 9);
    expect(failures).toEqual(["the control plane ended the feed"]);
  });
});
