import { createSecretKey, hash, type KeyObject, randomBytes, scrypt } from "node:crypto";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { LicetError } from "../base/errors.ts";
import { awsWrapper } from "./kms-aws.ts";
import { azureWrapper } from "./kms-azure.ts";
import { gcpWrapper } from "./kms-gcp.ts";
import { kmsAnswer, type KmsKind, type KmsLoader, type RootWrapper } from "./kms-load.ts";
import { seal, unseal } from "./secret.ts";

const kdf = "scrypt-131072-8-1";
const scryptCost = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 };
export const passphraseCharsMin = 12;
/** What a passphrase file may hold at most: more is the wrong file. */
export const passphraseCharsMax = 4096;

const kmsKey = z.string().min(1).max(2048);

/**
 * How the root key lies in keys.json, and so everything that is sealed under it: the private keys there and the keyring.
 * With `none` all of keys.json is as readable as the file.
 */
export const protection = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("none") }),
  z.strictObject({ kind: z.literal("passphrase"), kdf: z.literal(kdf), salt: z.base64() }),
  z.strictObject({ kind: z.literal("aws-kms"), key: kmsKey }),
  z.strictObject({ kind: z.literal("gcp-kms"), key: kmsKey }),
  z.strictObject({ kind: z.literal("azure-key-vault"), key: kmsKey }),
]);
export type Protection = z.infer<typeof protection>;

/** What opens protected keys. */
export interface KeyMeans {
  /** Asked only for keys under a passphrase. */
  readonly passphrase?: (() => Promise<string>) | undefined;
  /** Loads the vendor's client; by default an installed package. */
  readonly loadKms?: KmsLoader | undefined;
  /** A key management service that signs the log is not asked before it must sign. */
  readonly serviceLater?: boolean | undefined;
}

export type ProtectionChoice = { readonly kind: "none" } | { readonly kind: "passphrase"; readonly passphrase: string } | { readonly kind: KmsKind; readonly key: string };

/** A root key's way into the file and out of it. */
export interface RootSafe {
  readonly protection: Protection;
  /** What comes back has been opened once already. */
  close(root: Uint8Array): Promise<string>;
  open(stored: string): Promise<Buffer>;
}

export function keyFromPassphrase(passphrase: string, salt: Uint8Array): Promise<KeyObject> {
  return new Promise((done, reject) => {
    scrypt(passphrase.normalize("NFKC"), salt, 32, scryptCost, (error, key) => (error ? reject(error) : done(createSecretKey(key))));
  });
}

export function assertPassphrase(passphrase: string): void {
  if (passphrase.length >= passphraseCharsMin && passphrase.length <= passphraseCharsMax) return;
  throw new LicetError("keys_passphrase", { message: `a passphrase has ${passphraseCharsMin} to ${passphraseCharsMax} characters` });
}

/** The file's text without its last line break, read when it is needed; `-` is standard input. */
export function passphraseFromFile(file: string): () => Promise<string> {
  return async () => {
    try {
      const text = await readFile(file === "-" ? "/dev/stdin" : file, "utf8");
      return text.replace(/\r?\n$/u, "");
    } catch (cause) {
      throw new LicetError("keys_locked", { message: `the passphrase file \`${file}\` cannot be read`, cause });
    }
  };
}

/** Names a root key without saying anything about it: it is 32 random bytes. */
export function rootKeyId(root: Uint8Array): string {
  return hash("sha256", Buffer.concat([Buffer.from("licet root key id v1\n"), root]), "hex");
}

/**
 * A new safe, proven to open before anything is put in it. Throws `keys_passphrase` for one too short, `kms_failed`,
 * `kms_package_missing`.
 */
export async function newSafe(choice: ProtectionChoice, origin: string, means: KeyMeans): Promise<RootSafe> {
  if (choice.kind === "none") return plainSafe;
  if (choice.kind === "passphrase") {
    assertPassphrase(choice.passphrase);
    const salt = randomBytes(16);
    return passphraseSafe({ kind: "passphrase", kdf, salt: salt.toString("base64") }, keyFromPassphrase(choice.passphrase, salt));
  }
  const { key } = await (await wrapperOf(choice, origin, means)).wrap(randomBytes(32));
  const settled = { kind: choice.kind, key };
  const safe = kmsSafe(settled, await wrapperOf(settled, origin, means));
  await safe.close(randomBytes(32));
  return safe;
}

/** The safe that the file says. Throws `keys_locked` without a passphrase for it, `kms_package_missing`. */
export async function safeOf(stored: Protection, origin: string, means: KeyMeans): Promise<RootSafe> {
  if (stored.kind === "none") return plainSafe;
  if (stored.kind === "passphrase") {
    if (means.passphrase === undefined) throw new LicetError("keys_locked");
    return passphraseSafe(stored, keyFromPassphrase(await means.passphrase(), Buffer.from(stored.salt, "base64")));
  }
  return kmsSafe(stored, await wrapperOf(stored, origin, means));
}

const plainSafe: RootSafe = {
  protection: { kind: "none" },
  close: async (root) => Buffer.from(root).toString("base64"),
  open: async (stored) => Buffer.from(stored, "base64"),
};

const passphraseAad = Buffer.from("licet root key under a passphrase v1");

function passphraseSafe(stored: Protection, key: Promise<KeyObject>): RootSafe {
  return {
    protection: stored,
    close: async (root) => seal(await key, root, passphraseAad).toString("base64"),
    open: async (text) => {
      const opener = await key;
      try {
        return unseal(opener, Buffer.from(text, "base64"), passphraseAad);
      } catch {
        throw new LicetError("keys_passphrase", { message: "the passphrase does not open the keys" });
      }
    },
  };
}

function kmsSafe(stored: Protection & { readonly kind: KmsKind }, wrapper: RootWrapper): RootSafe {
  return {
    protection: stored,
    close: async (root) => {
      const { wrapped } = await wrapper.wrap(root);
      // What does not open again must not replace what does.
      if (!(await wrapper.unwrap(wrapped)).equals(root)) throw kmsAnswer(stored.kind, "unwrap the root key");
      return wrapped.toString("base64");
    },
    open: (text) => wrapper.unwrap(Buffer.from(text, "base64")),
  };
}

function wrapperOf({ kind, key }: { readonly kind: KmsKind; readonly key: string }, origin: string, { loadKms }: KeyMeans): Promise<RootWrapper> {
  if (kind === "aws-kms") return awsWrapper(key, origin, loadKms);
  return kind === "gcp-kms" ? gcpWrapper(key, origin, loadKms) : azureWrapper(key, loadKms);
}
