import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isCancel, password as askPassword } from "@clack/prompts";
import { LicetError } from "@licet/contract";
import { systemClock } from "../base/clock.ts";
import { openDataDirectory } from "../base/data-directory.ts";
import { type KeyMeans, passphraseFromFile, type ProtectionChoice } from "../ledger/key-protection.ts";
import { rotateKey, type Rotated, type RotationWish } from "../ledger/key-rotation.ts";
import { exportKeys, importKeys, keysDirectory } from "../ledger/keys.ts";
import type { KeyRole, RemoteKey } from "../ledger/keys-file.ts";
import { listKeys, protectKeys } from "../ledger/keys-list.ts";
import { openRecordKeeping, type RecordKeeping } from "../server/record-keeping.ts";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { readSecret } from "./login.ts";
import { columns, type Terminal, timeText } from "./terminal.ts";
import { readWitnessPolicy } from "./witness-policy.ts";

export interface KeysOptions {
  readonly dir: string;
  readonly keys?: string;
}

async function passphraseOf(options: { readonly passphraseFile?: string }): Promise<string> {
  if (options.passphraseFile !== undefined) return readSecret(options.passphraseFile);
  if (!process.stdin.isTTY) throw new UsageError("give --passphrase-file: there is no terminal to ask at");
  const answer = await askPassword({ message: "Passphrase for the exported keys" });
  if (isCancel(answer)) throw new UsageError("nothing entered");
  return answer;
}

function keysAt(options: KeysOptions): string {
  return options.keys ?? keysDirectory({ dataDirectory: options.dir, env: process.env });
}

export async function runKeysExport(options: KeysOptions & { readonly out: string; readonly passphraseFile?: string }, terminal: Terminal): Promise<ExitCode> {
  if (existsSync(options.out)) throw new LicetError("already_exists", { message: `\`${options.out}\` exists already` });
  writeFileSync(options.out, await exportKeys(keysAt(options), await passphraseOf(options)), { mode: 0o600 });
  terminal.out(`wrote ${options.out}; without its passphrase it opens nothing`);
  return exitCodes.fine;
}

export async function runKeysImport(options: KeysOptions & { readonly from: string; readonly passphraseFile?: string }, terminal: Terminal): Promise<ExitCode> {
  await importKeys(keysAt(options), readFileSync(options.from, "utf8"), await passphraseOf(options));
  terminal.out(`imported the keys into ${keysAt(options)}`);
  return exitCodes.fine;
}

export async function runKeysList(options: KeysOptions & { readonly json?: boolean }, terminal: Terminal): Promise<ExitCode> {
  const list = await listKeys(keysAt(options));
  if (options.json === true) {
    terminal.out(JSON.stringify(list, null, 2));
    return exitCodes.fine;
  }
  const rows = list.map((key) => [key.role, key.keyid.slice(0, 16), key.algorithm, timeText(key.created), key.retired === null ? "in use" : timeText(key.retired), key.protection]);
  terminal.out(columns([["ROLE", "KEYID", "ALGORITHM", "CREATED", "RETIRED", "PROTECTION"], ...rows]));
  return exitCodes.fine;
}

interface ProtectOptions extends KeysOptions {
  readonly with?: ProtectionChoice["kind"];
  readonly key?: string;
  readonly passphraseFile?: string;
  readonly currentPassphraseFile?: string;
}

async function choiceOf(options: ProtectOptions): Promise<ProtectionChoice> {
  const kind = options.with ?? (options.passphraseFile === undefined ? undefined : "passphrase");
  if (kind === undefined) throw new UsageError("give --passphrase-file FILE, or --with and --key");
  if ((options.key !== undefined) !== (kind !== "none" && kind !== "passphrase")) throw new UsageError(`\`--with ${kind}\` ${options.key === undefined ? "needs" : "takes no"} --key`);
  if (kind === "none") return { kind };
  if (kind !== "passphrase") return { kind, key: options.key ?? "" };
  if (options.passphraseFile === undefined) throw new UsageError("give --passphrase-file with the new passphrase");
  return { kind, passphrase: await passphraseFromFile(options.passphraseFile)() };
}

function meansOf(passphraseFile: string | undefined): KeyMeans {
  return passphraseFile === undefined ? {} : { passphrase: passphraseFromFile(passphraseFile) };
}

/** Under the data directory's lock: a running server would go on with what it has read. */
export async function runKeysProtect(options: ProtectOptions, terminal: Terminal): Promise<ExitCode> {
  const to = await choiceOf(options);
  const directory = existsSync(join(options.dir, "format.json")) ? await openDataDirectory(options.dir, systemClock) : undefined;
  try {
    await protectKeys(keysAt(options), { to, current: meansOf(options.currentPassphraseFile), now: systemClock.now() });
  } finally {
    directory?.close();
  }
  terminal.out(to.kind === "none" ? "the keys lie in their file unprotected" : `the keys are protected: ${to.kind}`);
  if (to.kind !== "none") terminal.out("what lay there unprotected may still be on the disk and in copies: `licet keys rotate` makes it worthless, role by role");
  return exitCodes.fine;
}

interface RotateOptions extends KeysOptions {
  readonly role: KeyRole;
  readonly with?: RemoteKey["kind"];
  readonly key?: string;
  readonly passphraseFile?: string;
}

function wishOf(options: RotateOptions): RotationWish {
  if ((options.with === undefined) !== (options.key === undefined)) throw new UsageError("--with and --key go together");
  const remote = options.with === undefined || options.key === undefined ? undefined : { kind: options.with, key: options.key };
  return { role: options.role, remote };
}

function refuseUncoded(error: unknown): void {
  if (!(error instanceof LicetError)) throw error;
}

async function rotateOnce(records: RecordKeeping, wish: RotationWish): Promise<Rotated> {
  let rotated: Rotated | undefined;
  try {
    rotated = await rotateKey(records, wish);
    return rotated;
  } finally {
    // Closing signs a last checkpoint with the old key, which may be lost; a failure of the rotation itself is thrown.
    await records.close().catch(refuseUncoded);
  }
}

export async function runKeysRotate(options: RotateOptions, terminal: Terminal): Promise<ExitCode> {
  const wish = wishOf(options);
  if (!existsSync(join(options.dir, "format.json"))) throw new LicetError("file_unreadable", { message: `\`${options.dir}\` is not a data directory` });
  const witnessPolicy = await readWitnessPolicy(process.env["LICET_WITNESS_POLICY"]);
  const opening = { directory: options.dir, keysDirectory: options.keys, clock: systemClock, passphraseFile: options.passphraseFile, witnessPolicy };
  const rotated = await rotateOnce(await openRecordKeeping({ ...opening, means: { serviceLater: true } }), wish);
  const records = await openRecordKeeping(opening);
  try {
    await records.log.publish();
    terminal.out(`the ${rotated.role} key is ${rotated.keyid.slice(0, 16)} since ${timeText(rotated.notBefore)}; ${rotated.previous.slice(0, 16)} is destroyed`);
    if (!rotated.covered) terminal.out("the old key signed no checkpoint over this any more: the statement in the log vouches for the new one");
    if (rotated.role === "root") terminal.out("copies of the key directory from before open nothing of what comes now: export the keys again with `licet keys export`");
    else terminal.out(`trust fingerprint ${records.trustFile().fingerprint ?? ""}: hand out the trust file again (\`licet trust export\`); holders of the old one follow the log's key history`);
  } finally {
    await records.close();
  }
  return exitCodes.fine;
}
