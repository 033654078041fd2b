import { request as httpRequest } from "node:http";
import { ApiError, createClient } from "@licet/client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { addPerson, grantRole, revokeRole } from "../../packages/licet/src/identity/people.ts";
import { heldRoles } from "../../packages/licet/src/identity/store.ts";
import { install, password, type Installation, type InstallOptions } from "./installation.ts";

let running: Installation | undefined;
async function start(options: InstallOptions = {}): Promise<Installation> {
  running = await install(options);
  return running;
}
afterEach(async () => {
  await running?.close();
  running = undefined;
});

/** The machine's clock, which a test can move forward. */
function shiftedClock(): { now(): number; forward(milliseconds: number): void } {
  let shift = 0;
  return {
    now: () => Date.now() + shift,
    forward: (milliseconds) => {
      shift += milliseconds;
    },
  };
}

async function refusal(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "no refusal",
    (error: unknown) => (error instanceof ApiError ? error.code : String(error)),
  );
}

/** Node's own client, because fetch does not let a caller choose the host. */
function rawPost(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: "POST", headers: { "content-type": "application/json", ...headers } }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString("utf8");
      });
      response.on("end", () => resolve(JSON.parse(text)));
    });
    request.once("error", reject);
    request.end(body);
  });
}

const minutes = 60_000;
const first = { name: "Ada", email: "Ada@Example.org", password };

async function setUp(installation: Installation): Promise<string> {
  const link = await installation.identity.newSetupToken();
  await installation.anonymous("setUp", { body: { token: link?.token ?? "", ...first } });
  return installation.anonymous.signIn(first.email, password);
}

describe("set-up", () => {
  test("the link makes the first administrator, signs in with a cookie, and every step is in the log", async () => {
    const installation = await start();
    expect((await installation.anonymous("showSession")).setupOpen).toBe(true);
    const link = await installation.identity.newSetupToken();
    const response = await fetch(`${installation.baseUrl}/api/setup`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token: link?.token, ...first }),
    });
    expect(response.status).toBe(201);
    const [cookie = ""] = response.headers.getSetCookie();
    expect(cookie).toMatch(/^licet\.session_token=[^;]+;.*HttpOnly.*SameSite=Strict/iu);
    const session = await fetch(`${installation.baseUrl}/api/session`, { headers: { cookie: cookie.split(";")[0] ?? "" } });
    expect(await session.json()).toMatchObject({
      setupOpen: false,
      person: { email: "ada@example.org", name: "Ada" },
      spaces: [{ space: "main", roles: ["administrator"] }],
      method: "password",
    });
    const kinds = installation.entries.map(({ kind }) => kind);
    expect(kinds.filter((kind) => /^(?:person|role)\./u.test(kind))).toEqual(["person.credential-changed", "person.added", "role.granted", "person.signed-in"]);
    expect(installation.entries.find(({ kind }) => kind === "person.credential-changed")?.body).toMatchObject({ change: "password-set", passkey: null });
  });

  test("a link works once, and an older one dies when a new one is made", async () => {
    const installation = await start();
    const old = await installation.identity.newSetupToken();
    await installation.identity.newSetupToken();
    expect(await refusal(installation.anonymous("setUp", { body: { token: old?.token ?? "", ...first } }))).toBe("link_invalid");
    const token = (await installation.identity.newSetupToken())?.token ?? "";
    const both = await Promise.all([1, 2].map((n) => refusal(installation.anonymous("setUp", { body: { token, ...first, email: `p${String(n)}@example.org` } }))));
    expect(both.filter((code) => code === "no refusal")).toHaveLength(1);
    expect(await refusal(installation.anonymous("setUp", { body: { token, ...first } }))).toBe("setup_closed");
    expect(await installation.identity.newSetupToken()).toBeUndefined();
  });

  test("a link is dead after 15 minutes", async () => {
    const clock = shiftedClock();
    const installation = await start({ clock });
    const token = (await installation.identity.newSetupToken())?.token ?? "";
    clock.forward(15 * minutes + 1);
    expect(await refusal(installation.anonymous("setUp", { body: { token, ...first } }))).toBe("link_invalid");
  });

  test("a link does not work from another machine", async () => {
    const installation = await start({ trustedProxies: ["127.0.0.1"] });
    const token = (await installation.identity.newSetupToken())?.token ?? "";
    const response = await fetch(`${installation.baseUrl}/api/setup`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-forwarded-for": "192.0.2.7" },
      body: JSON.stringify({ token, ...first }),
    });
    expect(await response.json()).toMatchObject({ status: 403, code: "setup_not_local" });
  });

  test.each([
    ["that says for whom it asks, though no proxy is configured", { "x-forwarded-for": "192.0.2.7" }, []],
    ["that says so in the standard's words", { forwarded: "for=192.0.2.7" }, []],
    ["that says nothing, under the installation's public name", { host: "licet.example.org" }, ["127.0.0.1"]],
  ] as const)("a link does not work through a proxy %s", async (_, headers, trustedProxies) => {
    const installation = await start({ ...(trustedProxies.length > 0 && { trustedProxies: [...trustedProxies] }), publicUrl: "https://licet.example.org" });
    const token = (await installation.identity.newSetupToken())?.token ?? "";
    const answer = await rawPost(`${installation.baseUrl}/api/setup`, { ...headers }, JSON.stringify({ token, ...first }));
    expect(answer).toMatchObject({ status: 403, code: "setup_not_local" });
  });

  test("a set-up that stopped after the account was made is finished by the next link, also with the same address", async () => {
    const installation = await start();
    await installation.identity.accounts.setPassword({ personId: "per_half", email: first.email, name: "Ada", password: "an older password" }, true);
    const token = await setUp(installation);
    const { person } = await createClient({ baseUrl: installation.baseUrl, token })("showSession");
    expect(person?.id).toBe("per_half");
  });

  test("a short password is refused", async () => {
    const installation = await start();
    const token = (await installation.identity.newSetupToken())?.token ?? "";
    expect(await refusal(installation.anonymous("setUp", { body: { token, ...first, password: "elevenchars" } }))).toBe("invalid_request");
  });
});

describe("invitations", () => {
  test("an administrator invites; the link sets the password once", async () => {
    const installation = await start();
    const admin = createClient({ baseUrl: installation.baseUrl, token: await setUp(installation) });
    const added = await admin("addPerson", { params: { space: "main" }, body: { email: "Bob@example.org", name: "Bob" } });
    expect(added.person).toMatchObject({ email: "bob@example.org", invited: true, roles: [] });
    expect(await installation.anonymous("acceptInvitation", { body: { token: added.invitation, password } })).toEqual({ email: "bob@example.org" });
    expect(await refusal(installation.anonymous("acceptInvitation", { body: { token: added.invitation, password } }))).toBe("link_invalid");
    const set = installation.entries.filter(({ kind, body }) => kind === "person.credential-changed" && body["person"] === added.person.id);
    expect(set.map(({ space, actor, body }) => [space, actor, body["change"]])).toEqual([["main", added.person.id, "password-set"]]);
    expect(await installation.anonymous.signIn("bob@example.org", password)).not.toBe("");
    const { items } = await admin("listPeople", { params: { space: "main" }, query: {} });
    expect(items.map(({ email, invited }) => [email, invited])).toEqual([["ada@example.org", false], ["bob@example.org", false]]);
    expect(await refusal(admin("addPerson", { params: { space: "main" }, body: { email: "bob@example.org", name: "Bob" } }))).toBe("person_exists");
  });

  test("a second invitation replaces the first, which adds nobody twice; an old one expires", async () => {
    const clock = shiftedClock();
    const installation = await start({ clock });
    const invited = { space: "main", email: "bob@example.org", name: "Bob", actor: "server" };
    const one = await addPerson(installation.identity.people, invited);
    const two = await addPerson(installation.identity.people, invited);
    expect(two.person.id).toBe(one.person.id);
    expect(await refusal(installation.anonymous("acceptInvitation", { body: { token: one.invitation, password } }))).toBe("link_invalid");
    clock.forward(7 * 24 * 60 * minutes + 1);
    expect(await refusal(installation.anonymous("acceptInvitation", { body: { token: two.invitation, password } }))).toBe("link_invalid");
    expect(installation.entries.filter(({ kind }) => kind === "person.added")).toHaveLength(1);
  });

  test("an administrator of another space cannot take over an account by inviting its address", async () => {
    const installation = await start();
    const victim = await installation.person("main", ["risk-owner"]);
    const { person, invitation } = await addPerson(installation.identity.people, { space: "other", email: victim.email, name: "X", actor: "server" });
    expect(person.id).toBe(victim.id);
    expect(invitation).toBe("");
    await expect(installation.identity.accounts.setPassword({ personId: victim.id, email: victim.email, name: "X", password: "taken over by another" }, false)).rejects.toMatchObject({ code: "password_set_already" });
    expect(await installation.anonymous.signIn(victim.email, password)).not.toBe("");
  });

  test("nor one who has not accepted yet: the invitation of the first space stays the only one", async () => {
    const installation = await start();
    const invited = { email: "bob@example.org", name: "Bob", actor: "server" };
    const own = await addPerson(installation.identity.people, { ...invited, space: "main" });
    const other = await addPerson(installation.identity.people, { ...invited, space: "other" });
    expect([other.person.id, other.invitation]).toEqual([own.person.id, ""]);
    expect(await installation.anonymous("acceptInvitation", { body: { token: own.invitation, password } })).toEqual({ email: "bob@example.org" });
  });
});

describe("roles", () => {
  test("a role granted or taken away counts from the next request on", async () => {
    const installation = await start();
    const { client, id } = await installation.person("main", []);
    const change = { space: "main", person: id, role: "administrator", actor: "server" } as const;
    const list = async () => refusal(client("listPeople", { params: { space: "main" }, query: {} }));
    expect(await list()).toBe("permission_denied");
    await grantRole(installation.identity.people, { ...change, request: "req_1" });
    expect(await list()).toBe("no refusal");
    await installation.person("main", ["administrator"]);
    await revokeRole(installation.identity.people, change);
    expect(await list()).toBe("permission_denied");
    await grantRole(installation.identity.people, { ...change, request: "req_2" });
    expect(await list()).toBe("no refusal");
  });

  test("the last administrator keeps the role", async () => {
    const installation = await start();
    const token = await setUp(installation);
    const admin = createClient({ baseUrl: installation.baseUrl, token });
    const me = (await admin("showSession")).person?.id ?? "";
    expect(await refusal(admin("revokeRole", { params: { space: "main", person: me, role: "administrator" } }))).toBe("last_administrator");
    expect(await refusal(admin("revokeRole", { params: { space: "main", person: me, role: "auditor" } }))).toBe("role_not_held");
    expect(await refusal(admin("grantRole", { params: { space: "main", person: me }, body: { role: "administrator" } }))).toBe("role_held_already");
    expect(await refusal(admin("grantRole", { params: { space: "main", person: "per_nobody" }, body: { role: "auditor" } }))).toBe("not_found");
  });

  test("an administrator is given no approving role, and an approver does not become administrator", async () => {
    const installation = await start();
    const { id } = await installation.person("main", ["administrator"]);
    const approver = await installation.person("main", ["assessor"]);
    const grant = { space: "main", actor: "server", request: "req_1" };
    for (const role of ["risk-owner", "authorizing-official", "assessor", "security-engineer"] as const) {
      await expect(grantRole(installation.identity.people, { ...grant, person: id, role })).rejects.toMatchObject({ code: "role_conflict" });
    }
    await expect(grantRole(installation.identity.people, { ...grant, person: approver.id, role: "administrator" })).rejects.toMatchObject({ code: "role_conflict" });
    expect((await heldRoles(installation.database.read, "main", id)).map(({ role }) => role)).toEqual(["administrator"]);
  });

  test("grants of the first hour are marked as early, later ones are not", async () => {
    const clock = shiftedClock();
    const installation = await start({ clock });
    const { person } = await addPerson(installation.identity.people, { space: "main", email: "b@example.org", name: "B", actor: "server" });
    const grant = { space: "main", person: person.id, actor: "server", request: "req_1" };
    await grantRole(installation.identity.people, { ...grant, role: "auditor" });
    clock.forward(60 * minutes + 1);
    await grantRole(installation.identity.people, { ...grant, role: "assessor" });
    // The first hour is the record's: a database that was made anew from the log begins no other one.
    await installation.database.write((tx) => tx.updateTable("installation").set({ created_at: clock.now() }).execute());
    await grantRole(installation.identity.people, { ...grant, role: "executive" });
    const held = await heldRoles(installation.database.read, "main", person.id);
    expect(held.map(({ role, early }) => [role, early])).toEqual([["assessor", false], ["auditor", true], ["executive", false]]);
  });

  test("a page of people goes on where the last one ended", async () => {
    const installation = await start();
    const { client } = await installation.person("main", ["administrator"]);
    for (let n = 0; n < 4; n++) await addPerson(installation.identity.people, { space: "main", email: `x${String(n)}@example.org`, name: "X", actor: "server" });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await client("listPeople", { params: { space: "main" }, query: { limit: 2, ...(cursor === undefined ? {} : { cursor }) } });
      seen.push(...page.items.map(({ email }) => email));
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toHaveLength(5);
    expect(new Set(seen).size).toBe(5);
  });
});

describe("sessions", () => {
  test("signing out ends the session at once", async () => {
    const installation = await start();
    const { client } = await installation.person("main", ["administrator"]);
    expect((await client("showSession")).person).not.toBeNull();
    await client.signOut();
    expect((await client("showSession")).person).toBeNull();
    expect(await refusal(client("listPeople", { params: { space: "main" }, query: {} }))).toBe("not_signed_in");
  });

  test("each sign-in is a new session with its own time", async () => {
    const clock = shiftedClock();
    const installation = await start({ clock });
    const { client, email } = await installation.person("main", []);
    const before = (await client("showSession")).authenticatedAt ?? 0;
    clock.forward(10 * minutes);
    const again = createClient({ baseUrl: installation.baseUrl, token: await installation.anonymous.signIn(email, password) });
    expect((await again("showSession")).authenticatedAt ?? 0).toBeGreaterThanOrEqual(before + 10 * minutes);
    expect((await client("showSession")).authenticatedAt).toBe(before);
  });

  test("sessions and challenges that ran out do not pile up", async () => {
    const clock = shiftedClock();
    const installation = await start({ clock });
    const { email } = await installation.person("main", []);
    const options = () => fetch(`${installation.baseUrl}/api/auth/passkey/generate-authenticate-options`);
    for (let n = 0; n < 5; n++) expect((await options()).status).toBe(200);
    clock.forward(13 * 60 * minutes);
    await options();
    const { read } = installation.database;
    expect(await read.selectFrom("verification").select("id").execute()).toHaveLength(1);
    expect(await read.selectFrom("session").select("id").execute()).toHaveLength(0);
    await installation.anonymous.signIn(email, password);
  });

  test("a stranger's challenges are limited", async () => {
    const installation = await start();
    const statuses = new Set<number>();
    for (let n = 0; n < 201; n++) statuses.add((await fetch(`${installation.baseUrl}/api/auth/passkey/generate-authenticate-options`)).status);
    expect([...statuses]).toEqual([200, 429]);
  });

  test("a wrong password and an unknown address get the same answer", async () => {
    const installation = await start();
    const { email } = await installation.person("main", []);
    const answers = await Promise.all(
      [email, "nobody@example.org"].map(async (who) => {
        const response = await fetch(`${installation.baseUrl}/api/auth/sign-in/email`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ email: who, password: "not the password" }),
        });
        return { ...((await response.json()) as object), instance: "" };
      }),
    );
    expect(answers[0]).toMatchObject({ status: 401, code: "sign_in_failed" });
    expect(answers[1]).toEqual(answers[0]);
  });

  test("after ten failures the account is closed to that address for a while, the right password included", async () => {
    const clock = shiftedClock();
    const installation = await start({ clock });
    const { email } = await installation.person("main", []);
    const other = await installation.person("main", []);
    for (let n = 0; n < 10; n++) expect(await refusal(installation.anonymous.signIn(email, "wrong password"))).toBe("sign_in_failed");
    expect(await refusal(installation.anonymous.signIn(email.toUpperCase(), password))).toBe("too_many_attempts");
    expect(await refusal(installation.anonymous.signIn(other.email, password))).toBe("no refusal");
    clock.forward(15 * minutes);
    expect(await refusal(installation.anonymous.signIn(email, password))).toBe("no refusal");
  });

  test("a browser gets the cookie and never the token", async () => {
    const installation = await start();
    const { email } = await installation.person("main", []);
    const response = await fetch(`${installation.baseUrl}/api/auth/sign-in/email`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: installation.baseUrl },
      body: JSON.stringify({ email, password }),
    });
    expect(await response.json()).toEqual({ signedIn: true });
    expect(response.headers.getSetCookie().join()).toContain("licet.session_token=");
  });

  test("nobody gets a session whose sign-in cannot be recorded", async () => {
    const installation = await start();
    const { email, id } = await installation.person("main", []);
    await installation.database.write((tx) => tx.updateTable("person").set({ disabled_at: 1 }).where("id", "=", id).execute());
    expect(await refusal(installation.anonymous.signIn(email, password))).toBe("sign_in_failed");
  });
});

const closedEndpoints = [
  "POST /sign-up/email", "GET /get-session", "POST /get-session", "GET /list-sessions", "POST /change-password", "POST /change-email",
  "POST /request-password-reset", "POST /reset-password", "POST /update-user", "POST /delete-user", "POST /update-session", "GET /verify-email",
  "POST /send-verification-email", "POST /sign-in/social", "POST /link-social", "GET /list-accounts", "POST /unlink-account", "POST /revoke-sessions",
  "GET /ok", "GET /error", "POST /passkey/update-passkey", "GET /sign-in/email", "POST /sign-in/email/", "POST /%73ign-up/email", "POST //sign-up/email", "POST /sign-in/../sign-up/email",
];

describe("the sign-in library", () => {
  let installation: Installation;
  let token = "";
  beforeAll(async () => {
    installation = await install();
    ({ token } = await installation.person("main", ["administrator"]));
  });
  afterAll(() => installation.close());

  test.each(closedEndpoints)("%s is not there", async (endpoint) => {
    const [method = "", path = ""] = endpoint.split(" ");
    const response = await fetch(`${installation.baseUrl}/api/auth${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(method === "POST" ? { "content-type": "application/json" } : {}) },
      ...(method === "POST" ? { body: JSON.stringify({ email: "eve@example.org", password, name: "Eve" }) } : {}),
    });
    expect(response.status).toBe(404);
    const users = await installation.database.read.selectFrom("user").select("email").execute();
    expect(users.map(({ email }) => email)).not.toContain("eve@example.org");
  });

  test("unknown fields, such as a session with a new passkey, are refused", async () => {
    const response = await fetch(`${installation.baseUrl}/api/auth/passkey/verify-registration`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ response: {}, createSession: true }),
    });
    expect(await response.json()).toMatchObject({ status: 422, code: "invalid_request" });
  });
});
