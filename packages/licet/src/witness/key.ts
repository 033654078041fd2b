import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { chmod, lstat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { cosign, formatVkey, parseJson, parseVkey, type Vkey } from "@licet/evidence";
import { z } from "zod";
import { LicetError } from "../base/errors.ts";
import { type Files, isAbsent, nodeFiles, writeFully } from "../ledger/files.ts";

/** The message of an ML-DSA-44 cosignature has one byte for the length of a name. */
export const nameBytesMax = 255;
const keyFileName = "witness-key.json";

function isWitnessName(name: string): boolean {
  return name !== "" && Buffer.byteLength(name) <= nameBytesMax && name.isWellFormed() && !/[\s+\p{Cc}\p{Z}]/u.test(name);
}

const KeyFile = z.strictObject({ v: z.literal(1), name: z.string().refine(isWitnessName), created: z.int(), ed25519: z.base64(), mlDsa44: z.base64() });
type KeyFile = z.infer<typeof KeyFile>;

/** The key of a witness: one name, and a cosignature of each kind. */
export interface WitnessKey {
  readonly name: string;
  /** Ed25519 first, then ML-DSA-44. */
  readonly keys: readonly Vkey[];
  readonly vkeys: readonly string[];
  /** One signature line for each key over a checkpoint's text. `time` in seconds since the Unix epoch. */
  cosign(text: string, time: number): Promise<readonly string[]>;
}

/** Throws `witness_key_missing` when there is none, `witness_damaged`, `keys_exposed`. */
export async function loadWitnessKey(folder: string, files: Files = nodeFiles): Promise<WitnessKey> {
  const path = join(folder, keyFileName);
  const bytes = await files.readWhole(path);
  if (bytes === undefined) throw new LicetError("witness_key_missing", { message: `there is no witness key in \`${folder}\``, at: { folder } });
  await refuseExposed([folder, path]);
  try {
    return keyOf(KeyFile.parse(parseJson(Buffer.from(bytes).toString("utf8"))));
  } catch {
    // No cause: it would quote the file, and the file is secret.
    throw new LicetError("witness_damaged", { message: `the key file in \`${folder}\` is not one`, at: { folder } });
  }
}

/** The key of the folder, made when there is none. A folder with a key of another name is refused. */
export async function ensureWitnessKey(folder: string, options: { readonly name: string | undefined; readonly now: number }): Promise<WitnessKey> {
  const { name, now } = options;
  if ((await nodeFiles.readWhole(join(folder, keyFileName))) === undefined) {
    if (name === undefined) throw new LicetError("witness_key_missing", { message: `there is no witness key in \`${folder}\`: name the witness with \`--name\``, at: { folder } });
    await makeWitnessKey(folder, { name, now });
  }
  const key = await loadWitnessKey(folder);
  if (name === undefined || key.name === name) return key;
  throw new LicetError("witness_damaged", { message: `the witness in \`${folder}\` is named \`${key.name}\`, not \`${name}\`: a name never changes`, at: { folder } });
}

async function makeWitnessKey(folder: string, { name, now }: { readonly name: string; readonly now: number }): Promise<void> {
  if (!isWitnessName(name)) throw new LicetError("witness_log_invalid", { message: `\`${name}\` cannot name a witness: no spaces, no plus, at most 255 bytes, such as witness.example/one` });
  const [ed25519, mlDsa44] = [generateKeyPairSync("ed25519").privateKey, generateKeyPairSync("ml-dsa-44").privateKey].map((key) => key.export({ format: "der", type: "pkcs8" }).toString("base64"));
  await nodeFiles.makeDirectory(folder);
  await chmod(folder, 0o700);
  const content = `${JSON.stringify({ v: 1, name, created: now, ed25519, mlDsa44 })}\n`;
  // Not replaced, created: of two first starts at once, the second uses the first one's key.
  const file = await createdOrUndefined(join(folder, keyFileName));
  if (file === undefined) return;
  try {
    await writeFully(file, Buffer.from(content), 0);
    await file.datasync();
  } finally {
    await file.close();
  }
  await nodeFiles.syncDirectory(folder);
  await nodeFiles.syncDirectory(dirname(resolve(folder)));
}

async function createdOrUndefined(path: string): Promise<Awaited<ReturnType<Files["open"]>> | undefined> {
  try {
    return await nodeFiles.open(path, "create");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return undefined;
    throw error;
  }
}

/** A key that others may read is no longer the witness's alone. Windows has no such bits. */
async function refuseExposed(places: readonly string[]): Promise<void> {
  if (process.platform === "win32") return;
  for (const place of places) {
    const mode = await modeOf(place);
    if ((mode & 0o077) !== 0) throw new LicetError("keys_exposed", { message: `others may read or change \`${place}\``, at: { place } });
  }
}

async function modeOf(path: string): Promise<number> {
  try {
    return (await lstat(path)).mode;
  } catch (error) {
    if (isAbsent(error)) return 0;
    throw error;
  }
}

function keyOf({ name, ...file }: KeyFile): WitnessKey {
  const ed25519 = signing(file.ed25519, 32);
  const mlDsa44 = signing(file.mlDsa44, 1312);
  const both = [
    { type: "ed25519-cosignature", name, ...ed25519 },
    { type: "ml-dsa-44", name, ...mlDsa44 },
  ] as const;
  const vkeys = both.map((by) => formatVkey(by));
  return {
    name,
    keys: vkeys.map((text) => parseVkey(text)).flatMap((key) => (key.ok ? [key.value] : [])),
    vkeys,
    cosign: (text, timestamp) => Promise.all(both.map(({ sign, ...by }) => cosign({ by, text, timestamp, sign }))),
  };
}

function signing(pkcs8: string, publicKeyBytes: number): { readonly publicKey: Uint8Array; sign(message: Uint8Array): Uint8Array } {
  const key = createPrivateKey({ key: Buffer.from(pkcs8, "base64"), format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-publicKeyBytes);
  return { publicKey, sign: (message) => sign(null, message, key) };
}
