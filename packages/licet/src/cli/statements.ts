import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { LicetError, type StatementFormat } from "@licet/contract";
import { canonicalize, decodeProof, parseTrust, verifyConsistency, verifyTrustedCheckpoint, type Checkpoint, type Trust } from "@licet/evidence";
import { exitCodes, type ExitCode } from "./failure.ts";
import { connect, type Connection, type ServerOptions } from "./session.ts";
import type { Terminal } from "./terminal.ts";

interface OutOptions extends ServerOptions {
  readonly out: string;
  readonly force?: boolean;
}

function refuseExisting(file: string, force: boolean | undefined): void {
  if (existsSync(file) && force !== true) throw new LicetError("already_exists", { message: `\`${file}\` exists already` });
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new LicetError("file_unreadable", { message: `\`${file}\` cannot be read`, cause });
  }
}

/** Writes the statement of an entry, and beside a proof the leaf that it proves. */
export async function runStatementExport(entry: string, options: OutOptions & { readonly format: StatementFormat }, terminal: Terminal): Promise<ExitCode> {
  const leafFile = `${options.out}.leaf`;
  refuseExisting(options.out, options.force);
  if (options.format === "tlog-proof") refuseExisting(leafFile, options.force);
  const { client, space } = connect(options);
  const exported = await client("exportStatement", { params: { space, entry }, query: { format: options.format } });
  writeFileSync(options.out, exported.content);
  terminal.out(`wrote ${options.out}: ${exported.mediaType}, of entry ${exported.index} (${exported.kind})`);
  if (exported.leaf !== null) {
    writeFileSync(leafFile, exported.leaf);
    terminal.out(`wrote ${leafFile}: the leaf that it proves, exactly as logged`);
  }
  return exitCodes.fine;
}

export interface DecisionsOptions extends OutOptions {
  readonly gateway: string;
  readonly from?: number;
  readonly to?: number;
}

/** Has the server sign that the numbered records of a gateway run are complete from one number to another. */
export async function runStatementDecisions(options: DecisionsOptions, terminal: Terminal): Promise<ExitCode> {
  refuseExisting(options.out, options.force);
  const { client, space } = connect(options);
  const range = { ...(options.from === undefined ? {} : { from: options.from }), ...(options.to === undefined ? {} : { to: options.to }) };
  const signed = await client("signDecisions", { params: { space, gateway: options.gateway }, body: range });
  writeFileSync(options.out, `${canonicalize(signed.statement)}\n`);
  terminal.out(`wrote ${options.out}: records ${signed.from} to ${signed.to} of ${options.gateway}, root ${signed.root}`);
  return exitCodes.fine;
}

export interface ConsistencyOptions extends ServerOptions {
  readonly old: string;
  readonly new?: string;
  readonly trust?: string;
}

/** Proves here, not at the server, that the newer checkpoint's tree begins with the older one's. Exit 1 where it does not. */
export async function runLogConsistency(options: ConsistencyOptions, terminal: Terminal): Promise<ExitCode> {
  const connection = connect(options);
  const trust = await trustOf(options.trust, connection, terminal);
  const older = await checkpointIn(read(options.old), options.old, trust);
  const newer = options.new === undefined ? await serversCheckpoint(connection, older.origin, trust) : await checkpointIn(read(options.new), options.new, trust);
  if (newer.origin !== older.origin) throw new LicetError("checkpoint_unusable", { message: `the checkpoints are of two logs, \`${older.origin}\` and \`${newer.origin}\`` });
  if (newer.size < older.size) {
    terminal.out(`NOT CONSISTENT: the newer checkpoint has ${newer.size} entries, and the older one ${older.size}: the log was rolled back, or the files are swapped`);
    return exitCodes.findings;
  }
  const { client, space } = connection;
  const { proof } = await client("proveConsistency", { params: { space }, query: { from: older.size, to: newer.size, origin: older.origin } });
  const hashes = decodeProof(proof);
  const holds = hashes.ok && verifyConsistency({ oldSize: older.size, newSize: newer.size, oldRoot: older.root, newRoot: newer.root, proof: hashes.value });
  terminal.out(holds ? `consistent: the ${newer.size} entries of ${newer.origin} begin with the ${older.size} of the older checkpoint, unchanged` : `NOT CONSISTENT: the ${newer.size} entries of ${newer.origin} do not begin with the ${older.size} of the older checkpoint: the log was forked or rewritten`);
  return holds ? exitCodes.fine : exitCodes.findings;
}

async function trustOf(file: string | undefined, { client, space }: Connection, terminal: Terminal): Promise<Trust> {
  const text = file === undefined ? JSON.stringify((await client("showLog", { params: { space } })).trust) : read(file);
  const trust = parseTrust(text);
  if (!trust.ok) throw new LicetError("checkpoint_unusable", { message: `the trust file cannot be used: ${trust.message}` });
  const origin = file === undefined ? "as the server names them: compare the fingerprint over another channel, or give --trust" : `of \`${file}\``;
  terminal.out(`keys ${origin}; fingerprint ${trust.value.fingerprint}`);
  return trust.value;
}

async function checkpointIn(text: string, file: string, trust: Trust): Promise<Checkpoint> {
  const checkpoint = await verifyTrustedCheckpoint(text, trust);
  if (checkpoint.ok) return checkpoint.value;
  throw new LicetError("checkpoint_unusable", { message: `\`${file}\`: ${checkpoint.message}` });
}

async function serversCheckpoint({ client, space, url }: Connection, origin: string, trust: Trust): Promise<Checkpoint> {
  const { checkpoint } = await client("proveConsistency", { params: { space }, query: { from: 0, origin } });
  if (checkpoint === null) throw new LicetError("checkpoint_unusable", { message: `\`${url}\` has no checkpoint of \`${origin}\`` });
  return checkpointIn(checkpoint, url, trust);
}
