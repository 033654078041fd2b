import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packInMemory, verifyPack } from "@licet/evidence";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Caller } from "../../../packages/licet/src/http/handlers.ts";
import { askTlogOracle, tlogOraclePresent } from "../../../packages/licet/src/ledger/tlog-oracle.ts";
import { carryOutErasure, type ErasureDeps } from "../../../packages/licet/src/privacy/erase.ts";
import { listErasures, scrubDue } from "../../../packages/licet/src/privacy/store.ts";
import { restore } from "../../../packages/licet/src/server/restore.ts";
import { modes, privateInstallation, type PrivateInstallation } from "../support/private.ts";

const name = "Wilhelmine Quastenflosser";
const email = "wilhelmine.quastenflosser@example.org";
const prompt = "my locker number is 90125-kappa";
const reply = "Your locker is behind the turbines";
const user = "patient-zebra-17";

let at: PrivateInstallation;
let admin: Caller;
let owner: Caller;

beforeAll(async () => {
  at = await privateInstallation();
  admin = await at.person("admin@example.org", "Ada", ["administrator"]);
  owner = await at.person("owner@example.org", "Olga", ["risk-owner"]);
  at.upstream.mode = { kind: "answer", text: reply };
});
afterAll(async () => {
  await at.stop();
  await at.remove();
});

const nothing = { add: () => undefined };

async function ask(body: object): Promise<{ readonly done: boolean; readonly request: { readonly id: string } }> {
  return at.composed.handlers.requestErasure({ params: { space: "main" }, query: {}, body } as never, admin, nothing);
}

async function erase(body: object): Promise<void> {
  const { done, request } = await ask({ basis: "asked for by the data subject", ...body });
  expect(done).toBe(false);
  await at.approve(request.id, owner);
}

async function erasures() {
  return listErasures(at.records.database.read, "main", { limit: 50 });
}

/** What the live tables hold is what the log alone gives. */
async function expectRebuilt(): Promise<void> {
  await at.records.recorder.settle();
  const live = at.rows();
  await at.rebuild();
  expect(at.rows()).toEqual(live);
}

async function verified(): Promise<void> {
  const { files } = await at.composed.handlers.exportAudit({ params: { space: "main" }, query: {}, body: {} } as never, owner, nothing);
  const source = packInMemory(new Map(files.map(({ path, content }) => [path, Buffer.from(content, "base64")])));
  const report = await verifyPack({ source, trust: JSON.stringify(at.records.keys.trustFile()) });
  expect(report.findings.filter(({ status }) => status === "fail")).toEqual([]);
}

describe("an administrator who is erased", () => {
  test("cannot be the last, and does not agree to it themselves", async () => {
    await expect(ask({ person: admin.personId, basis: "x" })).rejects.toMatchObject({ code: "last_administrator" });
    const { request } = await ask({ person: owner.personId, basis: "left the company" });
    await expect(at.approve(request.id, owner)).rejects.toMatchObject({ code: "approval_not_yours" });
    expect(await erasures()).toEqual([]);
  });

  test("leaves one, also when all are erased at once", async () => {
    const second = await at.person("second@example.org", "Sekundus", ["administrator"]);
    const both = [second, admin].map(({ personId: person }) => carryOutErasure(at.deps(), { id: `era_${person}`, space: "main", occasion: "request", target: { kind: "person", person }, keys: at.records.keyring.keysOf("main", `person:${person}`), basis: "asked", requestedBy: "server", request: null }));
    expect(await Promise.allSettled(both)).toMatchObject([{ status: "fulfilled" }, { status: "rejected", reason: { code: "last_administrator" } }]);
    expect(await erasures()).toMatchObject([{ id: `era_${second.personId}`, state: "done" }]);
    await expectRebuilt();
  });
});

describe("an end user who is erased", () => {
  let from = 0;
  beforeEach(async () => {
    from = at.records.log.size;
    await at.ask({ content: prompt, user, modes: modes("encrypted") });
    await at.ask({ content: "of somebody else", user: "other", modes: modes("encrypted") });
    await at.records.recorder.settle();
  });

  test("leaves neither name nor words in any file, and everybody else's words stay", async () => {
    const named = await at.records.database.read.selectFrom("content").selectAll().where("log_index", ">=", from).orderBy("log_index").execute();
    expect(named).toHaveLength(4);
    const [mine] = named;
    expect(await at.records.recorder.readAt("main", mine?.log_index ?? -1)).toMatchObject({ kind: "gateway.content", body: { messages: [{}, { content: prompt }] } });
    const preview = await at.composed.handlers.previewErasure({ params: { space: "main" }, query: {}, body: { user } } as never, admin, nothing);
    expect(preview).toMatchObject({ keys: 1, entries: 2 });
    await erase({ user });
    await expect(at.records.recorder.readAt("main", mine?.log_index ?? -1)).rejects.toMatchObject({ code: "payload_erased" });
    expect(await at.records.recorder.readAt("main", named[2]?.log_index ?? -1)).toMatchObject({ body: { messages: [{}, { content: "of somebody else" }] } });
    for (const text of [prompt, reply, user]) expect(at.filesWith(text)).toEqual([]);
    expect(readFileSync(join(at.folder, "keys", "keyring.jsonl"), "utf8")).not.toContain(user);
    await expectRebuilt();
    await verified();
    expect(await at.ask({ content: "here again", user, modes: modes("encrypted") })).toMatchObject({ status: 200 });
    await expect(erase({ user: "nobody-ever" })).rejects.toMatchObject({ code: "erasure_nothing" });
  });

  test("is erased once, however often the request is settled", async () => {
    const { length: before } = await erasures();
    const since = at.records.log.size;
    await erase({ user });
    for (const { id, space, body } of await erasures()) await carryOutErasure(at.deps(), { id, space, ...body });
    expect(await erasures()).toHaveLength(before + 1);
    const kinds = await at.records.database.read.selectFrom("entry").select("kind").where("log_index", ">=", since).where("kind", "in", ["erasure.intended", "payload.erased"]).orderBy("log_index").execute();
    expect(kinds.map(({ kind }) => kind)).toEqual(["erasure.intended", "payload.erased"]);
  });
});

describe("what a system did at run time", () => {
  test("goes from the tables with its keys, and the next call is recorded under a new one", async () => {
    expect(await at.ask({ content: "first" })).toMatchObject({ status: 200 });
    await erase({ system: "helpdesk", class: "runtime" });
    const { read } = at.records.database;
    expect(await read.selectFrom("decision").selectAll().execute()).toEqual([]);
    expect(await at.ask({ content: "second" })).toMatchObject({ status: 200 });
    await expectRebuilt();
    expect(await read.selectFrom("decision").select("decision").execute()).toEqual([{ decision: "allow" }]);
    await verified();
  });
});

describe("a process that dies during an erasure", () => {
  const dead = new Error("the process died here");
  type Dies = (deps: ErasureDeps) => ErasureDeps;

  const beforeDestruction: Dies = (deps) => ({ ...deps, keyring: with_(deps.keyring, { destroy: () => Promise.reject(dead) }) });
  const afterDestruction: Dies = (deps) => ({ ...deps, recorder: with_(deps.recorder, { commit: failingAfter(1, deps.recorder.commit.bind(deps.recorder)) }) });
  const beforeScrub: Dies = (deps) => ({ ...deps, database: with_(deps.database, { scrub: () => Promise.reject(dead) }) });
  // The last alone: what another one finishes scrubs the file for it as well.
  const dying: readonly (readonly [string, readonly Dies[]])[] = [
    ["before the keys of one are destroyed, and after those of another are,", [beforeDestruction, afterDestruction]],
    ["before the file is scrubbed", [beforeScrub]],
  ];

  type Commit = ErasureDeps["recorder"]["commit"];

  function failingAfter(calls: number, real: Commit): Commit {
    let left = calls;
    return (work) => (left-- > 0 ? real(work) : Promise.reject(dead));
  }

  /** The real object with some of its methods replaced. */
  function with_<T extends object>(real: T, changed: Partial<T>): T {
    return new Proxy(real, {
      get: (target, key) => {
        const value: unknown = Reflect.get(key in changed ? changed : target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  async function dieErasing(dies: Dies, person: string): Promise<string> {
    const plan = { id: `era_${person}`, space: "main", occasion: "request", target: { kind: "person", person }, keys: at.records.keyring.keysOf("main", `person:${person}`), basis: "asked", requestedBy: admin.personId, request: null } as const;
    await expect(carryOutErasure(dies(at.deps()), plan)).rejects.toBe(dead);
    return plan.id;
  }

  test.each(dying)("%s finds it finished at the next start", async (when, ways) => {
    const begun: string[] = [];
    for (const [index, dies] of ways.entries()) {
      const gone = await at.person(`${index}.${email}`, name, ["assessor"], when.includes("scrubbed"));
      begun.push(await dieErasing(dies, gone.personId));
    }
    await at.stop();
    await at.open();
    const done = (await erasures()).filter(({ state }) => state === "done").map(({ id }) => id);
    expect(done).toEqual(expect.arrayContaining(begun));
    expect(await scrubDue(at.records.database.read)).toBe(false);
    expect([...at.filesWith(name), ...at.filesWith(email)]).toEqual([]);
    await expectRebuilt();
    await verified();
  });
});

test.skipIf(!tlogOraclePresent)("an independent verifier takes the log's files after an erasure (needs ../shared/evidence/verify_tlog.py)", async () => {
  expect(await at.ask({ content: prompt, user, modes: modes("encrypted") })).toMatchObject({ status: 200 });
  await erase({ user });
  await at.records.log.publish();
  expect(askTlogOracle(join(at.data, "log"), at.records.log.vkey)).toMatchObject({ ok: true, size: at.records.log.size });
});

/** Last, because what follows a restore is another log. */
describe("somebody with an account who is erased", () => {
  test("is gone from every file, now, after a restart and after an older backup, and the log still verifies", async () => {
    const gone = await at.person(email, name, ["assessor"], true);
    await at.records.database.scrub();
    expect(at.filesWith(name).length + at.filesWith(email).length).toBeGreaterThan(0);
    const backup = await at.copyTo("backup");
    const before = await at.records.log.publish();

    await erase({ person: gone.personId });
    expect([...at.filesWith(name), ...at.filesWith(email)]).toEqual([]);
    const { read } = at.records.database;
    for (const table of ["user", "session", "account"] as const) expect(await read.selectFrom(table).selectAll().execute()).toEqual([]);
    expect(await read.selectFrom("person").select(["name", "email"]).where("id", "=", gone.personId).executeTakeFirst()).toEqual({ name: "erased", email: `erased-${gone.personId}` });
    // Whoever could approve still counts as somebody who could.
    expect(await read.selectFrom("role_grant").select(["role", "revoked_at"]).where("person", "=", gone.personId).execute()).toEqual([{ role: "assessor", revoked_at: at.clock.now() }]);
    await expect(at.identity.accounts.signIn(email, "correct horse battery staple")).rejects.toMatchObject({ code: "sign_in_failed" });
    await expectRebuilt();
    await verified();

    await at.stop();
    expect([...at.filesWith(name), ...at.filesWith(email)]).toEqual([]);
    await at.open();
    expect([...at.filesWith(name), ...at.filesWith(email)]).toEqual([]);
    await at.stop();

    const older = join(at.folder, "older");
    await restore({ from: backup, directory: older, keysDirectory: join(at.folder, "keys"), clock: at.clock, by: "test" });
    const restored = await privateInstallation({ folder: at.folder, data: older, clock: at.clock });
    const mine = at;
    at = restored;
    expect([...restored.filesWith(name), ...restored.filesWith(email)]).toEqual([]);
    expect((await erasures()).filter(({ body }) => body.tombstone?.person === gone.personId)).toMatchObject([{ state: "done" }]);
    await expectRebuilt();
    await verified();
    expect(before).toContain(mine.records.log.origin);
    await mine.upstream[Symbol.asyncDispose]();
  });
});

/** Last of all, because its key is destroyed without the erasure that an auditor would want to see. */
test("what still waits for its rows when its key is destroyed gets none", async () => {
  const { database, keyring, log, recorder } = at.records;
  await recorder.settle();
  let release: () => void = () => undefined;
  const { promise: writing, resolve: begun } = Promise.withResolvers<void>();
  // Nothing is projected while somebody else writes.
  const held = database.write(() => new Promise<void>((resolve) => {
    release = resolve;
    begun();
  }));
  await writing;
  const from = log.size;
  expect(await at.ask({ content: "first" })).toMatchObject({ status: 200 });
  await keyring.destroy(keyring.keysOf("main", "system:helpdesk", { class: "runtime" }));
  release();
  await held;
  await recorder.settle();
  expect(log.size).toBeGreaterThan(from);
  expect(await database.read.selectFrom("decision").selectAll().where("log_index", ">=", from).execute()).toEqual([]);
});
