import { passkey } from "@better-auth/passkey";
import { betterAuth } from "better-auth";
import { getAuthTables } from "better-auth/db";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeEngines } from "../../../../test/unit/support/databases.ts";
import { manualClock } from "../base/clock.ts";
import { authTableColumns } from "./auth-tables.ts";
import type { Database } from "./database.ts";
import { migrate } from "./migrate.ts";

const origin = "http://localhost:4400";

const signedInAt = 1_800_000_000_000;

/** Type "sqlite" on both engines: it makes better-auth write flags as 0 or 1 and times as text. */
const authOn = (database: Database) =>
  betterAuth({
    baseURL: origin,
    secret: "only-for-this-test-0123456789abcdef",
    database: { db: database.operational, type: "sqlite" },
    logger: { disabled: true },
    telemetry: { enabled: false },
    emailAndPassword: { enabled: true, minPasswordLength: 12 },
    session: {
      additionalFields: {
        method: { type: "string", required: true, input: false },
        authenticatedAt: { type: "number", bigint: true, required: true, input: false },
      },
    },
    databaseHooks: {
      session: { create: { before: async (session) => ({ data: { ...session, method: "password", authenticatedAt: signedInAt } }) } },
    },
    plugins: [passkey({ rpID: "localhost", rpName: "Licet", origin })],
  });

describeEngines("better-auth on our database", ({ open }) => {
  let database: Database;
  let auth: ReturnType<typeof authOn>;
  const person = { name: "Ada", email: "ada@example.org", password: "correct horse battery" };
  const post = (path: string, body: unknown, cookie = "") =>
    auth.handler(
      new Request(`${origin}/api/auth${path}`, { method: "POST", headers: { "content-type": "application/json", origin, cookie }, body: JSON.stringify(body) }),
    );
  const cookieOf = (response: Response) => response.headers.getSetCookie().map((cookie) => cookie.split(";")[0]).join("; ");
  const sessionOf = async (cookie: string): Promise<unknown> => (await auth.handler(new Request(`${origin}/api/auth/get-session`, { headers: { cookie } }))).json();

  beforeAll(async () => {
    database = await open();
    await migrate({ database, clock: manualClock(0) });
    auth = authOn(database);
    const signedUp = await post("/sign-up/email", person);
    if (signedUp.status !== 200) throw new Error(`sign-up answered ${signedUp.status}`);
  });
  afterAll(() => database.close());

  test("a person who signed up signs in, has a session, and signs out", async () => {
    const signedIn = await post("/sign-in/email", person);
    expect(signedIn.status).toBe(200);
    const cookie = cookieOf(signedIn);
    expect(await sessionOf(cookie)).toMatchObject({
      user: { email: person.email, emailVerified: false },
      session: { method: "password", authenticatedAt: signedInAt },
    });
    expect((await post("/sign-out", {}, cookie)).status).toBe(200);
    expect(await sessionOf(cookie)).toBeNull();
  });

  test("a wrong password gets no session", async () => {
    const refused = await post("/sign-in/email", { ...person, password: "correct horse batterz" });
    expect(refused.status).toBe(401);
    expect(cookieOf(refused)).not.toContain("session_token=ey");
  });

  test("the same address cannot sign up twice", async () => {
    expect((await post("/sign-up/email", person)).status).toBe(422);
  });

  test("a signed-in person gets passkey registration options, and the list of theirs", async () => {
    const cookie = cookieOf(await post("/sign-in/email", person));
    const options = await auth.handler(new Request(`${origin}/api/auth/passkey/generate-register-options`, { headers: { cookie } }));
    expect(options.status).toBe(200);
    expect(await options.json()).toMatchObject({ rp: { id: "localhost" }, challenge: expect.any(String) });
    const list = await auth.handler(new Request(`${origin}/api/auth/passkey/list-user-passkeys`, { headers: { cookie } }));
    expect(await list.json()).toEqual([]);
  });

  test("nobody's password stands in the database", async () => {
    const { rows } = await sql<{ password: string }>`select "password" from "account"`.execute(database.read);
    expect(rows).toHaveLength(1);
    expect(rows[0]?.password).not.toContain(person.password);
  });

  test("the tables that we declare are the ones that this version of better-auth wants", () => {
    const wanted = Object.values(getAuthTables(auth.options)).map(({ modelName, fields }) => [
      modelName,
      ["id", ...Object.entries(fields).map(([field, { fieldName }]) => fieldName ?? field)].sort(),
    ]);
    const declared = Object.entries(authTableColumns).map(([name, columns]) => [name, [...columns].sort()]);
    expect(Object.fromEntries(wanted)).toEqual(Object.fromEntries(declared));
  });
});
