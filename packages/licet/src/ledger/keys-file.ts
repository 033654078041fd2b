import { createSecretKey, generateKeyPairSync, type KeyObject, randomBytes, scrypt } from "node:crypto";
import { chmod, lstat, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { LicetError } from "../base/errors.ts";
import { nodeFiles, replaceFile } from "./files.ts";
import { keyringFileName } from "./keyring.ts";
import { seal, unseal } from "./secret.ts";

const keysFileName = "keys.json";

const keysFile = z.strictObject({
  v: z.literal(1),
  origin: z
    .string()
    .max(200)
    .regex(/^[^\s+]+$/),
  created: z.int(),
  log: z.base64(),
  statement: z.base64(),
  root: z.base64(),
});

/** What `keys.json` holds: Ed25519 keys as PKCS #8, the root key as 32 bytes, all in base64. */
export type KeysFile = z.infer<typeof keysFile>;

/** `undefined` when there are none. Throws `keys_missing` for a file that is not one, `keys_exposed`. */
export async function loadKeysFile(directory: string): Promise<KeysFile | undefined> {
  const path = join(directory, keysFileName);
  const bytes = await nodeFiles.readWhole(path);
  if (bytes === undefined) return undefined;
  await refuseExposed([directory, path]);
  try {
    return keysFile.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch {
    // No cause: it would quote the file, and the file is secret.
    throw new LicetError("keys_missing", { message: `the keys file in \`${directory}\` is not one`, at: { directory } });
  }
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

export async function makeKeysFile(directory: string, now: number): Promise<KeysFile> {
  const secret = () => generateKeyPairSync("ed25519").privateKey.export({ format: "der", type: "pkcs8" }).toString("base64");
  const file: KeysFile = {
    v: 1,
    origin: `licet.internal/log/${randomBytes(8).toString("hex")}`,
    created: now,
    log: secret(),
    statement: secret(),
    root: randomBytes(32).toString("base64"),
  };
  await writeFiles(directory, new Map([[keysFileName, Buffer.from(`${JSON.stringify(file)}\n`)]]));
  return file;
}

async function writeFiles(directory: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
  for (const [name, content] of files) await replaceFile(nodeFiles, join(directory, name), content);
  await nodeFiles.syncDirectory(directory);
  await nodeFiles.syncDirectory(dirname(directory));
}

const scryptCost = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 };
const exportFile = z.strictObject({ v: z.literal(1), kdf: z.literal("scrypt-131072-8-1"), salt: z.base64(), sealed: z.base64() });
const exportAad = Buffer.from("licet keys export v1");
const exported = z.strictObject({ keys: keysFile, keyring: z.string() });
export const passphraseCharsMin = 12;

function keyFrom(passphrase: string, salt: Uint8Array): Promise<KeyObject> {
  return new Promise((done, reject) => {
    scrypt(passphrase.normalize("NFKC"), salt, 32, scryptCost, (error, key) =>
      error ? reject(error) : done(createSecretKey(key)),
    );
  });
}

/** Keys and keyring as one text, encrypted under the passphrase (scrypt, AES-256-GCM). Not part of any backup. */
export async function exportKeys(directory: string, passphrase: string): Promise<string> {
  const keys = await loadKeysFile(directory);
  if (!keys) throw new LicetError("keys_missing", { message: `there are no keys in \`${directory}\``, at: { directory } });
  if (passphrase.length < passphraseCharsMin) {
    throw new LicetError("keys_passphrase", { message: `the passphrase is shorter than ${passphraseCharsMin} characters` });
  }
  const keyring = Buffer.from((await nodeFiles.readWhole(join(directory, keyringFileName))) ?? []).toString("utf8");
  const salt = randomBytes(16);
  const sealed = seal(await keyFrom(passphrase, salt), Buffer.from(JSON.stringify({ keys, keyring })), exportAad);
  const file = { v: 1, kdf: "scrypt-131072-8-1", salt: salt.toString("base64"), sealed: sealed.toString("base64") };
  return `${JSON.stringify(file)}\n`;
}

/** Puts exported keys into a directory that has none. Throws `keys_passphrase`, and `conflict` when keys are there. */
export async function importKeys(directory: string, text: string, passphrase: string): Promise<void> {
  if (await loadKeysFile(directory)) {
    throw new LicetError("conflict", { message: `\`${directory}\` has keys already; nothing was changed` });
  }
  const { keys, keyring } = await openExport(text, passphrase);
  const files = new Map([[keyringFileName, Buffer.from(keyring)]]);
  await writeFiles(directory, files.set(keysFileName, Buffer.from(`${JSON.stringify(keys)}\n`)));
}

async function openExport(text: string, passphrase: string): Promise<z.infer<typeof exported>> {
  try {
    const file = exportFile.parse(JSON.parse(text));
    const key = await keyFrom(passphrase, Buffer.from(file.salt, "base64"));
    return exported.parse(JSON.parse(unseal(key, Buffer.from(file.sealed, "base64"), exportAad).toString("utf8")));
  } catch {
    throw new LicetError("keys_passphrase");
  }
}
