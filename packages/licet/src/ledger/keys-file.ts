import { chmod, lstat, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseJson } from "@licet/evidence";
import { z } from "zod";
import { LicetError } from "../base/errors.ts";
import { type Files, nodeFiles, replaceFile } from "./files.ts";
import { protection } from "./key-protection.ts";

export const keysFileName = "keys.json";

/** What a key is for. The root key wraps the others; the log's two sign its checkpoints. */
export const keyRoles = ["log", "log-mldsa", "statement", "root"] as const;
export type KeyRole = (typeof keyRoles)[number];
export type SigningRole = Exclude<KeyRole, "root">;

const origin = z
  .string()
  .max(200)
  .regex(/^[^\s+]+$/);

const keysFileV1 = z.strictObject({ v: z.literal(1), origin, created: z.int(), log: z.base64(), statement: z.base64(), root: z.base64() });

/** What `keys.json` of version 1 holds: Ed25519 keys as PKCS #8, the root key as 32 bytes, all in base64. */
export type KeysFileV1 = z.infer<typeof keysFileV1>;

const keyid = z.string().regex(/^[0-9a-f]{64}$/);
const held = z.strictObject({ keyid, created: z.int(), secret: z.base64() });
const pair = held.extend({ publicKey: z.base64() });
export const remoteKey = z.strictObject({ kind: z.enum(["aws-kms", "gcp-kms"]), key: z.string().min(1).max(2048) });
/** A private key that never was here: a key management service signs with it. */
export type RemoteKey = z.infer<typeof remoteKey>;
const remotePair = z.strictObject({ keyid, created: z.int(), publicKey: z.base64(), remote: remoteKey });
const logPair = z.union([pair, remotePair]);

const keysFileV2 = z.strictObject({
  v: z.literal(2),
  origin,
  created: z.int(),
  protection,
  root: held,
  log: logPair,
  "log-mldsa": pair,
  statement: pair,
  secrets: z.array(held).min(1).max(10),
  retired: z.array(z.strictObject({ role: z.enum(keyRoles), keyid, publicKey: z.base64().nullable(), created: z.int(), retired: z.int() })).max(1000),
  pending: z
    .discriminatedUnion("role", [
      z.strictObject({ role: z.literal("root"), logSize: z.int(), key: held }),
      z.strictObject({ role: z.literal("log"), logSize: z.int(), key: logPair }),
      z.strictObject({ role: z.literal("log-mldsa"), logSize: z.int(), key: pair }),
      z.strictObject({ role: z.literal("statement"), logSize: z.int(), key: pair }),
    ])
    .optional(),
});

/**
 * What `keys.json` of version 2 holds: public keys and times in the clear; private keys (PKCS #8) and the key of secrets
 * as they are, or, under a protection, sealed under the root key, which the protection wraps.
 */
export type KeysFile = z.infer<typeof keysFileV2>;

export const anyKeysFile = z.discriminatedUnion("v", [keysFileV1, keysFileV2]);

/** `undefined` when there are none. Throws `keys_missing` for a file that is not one, `keys_exposed`. */
export async function loadKeysFile(directory: string): Promise<KeysFile | KeysFileV1 | undefined> {
  const path = join(directory, keysFileName);
  const bytes = await nodeFiles.readWhole(path);
  if (bytes === undefined) return undefined;
  await refuseExposed([directory, path]);
  try {
    return anyKeysFile.parse(parseJson(Buffer.from(bytes).toString("utf8")));
  } catch {
    // No cause: it would quote the file, and the file is secret.
    throw keysUnusable(directory);
  }
}

export function keysUnusable(directory: string): LicetError {
  return new LicetError("keys_missing", { message: `the keys file in \`${directory}\` is not one`, at: { directory } });
}

/** A key that others may read is no longer known to be ours alone. Windows has no such bits. */
async function refuseExposed(places: readonly string[]): Promise<void> {
  if (process.platform === "win32") return;
  for (const place of places) {
    const { mode } = await lstat(place);
    if ((mode & 0o077) !== 0) {
      throw new LicetError("keys_exposed", { message: `others may read or change \`${place}\``, at: { place } });
    }
  }
}

/** The old file or the new one, never half of either, and durable when it resolves. */
export async function saveKeysFile(directory: string, file: KeysFile | KeysFileV1, files: Files = nodeFiles): Promise<void> {
  await writeKeyFiles(directory, new Map([[keysFileName, Buffer.from(`${JSON.stringify(file)}\n`)]]), files);
}

export async function writeKeyFiles(directory: string, contents: ReadonlyMap<string, Uint8Array>, files: Files = nodeFiles): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
  for (const [name, content] of contents) await replaceFile(files, join(directory, name), content);
  await files.syncDirectory(directory);
  await files.syncDirectory(dirname(directory));
}
