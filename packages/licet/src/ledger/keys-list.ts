import { LicetError } from "../base/errors.ts";
import { type KeyMeans, newSafe, type ProtectionChoice } from "./key-protection.ts";
import { saveKeySet } from "./keys.ts";
import { type KeyRole, keyRoles, type KeysFile, type KeysFileV1, loadKeysFile } from "./keys-file.ts";
import { algorithms, decodeKeySet, type KeySet, upgradedKeySet } from "./keys-set.ts";
import type { SignatureAlgorithm } from "./signer.ts";

/** One key as people see it. Nothing secret. */
export interface KeyInfo {
  readonly role: KeyRole;
  readonly keyid: string;
  readonly algorithm: SignatureAlgorithm | "aes-256-gcm";
  /** Milliseconds since the Unix epoch; in use from then on. */
  readonly created: number;
  readonly retired: number | null;
  /** Where the private key is, or how it lies in the file; `destroyed` once retired. */
  readonly protection: string;
}

/** Every key ever used, the current ones first. Needs no passphrase and asks no service. Throws `keys_missing`. */
export async function listKeys(directory: string): Promise<readonly KeyInfo[]> {
  const file = await found(directory);
  const { list, protection } = file.v === 1 ? await ofVersion1(file) : { list: ofVersion2(file), protection: file.protection.kind };
  const place = protection === "none" ? "file" : protection;
  return list.map((key) => ({ ...key, protection: key.protection === "" ? place : key.protection }));
}

/**
 * Puts the keys under another protection, in one replacement of the file. `current` opens them as they are. What lay
 * unprotected may still be on the disk: rotating afterwards makes it worthless.
 */
export async function protectKeys(directory: string, wish: { readonly to: ProtectionChoice; readonly current: KeyMeans; readonly now: number }): Promise<void> {
  const file = await found(directory);
  const set: KeySet = file.v === 1 ? await upgradedKeySet(file, wish.now) : await decodeKeySet(file, directory, wish.current);
  await saveKeySet(directory, { ...set, safe: await newSafe(wish.to, set.origin, wish.current) });
}

async function found(directory: string): Promise<KeysFile | KeysFileV1> {
  const file = await loadKeysFile(directory);
  if (file) return file;
  throw new LicetError("keys_missing", { message: `there are no keys in \`${directory}\``, at: { directory } });
}

function algorithmOf(role: KeyRole): KeyInfo["algorithm"] {
  return role === "root" ? "aes-256-gcm" : algorithms[role];
}

function ofVersion2(file: KeysFile): readonly KeyInfo[] {
  const current = keyRoles.map((role) => {
    const key = file[role];
    return { role, keyid: key.keyid, algorithm: algorithmOf(role), created: key.created, retired: null, protection: "remote" in key ? key.remote.kind : "" };
  });
  const before = file.retired.map(({ role, keyid, created, retired }) => ({ role, keyid, algorithm: algorithmOf(role), created, retired, protection: "destroyed" }));
  return [...current, ...before.toReversed()];
}

/** Its ML-DSA-44 key is made at the next start. */
async function ofVersion1(file: KeysFileV1): Promise<{ readonly list: readonly KeyInfo[]; readonly protection: "none" }> {
  const set = await upgradedKeySet(file, file.created);
  const list = (["log", "statement", "root"] as const).map((role) => {
    const { keyid, created } = role === "root" ? set.root : set.signing[role];
    return { role, keyid, algorithm: algorithmOf(role), created, retired: null, protection: "" };
  });
  return { list, protection: "none" };
}
