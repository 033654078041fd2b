import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient } from "@licet/client";
import { password, run, type Asking, type Entity, type Running } from "./running.ts";

const folder = fileURLToPath(new URL("../../../../shared/policy/authzen-vectors/", import.meta.url));
const here = existsSync(folder);

const read = (file: string): unknown => JSON.parse(readFileSync(folder + file, "utf8"));

interface Case<E> {
  readonly request: Record<string, unknown>;
  readonly expected: E;
}

/** The attributes that the scenario texts give the five people: address of the application, and subject of their token. */
const people = [
  ["rick@the-citadel.com", "CiRmZDA2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", ["admin", "evil_genius"]],
  ["beth@the-smiths.com", "CiRmZDM2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", ["viewer"]],
  ["morty@the-citadel.com", "CiRmZDE2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", ["editor"]],
  ["summer@the-smiths.com", "CiRmZDI2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", ["editor"]],
  ["jerry@the-smiths.com", "CiRmZDQ2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", ["viewer"]],
] as const;

const byAddress = people.map(([email, , roles]): Entity => ({ uid: { type: "Todo::User", id: email }, attrs: { email, roles: [...roles] } }));
const bySubject = people.map(([email, id, roles]): Entity => ({ uid: { type: "Todo::User", id }, attrs: { email, roles: [...roles] } }));
const identities = people.map(([, id, roles]): Entity => ({ uid: { type: "TodoGateway::Identity", id }, attrs: { roles: [...roles] } }));

function records(users: string, file: string): readonly Entity[] {
  const named = (read(users) as readonly { id: string; role?: string; department?: string }[]);
  const owned = (read(file) as readonly { id: string | number; title?: string; department?: string; owner: string }[]);
  return [
    ...named.map(({ id, role, department }): Entity => ({ uid: { type: "Records::User", id }, attrs: { ...(role && { role }), ...(department && { department }) } })),
    ...owned.map(({ id, title, department, owner }): Entity => ({
      uid: { type: "Records::Record", id: String(id) },
      attrs: { ...(title && { title }), ...(department && { department }), owner: { __entity: { type: "Records::User", id: owner } } },
    })),
  ];
}

const fixture: readonly Entity[] = [
  { uid: { type: "Certification::Writers", id: "writers" } },
  { uid: { type: "Certification::User", id: "alice" }, parents: [{ type: "Certification::Writers", id: "writers" }] },
  { uid: { type: "Certification::User", id: "bob" }, attrs: { role: "admin" } },
  { uid: { type: "Certification::Record", id: "record-1" }, attrs: { status: "active" } },
  { uid: { type: "Certification::Record", id: "record-2" }, attrs: { status: "archived" } },
];

/** Results are sets: no order is promised. */
function asSet(results: readonly object[]): readonly string[] {
  return results.map((result) => JSON.stringify(Object.entries(result).sort(([a], [b]) => (a < b ? -1 : 1)))).sort();
}


const documents: readonly Entity[] = [
  { uid: { type: "Documents::Person", id: "ann" } },
  { uid: { type: "Documents::Document", id: "plan" }, attrs: { confidential: true, withdrawn: false } },
  { uid: { type: "Documents::Document", id: "menu" }, attrs: { confidential: false, withdrawn: false } },
  { uid: { type: "Documents::Document", id: "old" }, attrs: { confidential: true, withdrawn: true } },
];

/** From sources the policies are compiled at every start and publication. */
const startMs = 240_000;

let running: Running;
let interop: Asking;
let certified: Asking;

beforeAll(async () => {
  running = await run();
  interop = await running.application({ space: "interop", packs: ["todo", "todo-gateway", "records", "documents"], data: [...byAddress, ...bySubject, ...identities, ...documents] });
  certified = await running.application({ space: "certified", packs: ["certification"], data: fixture });
}, startMs);
afterAll(async () => {
  await running?.close();
}, startMs);

describe.skipIf(!here)("the AuthZEN vectors against the running product (needs ../shared/policy/authzen-vectors)", () => {
  /** What came out otherwise than the vectors say. */
  async function wrongOf(asking: Asking, cases: readonly Case<boolean>[]): Promise<readonly unknown[]> {
    const wrong: unknown[] = [];
    for (const { request, expected } of cases) {
      const response = await asking.post("/access/v1/evaluation", request);
      const { decision } = (await response.json()) as { decision: boolean };
      if (response.status !== 200 || decision !== expected) wrong.push({ request, status: response.status, decision });
    }
    return wrong;
  }

  /** A file's single evaluations: draft 0.x names them `decisions`. */
  function single(file: string): readonly Case<boolean>[] {
    const { decisions, evaluation } = read(file) as { decisions?: Case<boolean>[]; evaluation?: Case<boolean>[] };
    return decisions ?? evaluation ?? [];
  }

  test.each([
    ["to-do, draft 0.x", 40, "todo/decisions.json"],
    ["to-do, draft 00", 40, "todo/decisions-authorization-api-1_0-00.json"],
    ["to-do, draft 01", 40, "todo/decisions-authorization-api-1_0-01.json"],
    ["to-do, draft 02", 40, "todo/decisions-authorization-api-1_0-02.json"],
    ["API gateway", 25, "api-gateway/decisions.json"],
  ])("%s: %i decisions", async (_, count, file) => {
    const cases = single(file);
    expect(cases).toHaveLength(count);
    expect(await wrongOf(interop, cases)).toEqual([]);
  });

  test("to-do, draft 02: 3 batches", async () => {
    const { evaluations: batches } = read("todo/decisions-authorization-api-1_0-02.json") as { evaluations: Case<{ decision: boolean }[]>[] };
    expect(batches).toHaveLength(3);
    for (const { request, expected } of batches) {
      const response = await interop.post("/access/v1/evaluations", request);
      const { evaluations } = (await response.json()) as { evaluations: { decision: boolean }[] };
      expect(evaluations.map(({ decision }) => ({ decision }))).toEqual(expected);
    }
  });

  async function wrongSearches(path: string, cases: readonly Case<{ results: object[] }>[]): Promise<readonly unknown[]> {
    const wrong: unknown[] = [];
    for (const { request, expected } of cases) {
      const response = await interop.post(path, request);
      const { results } = (await response.json()) as { results: object[] };
      if (response.status !== 200 || JSON.stringify(asSet(results)) !== JSON.stringify(asSet(expected.results))) wrong.push({ request, results });
    }
    return wrong;
  }

  test("search: 60 for subjects, 18 for resources, 120 for actions", async () => {
    await running.put(interop, records("search/users.json", "search/records.json"));
    for (const [kind, count] of [["subject", 60], ["resource", 18], ["action", 120]] as const) {
      const { evaluation } = read(`search/${kind}-results.json`) as { evaluation: Case<{ results: object[] }>[] };
      expect(evaluation).toHaveLength(count);
      expect(await wrongSearches(`/access/v1/search/${kind}`, evaluation)).toEqual([]);
    }
  });

  test("identity provider: 6 searches for resources", async () => {
    await running.put(interop, records("idp/users.json", "idp/records.json"));
    const { search } = read("idp/results.json") as { search: Case<{ results: object[] }>[] };
    expect(search).toHaveLength(6);
    expect(await wrongSearches("/access/v1/search/resource", search)).toEqual([]);
  });

  interface Certification {
    readonly id: string;
    readonly method: string;
    readonly endpoint: string;
    readonly headers?: Record<string, string>;
    readonly request?: Record<string, unknown>;
    readonly raw_body?: string;
    readonly repeat?: number;
    readonly expected_status: number;
    readonly expected?: Record<string, unknown>;
    readonly expected_headers?: Record<string, string>;
    readonly expected_required_keys?: readonly string[];
    readonly compare?: string;
  }

  /** What differs from what the case expects; empty where nothing does. */
  function differs({ expected, compare }: Certification, body: Record<string, unknown>): readonly unknown[] {
    if (expected === undefined) return [];
    if (Array.isArray(expected["results"])) {
      const wanted = asSet(expected["results"] as object[]);
      const got = asSet(body["results"] as object[]);
      const missing = wanted.filter((each) => !got.includes(each));
      return compare === "superset" ? missing : [...missing, ...got.filter((each) => !wanted.includes(each))];
    }
    const decisions = (of: Record<string, unknown>): string => JSON.stringify(Array.isArray(of["evaluations"]) ? (of["evaluations"] as { decision: boolean }[]).map(({ decision }) => decision) : of["decision"]);
    return decisions(expected) === decisions(body) ? [] : [decisions(body)];
  }

  test("certification: 56 cases of every level", async () => {
    const { cases } = read("certification/cases.json") as { cases: Certification[] };
    expect(cases).toHaveLength(56);
    let token = "";
    for (const each of cases) {
      const asked = JSON.stringify(each.request)?.replace("<next_token from previous response>", token);
      for (let n = 0; n < (each.repeat ?? 1); n++) {
        const response = each.method === "GET" ? await fetch(running.server.dataUrl + each.endpoint) : await certified.post(each.endpoint, each.raw_body ?? asked, each.headers);
        const body = (await response.json()) as Record<string, unknown>;
        expect({ id: each.id, status: response.status, body }).toMatchObject({ id: each.id, status: each.expected_status });
        expect(response.headers.get("content-type")).toBe("application/json");
        for (const [name, value] of Object.entries(each.expected_headers ?? {})) expect(response.headers.get(name)).toBe(value);
        for (const key of each.expected_required_keys ?? []) expect(body).toHaveProperty(key);
        expect({ id: each.id, differs: differs(each, body) }).toEqual({ id: each.id, differs: [] });
        if (each.id === "c-4-5-1") token = (body["page"] as { next_token: string }).next_token;
      }
    }
    expect(token).not.toBe("");
  });
});

describe("a space of its own", () => {
  const bob = { subject: { type: "user", id: "bob" }, action: { name: "read" }, resource: { type: "record", id: "record-1" } };
  const decision = async (asking: Asking, body: object): Promise<unknown> => ((await (await asking.post("/access/v1/evaluation", body)).json()) as { decision: boolean }).decision;

  test("knows nothing of another's policies and data", async () => {
    expect([await decision(certified, bob), await decision(interop, bob)]).toEqual([true, false]);
    await expect(running.admin("openSpace", { params: { space: "main" }, body: { name: "interop", title: "again" } })).rejects.toMatchObject({ code: "space_exists" });
    await expect(running.admin("openSpace", { params: { space: "main" }, body: { name: "main", title: "again" } })).rejects.toMatchObject({ code: "space_exists" });
    await expect(running.admin("openSpace", { params: { space: "interop" }, body: { name: "third", title: "from elsewhere" } })).rejects.toMatchObject({ code: "space_not_here" });
    await expect(running.admin("listPolicyData", { params: { space: "third" }, query: {} })).rejects.toMatchObject({ status: 404 });
  });

  test("its data changes whole or not at all, is listed, and decides from then on", async () => {
    const { admin } = running;
    const params = { space: "certified" };
    const writer = { uid: { type: "Certification::User", id: "cyd" }, attrs: {}, parents: [{ type: "Certification::Writers", id: "writers" }] };
    for (const [code, unfit] of [
      ["entity_unfit", { uid: { type: "Certification::User", id: "x" }, attrs: { role: 7 } }],
      ["entity_unfit", { uid: { type: "Certification::User", id: "x" }, attrs: { unknown: "y" } }],
      ["entity_type_unknown", { uid: { type: "Licet::Workload", id: "x" } }],
      ["entity_type_unknown", { uid: { type: "Todo::User", id: "x" } }],
    ] as const) {
      await expect(admin("changePolicyData", { params, body: { upsert: [writer, unfit] } })).rejects.toMatchObject({ code });
    }
    expect((await admin("listPolicyData", { params, query: { search: "cyd" } })).items).toEqual([]);
    const asked = { ...bob, subject: { type: "user", id: "cyd" }, action: { name: "write" } };
    expect(await decision(certified, asked)).toBe(false);
    await running.put(certified, [writer]);
    expect(await decision(certified, asked)).toBe(true);
    const first = await admin("listPolicyData", { params, query: { type: "Certification::User", limit: 2 } });
    const second = await admin("listPolicyData", { params, query: { type: "Certification::User", limit: 2, cursor: first.next ?? "" } });
    expect([...first.items, ...second.items].map(({ uid }) => uid.id)).toEqual(["alice", "bob", "cyd"]);
    const removed = await admin("changePolicyData", { params, body: { remove: [writer.uid, { type: "Certification::User", id: "nobody" }] } });
    expect(removed).toMatchObject({ upserted: 0, removed: 1 });
    await running.server.settled();
    expect(await decision(certified, asked)).toBe(false);
  });

  test("a token is shown once, stands nowhere, and opens nothing once it is revoked", async () => {
    const { admin } = running;
    const params = { space: "certified" };
    const { client, token } = await admin("issueDecisionClient", { params, body: { name: "another", days: 1 } });
    await running.server.settled();
    const asking = { ...certified, post: (path: string, body: unknown) => fetch(running.server.dataUrl + path, { method: "POST", headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body: JSON.stringify(body) }) };
    expect(await decision(asking, bob)).toBe(true);
    expect(JSON.stringify(await admin("listDecisionClients", { params, query: {} }))).not.toContain(token);
    await expect(admin("revokeDecisionClient", { params: { space: "interop", client: client.id }, query: { reason: "of another space" } })).rejects.toMatchObject({ status: 404 });
    const revoked = await admin("revokeDecisionClient", { params: { ...params, client: client.id }, query: { reason: "left" } });
    expect(revoked.revokedAt).not.toBeNull();
    await running.server.settled();
    expect((await asking.post("/access/v1/evaluation", bob)).status).toBe(401);
  });
});

describe("the access request and approval profile", () => {
  const question = (id: string) => ({ subject: { type: "person", id: "ann" }, action: { name: "read" }, resource: { type: "document", id } });
  interface Told {
    readonly decision: boolean;
    readonly context: { readonly evaluation_id?: string; readonly access_request?: { readonly template: string; readonly expires_at: string }; readonly code?: string; readonly next_action?: string; readonly reason?: string; readonly approval?: object };
  }
  const evaluate = async (body: object): Promise<Told> => (await (await interop.post("/access/v1/evaluation", body)).json()) as Told;
  const submit = (body: object, headers: Record<string, string> = {}) => interop.post("/access/v1/requests", body, headers);

  function submission(id: string, told: Told): Record<string, unknown> {
    return { ...question(id), context: { business_justification: "renewal" }, denial: { evaluation_id: told.context.evaluation_id, expires_at: told.context.access_request?.expires_at, reason: told.context.reason } };
  }

  test("only a denial that an approval alone would lift can be requested", async () => {
    expect(await evaluate(question("menu"))).toMatchObject({ decision: true });
    const old = await evaluate(question("old"));
    expect(old.decision).toBe(false);
    expect(old.context).not.toHaveProperty("access_request");
    const plan = await evaluate(question("plan"));
    expect(plan).toMatchObject({ decision: false, context: { code: "approval_required", access_request: { template: "owner_approval" } } });
    const metadata = (await (await fetch(`${running.server.dataUrl}/.well-known/authzen-configuration`)).json()) as Record<string, unknown>;
    expect(metadata).toMatchObject({ access_request_endpoint: `${running.server.dataUrl}/access/v1/requests`, capabilities: ["urn:openid:authzen:capability:access-request"] });
  });

  test("a submission that is not bound to its denial is refused with the profile's problem", async () => {
    const plan = await evaluate(question("plan"));
    const other = { ...submission("plan", plan), resource: { type: "document", id: "old" } };
    const unknown = { ...submission("plan", plan), denial: { evaluation_id: "dec_unknown", expires_at: plan.context.access_request?.expires_at } };
    for (const body of [other, unknown, question("plan")]) {
      const response = await submit(body);
      expect([response.status, response.headers.get("content-type")]).toEqual([400, "application/problem+json"]);
      expect(await response.json()).toMatchObject({ type: "urn:openid:authzen:access-request:error:invalid_denial_binding" });
    }
    expect((await fetch(`${running.server.dataUrl}/access/v1/requests/req_unknown`, { headers: { authorization: `Bearer ${interop.token}` } })).status).toBe(404);
  });

  test("a person approves in the space's queue; then exactly the approved question is allowed, and no other", async () => {
    const { admin } = running;
    const plan = await evaluate(question("plan"));
    const headers = { "idempotency-key": "one" };
    const answered = await submit(submission("plan", plan), headers);
    expect(answered.status).toBe(202);
    const { task } = (await answered.json()) as { task: { id: string; status: string; status_endpoint: string } };
    expect(task.status).toBe("pending");
    expect(((await (await submit(submission("plan", plan), headers)).json()) as { task: { id: string } }).task.id).toBe(task.id);
    expect((await submit({ ...submission("plan", plan), requested_access: { emergency: true } }, headers)).status).toBe(409);
    const status = async (token = interop.token) => {
      const response = await fetch(task.status_endpoint, { headers: { authorization: `Bearer ${token}` } });
      return { status: response.status, body: (await response.json()) as { task: { status: string }; result?: { mode: string; approval: { id: string } } } };
    };
    expect((await status()).body.task.status).toBe("pending");
    expect((await status(certified.token)).status).toBe(404);
    expect(await evaluate({ ...question("plan"), context: { approval: { id: task.id } } })).toMatchObject({ decision: false, context: { reason: "approval_unverifiable", next_action: "none" } });

    const { person, invitation } = await admin("addPerson", { params: { space: "interop" }, body: { email: "rita@example.com", name: "Rita Risk" } });
    await admin("grantRole", { params: { space: "interop", person: person.id }, body: { role: "risk-owner" } });
    const baseUrl = running.server.consoleUrl.replace("localhost", "127.0.0.1");
    const anonymous = createClient({ baseUrl });
    await anonymous("acceptInvitation", { body: { token: invitation, password } });
    const rita = createClient({ baseUrl, token: await anonymous.signIn("rita@example.com", password) });
    const shown = await rita("showRequest", { params: { space: "interop", request: task.id } });
    expect(shown).toMatchObject({ move: "grant-access", status: "open", title: "grant access: person ann may read on document plan", requestedBy: interop.clientId });
    await rita("giveApproval", { params: { space: "interop", request: task.id }, body: { role: "risk-owner", answer: "approve", comment: "for the renewal" } });
    await running.server.settled();

    const done = await status();
    expect(done.body).toMatchObject({ task: { status: "approved" }, result: { mode: "reevaluate", approval: { id: task.id } } });
    const context = { approval: done.body.result?.approval, time: "2026-11-21T12:00:00Z" };
    expect(await evaluate({ ...question("plan"), context })).toMatchObject({ decision: true, context: { approval: { id: task.id } } });
    expect(await evaluate({ ...question("plan"), context: {} })).toMatchObject({ decision: false });
    expect(await evaluate({ ...question("old"), context })).toMatchObject({ decision: false, context: { reason: "out_of_scope", next_action: "none" } });
    const swapped = { ...question("plan"), resource: { type: "document", id: "plan", properties: { other: true } } };
    expect(await evaluate({ ...swapped, context })).toMatchObject({ decision: false, context: { reason: "out_of_scope", next_action: "request" } });
  });
});

test("spaces, data, tokens and policies are the log's: a start without the database decides the same, and knows the denials that can be requested", async () => {
  const asked = { subject: { type: "user", id: "alice" }, action: { name: "write" }, resource: { type: "record", id: "record-1" } };
  const decide = async () => ((await (await certified.post("/access/v1/evaluation", asked)).json()) as { decision: boolean }).decision;
  const requestable = { subject: { type: "person", id: "ann" }, action: { name: "read" }, resource: { type: "document", id: "plan" } };
  const denied = (await (await interop.post("/access/v1/evaluation", requestable)).json()) as { context: { evaluation_id: string; access_request: { expires_at: string } } };
  const denial = { evaluation_id: denied.context.evaluation_id, expires_at: denied.context.access_request.expires_at };
  expect(await decide()).toBe(true);
  await running.restartOnLog();
  await expect.poll(decide, { timeout: 30_000 }).toBe(true);
  const other = await interop.post("/access/v1/requests", { ...requestable, resource: { type: "document", id: "old" }, denial });
  expect(other.status, "a denial from before the start opens no other question").toBe(400);
  const submitted = await interop.post("/access/v1/requests", { ...requestable, denial });
  expect(submitted.status, "a denial from before the start can still be turned into a request").toBe(202);
}, startMs);
