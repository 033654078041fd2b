import { readFile } from "node:fs/promises";
import { LicetError } from "@licet/contract";
import { parseVkey } from "@licet/evidence";
import { systemClock } from "../base/clock.ts";
import { openLog } from "../http/log.ts";
import { ensureWitnessKey, loadWitnessKey } from "../witness/key.ts";
import { addLog, listLogs, readCosigned, removeLog } from "../witness/known-logs.ts";
import { type RunningWitness, serveWitness } from "../witness/serve.ts";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { columns, painted, timeText, type Terminal } from "./terminal.ts";

interface FolderOptions {
  readonly dir: string;
}

function showKeys(terminal: Terminal, { name, vkeys, url }: { readonly name: string; readonly vkeys: readonly string[]; readonly url?: string }): void {
  const [ed25519 = "", mlDsa44 = ""] = vkeys;
  terminal.out(`witness ${painted(terminal, "bold", name)}`);
  terminal.out(`  ed25519    ${ed25519}`);
  terminal.out(`  ml-dsa-44  ${mlDsa44}`);
  terminal.out("a line for the log's witness policy, with the address that the log can reach:");
  terminal.out(`  witness one ${ed25519} ${url ?? "https://…"}`);
}

export async function runWitnessInit(options: FolderOptions & { readonly name: string }, terminal: Terminal): Promise<ExitCode> {
  const key = await ensureWitnessKey(options.dir, { name: options.name, now: systemClock.now() });
  showKeys(terminal, key);
  terminal.out(`the key lies in ${options.dir}: keep the folder, and never serve a copy of it`);
  return exitCodes.fine;
}

export async function runAddLog(options: FolderOptions & { readonly vkey: readonly string[]; readonly origin?: string }, terminal: Terminal): Promise<ExitCode> {
  await loadWitnessKey(options.dir);
  const names = options.vkey.map((text) => parseVkey(text)).flatMap((key) => (key.ok ? [key.value.name] : []));
  const log = await addLog(options.dir, { origin: options.origin ?? names[0] ?? "", vkeys: options.vkey, now: systemClock.now() });
  terminal.out(`checkpoints of ${log.origin} are cosigned from now on (${log.keys.length} ${log.keys.length === 1 ? "key" : "keys"})`);
  return exitCodes.fine;
}

export async function runRemoveLog(options: FolderOptions & { readonly origin: string }, terminal: Terminal): Promise<ExitCode> {
  await loadWitnessKey(options.dir);
  await removeLog(options.dir, options.origin);
  terminal.out(`checkpoints of ${options.origin} are refused from now on; what was cosigned stays remembered`);
  return exitCodes.fine;
}

export async function runListLogs(options: FolderOptions, terminal: Terminal): Promise<ExitCode> {
  const key = await loadWitnessKey(options.dir);
  const rows: string[][] = [];
  for (const { origin, active } of await listLogs(options.dir)) {
    const last = await readCosigned(options.dir, origin, { key });
    const state = last === undefined ? ["-", "-", "never"] : [String(last.size), Buffer.from(last.root).toString("base64"), timeText(last.time * 1000)];
    rows.push([origin, ...state, active ? "" : "removed"]);
  }
  terminal.out(rows.length === 0 ? "no log: add one with `licet witness add-log --vkey KEY`" : columns([["log", "size", "root", "cosigned", ""], ...rows]));
  return exitCodes.fine;
}

interface ServeOptions extends FolderOptions {
  readonly name?: string;
  readonly host: string;
  readonly port: number;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly requestsPerMinute: number;
}

export async function runWitnessServe(options: ServeOptions, terminal: Terminal): Promise<ExitCode> {
  const { dir, name, host, port, requestsPerMinute } = options;
  const limits = { addressMax: requestsPerMinute, overallMax: requestsPerMinute * 10 };
  const witness = await serveWitness({ folder: dir, name, host, port, clock: systemClock, log: openLog("error"), tls: await readTls(options), limits });
  const asked = untilAsked();
  greet(witness, { options, terminal });
  await asked;
  terminal.out("stopping");
  await witness.close();
  return exitCodes.fine;
}

function greet(witness: RunningWitness, { options, terminal }: { readonly options: ServeOptions; readonly terminal: Terminal }): void {
  showKeys(terminal, witness);
  terminal.out(`listening on ${witness.url}`);
  const loopback = ["127.0.0.1", "localhost", "::1"].includes(options.host);
  if (!loopback && options.tlsCert === undefined) terminal.out("without TLS: logs take a plain address from their own machine only, so put a reverse proxy with TLS in front");
}

async function readTls({ tlsCert, tlsKey }: ServeOptions): Promise<{ readonly cert: string; readonly key: string } | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) throw new UsageError("`--tls-cert` and `--tls-key` belong together");
  return { cert: await readPem(tlsCert), key: await readPem(tlsKey) };
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new LicetError("file_unreadable", { message: `\`${file}\` cannot be read`, cause });
  }
}

async function untilAsked(): Promise<void> {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  let asked: () => void = () => {};
  const stop = new Promise<void>((resolve) => {
    asked = resolve;
  });
  for (const signal of signals) process.once(signal, asked);
  await stop;
  for (const signal of signals) process.removeListener(signal, asked);
}
