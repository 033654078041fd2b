import type { RouteAnswer } from "@licet/contract";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { dump } from "../ledger/recorder-fixture.ts";
import { moveAnswer } from "../oversight/view.ts";
import type { Passkeys } from "../oversight/approvals.ts";
import { cookies, fresh, helpdesk, hour, openWorld, tumour, type Caller, type World } from "./world-fixture.ts";

const asked: { readonly challenge: string }[] = [];
/** Stands where a browser's key would: answers for one credential and one challenge. */
const passkeys: Passkeys = {
  of: (person) => Promise.resolve(person === "per_key" ? [{ id: "cred-1", publicKey: "cHVi" }] : []),
  verify: (check) => {
    asked.push({ challenge: check.challenge });
    return Promise.resolve(JSON.stringify(check.assertion) === JSON.stringify({ id: "cred-1", signed: check.challenge }));
  },
};

let world: World;
let ops: Caller;
beforeEach(async () => {
  world = await openWorld({ passkeys });
  ops = await world.person("ops", ["platform-engineer"]);
});
afterEach(() => world.close());

const inMain = { params: { space: "main" } };
const code = async (work: Promise<unknown>): Promise<unknown> => work.then(() => "nothing was thrown", (error: unknown) => (error instanceof Error && "code" in error ? error.code : error));
const place = (by: Caller) => world.routes.placeHold({ ...inMain, body: { scope: "system", system: "helpdesk", reason: "odd answers" } }, by, cookies);
const lift = (hold: string, by: Caller) => world.routes.liftHold({ params: { space: "main", hold }, body: { reason: "mended" } }, by, cookies);
const approve = (request: string, by: Caller, role: "risk-owner" | "security-engineer" = "risk-owner"): Promise<RouteAnswer<"showRequest">> =>
  world.routes.giveApproval({ params: { space: "main", request }, body: { role, answer: "approve", comment: "" } }, fresh(world, by), cookies);

describe("lifting a hold", () => {
  test("waits for another person, and the asker cannot be that person", async () => {
    const rita = await world.person("r", ["risk-owner"]);
    const sec = await world.person("sec", ["security-engineer"]);
    await world.push(helpdesk, ops.personId);
    const hold = await place(rita);
    const asking = await lift(hold.id, rita);
    expect(asking.done).toBe(false);
    expect(await code(approve(asking.request.id, rita))).toBe("approval_not_yours");
    const queue = await world.routes.showQueue(inMain, sec, cookies);
    expect(queue.items.map((item) => [item.request.title, item.roles])).toEqual([["lift the hold on helpdesk: mended", ["security-engineer"]]]);
    const done = await approve(asking.request.id, sec, "security-engineer");
    expect(done).toMatchObject({ status: "granted", detail: { outcome: "approved by another person as security-engineer, marked: the role is young, or was given by who asks" } });
    const { items } = await world.routes.listHolds({ ...inMain, query: { limit: 50 } }, ops, cookies);
    expect(items.map((item) => item.liftedBy)).toEqual(["r@example.com"]);
    expect(await code(lift(hold.id, ops))).toBe("hold_lifted_already");
  });

  test("is done at once by a sole operator, and the record says so", async () => {
    await world.push(helpdesk, ops.personId);
    const hold = await place(ops);
    const asking = await lift(hold.id, ops);
    expect(asking.done).toBe(true);
    expect(asking.request.detail["outcome"]).toBe("sole operator");
  });

  test("sending the approvers away makes nobody a sole operator", async () => {
    const rita = await world.person("r", ["risk-owner"]);
    await world.push(helpdesk, ops.personId);
    const hold = await place(ops);
    await world.installation.recorder.commit(async () => ({ entry: { kind: "role.revoked", space: "main", actor: "per_admin", subject: "person:per_r", class: "governance", body: { person: rita.personId, role: "risk-owner" } }, value: undefined }));
    expect((await lift(hold.id, ops)).done).toBe(false);
  });

  test("a hold on a system names the system, and one on everything none", async () => {
    expect(await code(world.routes.placeHold({ ...inMain, body: { scope: "system", reason: "x" } }, ops, cookies))).toBe("hold_scope_invalid");
    expect(await code(world.routes.placeHold({ ...inMain, body: { scope: "all", system: "helpdesk", reason: "x" } }, ops, cookies))).toBe("hold_scope_invalid");
    expect(await code(place(ops))).toBe("not_found");
  });
});

describe("granting a role", () => {
  const grant = async (by: Caller, to: Caller) => {
    const detail = { person: to.personId, email: to.email, role: "assessor" };
    const id = await world.oversight.ask({ space: "main", move: "grant-role", system: null, detail, by: by.personId });
    return moveAnswer(await world.routes.showRequest({ params: { space: "main", request: id } }, by, cookies));
  };

  test("waits for a risk owner or security engineer who is neither asker nor beneficiary", async () => {
    const admin = await world.person("admin", ["administrator"]);
    const rita = await world.person("r", ["risk-owner"]);
    const sec = await world.person("sec", ["security-engineer"]);
    const asking = await grant(admin, rita);
    expect(asking.done).toBe(false);
    expect(asking.request.title).toBe("grant r@example.com the role assessor");
    expect(await code(approve(asking.request.id, rita))).toBe("approval_not_yours");
    expect((await approve(asking.request.id, sec, "security-engineer")).status).toBe("granted");
    const rows = await dump(world.installation.database);
    expect(rows["role_grant"]?.filter((row) => row.includes("assessor")).length).toBe(1);
  });

  test("making the only approver an administrator makes nobody a sole operator: it waits, and so does everything after it", async () => {
    const admin = await world.person("admin", ["administrator"]);
    const rita = await world.person("r", ["risk-owner"]);
    const promoted = { person: rita.personId, email: rita.email, role: "administrator" };
    const asked = await world.oversight.ask({ space: "main", move: "grant-role", system: null, detail: promoted, by: admin.personId });
    expect(await world.routes.showRequest({ params: { space: "main", request: asked } }, admin, cookies)).toMatchObject({ status: "open" });
    // Even where she holds both, she could approve once: the installation has had a second person.
    const { recorder } = world.installation;
    await recorder.commit(async () => ({ entry: { kind: "role.granted", space: "main", actor: "server", subject: "person:per_r", class: "governance", body: { person: rita.personId, role: "administrator", early: true, request: null } }, value: undefined }));
    expect((await grant(admin, ops)).done).toBe(false);
  });

  test("is carried out once, though a crash stood between the role and the closing of its request", async () => {
    const admin = await world.person("admin", ["administrator"]);
    const asking = await grant(admin, ops);
    expect(asking).toMatchObject({ done: true, request: { detail: { outcome: "sole operator" } } });
    const { recorder } = world.installation;
    const body = { request: "req_again", move: "grant-role", system: null, release: null, stage: null, environment: null, detail: { person: ops.personId, email: ops.email, role: "assessor" }, requestedBy: admin.personId };
    await recorder.commit(async () => ({ entry: { kind: "request.opened", space: "main", actor: admin.personId, subject: "space", class: "governance", body }, value: undefined }));
    await world.oversight.reconcile();
    expect(world.failures).toEqual([]);
    expect((await world.routes.showRequest({ params: { space: "main", request: "req_again" } }, ops, cookies)).status).toBe("granted");
  });
});

describe("an approval with a passkey", () => {
  test("signs the statement's SHA-256, and keeps the assertion; anything else is refused", async () => {
    const key = await world.person("key", ["risk-owner"]);
    await world.push(tumour, ops.personId);
    const request = await world.routes.requestPromotion({ params: { space: "main", system: "tumour" }, body: { to: "pilot", environment: "local" } }, ops, cookies);
    const params = { space: "main", request: request.id };
    const words = { role: "risk-owner", answer: "approve", comment: "as discussed" } as const;
    const draft = await world.routes.draftApproval({ params, body: words }, key, cookies);
    expect(draft.allowCredentials).toEqual(["cred-1"]);
    expect(draft.challenge).toBe(createHash("sha256").update(draft.statement).digest("base64url"));
    const give = (body: object) => world.routes.giveApproval({ params, body: { ...words, ...body } }, key, cookies);
    const assertion = { id: "cred-1", signed: draft.challenge };
    expect(await code(give({ statement: draft.statement, assertion: { id: "cred-1", signed: "other" } }))).toBe("assertion_invalid");
    expect(await code(give({ statement: draft.statement, assertion: { id: "cred-2", signed: draft.challenge } }))).toBe("assertion_invalid");
    expect(await code(give({ assertion }))).toBe("assertion_invalid");
    expect(await code(give({ statement: draft.statement, comment: "other words", assertion }))).toBe("approval_statement_changed");
    const forged = draft.statement.replace('"answer":"approve"', '"answer":"refuse"');
    expect(await code(give({ statement: forged }))).toBe("approval_statement_changed");
    const shown = await give({ statement: draft.statement, assertion });
    expect(shown.approvals.map((each) => [each.method, each.counts])).toEqual([["passkey", true]]);
    const rows = await dump(world.installation.database);
    const entry = await world.installation.recorder.read("main", JSON.parse(rows["approval"]?.[0] ?? "{}").entry);
    expect(entry?.body).toMatchObject({ method: "passkey", statement: draft.statement, assertion: { response: assertion, publicKey: "cHVi" } });
  });

  test("without one it is recorded as asserted by the server, and a draft lapses after 15 minutes", async () => {
    const rita = await world.person("r", ["risk-owner"]);
    await world.push(tumour, ops.personId);
    const request = await world.routes.requestPromotion({ params: { space: "main", system: "tumour" }, body: { to: "pilot", environment: "local" } }, ops, cookies);
    const params = { space: "main", request: request.id };
    const words = { role: "risk-owner", answer: "approve", comment: "" } as const;
    const { statement } = await world.routes.draftApproval({ params, body: words }, rita, cookies);
    world.clock.advance(hour);
    expect(await code(world.routes.giveApproval({ params, body: { ...words, statement } }, fresh(world, rita), cookies))).toBe("approval_statement_changed");
    expect((await approve(request.id, rita)).approvals.map((each) => each.method)).toEqual(["server-asserted"]);
  });
});
