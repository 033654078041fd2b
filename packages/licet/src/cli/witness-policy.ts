import { readFile, stat } from "node:fs/promises";
import { LicetError } from "@licet/contract";

/** Policies name some tens of witnesses; a key takes at most 1.8 kB. */
const policyBytesMax = 1 << 20;

/** The text of a C2SP tlog-policy file. */
export async function readWitnessPolicy(file: string | undefined): Promise<string | undefined> {
  if (file === undefined || file === "") return undefined;
  try {
    if ((await stat(file)).size > policyBytesMax) throw new RangeError("too large");
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(file));
  } catch (cause) {
    throw new LicetError("file_unreadable", { message: `the witness policy \`${file}\` cannot be read as text`, cause });
  }
}
