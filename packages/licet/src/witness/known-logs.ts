import { hash } from "node:crypto";
import { dirname, join } from "node:path";
import { formatVkey, parseJson, parseVkey, type Vkey } from "@licet/evidence";
import { z } from "zod";
import { LicetError } from "../base/errors.ts";
import { type Files, nodeFiles, replaceFile } from "../ledger/files.ts";
import { nameBytesMax, type WitnessKey } from "./key.ts";
import { heldSignatures, parseSigned, type SignedCheckpoint } from "./submission.ts";

/**
 * `logs/HASH/keys.json` says which keys a log signs with and whether its checkpoints are taken: written by the
 * operator's commands. `logs/HASH/state.json` holds the last cosigned checkpoint: made with the log, then written by
 * the serving process alone. So the commands work while the witness serves.
 * INVARIANT: no state file is ever removed, nor taken for an empty one when it is missing or damaged.
 */
const logsFolder = "logs";
const keysName = "keys.json";
const stateName = "state.json";
export const logKeysMax = 16;
const logsListedMax = 10_000;

const KeysFile = z.strictObject({ v: z.literal(1), origin: z.string(), vkeys: z.array(z.string()).min(1).max(logKeysMax), active: z.boolean(), addedAt: z.int() });
const StateFile = z.strictObject({ v: z.literal(1), origin: z.string(), note: z.string().nullable() });

export interface KnownLog {
  readonly origin: string;
  readonly keys: readonly Vkey[];
  /** False once it was removed: its checkpoints are refused, its state is kept. */
  readonly active: boolean;
  /** Milliseconds since the Unix epoch. */
  readonly addedAt: number;
}

/** The last checkpoint that was cosigned for a log. */
export interface Cosigned {
  /** The note with the log's signatures that were verified, and the witness's own. */
  readonly note: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** Seconds since the Unix epoch. */
  readonly time: number;
}

/** SHA-256 of the origin in lower-case hex, as C2SP tlog-witness names logs in paths. */
export function originHash(origin: string): string {
  return hash("sha256", origin, "hex");
}

function logFolder(folder: string, origin: string): string {
  return join(folder, logsFolder, originHash(origin));
}

function damaged(path: string, why: string): LicetError {
  return new LicetError("witness_damaged", { message: `\`${path}\` ${why}`, at: { path } });
}

async function readFileAs<T>(schema: z.ZodType<T>, path: string, files: Files): Promise<T | undefined> {
  const bytes = await files.readWhole(path);
  if (bytes === undefined) return undefined;
  try {
    return schema.parse(parseJson(Buffer.from(bytes).toString("utf8")));
  } catch {
    throw damaged(path, "is not what was written there");
  }
}

async function writeAs(path: string, value: unknown, files: Files): Promise<void> {
  await replaceFile(files, path, Buffer.from(`${JSON.stringify(value)}\n`));
  await files.syncDirectory(dirname(path));
}

/** `undefined` for an origin that was never added. Throws `witness_damaged`. */
export async function readLog(folder: string, origin: string, files: Files = nodeFiles): Promise<KnownLog | undefined> {
  return readLogAt(logFolder(folder, origin), files, origin);
}

/** By the SHA-256 of its origin, in hex. */
export async function readLogByHash(folder: string, digest: string, files: Files = nodeFiles): Promise<KnownLog | undefined> {
  return /^[0-9a-f]{64}$/u.test(digest) ? readLogAt(join(folder, logsFolder, digest), files) : undefined;
}

async function readLogAt(place: string, files: Files, origin?: string): Promise<KnownLog | undefined> {
  const path = join(place, keysName);
  const file = await readFileAs(KeysFile, path, files);
  if (file === undefined) return undefined;
  if (origin !== undefined && file.origin !== origin) throw damaged(path, "belongs to another log");
  const keys = file.vkeys.map((text) => parseVkey(text));
  const usable = keys.flatMap((key) => (key.ok ? [key.value] : []));
  if (usable.length !== keys.length) throw damaged(path, "holds an unusable verifier key");
  return { origin: file.origin, keys: usable, active: file.active, addedAt: file.addedAt };
}

/** What was last cosigned, `undefined` if nothing was. Throws `witness_damaged`, also for a file that is missing. */
export async function readCosigned(folder: string, origin: string, by: { readonly key: WitnessKey; readonly files?: Files }): Promise<Cosigned | undefined> {
  const path = join(logFolder(folder, origin), stateName);
  const file = await readFileAs(StateFile, path, by.files ?? nodeFiles);
  if (file === undefined) throw damaged(path, "is missing: what was cosigned for this log is not known");
  if (file.origin !== origin) throw damaged(path, "belongs to another log");
  if (file.note === null) return undefined;
  const signed = parseSigned(file.note);
  const held = await heldSignatures(file.note, by.key.keys);
  const times = held.ok ? held.value.flatMap(({ time }) => (time === undefined ? [] : [time])) : [];
  if (!signed.ok || times.length === 0 || signed.value.checkpoint.origin !== origin) throw damaged(path, "does not hold a checkpoint that this witness cosigned");
  return cosignedOf(signed.value, Math.max(...times));
}

export function cosignedOf({ note, checkpoint }: SignedCheckpoint, time: number): Cosigned {
  return { note, size: checkpoint.size, root: checkpoint.root, time };
}

/** Durable when it resolves. */
export async function writeCosigned(folder: string, origin: string, written: { readonly note: string; readonly files?: Files }): Promise<void> {
  await writeAs(join(logFolder(folder, origin), stateName), { v: 1, origin, note: written.note }, written.files ?? nodeFiles);
}

export interface LogAdded {
  readonly origin: string;
  readonly vkeys: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  readonly files?: Files;
}

/** Adds a log, or gives a known one other keys; what was cosigned for it stays. Throws `witness_log_invalid`. */
export async function addLog(folder: string, { origin, vkeys, now, files = nodeFiles }: LogAdded): Promise<KnownLog> {
  const keys = vkeys.map((text) => readableKey(text));
  if (origin === "" || Buffer.byteLength(origin) > nameBytesMax || !origin.isWellFormed() || /\p{Cc}/u.test(origin)) {
    throw new LicetError("witness_log_invalid", { message: `the origin must be one line of 1 to ${nameBytesMax} bytes` });
  }
  if (keys.length === 0 || keys.length > logKeysMax) throw new LicetError("witness_log_invalid", { message: `a log has 1 to ${logKeysMax} keys` });
  const place = logFolder(folder, origin);
  const before = await readLogAt(place, files, origin);
  await files.makeDirectory(place);
  if (before === undefined) {
    await startState(place, origin, files);
    for (const up of [join(folder, logsFolder), folder]) await files.syncDirectory(up);
  }
  const log: KnownLog = { origin, keys, active: true, addedAt: before?.addedAt ?? now };
  await writeKeys(place, log, files);
  return log;
}

/** The state stands before the keys do: a log is known only once its memory is. */
async function startState(place: string, origin: string, files: Files): Promise<void> {
  const path = join(place, stateName);
  if ((await files.readWhole(path)) !== undefined) return;
  await writeAs(path, { v: 1, origin, note: null }, files);
}

async function writeKeys(place: string, { origin, keys, active, addedAt }: KnownLog, files: Files): Promise<void> {
  await writeAs(join(place, keysName), { v: 1, origin, vkeys: keys.map((key) => formatVkey(key)), active, addedAt }, files);
}

function readableKey(text: string): Vkey {
  const key = parseVkey(text);
  if (!key.ok) throw new LicetError("witness_log_invalid", { message: key.message });
  if (key.value.type === "ed25519-cosignature") throw new LicetError("witness_log_invalid", { message: "this is the verifier key of a witness, not of a log" });
  return key.value;
}

/** Its checkpoints are refused from now on. What was cosigned is kept: adding it again goes on from there. */
export async function removeLog(folder: string, origin: string): Promise<void> {
  const place = logFolder(folder, origin);
  const log = await readLogAt(place, nodeFiles, origin);
  if (log === undefined || !log.active) throw new LicetError("witness_log_invalid", { message: `this witness knows no log \`${origin}\`` });
  await writeKeys(place, { ...log, active: false }, nodeFiles);
}

export async function listLogs(folder: string): Promise<readonly KnownLog[]> {
  const names = await nodeFiles.list(join(folder, logsFolder));
  const logs: KnownLog[] = [];
  for (const name of names.slice(0, logsListedMax)) {
    const log = await readLogByHash(folder, name);
    if (log !== undefined) logs.push(log);
  }
  return logs;
}
