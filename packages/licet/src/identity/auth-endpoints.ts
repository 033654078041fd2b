import { LicetError } from "@licet/contract";
import { z } from "zod";

/** A WebAuthn response is checked by the library; here it only has to be an object of a bounded size. */
const WebAuthnResponse = z.record(z.string().max(100), z.unknown());

const SignIn = z.strictObject({ email: z.email().max(254), password: z.string().min(1).max(128) });
export type SignIn = z.output<typeof SignIn>;
const PasskeyDelete = z.strictObject({ id: z.string().min(1).max(80) });

interface Endpoint {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body: z.ZodType;
}

/**
 * INVARIANT: nothing else of the library is reachable. Sign-up, password reset, account changes and session lists
 * are its defaults; accounts here come from the set-up link and from invitations only.
 */
export const authEndpoints = {
  signIn: { method: "POST", path: "/sign-in/email", body: SignIn },
  signOut: { method: "POST", path: "/sign-out", body: z.strictObject({}).optional() },
  passkeyRegisterOptions: { method: "GET", path: "/passkey/generate-register-options", body: z.undefined() },
  // `createSession` is left out: registering a key is not signing in with it.
  passkeyRegister: { method: "POST", path: "/passkey/verify-registration", body: z.strictObject({ response: WebAuthnResponse, name: z.string().min(1).max(100).optional() }) },
  passkeyOptions: { method: "GET", path: "/passkey/generate-authenticate-options", body: z.undefined() },
  passkeySignIn: { method: "POST", path: "/passkey/verify-authentication", body: z.strictObject({ response: WebAuthnResponse }) },
  passkeyList: { method: "GET", path: "/passkey/list-user-passkeys", body: z.undefined() },
  passkeyDelete: { method: "POST", path: "/passkey/delete-passkey", body: PasskeyDelete },
} as const satisfies Record<string, Endpoint>;
export type AuthEndpoint = keyof typeof authEndpoints;

function isEndpoint(name: string): name is AuthEndpoint {
  return Object.hasOwn(authEndpoints, name);
}

/** Which endpoint a request means, and its body in shape. Throws `not_found`, `invalid_request`. */
export function readAuthRequest(request: { readonly method: string; readonly url: string; readonly body: unknown }): { readonly endpoint: AuthEndpoint; readonly body: unknown } {
  const path = request.url.split("?")[0];
  for (const endpoint of Object.keys(authEndpoints).filter(isEndpoint)) {
    const known: Endpoint = authEndpoints[endpoint];
    if (known.method !== request.method || `/api/auth${known.path}` !== path) continue;
    const body = known.body.safeParse(request.body);
    if (body.success) return { endpoint, body: body.data };
    const errors = body.error.issues.map((issue) => ({ pointer: ["", "body", ...issue.path].join("/"), detail: issue.message }));
    throw new LicetError("invalid_request", { at: { errors } });
  }
  throw new LicetError("not_found");
}

export function readPasskeyDelete(body: unknown): z.output<typeof PasskeyDelete> {
  return PasskeyDelete.parse(body);
}

export function readSignIn(body: unknown): SignIn {
  return SignIn.parse(body);
}
