import { createSecretKey, hash, type KeyObject } from "node:crypto";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import {
  cosign,
  type Envelope,
  formatEnvelope,
  formatVkey,
  pae,
  type Statement,
  statementBytes,
  statementPayloadType,
  type TrustFile,
  trustFingerprint,
} from "@licet/evidence";
import { type Clock, systemClock } from "../base/clock.ts";
import { LicetError } from "../base/errors.ts";
import type { CheckpointMemory, LogSigner } from "./checkpoint.ts";
import { nodeFiles, replaceFile } from "./files.ts";
import type { KeyMeans } from "./key-protection.ts";
import { loadKeysFile, type RemoteKey, saveKeysFile, type SigningRole } from "./keys-file.ts";
import { algorithms, decodeKeySet, encodeKeySet, type HeldKey, type KeySet, makeKeySet, type SigningKey, upgradedKeySet } from "./keys-set.ts";
import { awsSigner } from "./kms-aws.ts";
import { gcpSigner } from "./kms-gcp.ts";
import type { KmsLoader } from "./kms-load.ts";
import { seal, unseal } from "./secret.ts";
import { fileSigner, type LocalSigner, type Signer } from "./signer.ts";

export { passphraseCharsMin } from "./key-protection.ts";
export { exportKeys, importKeys } from "./keys-export.ts";

/** The keys of one installation: they sign its log and its statements, and open its payloads. */
export interface Keys {
  readonly directory: string;
  /** Name of the log, unique to these keys. */
  readonly origin: string;
  readonly log: LogSigner;
  /** SHA-256 of the raw public statement key, in hex. */
  readonly statementKeyId: string;
  /** Wraps the keys of the keyring; never leaves the process. */
  readonly root: KeyObject;
  /**
   * DSSE envelope over the in-toto statement, signed with the statement key. At once and in memory: statements are made
   * inside write transactions, which wait for nothing but the log. So the statement key is never a remote one.
   */
  signStatement(statement: Statement): Envelope;
  /** DSSE envelope over any payload, such as the list of an audit pack's files, signed with the statement key. */
  signEnvelope(payloadType: string, payload: Uint8Array): Envelope;
  /** Whom an auditor has to trust; handed over apart from every export. Its fingerprint is what people compare. */
  trustFile(more?: TrustMore): TrustFile;
  /** Encrypts a small secret (a provider's key) for storage in the database; bound to its purpose. */
  sealSecret(purpose: string, secret: string): string;
  /** Throws `payload_damaged` for another purpose, another installation, or a changed byte. */
  openSecret(purpose: string, sealed: string): string;
  /** The last signed checkpoint, kept with the keys: a data directory put back from a copy is noticed. */
  readonly memory: CheckpointMemory;
  /** For rotation and protection alone. Secret. */
  readonly set: KeySet;
}

/** What a trust file says beside the keys. */
export interface TrustMore {
  /** Origins of the log's further shards: they share its keys. */
  readonly shards?: readonly string[];
  readonly witnesses?: TrustFile["witnesses"];
}

/** `$LICET_KEYS`, or a folder of the user's configuration directory that belongs to this data directory. */
export function keysDirectory(options: {
  readonly dataDirectory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}): string {
  const { env } = options;
  if (env["LICET_KEYS"]) return resolve(env["LICET_KEYS"]);
  const config = env["XDG_CONFIG_HOME"] || join(env["HOME"] || homedir(), ".config");
  const name = hash("sha256", resolve(options.dataDirectory), "hex").slice(0, 16);
  return join(config, "licet", "keys", name);
}

export interface OpenKeysOptions {
  readonly directory: string;
  /** The data directory holds nothing yet. Keys are made then, and never afterwards. */
  readonly fresh: boolean;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** For the times of cosignatures. */
  readonly clock?: Clock;
  readonly means?: KeyMeans;
}

/**
 * Loads the keys, or makes them at the first start; a file of version 1 becomes one of version 2. Throws `keys_missing`,
 * `keys_exposed`, and for protected keys `keys_locked`, `keys_passphrase`, `kms_package_missing`, `kms_failed`.
 */
export async function openKeys(options: OpenKeysOptions): Promise<Keys> {
  const { directory, fresh, now, means = {}, clock = systemClock } = options;
  const found = await loadKeysFile(directory);
  if (!found && !fresh) {
    throw new LicetError("keys_missing", {
      message: `there are no keys in \`${directory}\`, and the data directory is not new`,
      at: { directory },
    });
  }
  const set = found?.v === 2 ? await decodeKeySet(found, directory, means) : await (found ? upgradedKeySet(found, now) : makeKeySet(now));
  if (found?.v !== 2) await saveKeySet(directory, set);
  const { place } = set.signing.log;
  return keysOf({ directory, set, clock }, "remote" in place ? await logAtService(place.remote, set, means) : undefined);
}

/** Asked at once, so that a start without it says so; or only when it must sign, to replace a key that is lost. */
async function logAtService(remote: RemoteKey, set: KeySet, { loadKms, serviceLater }: KeyMeans): Promise<Pick<Signer, "sign">> {
  const ask = async (): Promise<Signer> => {
    const signer = await remoteSigner(remote, loadKms);
    if (signer.keyid === set.signing.log.keyid) return signer;
    throw new LicetError("kms_failed", { message: `${remote.kind} holds another key under this name than the log's` });
  };
  return serviceLater ? { sign: async (message) => (await ask()).sign(message) } : ask();
}

export async function saveKeySet(directory: string, set: KeySet): Promise<void> {
  await saveKeysFile(directory, await encodeKeySet(set));
}

/** Throws `kms_unsupported` for a key that is not Ed25519. */
export function remoteSigner({ kind, key }: RemoteKey, load?: KmsLoader): Promise<Signer> {
  return kind === "aws-kms" ? awsSigner(key, load) : gcpSigner(key, load);
}

interface Place {
  readonly directory: string;
  readonly set: KeySet;
  readonly clock: Clock;
}

/** Local keys only; the log's may be elsewhere. */
export function localSigner(set: KeySet, role: SigningRole): LocalSigner {
  return signerOf(role, set.signing[role]);
}

export function signerOf(role: SigningRole, { place }: SigningKey): LocalSigner {
  if ("remote" in place) throw new LicetError("internal", { message: "a remote key cannot sign here" });
  return fileSigner(algorithms[role], place.secret);
}

/** One envelope with the signatures of these keys, in their order. */
export function signedBy(keys: readonly LocalSigner[], statement: Statement): Envelope {
  const message = pae(statementPayloadType, statementBytes(statement));
  return formatEnvelope(statement, keys.map((key) => ({ keyid: key.keyid, sig: key.signNow(message).toString("base64") })));
}

function keysOf({ directory, set, clock }: Place, remote: Pick<Signer, "sign"> | undefined): Keys {
  const root = createSecretKey(set.root.secret);
  const statement = localSigner(set, "statement");
  return {
    directory,
    origin: set.origin,
    log: logSigner(set, clock, remote),
    statementKeyId: statement.keyid,
    root,
    signStatement: (of) => signedBy([statement], of),
    signEnvelope: (payloadType, payload) => {
      const signature = statement.signNow(pae(payloadType, payload));
      return { payloadType, payload: Buffer.from(payload).toString("base64"), signatures: [{ keyid: statement.keyid, sig: signature.toString("base64") }] };
    },
    trustFile: (more) => trustFileOf(set, more),
    ...secretsOf(set.secrets),
    memory: checkpointFile(directory, set.origin),
    set,
  };
}

/** The Ed25519 signature that C2SP requires, and the ML-DSA-44 cosignature that it recommends, under the log's own name. */
function logSigner(set: KeySet, clock: Clock, remote: Pick<Signer, "sign"> | undefined): LogSigner {
  const sign = remote === undefined ? signNowBy(localSigner(set, "log")) : (message: Uint8Array) => remote.sign(message);
  const mldsa = localSigner(set, "log-mldsa");
  return {
    origin: set.origin,
    publicKey: set.signing.log.publicKey,
    cosignerKey: mldsa.publicKey,
    previousKeys: set.retired.flatMap(({ role, publicKey }) => (role === "log" && publicKey !== null ? [Buffer.from(publicKey, "base64")] : [])),
    sign,
    moreSignatures: async ({ text }) => {
      // A shard signs under its own name, which is the first line of what it signs.
      const by = { type: "ml-dsa-44", name: text.slice(0, text.indexOf("\n")), publicKey: mldsa.publicKey } as const;
      return [await cosign({ by, text, timestamp: Math.floor(clock.now() / 1000), sign: (message) => mldsa.signNow(message) })];
    },
  };
}

function signNowBy(signer: LocalSigner): (message: Uint8Array) => Buffer {
  return (message) => signer.signNow(message);
}

interface KeyOfTime {
  readonly publicKey: Buffer;
  readonly keyid: string;
  readonly created: number;
  readonly retired?: number;
}

/** The current key, then those before it, the newest first. */
function everUsed({ signing, retired }: KeySet, role: SigningRole): readonly KeyOfTime[] {
  const before = retired.filter((key) => key.role === role).toReversed();
  return [signing[role], ...before.map((key) => ({ ...key, publicKey: Buffer.from(key.publicKey ?? "", "base64") }))];
}

function trustFileOf(set: KeySet, { shards = [], witnesses = null }: TrustMore = {}): TrustFile {
  const vkeys = (name: string): readonly string[] => [
    ...everUsed(set, "log").map(({ publicKey }) => formatVkey({ name, publicKey })),
    ...everUsed(set, "log-mldsa").map(({ publicKey }) => formatVkey({ name, publicKey, type: "ml-dsa-44" })),
  ];
  const statementKeys = everUsed(set, "statement").map(({ keyid, publicKey, created, retired }) => ({
    keyid,
    publicKey: publicKey.toString("base64"),
    notBefore: created,
    ...(retired === undefined ? {} : { notAfter: retired }),
  }));
  const logs = shards.map((origin) => ({ origin, vkeys: vkeys(origin) }));
  const trust = { v: 2, origin: set.origin, log: vkeys(set.origin), ...(logs.length === 0 ? {} : { logs }), statementKeys, witnesses } as const;
  return { ...trust, fingerprint: trustFingerprint(trust) };
}

/** Secrets name their key, so that the root key can be replaced without the database. */
function secretsOf(secrets: readonly HeldKey[]): Pick<Keys, "sealSecret" | "openSecret"> {
  const keyed = secrets.map(({ keyid, secret }) => ({ name: keyid.slice(0, 16), key: createSecretKey(secret) }));
  return {
    sealSecret: (purpose, secret) => {
      const [first] = keyed;
      if (first === undefined) throw new LicetError("internal", { message: "there is no key of secrets" });
      return `${first.name}:${seal(first.key, Buffer.from(secret), secretAad(purpose)).toString("base64")}`;
    },
    openSecret: (purpose, sealed) => {
      const [, name, text = ""] = /^(?:([0-9a-f]{16}):)?(.*)$/su.exec(sealed) ?? [];
      // Before version 2 there was one key, and no name: it is the oldest.
      const key = (name === undefined ? keyed.at(-1) : keyed.find((known) => known.name === name))?.key;
      if (key === undefined) throw new LicetError("payload_damaged");
      return unseal(key, Buffer.from(text, "base64"), secretAad(purpose)).toString("utf8");
    },
  };
}

function secretAad(purpose: string): Buffer {
  return Buffer.from(`licet secret v1\n${purpose}`);
}

function checkpointFile(directory: string, origin: string): CheckpointMemory {
  const path = join(directory, `last-checkpoint.${hash("sha256", origin, "hex").slice(0, 16)}`);
  return {
    get: async () => {
      const bytes = await nodeFiles.readWhole(path);
      return bytes && Buffer.from(bytes).toString("utf8");
    },
    set: async (note) => {
      await replaceFile(nodeFiles, path, Buffer.from(note));
      await nodeFiles.syncDirectory(directory);
    },
  };
}
