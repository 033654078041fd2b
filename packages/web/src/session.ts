import { startAuthentication, startRegistration, type PublicKeyCredentialCreationOptionsJSON, type PublicKeyCredentialRequestOptionsJSON } from "@simplewebauthn/browser";

/** A sign-in that did not succeed; the reason is for the person. */
export class SignInError extends Error {}

async function call(path: string, method: "GET" | "POST", body?: unknown): Promise<unknown> {
  const response = await fetch(`/api/auth${path}`, {
    method,
    credentials: "same-origin",
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer;
  if (response.status === 429) throw new SignInError("Too many attempts: wait a minute and try again.");
  const message = typeof answer === "object" && answer !== null && "message" in answer ? String(answer.message) : `the server answered ${response.status}`;
  throw new SignInError(message);
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
  const response = await startAuthentication({ optionsJSON });
  await call("/passkey/verify-authentication", "POST", { response });
}

export async function addPasskey(name: string): Promise<void> {
  const optionsJSON = (await call(`/passkey/generate-register-options?name=${encodeURIComponent(name)}`, "GET")) as PublicKeyCredentialCreationOptionsJSON; // oxlint-disable-line typescript/no-unsafe-type-assertion -- parsed by the browser's own WebAuthn code
  const response = await startRegistration({ optionsJSON });
  await call("/passkey/verify-registration", "POST", { response, name });
}
