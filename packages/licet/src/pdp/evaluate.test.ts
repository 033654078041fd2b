import { AccessSearchBody, gatewayEntries, type PackSource } from "@licet/contract";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { sha256, start, startGoverned, type Governed } from "../../../../test/unit/support/governed.ts";
import type { CedarEntity } from "../policy/request.ts";
import { applicationsOf } from "./application-fixture.ts";
import type { Applications } from "./applications.ts";
import { evaluationsMax } from "./protocol.ts";

const token = "lpd_0123456789abcdefghijklmnop";
const client = { id: "pep_shop", space: "shop", name: "the shop", digest: sha256(token), expiresAt: start + 1000 * 60 };

const pack: PackSource = {
  name: "shop",
  manifest: {
    v: 1,
    name: "shop",
    title: "A shop",
    description: "Orders and who may see them.",
    kind: "application",
    authzen: {
      namespace: "Shop",
      types: {
        customer: { entity: "Customer", unknown: "deny", properties: { tier: {}, region: {} } },
        order: { entity: "Order", unknown: "deny", properties: { open: {} } },
        basket: { entity: "Basket", unknown: "ask", properties: { owner: { entity: "Customer" }, until: { as: "datetime" } } },
      },
      actions: { "can-see": "see" },
      actionProperties: { amount: {} },
      context: { ip: { as: "ip" } },
      now: "now",
      approved: undefined,
    },
  },
  schema: `
namespace Shop {
  entity Group in [Group];
  entity Customer in [Group] { tier?: String, region?: String };
  entity Order { owner: Customer, open?: Bool };
  entity Basket { owner?: Customer, until?: datetime };
  action see, cancel appliesTo { principal: Customer, resource: Order };
  action refund appliesTo { principal: Customer, resource: Order, context: { amount?: Long, ip?: ipaddr } };
  action fill appliesTo { principal: Customer, resource: Basket, context: { now: datetime } };
}`,
  policies: [
    {
      path: "shop.cedar",
      text: `
@id("shop.own") permit (principal, action in [Shop::Action::"see", Shop::Action::"cancel"], resource) when { resource.owner == principal };
@id("shop.staff") @obligation("{type: notification, properties: {to: audit, body: 'seen by $subject.id'}}")
permit (principal in Shop::Group::"staff", action == Shop::Action::"see", resource);
@id("shop.closed") @title("the order is still open") @remedy("ask for a refund instead")
forbid (principal, action == Shop::Action::"cancel", resource) unless { resource has open && resource.open };
@id("shop.refund") permit (principal, action == Shop::Action::"refund", resource)
when { resource.owner == principal && context has amount && context.amount < 100 && context has ip && context.ip.isLoopback() };
@id("shop.overflow") permit (principal, action == Shop::Action::"refund", resource)
when { context has amount && context.amount == 50 && context.amount * 9007199254740991 * 9007199254740991 > 0 };
@id("shop.gold") permit (principal, action == Shop::Action::"fill", resource)
when { principal has tier && principal.tier == "gold" && resource has owner && resource.owner == principal && resource has until && context.now < resource.until };
`,
    },
  ],
  scenarios: [],
};

function entity(type: string, id: string, attrs: Record<string, unknown> = {}, parents: readonly string[] = []): CedarEntity {
  return { uid: { type: `Shop::${type}`, id }, attrs, parents: parents.map((parent) => ({ type: "Shop::Group", id: parent })) };
}
const owner = (id: string) => ({ owner: { __entity: { type: "Shop::Customer", id } } });
const data = [
  entity("Group", "people"),
  entity("Group", "staff", {}, ["people"]),
  entity("Group", "support", {}, ["staff"]),
  entity("Customer", "ann", { tier: "silver" }),
  entity("Customer", "bea"),
  entity("Customer", "sam", {}, ["support"]),
  entity("Order", "o1", { ...owner("ann"), open: true }),
  entity("Order", "o2", { ...owner("ann"), open: false }),
  entity("Order", "o3", owner("bea")),
];

let applications: Applications;
let governed: Governed;

beforeAll(() => {
  applications = applicationsOf([pack], data);
});

beforeEach(async () => {
  governed = await startGoverned();
  governed.stand({ clients: [client], applications: new Map([["shop", applications]]) });
});

afterEach(async () => {
  await governed[Symbol.asyncDispose]();
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: { readonly decision?: boolean; readonly context?: Record<string, unknown>; readonly evaluations?: readonly { decision: boolean; context: Record<string, unknown> }[]; readonly results?: readonly Record<string, unknown>[]; readonly page?: { next_token: string; count: number } };
}

async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await governed.post(path, typeof body === "string" ? body : JSON.stringify(body), { authorization: `Bearer ${token}`, ...headers });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer["body"] };
}

const question = (subject: string, action: string, resource: string, more: object = {}) => ({ subject: { type: "customer", id: subject }, action: { name: action }, resource: { type: "order", id: resource }, ...more });
const ask = (...asked: Parameters<typeof question>) => post("/access/v1/evaluation", question(...asked));

function recorded() {
  return governed.bodies("access.decision").map((body) => gatewayEntries["access.decision"].body.parse(body));
}

describe("one evaluation", () => {
  test("is decided on the data, recorded in the client's space before the answer, and can be decided again from its record", async () => {
    const { status, body, headers } = await ask("ann", "can-see", "o1");
    expect([status, body.decision]).toEqual([200, true]);
    const [entry] = governed.ledger.entries;
    expect(entry).toMatchObject({ kind: "access.decision", space: "shop", actor: "pep_shop", seq: 1 });
    const [decision] = recorded();
    expect(headers.get("x-licet-decision")).toBe(decision?.id);
    expect(decision).toMatchObject({ decision: "allow", client: "pep_shop", deployment: null, action: "can-see", asked: { subject: { type: "customer", id: "ann" }, resource: { type: "order", id: "o1" } }, reasons: [{ policy: "shop.own" }] });
    const cedar = decision?.cedar as Parameters<typeof applications.parts.decider.decide>[0];
    expect(cedar.entities.map(({ uid }) => uid.id).sort()).toEqual(["ann", "o1"]);
    expect(applications.parts.decider.decide(cedar).decision).toBe("allow");
  });

  test("names policy, reason and remedy of a denial", async () => {
    const { body } = await ask("ann", "cancel", "o2");
    expect(body).toMatchObject({ decision: false, context: { code: "application_denied", policy: "shop.closed", message: "the order is still open", remedy: "ask for a refund instead", reason_user: { en: expect.any(String) } } });
    expect(recorded()[0]).toMatchObject({ decision: "deny", code: "application_denied" });
  });

  test.each([
    ["subject_unknown", question("nobody", "can-see", "o1")],
    ["resource_unknown", question("ann", "can-see", "o9")],
    ["action_unknown", question("ann", "fly", "o1")],
    ["action_unknown", question("ann", "fill", "o1")],
    ["subject_unknown", { ...question("ann", "can-see", "o1"), subject: { type: "workload", id: "ann" } }],
    ["resource_unknown", { ...question("ann", "can-see", "o1"), resource: { type: "spaceship", id: "o1" } }],
    ["subject_unknown", { ...question("ann", "can-see", "o1"), subject: { type: "constructor", id: "ann" } }],
  ])("%s denies and is no error", async (code, body) => {
    const answer = await post("/access/v1/evaluation", body);
    expect([answer.status, answer.body.decision, answer.body.context?.["code"]]).toEqual([200, false, code]);
    expect(recorded()[0]).toMatchObject({ decision: "deny", code, cedar: null });
  });

  test("the data wins: a caller only fills what the data does not say, and only where the pack lets it", async () => {
    const filling = (subject: string, properties: object) => ({ subject: { type: "customer", id: subject, properties }, action: { name: "fill" }, resource: { type: "basket", id: "b1", properties: { owner: subject, until: "2026-12-24T18:00-01:00" } } });
    const silver = await post("/access/v1/evaluation", filling("ann", { tier: "gold" }));
    const gold = await post("/access/v1/evaluation", filling("bea", { tier: "gold" }));
    const other = await post("/access/v1/evaluation", filling("bea", { tier: "gold", parents: [{ type: "Shop::Group", id: "staff" }] }));
    expect([silver, gold, other].map(({ body }) => body.decision)).toEqual([false, true, true]);
    expect(JSON.stringify(recorded()[0]?.cedar)).toContain('"tier":"silver"');
    const stolen = await post("/access/v1/evaluation", { ...question("bea", "cancel", "o3"), resource: { type: "order", id: "o3", properties: { open: true, owner: "ann" } } });
    expect(stolen.body.decision).toBe(true);
    const closed = await post("/access/v1/evaluation", { ...question("ann", "cancel", "o2"), resource: { type: "order", id: "o2", properties: { open: true } } });
    expect(closed.body.decision).toBe(false);
  });

  test.each([
    ["a fraction", { tier: 1.5 }],
    ["an entity's mark", { tier: { __entity: { type: "Shop::Group", id: "staff" } } }],
    ["a wrong type", { tier: 7 }],
    ["a deep value", { tier: JSON.parse(`${"[".repeat(20)}1${"]".repeat(20)}`) }],
  ])("%s from a caller denies, whatever it says", async (_, properties) => {
    const { status, body } = await post("/access/v1/evaluation", { subject: { type: "customer", id: "bea", properties }, action: { name: "can-see" }, resource: { type: "order", id: "o3" } });
    expect([status, body.decision]).toEqual([200, false]);
  });

  test("action properties and context reach the policies where the schema has them; a policy that errors denies", async () => {
    const refund = (amount: unknown, ip = "127.0.0.1") => post("/access/v1/evaluation", { ...question("ann", "refund", "o1"), action: { name: "refund", properties: { amount, note: "x" } }, context: { ip, time: "now" } });
    expect((await refund(-99)).body.decision).toBe(true);
    expect((await refund(-99, "10.0.0.1")).body.decision).toBe(false);
    const over = await refund(50);
    expect(over.body).toMatchObject({ decision: false, context: { code: "policy_errored", policy: "shop.overflow" } });
    expect((await refund(-99, "not an address")).body.decision).toBe(false);
  });

  test("obligations of the determining policies come along, and a caller that cannot carry them out is denied", async () => {
    const seen = await ask("sam", "can-see", "o1");
    expect(seen.body).toMatchObject({ decision: true, context: { obligations: [{ id: "shop.staff", type: "notification", properties: { to: "audit", body: "seen by sam" } }] } });
    expect(recorded()[0]?.obligations).toEqual([{ id: "shop.staff", type: "notification" }]);
    const able = await ask("sam", "can-see", "o1", { context: { supported_obligations: ["notification", "dance"] } });
    const unable = await ask("sam", "can-see", "o1", { context: { supported_obligations: ["step-up"] } });
    expect([able.body.decision, unable.body.decision, unable.body.context?.["code"]]).toEqual([true, false, "obligation_unsupported"]);
    expect((await ask("ann", "can-see", "o1")).body.context).not.toHaveProperty("obligations");
  });
});

describe("several evaluations", () => {
  const batch = (semantic: string | undefined, resources: readonly (string | null)[]) => ({
    subject: { type: "customer", id: "ann" },
    action: { name: "can-see" },
    ...(semantic !== undefined && { options: { evaluations_semantic: semantic, other: 1 } }),
    evaluations: resources.map((id) => (id === null ? {} : { resource: { type: "order", id } })),
  });

  test.each([
    [undefined, [true, false, true]],
    ["execute_all", [true, false, true]],
    ["deny_on_first_deny", [true, false]],
    ["permit_on_first_permit", [true]],
  ])("with the semantic %s answer and record %j", async (semantic, expected) => {
    const { status, body } = await post("/access/v1/evaluations", batch(semantic, ["o1", "o3", "o2"]));
    expect([status, body.evaluations?.map(({ decision }) => decision)]).toEqual([200, expected]);
    expect(body).not.toHaveProperty("decision");
    expect(recorded().map(({ decision }) => decision === "allow")).toEqual(expected);
    expect(recorded().map(({ id }) => id)).toEqual(body.evaluations?.map(({ context }) => context["id"]));
  });

  test("one that cannot be read is denied with the error of its own, and counts as a denial for the semantics", async () => {
    const { status, body } = await post("/access/v1/evaluations", batch("deny_on_first_deny", ["o1", null, "o2"]));
    expect([status, body.evaluations?.map(({ decision }) => decision)]).toEqual([200, [true, false]]);
    expect(body.evaluations?.[1]?.context["error"]).toMatchObject({ status: 400, message: expect.stringContaining("resource") });
  });

  test("a member that an evaluation has replaces the default whole", async () => {
    const { body } = await post("/access/v1/evaluations", { ...question("bea", "can-see", "o3"), subject: { type: "customer", id: "bea" }, evaluations: [{}, { subject: { type: "customer" } }, { resource: { type: "order", id: "o1" } }] });
    expect(body.evaluations?.map(({ decision }) => decision)).toEqual([true, false, false]);
  });

  test("without evaluations it is one evaluation", async () => {
    const none = await post("/access/v1/evaluations", question("ann", "can-see", "o1"));
    const empty = await post("/access/v1/evaluations", { ...question("ann", "can-see", "o1"), evaluations: [] });
    expect([none.body.decision, empty.body.decision, none.body.evaluations]).toEqual([true, true, undefined]);
  });

  test.each([
    ["an unknown semantic", batch("guess", ["o1"])],
    ["evaluations that are no list", { ...batch(undefined, []), evaluations: { 0: {} } }],
    ["a default that is no object", { ...batch(undefined, ["o1"]), subject: "ann" }],
    ["more than the bound", batch(undefined, Array.from({ length: evaluationsMax + 1 }, () => "o1"))],
  ])("%s is refused whole, with a string", async (_, body) => {
    const answer = await post("/access/v1/evaluations", body);
    expect([answer.status, typeof answer.body, answer.headers.get("x-licet-code")]).toEqual([400, "string", "query_invalid"]);
  });

  test("nothing is answered when one of them could not be recorded", async () => {
    governed.ledger.broken = true;
    const { status, headers } = await post("/access/v1/evaluations", batch(undefined, ["o1", "o2"]));
    expect([status, headers.get("x-licet-code")]).toEqual([503, "evidence_unavailable"]);
  });
});

describe("search", () => {
  const find = (kind: string, body: object) => post(`/access/v1/search/${kind}`, body);
  const all = question("ann", "can-see", "o1");

  test("finds subjects, through groups too, with their obligations", async () => {
    const { body } = await find("subject", { ...all, subject: { type: "customer", id: "ignored" } });
    expect(body.results).toEqual([{ type: "customer", id: "ann" }, { type: "customer", id: "sam", obligations: [expect.objectContaining({ type: "notification" })] }]);
    expect(body.page).toBeUndefined();
  });

  test("finds resources and actions, by the names that callers use", async () => {
    expect((await find("resource", { ...all, resource: { type: "order" } })).body.results?.map(({ id }) => id)).toEqual(["o1", "o2"]);
    const { subject, resource } = all;
    expect((await find("action", { subject, resource })).body.results).toEqual([{ name: "can-see" }, { name: "cancel" }]);
  });

  test("every result is one that an evaluation allows, and is recorded by digest before it is told", async () => {
    const { body } = await find("resource", { ...all, resource: { type: "order" } });
    for (const { id } of body.results ?? []) expect((await ask("ann", "can-see", String(id))).body.decision).toBe(true);
    const entry = governed.ledger.entries.find(({ kind }) => kind === "access.search");
    expect(entry).toMatchObject({ space: "shop", actor: "pep_shop" });
    expect(AccessSearchBody.parse(entry?.body)).toMatchObject({ search: "resource", results: 2, evaluated: 3, asked: { resource: { type: "order", id: null } } });
    governed.ledger.broken = true;
    expect((await find("resource", { ...all, resource: { type: "order" } })).status).toBe(503);
  });

  test("goes on page by page, and a token belongs to its search alone", async () => {
    const asked = { ...all, subject: { type: "customer", id: "sam" }, resource: { type: "order" } };
    const first = await find("resource", { ...asked, page: { limit: 2 } });
    expect(first.body).toMatchObject({ results: [{ id: "o1" }, { id: "o2" }], page: { count: 2 } });
    const pageToken = first.body.page?.next_token ?? "";
    const second = await find("resource", { ...asked, page: { token: pageToken } });
    expect(second.body).toMatchObject({ results: [{ id: "o3" }], page: { next_token: "", count: 1 } });
    for (const page of [{ token: pageToken, limit: 3 }, { token: "nonsense" }]) expect((await find("resource", { ...asked, page })).status).toBe(400);
    expect((await find("resource", { ...asked, action: { name: "cancel" }, page: { token: pageToken } })).status).toBe(400);
  });

  test.each([
    ["subject", { ...all, subject: { type: "spaceship" } }],
    ["resource", { ...question("nobody", "can-see", "o1"), resource: { type: "order" } }],
    ["action", { subject: { type: "customer", id: "nobody" }, resource: all.resource }],
  ])("for what is unknown a search for a %s finds nothing, and is no error", async (kind, body) => {
    expect((await find(kind, body)).body).toEqual({ results: [] });
  });
});

describe("who asks", () => {
  test.each([
    ["no token", ""],
    ["an unknown token", "Bearer lpd_nobody"],
  ])("%s: 401", async (_, authorization) => {
    const { status, body, headers } = await post("/access/v1/evaluation", question("ann", "can-see", "o1"), { authorization });
    expect([status, typeof body, headers.get("www-authenticate"), headers.get("x-licet-code")]).toEqual([401, "string", "Bearer", "credential_invalid"]);
  });

  test("an expired token: 401; a space without applications: everything is denied; another space's data: unknown", async () => {
    governed.stand({ clients: [{ ...client, expiresAt: start }], applications: new Map([["shop", applications]]) });
    expect((await ask("ann", "can-see", "o1")).status).toBe(401);
    governed.stand({ clients: [{ ...client, space: "elsewhere" }], applications: new Map([["shop", applications]]) });
    expect((await ask("ann", "can-see", "o1")).body).toMatchObject({ decision: false, context: { code: "subject_unknown" } });
    expect((await post("/access/v1/search/subject", { ...question("ann", "can-see", "o1"), subject: { type: "customer" } })).body).toEqual({ results: [] });
  });

  test("a deployment's credential searches nothing and asks for no customer", async () => {
    const authorization = "Bearer lic_0123456789abcdefghij";
    expect((await post("/access/v1/search/subject", question("ann", "can-see", "o1"), { authorization })).status).toBe(403);
    expect((await post("/access/v1/evaluation", question("ann", "can-see", "o1"), { authorization })).body).toMatchObject({ decision: false, context: { code: "subject_mismatch" } });
  });

  test("with a stale snapshot, or once the lease ended while the body came: 503", async () => {
    governed.clock.advance(1000);
    expect((await ask("ann", "can-see", "o1")).headers.get("x-licet-code")).toBe("snapshot_stale");
  });
});

describe("the form of requests", () => {
  test.each([
    ["another type", JSON.stringify(question("ann", "can-see", "o1")), { "content-type": "text/plain" }],
    ["half of it", '{"subject":', {}],
    ["nothing", "", {}],
    ["a list", "[]", {}],
    ["half a surrogate pair", JSON.stringify(question("ann", "can-see", "o1")).replace("ann", "\\ud800"), {}],
    ["no subject", JSON.stringify({ ...question("ann", "can-see", "o1"), subject: undefined }), {}],
    ["an empty id", JSON.stringify(question("", "can-see", "o1")), {}],
  ])("%s: 400", async (_, body, headers) => {
    const answer = await post("/access/v1/evaluation", body, headers);
    expect([answer.status, typeof answer.body]).toEqual([400, "string"]);
  });

  test("the request's id comes back, whatever it is", async () => {
    for (const id of ["bfe9eb29", "a b; c=\"d\"", "x".repeat(1000)]) {
      const { headers } = await post("/access/v1/evaluation", question("ann", "can-see", "o1"), { "x-request-id": id });
      expect(headers.get("x-request-id")).toBe(id);
      expect((await post("/access/v1/search/subject", "[]", { "x-request-id": id })).headers.get("x-request-id")).toBe(id);
    }
  });

  test("the metadata names every endpoint", async () => {
    const metadata = (await (await fetch(`${governed.origin}/.well-known/authzen-configuration`)).json()) as Record<string, unknown>;
    expect(Object.keys(metadata)).toEqual(expect.arrayContaining(["policy_decision_point", "access_evaluation_endpoint", "access_evaluations_endpoint", "search_subject_endpoint", "search_resource_endpoint", "search_action_endpoint", "supported_obligations"]));
    const served = Object.entries(metadata).filter(([name]) => name.endsWith("_endpoint"));
    for (const [, address] of served) expect((await fetch(String(address), { method: "POST" })).status).toBe(401);
  });
});
