import { passkey } from "@better-auth/passkey";
import { LicetError, type PersonCredentialChanged } from "@licet/contract";
import { betterAuth } from "better-auth";
import { APIError } from "better-auth/api";
import { bearer } from "better-auth/plugins/bearer";
import { z } from "zod";
import { newId } from "../base/ids.ts";
import type { SignedIn } from "../http/handlers.ts";
import { readAuthRequest, readPasskeyDelete, readSignIn, type AuthEndpoint } from "./auth-endpoints.ts";
import { accountFailuresMax, addressAttemptsMax, attemptLimit } from "./sign-in-limit.ts";
import { dropExpired, passkeysOf, type IdentityDatabase } from "./store.ts";

export const sessionHours = 12;
export const freshMinutes = 15;

export type Method = "password" | "passkey";

export interface AccountsOptions {
  readonly database: IdentityDatabase;
  /** What people type: its host is the relying party of passkeys, its scheme decides on secure cookies. */
  readonly baseUrl: string;
  /** At least 32 random bytes as text, from the keys directory. */
  readonly secret: string;
  /** Milliseconds since the Unix epoch; the record's clock. */
  readonly now: () => number;
  /** Records a sign-in before its session exists; answers whether the person may have one. */
  readonly onSignIn: (personId: string, method: Method) => Promise<boolean>;
  /** Records a change of how a person signs in, before it takes effect. */
  readonly onChange: (personId: string, changed: CredentialChange) => Promise<void>;
}

export type CredentialChange = Omit<PersonCredentialChanged, "person">;

/** A request under `/api/auth`. */
export interface AccountRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: unknown;
  readonly ip: string;
}

export interface Credentials {
  readonly personId: string;
  readonly email: string;
  readonly name: string;
  readonly password: string;
}

/** Passwords, passkeys and sessions. The library behind it is known to this file alone. */
export interface Accounts {
  /** Answers the allowed endpoints; throws `LicetError` for everything that is not a success. */
  handle(request: AccountRequest): Promise<Response>;
  signedIn(headers: Headers): Promise<SignedIn | undefined>;
  /** Makes the account. With `replace`, an existing password gives way (set-up only); else `password_set_already`. */
  setPassword(credentials: Credentials, replace: boolean): Promise<void>;
  /** Signs in on behalf of a request that has just set the password; answers the `Set-Cookie` values. */
  signIn(email: string, password: string): Promise<{ readonly cookies: readonly string[]; readonly signedIn: SignedIn }>;
  /** The host that passkeys are bound to; an IP address cannot have any. */
  readonly rpId: string;
  /** The origins that a passkey may be used from. */
  readonly origins: readonly string[];
}

const SessionShape = z.object({
  session: z.object({ method: z.enum(["password", "passkey"]), authenticatedAt: z.coerce.number().int() }),
  user: z.object({ id: z.string(), email: z.string(), name: z.string() }),
});

function methodOf(path: string | undefined): Method | undefined {
  if (path === "/sign-in/email") return "password";
  return path === "/passkey/verify-authentication" ? "passkey" : undefined;
}

/** Without a PIN or a fingerprint a passkey proves the device, not the person: both ceremonies demand it. */
function needUserVerification(verified: boolean | undefined): void {
  if (verified !== true) throw new APIError("UNAUTHORIZED", { message: "the passkey did not verify its user" });
}

interface RegisteredKey {
  readonly id: string;
  readonly publicKey: Uint8Array;
}

function passkeyPlugin({ onChange }: AccountsOptions, rpId: string, origins: readonly string[]) {
  /** Runs before the library stores the key. */
  const recordKey = async (personId: string, key: RegisteredKey | undefined): Promise<void> => {
    if (key === undefined) throw new APIError("BAD_REQUEST", { message: "the registration holds no key" });
    await onChange(personId, { change: "passkey-added", passkey: { id: key.id, publicKey: Buffer.from(key.publicKey).toString("base64") } });
  };
  return passkey({
    rpID: rpId,
    rpName: "Licet",
    origin: [...origins],
    authenticatorSelection: { residentKey: "required", userVerification: "required" },
    advanced: { webAuthnChallengeCookie: "passkey_challenge" },
    registration: {
      afterVerification: async ({ verification, user }) => {
        needUserVerification(verification.registrationInfo?.userVerified);
        await recordKey(user.id, verification.registrationInfo?.credential);
      },
    },
    authentication: {
      afterVerification: async ({ verification }) => needUserVerification(verification.authenticationInfo.userVerified),
    },
  });
}

function createLibrary(options: AccountsOptions, rpId: string, origins: readonly string[]) {
  const { database, baseUrl, secret, now, onSignIn } = options;
  return betterAuth({
    appName: "Licet",
    baseURL: new URL(baseUrl).origin,
    basePath: "/api/auth",
    secret,
    // Flags as 0 and 1 and times as text on both engines: one schema.
    database: { db: database.operational, type: "sqlite", transaction: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
    // Our own limit counts failures per address and account.
    rateLimit: { enabled: false },
    trustedOrigins: [...origins],
    emailAndPassword: { enabled: true, disableSignUp: true, minPasswordLength: 12, maxPasswordLength: 128 },
    session: {
      expiresIn: sessionHours * 3600,
      freshAge: freshMinutes * 60,
      disableSessionRefresh: true,
      additionalFields: { method: { type: "string", required: true, input: false }, authenticatedAt: { type: "number", bigint: true, required: true, input: false } },
    },
    advanced: {
      cookiePrefix: "licet",
      useSecureCookies: new URL(baseUrl).protocol === "https:",
      defaultCookieAttributes: { sameSite: "strict", httpOnly: true, path: "/" },
      ipAddress: { disableIpTracking: true },
      disableOriginCheck: false,
      disableCSRFCheck: false,
      database: { generateId: ({ model }) => newId(model.slice(0, 3).toLowerCase(), now()), validateSchema: false },
    },
    databaseHooks: {
      session: {
        create: {
          before: async (session, context) => {
            const method = methodOf(context?.path);
            if (method === undefined || !(await onSignIn(session.userId, method))) return false;
            return { data: { ...session, method, authenticatedAt: now() } };
          },
        },
      },
    },
    plugins: [passkeyPlugin(options, rpId, origins), bearer()],
  });
}

const endpointFailures: Readonly<Record<number, "sign_in_failed" | "not_signed_in" | "session_too_old" | "not_found" | "invalid_request">> = {
  400: "invalid_request",
  401: "not_signed_in",
  403: "session_too_old",
  404: "not_found",
};

/** The library's own words stay inside: they tell an unknown account from a wrong password. */
async function failureOf(endpoint: AuthEndpoint, response: Response): Promise<LicetError> {
  const cause = new Error(`the sign-in library answered ${String(response.status)}: ${(await response.text()).slice(0, 500)}`);
  if (response.status >= 500) return new LicetError("internal", { cause });
  if (endpoint === "signIn" || endpoint === "passkeySignIn") return new LicetError("sign_in_failed", { cause });
  return new LicetError(endpointFailures[response.status] ?? "invalid_request", { cause });
}

/** What a stranger can make the server do: hash a password, keep a challenge. */
const costly: ReadonlySet<AuthEndpoint> = new Set(["signIn", "passkeyOptions", "passkeySignIn"]);

function isBrowser(headers: Headers): boolean {
  return headers.has("sec-fetch-site") || headers.has("origin");
}

/** What the caller may see: a page never gets the token that its cookie holds. */
async function reshaped(endpoint: AuthEndpoint, request: AccountRequest, response: Response): Promise<Response> {
  const body: unknown = await response.json().catch(() => null);
  const field = (name: string): unknown => (typeof body === "object" && body !== null && name in body ? Reflect.get(body, name) : undefined);
  const answers: Partial<Record<AuthEndpoint, unknown>> = {
    signIn: { signedIn: true, ...(isBrowser(request.headers) ? {} : { token: field("token") }) },
    passkeySignIn: { signedIn: true },
    signOut: { signedIn: false },
    // The plugin cannot be told to ask for user verification here.
    passkeyOptions: typeof body === "object" && body !== null ? { ...body, userVerification: "required" } : body,
  };
  return new Response(JSON.stringify(answers[endpoint] ?? body ?? {}), { status: 200, headers: cookiesOf(response) });
}

function cookiesOf(response: Response): Headers {
  const headers = new Headers();
  for (const cookie of response.headers.getSetCookie()) headers.append("set-cookie", cookie);
  return headers;
}

/** Node's own fetch sends browser-like metadata without an origin, which the library takes for a forgery; http/guard.ts has judged it. */
function passedOn(incoming: Headers): Headers {
  const headers = new Headers();
  for (const name of ["cookie", "authorization", "origin", "content-type", "user-agent"]) {
    const value = incoming.get(name);
    if (value !== null) headers.set(name, value);
  }
  return headers;
}

function ownOrigins(baseUrl: string): readonly string[] {
  const url = new URL(baseUrl);
  const port = url.port === "" ? "" : `:${url.port}`;
  // Loopback names are one machine to a person: the page works under each of them.
  const local = url.protocol === "http:" ? ["localhost", "127.0.0.1", "[::1]"].map((host) => `http://${host}${port}`) : [];
  return [...new Set([url.origin, ...local])];
}

function rpIdOf(baseUrl: string): string {
  const { hostname } = new URL(baseUrl);
  // Browsers refuse an IP address as relying party; on loopback the same machine has a name.
  return hostname.startsWith("[") || /^\d+(?:\.\d+){3}$/u.test(hostname) ? "localhost" : hostname;
}

/** Opens the accounts over the operational tables; sends nothing anywhere. */
export function openAccounts(options: AccountsOptions): Accounts {
  const origins = ownOrigins(options.baseUrl);
  const rpId = rpIdOf(options.baseUrl);
  const library = createLibrary(options, rpId, origins);
  const limits = { account: attemptLimit(options.now, accountFailuresMax), address: attemptLimit(options.now, addressAttemptsMax) };

  async function signedIn(headers: Headers): Promise<SignedIn | undefined> {
    const found = SessionShape.safeParse(await library.api.getSession({ headers }));
    if (!found.success) return undefined;
    const { session, user } = found.data;
    return { personId: user.id, email: user.email, name: user.name, authenticatedAt: session.authenticatedAt, method: session.method };
  }

  async function pass(endpoint: AuthEndpoint, request: AccountRequest, body: unknown): Promise<Response> {
    const headers = passedOn(request.headers);
    const url = new URL(request.url, options.baseUrl);
    const response = await library.handler(new Request(url, { method: request.method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }));
    if (response.status >= 300) throw await failureOf(endpoint, response);
    return reshaped(endpoint, request, response);
  }

  /** Counted before it is known to be wrong, so that parallel attempts do not slip through. */
  async function limited(request: AccountRequest, body: unknown): Promise<Response> {
    const key = `${request.ip} ${readSignIn(body).email.toLowerCase()}`;
    limits.account.take(key);
    const answer = await pass("signIn", request, body);
    limits.account.forgive(key);
    return answer;
  }

  /** Taking a key away is a change of how its owner signs in, so it needs a fresh session and stands in the record. */
  async function recordRemoval(request: AccountRequest, body: unknown): Promise<void> {
    const person = await signedIn(request.headers);
    if (person === undefined) throw new LicetError("not_signed_in");
    if (options.now() - person.authenticatedAt > freshMinutes * 60_000) throw new LicetError("session_too_old");
    const { id } = readPasskeyDelete(body);
    const key = (await passkeysOf(options.database.operational, person.personId)).find((each) => each.id === id);
    if (key === undefined) throw new LicetError("not_found", { message: `you have no passkey \`${id}\`` });
    await options.onChange(person.personId, { change: "passkey-removed", passkey: { id: key.credentialID, publicKey: key.publicKey } });
  }

  return {
    rpId,
    origins,
    signedIn,
    async handle(request) {
      const { endpoint, body } = readAuthRequest(request);
      if (costly.has(endpoint)) {
        limits.address.take(request.ip);
        await dropExpired(options.database.operational, options.now());
      }
      if (endpoint === "passkeyDelete") await recordRemoval(request, body);
      return endpoint === "signIn" ? limited(request, body) : pass(endpoint, request, body);
    },
    async setPassword({ personId, email, name, password }, replace) {
      const { internalAdapter, password: hasher } = await library.$context;
      const user = await internalAdapter.findUserById(personId);
      const known = user === null ? [] : await internalAdapter.findAccounts(personId);
      const account = known.find(({ providerId }) => providerId === "credential");
      if (account !== undefined && !replace) throw new LicetError("password_set_already");
      const hash = await hasher.hash(password);
      await options.onChange(personId, { change: "password-set", passkey: null });
      if (user === null) await internalAdapter.createUser({ id: personId, email: email.toLowerCase(), name, emailVerified: true }, { method: "email-password" });
      if (account === undefined) await internalAdapter.linkAccount({ userId: personId, providerId: "credential", accountId: personId, password: hash });
      else await internalAdapter.updatePassword(personId, hash);
    },
    async signIn(email, password) {
      const response = await library.api.signInEmail({ body: { email, password }, asResponse: true });
      if (!response.ok) throw await failureOf("signIn", response);
      const cookies = response.headers.getSetCookie();
      const cookie = cookies.map((value) => value.split(";")[0]).join("; ");
      const person = await signedIn(new Headers({ cookie }));
      if (person === undefined) throw new LicetError("internal");
      return { cookies, signedIn: person };
    },
  };
}
