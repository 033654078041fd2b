import { createSecretKey, randomBytes } from "node:crypto";
import { keyIdOf, fileSigner, newPrivateKey, type SignatureAlgorithm } from "./signer.ts";
import { type KeyMeans, type RootSafe, rootKeyId, safeOf, newSafe } from "./key-protection.ts";
import { type KeyRole, type KeysFile, type KeysFileV1, keysUnusable, type RemoteKey, type SigningRole } from "./keys-file.ts";
import { seal, unseal } from "./secret.ts";

export const algorithms: Readonly<Record<SigningRole, SignatureAlgorithm>> = { log: "ed25519", "log-mldsa": "ml-dsa-44", statement: "ed25519" };
export const signingRoles = ["log", "log-mldsa", "statement"] as const satisfies readonly SigningRole[];

/** 32 secret bytes with a name. */
export interface HeldKey {
  readonly keyid: string;
  /** Milliseconds since the Unix epoch; in use from then on. */
  readonly created: number;
  readonly secret: Buffer;
}

export interface SigningKey {
  /** SHA-256 of the raw public key, in hex. */
  readonly keyid: string;
  /** Milliseconds since the Unix epoch; it signs from then on. */
  readonly created: number;
  /** Raw. */
  readonly publicKey: Buffer;
  /** PKCS #8, or the service that signs. */
  readonly place: { readonly secret: Buffer } | { readonly remote: RemoteKey };
}

export type RetiredKey = Readonly<KeysFile["retired"][number]>;

/** A rotation that has begun: which key comes, and how long the log was before its entry. */
export type PendingKey =
  | { readonly role: "root"; readonly logSize: number; readonly key: HeldKey }
  | { readonly role: SigningRole; readonly logSize: number; readonly key: SigningKey };

/** All keys of an installation, open. Secret: never leaves the process but through `encodeKeySet`. */
export interface KeySet {
  readonly origin: string;
  readonly created: number;
  readonly safe: RootSafe;
  readonly root: HeldKey;
  readonly signing: Readonly<Record<SigningRole, SigningKey>>;
  /** Seal the secrets in the database: the first one new ones, the others those of before. Root rotation leaves them. */
  readonly secrets: readonly HeldKey[];
  readonly retired: readonly RetiredKey[];
  readonly pending?: PendingKey | undefined;
}

export function newHeldKey(created: number): HeldKey {
  const secret = randomBytes(32);
  return { keyid: rootKeyId(secret), created, secret };
}

export function newSigningKey(role: SigningRole, created: number): SigningKey {
  return signingKey(role, created, newPrivateKey(algorithms[role]));
}

function signingKey(role: SigningRole, created: number, secret: Buffer): SigningKey {
  const { keyid, publicKey } = fileSigner(algorithms[role], secret);
  return { keyid, created, publicKey: Buffer.from(publicKey), place: { secret } };
}

export async function makeKeySet(now: number): Promise<KeySet> {
  const origin = `licet.internal/log/${randomBytes(8).toString("hex")}`;
  return {
    origin,
    created: now,
    safe: await newSafe({ kind: "none" }, origin, {}),
    root: newHeldKey(now),
    signing: { log: newSigningKey("log", now), "log-mldsa": newSigningKey("log-mldsa", now), statement: newSigningKey("statement", now) },
    secrets: [newHeldKey(now)],
    retired: [],
  };
}

/** Version 1 had no ML-DSA-44 key, and sealed secrets under the root key itself: that one stays among the keys of secrets. */
export async function upgradedKeySet(file: KeysFileV1, now: number): Promise<KeySet> {
  const secret = Buffer.from(file.root, "base64");
  const root = { keyid: rootKeyId(secret), created: file.created, secret };
  const from = (role: SigningRole, pkcs8: string) => signingKey(role, file.created, Buffer.from(pkcs8, "base64"));
  return {
    origin: file.origin,
    created: file.created,
    safe: await newSafe({ kind: "none" }, file.origin, {}),
    root,
    signing: { log: from("log", file.log), "log-mldsa": newSigningKey("log-mldsa", now), statement: from("statement", file.statement) },
    secrets: [newHeldKey(now), root],
    retired: [],
  };
}

/** What is written: closing the root key may ask a key management service. */
export async function encodeKeySet(set: KeySet): Promise<KeysFile> {
  const rootKey = createSecretKey(set.root.secret);
  const plain = set.safe.protection.kind === "none";
  const hide = (role: string, keyid: string, secret: Buffer): string => (plain ? secret : seal(rootKey, secret, aadOf(set.origin, role, keyid))).toString("base64");
  const held = async ({ keyid, created, secret }: HeldKey) => ({ keyid, created, secret: await set.safe.close(secret) });
  const local = (role: SigningRole, { keyid, created, publicKey, place }: SigningKey) => {
    if ("remote" in place) throw new TypeError("only the log's key may be remote");
    return { keyid, created, publicKey: publicKey.toString("base64"), secret: hide(role, keyid, place.secret) };
  };
  const log = ({ place, ...key }: SigningKey) => ("remote" in place ? { ...key, publicKey: key.publicKey.toString("base64"), remote: place.remote } : local("log", { ...key, place }));
  const pending = async (next: PendingKey): Promise<NonNullable<KeysFile["pending"]>> => {
    if (next.role === "root") return { role: "root", logSize: next.logSize, key: await held(next.key) };
    if (next.role === "log") return { role: "log", logSize: next.logSize, key: log(next.key) };
    return { role: next.role, logSize: next.logSize, key: local(next.role, next.key) };
  };
  return {
    v: 2,
    origin: set.origin,
    created: set.created,
    protection: set.safe.protection,
    root: await held(set.root),
    log: log(set.signing.log),
    "log-mldsa": local("log-mldsa", set.signing["log-mldsa"]),
    statement: local("statement", set.signing.statement),
    secrets: set.secrets.map(({ keyid, created, secret }) => ({ keyid, created, secret: hide("secrets", keyid, secret) })),
    retired: [...set.retired],
    ...(set.pending === undefined ? {} : { pending: await pending(set.pending) }),
  };
}

/** Throws `keys_passphrase`, `keys_locked`, `kms_failed`, and `keys_missing` for keys that are not what they say. */
export async function decodeKeySet(file: KeysFile, directory: string, means: KeyMeans): Promise<KeySet> {
  const safe = await safeOf(file.protection, file.origin, means);
  const held = async ({ keyid, created, secret }: KeysFile["root"]): Promise<HeldKey> => checkedHeld(directory, { keyid, created, secret: await safe.open(secret) });
  const root = await held(file.root);
  const show = revealer(file, root, directory);
  const local = (role: SigningRole, stored: KeysFile["statement"]) => checkedPair(directory, role, { stored, secret: show(role, stored.keyid, stored.secret) });
  const log = (stored: KeysFile["log"]) => ("remote" in stored ? remotePair(directory, stored) : local("log", stored));
  const pending = async (next: NonNullable<KeysFile["pending"]>): Promise<PendingKey> => {
    if (next.role === "root") return { role: "root", logSize: next.logSize, key: await held(next.key) };
    return { role: next.role, logSize: next.logSize, key: next.role === "log" ? log(next.key) : local(next.role, next.key) };
  };
  return {
    origin: file.origin,
    created: file.created,
    safe,
    root,
    signing: { log: log(file.log), "log-mldsa": local("log-mldsa", file["log-mldsa"]), statement: local("statement", file.statement) },
    secrets: file.secrets.map(({ keyid, created, secret }) => checkedHeld(directory, { keyid, created, secret: show("secrets", keyid, secret) })),
    retired: file.retired,
    ...(file.pending === undefined ? {} : { pending: await pending(file.pending) }),
  };
}

function revealer(file: KeysFile, root: HeldKey, directory: string): (role: KeyRole | "secrets", keyid: string, stored: string) => Buffer {
  if (file.protection.kind === "none") return (_role, _keyid, stored) => Buffer.from(stored, "base64");
  const rootKey = createSecretKey(root.secret);
  return (role, keyid, stored) => {
    try {
      return unseal(rootKey, Buffer.from(stored, "base64"), aadOf(file.origin, role, keyid));
    } catch {
      throw keysUnusable(directory);
    }
  };
}

function checkedHeld(directory: string, key: HeldKey): HeldKey {
  if (key.secret.length !== 32 || rootKeyId(key.secret) !== key.keyid) throw keysUnusable(directory);
  return key;
}

function checkedPair(directory: string, role: SigningRole, { stored, secret }: { readonly stored: KeysFile["statement"]; readonly secret: Buffer }): SigningKey {
  try {
    const key = signingKey(role, stored.created, secret);
    if (key.keyid === stored.keyid && key.publicKey.toString("base64") === stored.publicKey) return key;
  } catch {
    // No cause: it may quote the key.
  }
  throw keysUnusable(directory);
}

function remotePair(directory: string, stored: Extract<KeysFile["log"], { readonly remote: unknown }>): SigningKey {
  const publicKey = Buffer.from(stored.publicKey, "base64");
  if (publicKey.length !== 32 || keyIdOf(publicKey) !== stored.keyid) throw keysUnusable(directory);
  return { keyid: stored.keyid, created: stored.created, publicKey, place: { remote: stored.remote } };
}

function aadOf(origin: string, role: string, keyid: string): Buffer {
  return Buffer.from(`licet keys v2\n${origin}\n${role}\n${keyid}`);
}
