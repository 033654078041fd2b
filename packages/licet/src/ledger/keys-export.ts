import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { parseJson } from "@licet/evidence";
import { z } from "zod";
import { LicetError } from "../base/errors.ts";
import { nodeFiles } from "./files.ts";
import { assertPassphrase, keyFromPassphrase } from "./key-protection.ts";
import { keyringFileName } from "./keyring.ts";
import { anyKeysFile, keysFileName, loadKeysFile, writeKeyFiles } from "./keys-file.ts";
import { seal, unseal } from "./secret.ts";

const kdf = "scrypt-131072-8-1";
const exportFile = z.strictObject({ v: z.literal(1), kdf: z.literal(kdf), salt: z.base64(), sealed: z.base64() });
const exportAad = Buffer.from("licet keys export v1");
const exported = z.strictObject({ keys: anyKeysFile, keyring: z.string() });

/**
 * Keys and keyring as one text, encrypted under the passphrase (scrypt, AES-256-GCM). Not part of any backup. A
 * protection stays on the keys inside: the export then opens with both.
 */
export async function exportKeys(directory: string, passphrase: string): Promise<string> {
  const keys = await loadKeysFile(directory);
  if (!keys) throw new LicetError("keys_missing", { message: `there are no keys in \`${directory}\``, at: { directory } });
  assertPassphrase(passphrase);
  const keyring = Buffer.from((await nodeFiles.readWhole(join(directory, keyringFileName))) ?? []).toString("utf8");
  const salt = randomBytes(16);
  const sealed = seal(await keyFromPassphrase(passphrase, salt), Buffer.from(JSON.stringify({ keys, keyring })), exportAad);
  const file = { v: 1, kdf, salt: salt.toString("base64"), sealed: sealed.toString("base64") };
  return `${JSON.stringify(file)}\n`;
}

/** Puts exported keys into a directory that has none. Throws `keys_passphrase`, and `conflict` when keys are there. */
export async function importKeys(directory: string, text: string, passphrase: string): Promise<void> {
  if (await loadKeysFile(directory)) {
    throw new LicetError("conflict", { message: `\`${directory}\` has keys already; nothing was changed` });
  }
  const { keys, keyring } = await openExport(text, passphrase);
  const files = new Map([[keyringFileName, Buffer.from(keyring)]]);
  await writeKeyFiles(directory, files.set(keysFileName, Buffer.from(`${JSON.stringify(keys)}\n`)));
}

async function openExport(text: string, passphrase: string): Promise<z.infer<typeof exported>> {
  try {
    const file = exportFile.parse(parseJson(text));
    const key = await keyFromPassphrase(passphrase, Buffer.from(file.salt, "base64"));
    return exported.parse(parseJson(unseal(key, Buffer.from(file.sealed, "base64"), exportAad).toString("utf8")));
  } catch {
    throw new LicetError("keys_passphrase");
  }
}
