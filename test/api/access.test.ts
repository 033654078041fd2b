import { createHash } from "node:crypto";
import { allows, roles, routeNamed, routes, type RouteName } from "@licet/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addressOf, install, type Installation } from "./installation.ts";

const names = Object.keys(routes) as RouteName[];
const guarded = names.filter((name) => routes[name].permission !== "public");

let installation: Installation;
let tokens: ReadonlyMap<string, string>;

beforeAll(async () => {
  installation = await install();
  const held = new Map<string, string>();
  for (const role of roles) held.set(role, (await installation.person("main", [role])).token);
  held.set("none", (await installation.person("main", [])).token);
  // Nobody holds all of them: administrators approve nothing.
  held.set("outsider", (await installation.person("other", roles.filter((role) => role !== "administrator"))).token);
  held.set("outside administrator", (await installation.person("other", ["administrator"])).token);
  tokens = held;
});
afterAll(() => installation.close());

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly problem: { readonly code?: string; readonly status?: number; readonly detail?: string; readonly fix?: string; readonly at?: Record<string, unknown>; readonly errors?: readonly { pointer: string }[] };
}

interface Sending {
  readonly who?: string;
  readonly space?: string;
  readonly body?: BodyInit;
  readonly type?: string;
  readonly query?: string;
}

function headersFor(name: RouteName, { who = "", type }: Sending): Record<string, string> {
  const { raw, body } = routeNamed(name);
  const token = tokens.get(who);
  const own = raw === undefined ? "application/json" : "application/octet-stream";
  const takesBody = raw !== undefined || body !== undefined;
  return {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(type !== undefined || takesBody ? { "content-type": type ?? own } : {}),
  };
}

async function send(name: RouteName, options: Sending = {}): Promise<Answer> {
  const route = routeNamed(name);
  const headers = headersFor(name, options);
  const body = options.body ?? (Object.hasOwn(headers, "content-type") ? "{}" : undefined);
  const address = installation.baseUrl + addressOf(name, options.space ?? "main") + (options.query ?? "");
  const response = await fetch(address, { method: route.method, headers, ...(body === undefined ? {} : { body }) });
  return { status: response.status, type: response.headers.get("content-type") ?? "", problem: (await response.json()) as Answer["problem"] };
}

/** Past access: whatever comes next is about the request or the record, not about who asks. */
const admittedStatus = [200, 201, 404, 409, 422];

describe("nobody signed in", () => {
  test.each(guarded)("%s answers 401", async (name) => {
    const { status, problem, type } = await send(name);
    expect({ status, code: problem.code }).toEqual({ status: 401, code: "not_signed_in" });
    expect(type).toBe("application/problem+json; charset=utf-8");
  });

  test.each(guarded)("%s answers 401 to a made-up token", async (name) => {
    const response = await fetch(installation.baseUrl + addressOf(name, "main"), { method: routeNamed(name).method, headers: { authorization: "Bearer not-a-token" } });
    expect(response.status).toBe(401);
  });
});

describe("a member of another space", () => {
  const asked = guarded.flatMap((name) => ["outsider", "outside administrator"].map((who) => [name, who] as const));
  test.each(asked)("%s answers an %s 404, exactly as for a space that does not exist", async (name, who) => {
    const foreign = await send(name, { who });
    const unknown = await send(name, { who, space: "no-such-space" });
    expect(foreign.status).toBe(404);
    expect({ ...foreign.problem, instance: "" }).toEqual({ ...unknown.problem, instance: "" });
  });
});

function mayCall(name: RouteName, role: (typeof roles)[number] | "none"): boolean {
  const { permission } = routeNamed(name);
  return permission === "signed-in" || (role !== "none" && allows([role], permission));
}

const pairs = guarded.flatMap((name) => [...roles, "none" as const].map((role) => [name, role] as const));

describe("a member with a role that holds the permission", () => {
  test.each(pairs.filter(([name, role]) => mayCall(name, role)))("%s lets %s in", async (name, role) => {
    const { status } = await send(name, { who: role });
    expect(admittedStatus).toContain(status);
  });
});

describe("a member without such a role", () => {
  test.each(pairs.filter(([name, role]) => !mayCall(name, role)))("%s refuses %s and names permission and roles", async (name, role) => {
    const { permission } = routeNamed(name);
    const { status, problem } = await send(name, { who: role });
    expect({ status, code: problem.code }).toEqual({ status: 403, code: "permission_denied" });
    expect(problem.at?.["permission"]).toBe(permission);
    expect(problem.at?.["roles"]).toEqual(roles.filter((held) => allows([held], permission)));
  });
});

/** Somebody who may call the route. */
function whoMay(name: RouteName): string {
  const { permission } = routeNamed(name);
  return roles.find((role) => permission === "signed-in" || permission === "public" || allows([role], permission)) ?? "none";
}

const withJson = names.filter((name) => routeNamed(name).body !== undefined);

describe("a request that does not fit is refused whole", () => {
  test.each(withJson)("%s refuses an unknown field and names it", async (name) => {
    const { status, problem } = await send(name, { who: whoMay(name), body: JSON.stringify({ noSuchField: 1 }) });
    expect({ status, code: problem.code }).toEqual({ status: 422, code: "invalid_request" });
    expect(problem.errors?.length).toBeGreaterThan(0);
    for (const { pointer } of problem.errors ?? []) expect(pointer).toMatch(/^\/body/u);
  });

  test.each(withJson.flatMap((name) => ["[]", "null", "7", '"text"', "{", '{"__proto__":{}}', ""].map((body) => [name, body] as const)))("%s refuses the body %j", async (name, body) => {
    const { status, problem } = await send(name, { who: whoMay(name), body });
    expect({ status, code: problem.code }).toEqual({ status: 422, code: "invalid_request" });
  });

  test.each(names.filter((name) => routeNamed(name).method === "GET"))("%s refuses an unknown query field", async (name) => {
    const address = addressOf(name, "main");
    const { status, problem } = await send(name, { who: whoMay(name), query: `${address.includes("?") ? "&" : "?"}noSuchField=1` });
    expect({ status, code: problem.code }).toEqual({ status: 422, code: "invalid_request" });
    expect(problem.errors?.[0]?.pointer).toMatch(/^\/query/u);
  });

  test.each(names.filter((name) => Object.hasOwn(routeNamed(name).query?.shape ?? {}, "limit")))("%s refuses limits that are not counts", async (name) => {
    for (const limit of ["0", "-1", "201", "x", "1&limit=2", "1e9"]) {
      expect((await send(name, { who: whoMay(name), query: `?limit=${limit}` })).status).toBe(422);
    }
  });

  const otherTypes = ["application/x-www-form-urlencoded", "text/plain", "application/octet-stream", "multipart/form-data; boundary=x", "application/jsonp"];
  test.each(withJson.flatMap((name) => otherTypes.map((type) => [name, type] as const)))("%s refuses the content type %s", async (name, type) => {
    const { status, problem } = await send(name, { who: whoMay(name), body: "{}", type });
    expect({ status, code: problem.code }).toEqual({ status: 415, code: "content_type_refused" });
  });

  test.each(withJson)("%s refuses a body over its limit", async (name) => {
    const bytes = (routeNamed(name).bodyBytesMax ?? 1_048_576) + 1;
    const { status, problem } = await send(name, { who: whoMay(name), body: `{"a":"${"x".repeat(bytes)}"}` });
    expect({ status, code: problem.code }).toEqual({ status: 413, code: "body_too_large" });
  });

  test("a file is taken as bytes and as nothing else", async () => {
    const who = whoMay("putFile");
    const bytes = new Uint8Array([1, 2, 3]);
    const digest = createHash("sha256").update(bytes).digest("hex");
    const address = `${installation.baseUrl}/api/spaces/main/files/sha256:${digest}`;
    const response = await fetch(address, { method: "PUT", headers: { authorization: `Bearer ${tokens.get(who) ?? ""}`, "content-type": "application/octet-stream" }, body: bytes });
    // Read as bytes, and refused for what they are: results.test.ts has one that a release declares.
    expect(await response.json()).toMatchObject({ status: 422, code: "file_undeclared" });
    expect((await send("putFile", { who, body: "{}", type: "application/json" })).status).toBe(415);
  });

  test("a file over its limit is refused", async () => {
    const { status } = await send("putFile", { who: whoMay("putFile"), body: new Uint8Array(67_108_864 + 1) });
    expect(status).toBe(413);
  });

  test("the body of somebody who may not write is refused before it is read", async () => {
    const outcome = await send("pushRelease", { who: "executive", body: "x".repeat(20_000_000) }).then(({ status }) => status, () => "closed");
    expect([403, "closed"]).toContain(outcome);
  });
});

test("an unknown address under /api is a problem document, for every method", async () => {
  for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH"]) {
    const response = await fetch(`${installation.baseUrl}/api/nothing/here`, { method });
    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toContain("application/problem+json");
  }
});
