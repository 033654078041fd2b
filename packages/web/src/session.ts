import { startAuthentication, startRegistration, type AuthenticationResponseJSON, type PublicKeyCredentialCreationOptionsJSON, type PublicKeyCredentialRequestOptionsJSON } from "@simplewebauthn/browser";

/** A sign-in, or a step with a passkey, that did not succeed: the server's code, or the browser's reason. */
export class SignInError extends Error {
  readonly code: string;
  readonly fix: string;

  constructor({ code, text, fix }: { readonly code: string; readonly text: string; readonly fix: string }) {
    super(text);
    this.code = code;
    this.fix = fix;
  }
}

function field(body: unknown, name: string): string {
  const value: unknown = typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined;
  return typeof value === "string" ? value : "";
}

async function call(path: string, method: "GET" | "POST", body?: unknown): Promise<unknown> {
  const response = await fetch(`/api/auth${path}`, {
    method,
    credentials: "same-origin",
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  }).catch(() => {
    throw new SignInError({ code: "unreachable", text: "the server does not answer", fix: "check that it is running, then try again" });
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer;
  throw new SignInError({ code: field(answer, "code") || "internal", text: field(answer, "detail") || `the server answered ${response.status}`, fix: field(answer, "fix") });
}

/** Browsers name every reason the same, so that a page cannot tell whether a key exists. */
async function withKey<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    const text = error instanceof Error && error.name === "InvalidStateError" ? "this device holds a passkey of yours already" : "the browser gave no passkey: it was cancelled, timed out, or this device holds none for this address";
    throw new SignInError({ code: "passkey_not_given", text, fix: "try again, or use your password" });
  }
}

export async function signIn(email: string, password: string): Promise<void> {
  await call("/sign-in/email", "POST", { email, password });
}

export async function signOut(): Promise<void> {
  await call("/sign-out", "POST", {});
}

/** What the server offers is handed to the browser as it is: the browser checks it. */
export async function signInWithPasskey(): Promise<void> {
  const optionsJSON = (await call("/passkey/generate-authenticate-options", "GET")) as PublicKeyCredentialRequestOptionsJSON; // oxlint-disable-line typescript/no-unsafe-type-assertion -- parsed by the browser's own WebAuthn code
  const response = await withKey(() => startAuthentication({ optionsJSON }));
  await call("/passkey/verify-authentication", "POST", { response });
}

export async function addPasskey(name: string): Promise<void> {
  const optionsJSON = (await call(`/passkey/generate-register-options?name=${encodeURIComponent(name)}`, "GET")) as PublicKeyCredentialCreationOptionsJSON; // oxlint-disable-line typescript/no-unsafe-type-assertion -- parsed by the browser's own WebAuthn code
  const response = await withKey(() => startRegistration({ optionsJSON }));
  await call("/passkey/verify-registration", "POST", { response, name });
}

export interface Passkey {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number | null;
}

export async function listPasskeys(): Promise<readonly Passkey[]> {
  const answer = await call("/passkey/list-user-passkeys", "GET");
  if (!Array.isArray(answer)) return [];
  return answer.map((item: unknown) => {
    const at = Date.parse(field(item, "createdAt"));
    return { id: field(item, "id"), name: field(item, "name") || "unnamed", createdAt: Number.isNaN(at) ? null : at };
  });
}

export async function removePasskey(id: string): Promise<void> {
  await call("/passkey/delete-passkey", "POST", { id });
}

/** One of the person's keys signs the challenge: the digest of the statement that they have read. */
export async function signChallenge(challenge: string, keys: readonly string[]): Promise<AuthenticationResponseJSON> {
  return withKey(() =>
    startAuthentication({
      optionsJSON: { challenge, rpId: location.hostname, userVerification: "required", allowCredentials: keys.map((id) => ({ id, type: "public-key" as const })) },
    }),
  );
}
