import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { fromUtf8 } from "../bytes.ts";
import { checkpointPath, manifestPath } from "../pack.ts";
import { verifyBundleFile } from "./bundle-file.ts";
import { logInFolder, packInFolder, readBounded } from "./folder.ts";
import { verifyLog } from "./log.ts";
import type { LogSource } from "./log-source.ts";
import { verifyPack } from "./pack.ts";
import { verifyProofFile } from "./proof-file.ts";
import type { Report } from "./report.ts";

const fileBytesMax = 16 * 1024 * 1024;

export function isUrl(target: string): boolean {
  return /^https?:\/\//.test(target);
}

export interface Target {
  /** A path, or a URL if `log` is given. */
  readonly target: string;
  readonly log?: LogSource;
  /** Text of the trust file. */
  readonly trust: string;
  readonly old: Uint8Array | undefined;
  /** Bytes as logged, or a leaf hash in hex. */
  readonly entry: Uint8Array | string | undefined;
  readonly minimumIndex: number | undefined;
}

/** Verifies whatever the target is. Answers a text if the use was wrong. Throws what cannot be read or reached. */
export async function verifyTarget(of: Target): Promise<Report | string> {
  const { target, log, trust } = of;
  const [old, minimumIndex] = [of.old === undefined ? {} : { old: of.old }, of.minimumIndex === undefined ? {} : { minimumIndex: of.minimumIndex }];
  const kind = log === undefined ? await kindOf(target) : "log";
  const wrong = misuse(kind, of);
  if (wrong !== undefined) return wrong;
  if (kind === "log") return verifyLog({ source: log ?? logInFolder(target), trust, ...old, ...minimumIndex });
  if (kind === "file") return verifyFile(of);
  const source = packInFolder(target);
  await source.list();
  return verifyPack({ source, trust, ...old });
}

/** An option that would do nothing is refused, so that nobody believes it did something. */
function misuse(kind: Kind, { old, entry, minimumIndex }: Target): string | undefined {
  if (kind !== "log" && minimumIndex !== undefined) return "--minimum-index is for logs";
  if (kind === "file" && old !== undefined) return "--old is for exports and logs";
  return kind !== "file" && entry !== undefined ? "--entry and --leaf-hash are for .tlog-proof files" : undefined;
}

type Kind = "pack" | "log" | "file";

/** A folder is an export unless it looks like a log and has no list of files: what is missing then fails as missing. */
async function kindOf(target: string): Promise<Kind> {
  if (!(await lstatOf(target, true))?.isDirectory()) return "file";
  const [manifest, checkpoint, tiles] = await Promise.all([manifestPath, checkpointPath, "tile"].map((name) => lstatOf(join(target, name), false)));
  return manifest === undefined && checkpoint !== undefined && tiles?.isDirectory() === true ? "log" : "pack";
}

async function lstatOf(path: string, needed: boolean): Promise<Awaited<ReturnType<typeof lstat>> | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (needed) throw error;
    return undefined;
  }
}

async function verifyFile({ target, trust, entry }: Target): Promise<Report | string> {
  const bytes = await readBounded(target, fileBytesMax);
  if (bytes === undefined) throw new Error(`\`${target}\` is no plain file, or larger than ${fileBytesMax} bytes`);
  const text = fromUtf8(bytes.subarray(0, 64));
  const isProof = target.endsWith(".tlog-proof") || (text.ok && text.value.startsWith("c2sp.org/tlog-proof@"));
  if (!isProof) return entry === undefined ? verifyBundleFile({ bundle: bytes, trust }) : "--entry and --leaf-hash are for .tlog-proof files";
  return entry === undefined ? "name the entry that the proof is about with --entry FILE or --leaf-hash HEX" : verifyProofFile({ proof: bytes, entry, trust });
}
