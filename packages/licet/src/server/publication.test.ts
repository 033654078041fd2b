import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cookies, definitions, helpdesk, type Caller } from "../ato/world-fixture.ts";
import { readMigrations } from "../db/migrate.ts";
import { statements } from "../db/statements.ts";
import { snapshotHolder } from "../gateway/snapshot.ts";
import { dump } from "../ledger/recorder-fixture.ts";
import { rebuildDatabase, replay } from "../ledger/replay.ts";
import { registryOf } from "../ledger/registry.ts";
import { builtinBundle, builtinSource } from "../policy/builtin.ts";
import { mismatchDraft } from "../policy/mismatch.ts";
import type { PolicyMismatch } from "../policy/sampling.ts";
import { workloadRequest } from "../policy/request-fixture.ts";
import { packOf } from "../policy/bundle-fixture.ts";
import { builtinPack, compileWith, openPolicyWorld, smallBundle, teamPack, tightening, type PolicyWorld } from "./publication-fixture.ts";
import { standing } from "../policy/standing.ts";
import { startFeed } from "./snapshot-feed.ts";

let policies: PolicyWorld;
let sue: Caller;
let rita: Caller;
beforeEach(async () => {
  policies = await openPolicyWorld();
  sue = await policies.world.person("sue", ["security-engineer"]);
  rita = await policies.world.person("rita", ["risk-owner"]);
});
afterEach(() => policies.close());

const inMain = { params: { space: "main" } };
const code = async (work: Promise<unknown>): Promise<unknown> => work.then(() => "nothing was thrown", (error: unknown) => (error instanceof Error && "code" in error ? error.code : error));
const history = async () => (await policies.routes.listPublications({ ...inMain, query: { limit: 50 } }, sue, cookies)).items;

describe("publishing a bundle", () => {
  test("takes two people: who asked cannot approve, and the record names both", async () => {
    const asked = await policies.publish(rita, [teamPack()]);
    expect(asked).toMatchObject({ done: false, request: { move: "publish-policy", title: "publish policies: because of the audit", detail: { packs: ["helpdesk-rules"] } } });
    expect(await policies.decision()).toBe("allow");
    expect(await code(policies.approve(asked.request.id, rita))).toBe("approval_not_yours");
    const other = await policies.world.person("olaf", ["risk-owner"]);
    expect(await policies.approve(asked.request.id, other)).toMatchObject({ status: "granted" });
    expect(await policies.decision()).toBe("deny");
    const [newest, first] = (await history()).sort((a, b) => b.entry.localeCompare(a.entry) || Number(b.active) - Number(a.active)).sort((a, b) => Number(b.active) - Number(a.active));
    expect(newest).toMatchObject({ active: true, occasion: "request", publishedBy: "rita@example.com", request: asked.request.id, changed: { added: 1, changed: 0, removed: 0 }, approvals: [{ person: "olaf@example.com", role: "risk-owner" }] });
    expect(first).toMatchObject({ active: false, occasion: "installation", publishedBy: "server" });
    expect(policies.world.failures).toEqual([]);
  });

  test("an approval given before another bundle was published counts no more; a new one does", async () => {
    const one = await policies.publish(sue, [teamPack()]);
    const two = await policies.publish(rita, [tightening("other-rules", { kind: "team", systems: ["helpdesk"] }, { dataClass: "special" })]);
    const judged = await policies.world.routes.draftApproval({ params: { space: "main", request: one.request.id }, body: { role: "risk-owner", answer: "approve", comment: "" } }, rita, cookies);
    await policies.approve(two.request.id, await policies.world.person("olaf", ["risk-owner"]));
    const late = policies.world.routes.giveApproval({ params: { space: "main", request: one.request.id }, body: { role: "risk-owner", answer: "approve", comment: "", statement: judged.statement } }, rita, cookies);
    expect(await code(late)).toBe("approval_statement_changed");
    const check = await policies.routes.checkRequestedPolicies({ params: { space: "main", request: one.request.id } }, rita, cookies);
    expect(check).toMatchObject({ ok: true, changes: [{ sign: "+", policy: "helpdesk-rules.no-internal" }] });
    expect(await policies.approve(one.request.id, rita)).toMatchObject({ status: "granted" });
    const { packs } = await policies.routes.showPolicies(inMain, sue, cookies);
    expect(packs.map(({ name, origin }) => `${name} ${origin}`)).toEqual(["helpdesk-rules space", "other-rules space", "runtime installation"]);
  });

  test("the statement that an approver signs names the bundle in force", async () => {
    const asked = await policies.publish(sue, [teamPack()]);
    const draft = await policies.world.routes.draftApproval({ params: { space: "main", request: asked.request.id }, body: { role: "risk-owner", answer: "approve", comment: "" } }, rita, cookies);
    const { digest } = await policies.routes.showPolicies(inMain, sue, cookies);
    expect(JSON.parse(draft.statement).predicate).toMatchObject({ move: "publish-policy", policyDigest: digest });
  });

  test("a developer may ask for team packs of systems that they own, and of no other", async () => {
    await policies.world.push(helpdesk, sue.personId);
    const owner = { ...(await policies.world.person("dev", ["developer"])), email: helpdesk.manifest.owners.technical };
    const stranger = await policies.world.person("other", ["developer"]);
    expect(await code(policies.publish(stranger, [teamPack()]))).toBe("policy_not_yours");
    expect(await code(policies.publish(owner, [tightening("x", { kind: "team", systems: ["helpdesk", "tumour"] })]))).toBe("policy_not_yours");
    expect(await code(policies.publish(owner, [tightening("x", { kind: "baseline" })]))).toBe("policy_not_yours");
    expect(await policies.publish(owner, [teamPack()])).toMatchObject({ done: false });
  });

  test("a team pack that permits, a foreign pack that says it is builtin, and a baseline elsewhere are refused", async () => {
    const weakening = packOf({ name: "weak", kind: "team", systems: ["helpdesk"] }, `@id("weak.all")\n@title("x")\npermit (principal, action, resource);`);
    expect(await code(policies.publish(sue, [weakening]))).toBe("policy_pack_rule");
    expect(await code(policies.publish(sue, [builtinPack("mine")]))).toBe("policy_pack_place");
    await policies.standing.compose("lab");
    expect(await code(policies.publish(sue, [tightening("x", { kind: "baseline" })], { space: "lab" }))).toBe("policy_pack_place");
    const check = await policies.routes.checkPolicies({ ...inMain, body: { packs: [weakening], remove: [] } }, sue, cookies);
    expect(check).toMatchObject({ ok: false, digest: null, findings: [{ severity: "error" }] });
    expect(await policies.decision()).toBe("allow");
  });

  test("refuses a change that was prepared on another bundle, and one that changes nothing", async () => {
    expect(await code(policies.publish(sue, [teamPack()], { base: `sha256:${"0".repeat(64)}` }))).toBe("policy_base_changed");
    expect(await code(policies.publish(sue, []))).toBe("policy_unchanged");
  });

  test("packs can be removed, and an unknown one cannot", async () => {
    await policies.approve((await policies.publish(sue, [teamPack()])).request.id, rita);
    expect(await code(policies.publish(sue, [], { remove: ["nothing"] }))).toBe("not_found");
    await policies.approve((await policies.publish(sue, [], { remove: ["helpdesk-rules"] })).request.id, rita);
    expect(await policies.decision()).toBe("allow");
  });
});

describe("the record of publications", () => {
  test("gives the same rows when the database is rebuilt from the log", async () => {
    await policies.approve((await policies.publish(sue, [teamPack()])).request.id, rita);
    await policies.approve((await policies.publish(sue, [teamPack("special")])).request.id, rita);
    const { database, log, keyring } = policies.world.installation;
    const before = await dump(database);
    expect(before["policy_publication"]?.length).toBe(3);
    await rebuildDatabase({ database, log, keyring, registry: registryOf(definitions), now: () => policies.world.clock.now() });
    expect(await dump(database)).toEqual(before);
  });

  test("comes back from the log after the migration that emptied the tables", async () => {
    await policies.approve((await policies.publish(sue, [teamPack()])).request.id, rita);
    const { database, log, keyring } = policies.world.installation;
    const before = await dump(database);
    const migration = (await readMigrations()).find(({ name }) => name === "policy")?.sql ?? "";
    const emptying = statements(migration).filter((statement) => /^(?:delete|update)/u.test(statement));
    expect(emptying.length).toBeGreaterThan(10);
    await database.write(async (tx) => {
      for (const statement of [...emptying, "delete from policy_publication"]) await sql.raw(statement).execute(tx);
    });
    await replay({ database, log, keyring, registry: registryOf(definitions), now: () => policies.world.clock.now() });
    expect(await dump(database)).toEqual(before);
  });

  test("an entry of version 1 still replays, as the server's publication of the installation's policies", async () => {
    const definition = definitions.find(({ kind }) => kind === "policy.published");
    const { bundle, digest } = await policies.routes.showBundle({ params: { space: "main", digest: "active" } }, sue, cookies);
    const old = { digest, bundle: { v: 1, schema: "", policies: [{ id: "runtime.call", effect: "permit", text: "permit(principal, action, resource);", annotations: {} }] }, publishedBy: "server" };
    const body = definition?.upcast?.(old, 1) ?? {};
    await policies.world.installation.database.write((tx) => definition?.apply(tx, { kind: "policy.published", v: 2, id: "ent_old", time: 5, space: "old", actor: "server", subject: "space", class: "governance", body }) ?? Promise.resolve());
    expect(bundle["v"]).toBe(2);
    expect(await policies.routes.listPublications({ params: { space: "old" }, query: { limit: 5 } }, sue, cookies)).toMatchObject({ items: [{ occasion: "installation", publishedBy: "server", packs: [], changed: { added: 1, changed: 0, removed: 0 } }] });
  });

  test("a crash between approval and publication, and one between publication and closing, are made good", async () => {
    const asked = await policies.publish(sue, [teamPack()]);
    const { recorder } = policies.world.installation;
    const statement = await policies.world.routes.draftApproval({ params: { space: "main", request: asked.request.id }, body: { role: "risk-owner", answer: "approve", comment: "" } }, rita, cookies);
    const { predicate } = JSON.parse(statement.statement);
    // As it stands in the log when the process dies right after the approval.
    const body = { approval: "apr_1", request: asked.request.id, role: "risk-owner", person: rita.personId, answer: "approve", comment: "", factsDigest: predicate.factsDigest, policyDigest: predicate.policyDigest, method: "server-asserted", authenticatedAt: policies.world.clock.now(), notAfter: policies.world.clock.now() + 86_400_000, statement: statement.statement, statementDigest: statement.digest, assertion: null };
    await recorder.commit(async () => ({ entry: { kind: "approval.given", space: "main", actor: rita.personId, subject: "space", class: "governance", body }, value: undefined }));
    await policies.world.oversight.reconcile();
    expect(policies.world.failures).toEqual([]);
    expect(await policies.decision()).toBe("deny");
    // And when it dies after the publication: the request is open, its approvals are stale by its own doing.
    await policies.world.installation.database.write(async (tx) => {
      await tx.updateTable("request").set({ status: "open", outcome: null, closed_at: null }).where("id", "=", asked.request.id).execute();
      await tx.updateTable("approval").set({ spent_by: null }).where("id", "=", "apr_1").execute();
    });
    await policies.world.oversight.reconcile();
    const shown = await policies.world.routes.showRequest({ params: { space: "main", request: asked.request.id } }, sue, cookies);
    expect(shown).toMatchObject({ status: "granted", approvals: [{ counts: true }] });
    expect((await history()).length).toBe(2);
  });
});

describe("the organisation's baseline", () => {
  test("binds every other space in the act that publishes it", async () => {
    await policies.standing.compose("lab");
    expect(await policies.decision("lab")).toBe("allow");
    await policies.approve((await policies.publish(sue, [tightening("house-rules", { kind: "baseline" })])).request.id, rita);
    expect(await policies.decision("lab")).toBe("deny");
    const { packs, publishedBy } = await policies.routes.showPolicies({ params: { space: "lab" } }, sue, cookies);
    expect({ packs: packs.map(({ name, origin }) => `${name} ${origin}`), publishedBy }).toEqual({ packs: ["house-rules main", "runtime installation"], publishedBy: "server" });
  });

  test("reaches a space at the next start where a crash stood before it", async () => {
    await policies.standing.compose("lab");
    await policies.approve((await policies.publish(sue, [tightening("house-rules", { kind: "baseline" })])).request.id, rita);
    await policies.world.installation.database.write((tx) => tx.updateTable("policy_bundle").set({ active: 0 }).where("space", "=", "lab").where("published_by", "=", "server").execute());
    await policies.standing.composeAll();
    expect(await policies.decision("lab")).toBe("deny");
  });
});

describe("when the installation brings other packs", () => {
  const renamed = () => compileWith([builtinPack(), packOf({ name: "more", kind: "builtin" }, `@id("runtime.more")\n@title("x")\n@remedy("r")\n@turn("t")\nforbid (principal, action == Licet::Action::"score", resource) when { context.dataClasses.contains("special") };`)]);

  test("the server publishes the space's own packs with them, and people's packs stay", async () => {
    await policies.approve((await policies.publish(sue, [teamPack()])).request.id, rita);
    const after = standing({ ...policies.deps, compile: renamed(), onFailure: () => undefined });
    await after.composeAll();
    const { packs } = await policies.routes.showPolicies(inMain, sue, cookies);
    expect(packs.map(({ name }) => name)).toEqual(["helpdesk-rules", "more", "runtime"]);
    expect(await policies.decision()).toBe("deny");
  });

  test("nothing is compiled at a start that finds everything as it was", async () => {
    await policies.approve((await policies.publish(sue, [teamPack()])).request.id, rita);
    const compiled: number[] = [];
    const counting = (packs: Parameters<typeof policies.deps.compile>[0]) => {
      if (packs.length > 0) compiled.push(packs.length);
      return policies.deps.compile(packs);
    };
    await standing({ ...policies.deps, compile: counting, onFailure: () => undefined }).composeAll();
    expect({ compiled, publications: (await history()).length }).toEqual({ compiled: [], publications: 2 });
  });

  test("a space whose packs do not go with them keeps its last bundle, and says so", async () => {
    await policies.approve((await policies.publish(sue, [teamPack()])).request.id, rita);
    const told: unknown[] = [];
    const after = standing({ ...policies.deps, compile: compileWith([builtinPack(), packOf({ name: "helpdesk-rules", kind: "builtin" }, `@id("x.y")\n@title("x")\n@remedy("r")\n@turn("t")\nforbid (principal, action == Licet::Action::"score", resource) when { context.dataClasses.contains("special") };`)]), onFailure: (error) => told.push(error) });
    await after.composeAll();
    expect(await policies.decision()).toBe("deny");
    expect(after.problem("main")).toMatchObject({ code: "pack_malformed" });
    expect(told.length).toBe(1);
  });
});

test("a tightened team pack is what the gateway decides by within the lease of its snapshot", async () => {
  const { recorder, database } = policies.world.installation;
  const snapshots = snapshotHolder(policies.world.clock);
  const feed = await startFeed({ clock: policies.world.clock, read: database.read, recorder, snapshots, statementKeys: [], onFailure: (error) => void policies.world.failures.push(error) });
  const call = JSON.parse(JSON.stringify(workloadRequest()));
  const decided = async () => (await snapshots.current()?.spaces.get("main")?.policyBundle?.decide(call))?.decision;
  expect(await decided()).toBe("allow");
  await policies.approve((await policies.publish(sue, [teamPack()])).request.id, rita);
  await expect.poll(decided, { timeout: 1000, interval: 20 }).toBe("deny");
  await feed.stop();
});

test("a sole operator publishes alone, and the record says so", async () => {
  const alone = await openPolicyWorld({ bundle: await smallBundle() });
  try {
    const operator = await alone.world.person("only", ["platform-engineer"]);
    expect(await alone.publish(operator, [teamPack()])).toMatchObject({ done: true, request: { detail: { outcome: "sole operator" } } });
    const { items } = await alone.routes.listPublications({ ...inMain, query: { limit: 5 } }, operator, cookies);
    expect(items.find(({ active }) => active)).toMatchObject({ outcome: "sole operator", approvals: [] });
  } finally {
    await alone.close();
  }
});

describe("what people can read of the policies in force", () => {
  test("a decision that cedar-wasm came to differently stands there with both answers, newest first, until another bundle is active", async () => {
    const list = () => policies.routes.listMismatches({ ...inMain, query: { limit: 1 } }, sue, cookies);
    expect(await list()).toEqual({ items: [], next: null });
    const { digest } = await policies.routes.showPolicies(inMain, sue, cookies);
    const { recorder } = policies.world.installation;
    for (const n of [1, 2]) {
      policies.world.clock.advance(1);
      const mismatch = { space: "main", policyDigest: digest, requestDigest: `sha256:${String(n).repeat(64)}`, ours: answered("allow"), theirs: answered("deny"), at: recorder.now() };
      await recorder.commit(async () => ({ entry: mismatchDraft(mismatch), value: undefined }));
    }
    const { items, next } = await list();
    expect(items).toMatchObject([{ bundle: digest, active: true, request: `sha256:${"2".repeat(64)}`, ours: { decision: "allow" }, reference: { decision: "deny" } }]);
    expect(next).toBe(items[0]?.id);
    await policies.approve((await policies.publish(rita, [teamPack()])).request.id, await policies.world.person("olaf", ["risk-owner"]));
    expect((await list()).items).toMatchObject([{ bundle: digest, active: false }]);
  });

  test("the scenarios of a pack, those of the installation's own where its files made the bundle", async () => {
    const installed = builtinSource().builtin.find(({ name }) => name === "runtime-data");
    expect(installed?.scenarios.length).toBeGreaterThan(0);
    await policies.close();
    policies = await openPolicyWorld({ bundle: builtinBundle(), builtin: builtinSource().builtin });
    const pack = { params: { space: "main", pack: "runtime-data" } };
    const { scenarios } = await policies.routes.showPack(pack, await policies.world.person("sue", ["security-engineer"]), cookies);
    expect(scenarios).toEqual(installed?.scenarios);
  });
});

function answered(decision: "allow" | "deny"): PolicyMismatch["ours"] {
  return { decision, reasons: [], errors: [], warnings: [], shadowed: [] };
}
