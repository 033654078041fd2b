import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type CDPSession, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { credentialIds, passkeyCredentials, verifyAssertion } from "../../packages/licet/src/identity/assertion.ts";
import { install, password, type Installation } from "./installation.ts";

const executablePath = process.env["LICET_CHROMIUM"] ?? "/usr/bin/chromium";
const missing = existsSync(executablePath) ? "" : ` (skipped: no Chromium at ${executablePath})`;

/** What a page does with the browser's own functions; no library of ours is involved. */
const ceremonies = `
const send = async (path, body) => {
  const response = await fetch("/api/auth" + path, body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
};
window.ceremonies = {
  signIn: (email, password) => send("/sign-in/email", { email, password }),
  signOut: () => send("/sign-out", {}),
  async register(name) {
    const options = await send("/passkey/generate-register-options");
    if (options.status !== 200) return options;
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options.body);
    const credential = await navigator.credentials.create({ publicKey });
    return send("/passkey/verify-registration", { response: credential.toJSON(), name });
  },
  passkeys: () => send("/passkey/list-user-passkeys"),
  remove: (id) => send("/passkey/delete-passkey", { id }),
  async signInWithPasskey(userVerification) {
    const options = await send("/passkey/generate-authenticate-options");
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON({ ...options.body, ...(userVerification ? { userVerification } : {}) });
    const credential = await navigator.credentials.get({ publicKey });
    return send("/passkey/verify-authentication", { response: credential.toJSON() });
  },
  async assert(challenge, ids, userVerification) {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON({ challenge, rpId: "localhost", userVerification, allowCredentials: ids.map((id) => ({ id, type: "public-key" })) });
    return (await navigator.credentials.get({ publicKey })).toJSON();
  },
  session: async () => (await fetch("/api/session")).json(),
};
`;

interface Reply {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

describe.skipIf(missing !== "")(`passkeys in a real browser${missing}`, () => {
  let installation: Installation;
  let folder: string;
  let browser: Browser;
  let page: Page;
  let cdp: CDPSession;
  let authenticatorId: string;

  async function run<T>(name: string, ...given: readonly unknown[]): Promise<T> {
    return page.evaluate(([call, list]) => (window as unknown as { ceremonies: Record<string, (...list: unknown[]) => Promise<T>> }).ceremonies[call]?.(...list) as Promise<T>, [name, given] as const);
  }

  async function addAuthenticator(verified: boolean): Promise<string> {
    const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: verified, automaticPresenceSimulation: true } as const;
    return (await cdp.send("WebAuthn.addVirtualAuthenticator", { options })).authenticatorId;
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "licet-passkey-"));
    await writeFile(join(folder, "index.html"), '<!doctype html><title>t</title><script src="/ceremonies.js"></script>');
    await writeFile(join(folder, "ceremonies.js"), ceremonies);
    installation = await install({ pageFolder: folder });
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    page = await browser.newPage();
    await page.goto(installation.baseUrl.replace("127.0.0.1", "localhost"));
    cdp = await page.context().newCDPSession(page);
    await cdp.send("WebAuthn.enable");
    authenticatorId = await addAuthenticator(true);
  });
  afterAll(async () => {
    await browser.close();
    await installation.close();
    await rm(folder, { recursive: true, force: true });
  });

  test("a person registers one, signs in with it alone, and an approval's challenge can be checked", async () => {
    const person = await installation.person("main", ["risk-owner"]);
    const other = await installation.person("main", ["risk-owner"]);
    expect((await run<Reply>("signIn", person.email, password)).body).toEqual({ signedIn: true });
    expect((await run<Reply>("register", "laptop")).status).toBe(200);
    const [key] = await passkeyCredentials(installation.identity.database, person.id);
    expect(installation.entries.at(-1)).toMatchObject({ kind: "person.credential-changed", actor: person.id, body: { person: person.id, change: "passkey-added", passkey: key } });
    await run("signOut");
    expect(await run<Reply>("signInWithPasskey")).toEqual({ status: 200, body: { signedIn: true } });
    expect(await run<object>("session")).toMatchObject({ person: { id: person.id }, method: "passkey", passkeys: 1 });
    expect(installation.entries.at(-1)).toMatchObject({ kind: "person.signed-in", body: { person: person.id, method: "passkey" } });

    const { database, accounts } = installation.identity;
    const ids = await credentialIds(database, person.id);
    const challenge = createHash("sha256").update("the statement").digest("base64url");
    const assertion = await run<Record<string, unknown>>("assert", challenge, ids, "required");
    const check = { personId: person.id, challenge, assertion, origin: accounts.origins, rpId: accounts.rpId };
    const wrong = createHash("sha256").update("another statement").digest("base64url");
    expect(await verifyAssertion(database, { ...check, challenge: wrong })).toBe(false);
    expect(await verifyAssertion(database, { ...check, personId: other.id })).toBe(false);
    expect(await verifyAssertion(database, { ...check, origin: "https://evil.example" })).toBe(false);
    expect(await verifyAssertion(database, { ...check, rpId: "evil.example" })).toBe(false);
    expect(await verifyAssertion(database, { ...check, assertion: { ...assertion, id: "AAAA" } })).toBe(false);
    for (const junk of [undefined, null, {}, [], "x", { ...assertion, response: {} }]) expect(await verifyAssertion(database, { ...check, assertion: junk })).toBe(false);
    expect(await verifyAssertion(database, check)).toBe(true);
    expect(await verifyAssertion(database, check), "the same signature must not count twice").toBe(false);
  });

  test("without the user verified a passkey neither signs in nor approves", async () => {
    const person = await installation.person("main", ["risk-owner"]);
    await run("signIn", person.email, password);
    expect((await run<Reply>("register", "second")).status).toBe(200);
    const { database, accounts } = installation.identity;
    const ids = await credentialIds(database, person.id);
    await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
    const challenge = createHash("sha256").update("the statement").digest("base64url");
    const assertion = await run("assert", challenge, ids, "discouraged");
    expect(await verifyAssertion(database, { personId: person.id, challenge, assertion, origin: accounts.origins, rpId: accounts.rpId })).toBe(false);
    await run("signOut");
    expect(await run<Reply>("signInWithPasskey", "discouraged")).toMatchObject({ status: 401, body: { code: "sign_in_failed" } });
    expect(await run<object>("session")).toMatchObject({ person: null });
    await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
    expect(await run<Reply>("signInWithPasskey")).toMatchObject({ status: 200 });
  });

  test("a removed key is in the record, and an old session removes none", async () => {
    const person = await installation.person("main", ["risk-owner"]);
    await run("signIn", person.email, password);
    await run<Reply>("register", "third");
    const { body: list } = await run<{ readonly body: readonly { readonly id: string }[] }>("passkeys");
    const [key] = await passkeyCredentials(installation.identity.database, person.id);
    expect(await run<Reply>("remove", "pas_unknown")).toMatchObject({ status: 404 });
    await installation.database.write((tx) => tx.updateTable("session").set({ authenticatedAt: Date.now() - 16 * 60_000 }).where("userId", "=", person.id).execute());
    expect(await run<Reply>("remove", list[0]?.id)).toMatchObject({ status: 403, body: { code: "session_too_old" } });
    await run("signIn", person.email, password);
    expect((await run<Reply>("remove", list[0]?.id)).status).toBe(200);
    expect(installation.entries.at(-1)).toMatchObject({ kind: "person.credential-changed", body: { change: "passkey-removed", passkey: key } });
    expect(await credentialIds(installation.identity.database, person.id)).toEqual([]);
  });

  test("a session older than 15 minutes registers nothing", async () => {
    const person = await installation.person("main", ["risk-owner"]);
    await run("signIn", person.email, password);
    const old = new Date(Date.now() - 16 * 60_000).toISOString();
    await installation.database.write((tx) => tx.updateTable("session").set({ createdAt: old }).where("userId", "=", person.id).execute());
    expect(await run<Reply>("register", "late")).toMatchObject({ status: 403, body: { code: "session_too_old" } });
  });
});
