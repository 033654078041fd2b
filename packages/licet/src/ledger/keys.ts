import { createPrivateKey, createPublicKey, createSecretKey, hash, type KeyObject, sign } from "node:crypto";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import {
  type Envelope,
  formatEnvelope,
  formatVkey,
  pae,
  type Statement,
  statementBytes,
  statementKeyId,
  statementPayloadType,
  type TrustFile,
  trustFingerprint,
} from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import type { CheckpointMemory, LogSigner } from "./checkpoint.ts";
import { nodeFiles, replaceFile } from "./files.ts";
import { type KeysFile, loadKeysFile, makeKeysFile } from "./keys-file.ts";
import { seal, unseal } from "./secret.ts";

export { exportKeys, importKeys, passphraseCharsMin } from "./keys-file.ts";

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
  /** DSSE envelope over the in-toto statement, signed with the statement key. */
  signStatement(statement: Statement): Envelope;
  /** DSSE envelope over any payload, such as the list of an audit pack's files, signed with the statement key. */
  signEnvelope(payloadType: string, payload: Uint8Array): Envelope;
  /** Whom an auditor has to trust; handed over apart from every export. Its fingerprint is what people compare. */
  trustFile(): TrustFile;
  /** Encrypts a small secret (a provider's key) for storage in the database; bound to its purpose. */
  sealSecret(purpose: string, secret: string): string;
  /** Throws `payload_damaged` for another purpose, another installation, or a changed byte. */
  openSecret(purpose: string, sealed: string): string;
  /** The last signed checkpoint, kept with the keys: a data directory put back from a copy is noticed. */
  readonly memory: CheckpointMemory;
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
}

/** Loads the keys, or makes them at the first start. Throws `keys_missing`, `keys_exposed`. */
export async function openKeys(options: OpenKeysOptions): Promise<Keys> {
  const { directory, fresh, now } = options;
  const found = await loadKeysFile(directory);
  if (found) return keysOf(directory, found);
  if (fresh) return keysOf(directory, await makeKeysFile(directory, now));
  throw new LicetError("keys_missing", {
    message: `there are no keys in \`${directory}\`, and the data directory is not new`,
    at: { directory },
  });
}

function keysOf(directory: string, file: KeysFile): Keys {
  const root = createSecretKey(Buffer.from(file.root, "base64"));
  const statement = signing(file.statement);
  const log = signing(file.log);
  const keyid = statementKeyId(statement.publicKey);
  const trust = {
    v: 1,
    origin: file.origin,
    log: [formatVkey({ name: file.origin, publicKey: log.publicKey })],
    statementKeys: [{ keyid, publicKey: statement.publicKey.toString("base64"), notBefore: file.created }],
    witnesses: null,
  } as const;
  return {
    directory,
    origin: file.origin,
    log: { origin: file.origin, ...log },
    statementKeyId: keyid,
    root,
    signStatement: (of) => {
      const signature = statement.sign(pae(statementPayloadType, statementBytes(of)));
      return formatEnvelope(of, [{ keyid, sig: signature.toString("base64") }]);
    },
    signEnvelope: (payloadType, payload) => {
      const signature = statement.sign(pae(payloadType, payload));
      return { payloadType, payload: Buffer.from(payload).toString("base64"), signatures: [{ keyid, sig: signature.toString("base64") }] };
    },
    trustFile: () => ({ ...trust, fingerprint: trustFingerprint(trust) }),
    sealSecret: (purpose, secret) => seal(root, Buffer.from(secret), secretAad(purpose)).toString("base64"),
    openSecret: (purpose, sealed) => unseal(root, Buffer.from(sealed, "base64"), secretAad(purpose)).toString("utf8"),
    memory: checkpointFile(directory, file.origin),
  };
}

function secretAad(purpose: string): Buffer {
  return Buffer.from(`licet secret v1\n${purpose}`);
}

interface Signing {
  readonly publicKey: Buffer;
  sign(message: Uint8Array): Buffer;
}

function signing(pkcs8: string): Signing {
  const key = createPrivateKey({ key: Buffer.from(pkcs8, "base64"), format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  return { publicKey, sign: (message) => sign(null, message, key) };
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
