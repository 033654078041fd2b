import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { LicetError } from "../base/errors.ts";
import { nodeFiles, replaceFile } from "../ledger/files.ts";

const fileName = "session-secret";

/** Signs session cookies; lies with the keys, made at the first start. Losing it signs everybody out, nothing more. */
export async function sessionSecret(keysDirectory: string): Promise<string> {
  const path = join(keysDirectory, fileName);
  try {
    const secret = (await readFile(path, "utf8")).trim();
    if (secret.length >= 32) return secret;
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) throw new LicetError("keys_missing", { cause });
  }
  const secret = randomBytes(48).toString("base64url");
  await replaceFile(nodeFiles, path, Buffer.from(`${secret}\n`));
  await nodeFiles.syncDirectory(keysDirectory);
  return secret;
}
