import { LicetError } from "../base/errors.ts";

export type KmsKind = "aws-kms" | "gcp-kms" | "azure-key-vault";
export const kmsKinds = ["aws-kms", "gcp-kms", "azure-key-vault"] as const;

/** Loads an installed package by its name. */
export type KmsLoader = (name: string) => Promise<unknown>;

/**
 * Who uses a key management service installs its vendor's client; Licet does not bring it along. That client reads its
 * own credentials and opens its own connections.
 */
const packages: Readonly<Record<KmsKind, readonly string[]>> = {
  "aws-kms": ["@aws-sdk/client-kms"],
  "gcp-kms": ["@google-cloud/kms"],
  "azure-key-vault": ["@azure/keyvault-keys", "@azure/identity"],
};

const importPackage: KmsLoader = (name) => import(name);

/** The packages of a service, in the order of the table above. Throws `kms_package_missing` with the command to run. */
export async function loadKms(kind: KmsKind, load: KmsLoader = importPackage): Promise<readonly unknown[]> {
  try {
    return await Promise.all(packages[kind].map((name) => load(name)));
  } catch (cause) {
    const command = `npm install ${packages[kind].join(" ")}`;
    throw new LicetError("kms_package_missing", { message: `the keys need ${packages[kind].join(" and ")}, which cannot be loaded: run \`${command}\` where licet is installed`, at: { kind, command }, cause });
  }
}

/** One call of a key management service may take so long; a checkpoint or the start waits for it. */
export const kmsCallMillisecondsMax = 10_000;

/** Throws `kms_failed` for whatever goes wrong, with the vendor's words as the cause only: they may name accounts. */
export async function kmsCall<T>(kind: KmsKind, what: string, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(kmsCallMillisecondsMax);
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(new Error("no answer in time")), { once: true });
  });
  try {
    return await Promise.race([call(signal), late]);
  } catch (cause) {
    if (cause instanceof LicetError) throw cause;
    throw new LicetError("kms_failed", { message: `${kind} did not ${what}${nameOf(cause)}`, at: { kind }, cause });
  }
}

/** Error names of the vendors (`AccessDeniedException`) say what to do and hold nothing secret. */
function nameOf(cause: unknown): string {
  if (!(cause instanceof Error)) return "";
  return /^[A-Za-z]{1,60}$/u.test(cause.name) && cause.name !== "Error" ? `: ${cause.name}` : "";
}

/** Where the answer of a service is not what its documentation says. */
export function kmsAnswer(kind: KmsKind, what: string): LicetError {
  return new LicetError("kms_failed", { message: `${kind} answered a request to ${what} with something else`, at: { kind } });
}

/** The bytes of an answer: clients give a Uint8Array, a Buffer, or base64 over REST. */
export function bytesOf(value: unknown): Buffer | undefined {
  if (value instanceof Uint8Array) return Buffer.from(value);
  return typeof value === "string" ? Buffer.from(value, "base64") : undefined;
}

/** A root key in the care of a service. */
export interface RootWrapper {
  /** `key` is the service's own name of the key that wrapped. */
  wrap(root: Uint8Array): Promise<{ readonly wrapped: Buffer; readonly key: string }>;
  unwrap(wrapped: Uint8Array): Promise<Buffer>;
}
