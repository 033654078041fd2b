import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { createClient, type Client } from "@licet/client";
import { LicetError } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { z } from "zod";

const Sessions = z.record(z.string(), z.string());

export interface ServerOptions {
  readonly url?: string | undefined;
  readonly space?: string | undefined;
}

export interface Connection {
  readonly client: Client;
  readonly url: string;
  readonly space: string;
}

function sessionFile(): string {
  const base = process.env["XDG_CONFIG_HOME"] ?? join(homedir(), ".config");
  return process.env["LICET_SESSION_FILE"] ?? join(base, "licet", "sessions.json");
}

function readSessions(): Record<string, string> {
  try {
    return Sessions.parse(parseJson(readFileSync(sessionFile(), "utf8")));
  } catch {
    // No file, or not ours: the same as not signed in.
    return {};
  }
}

export function serverUrl(options: ServerOptions): string {
  return (options.url ?? process.env["LICET_URL"] ?? "http://127.0.0.1:4400").replace(/\/+$/u, "");
}

/** Keeps the session of one server for the next commands: mode 0600, never printed. */
export function keepSession(url: string, token: string): void {
  const file = sessionFile();
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, JSON.stringify({ ...readSessions(), [url]: token }, null, 2), { mode: 0o600 });
  chmodSync(file, 0o600);
}

export function dropSession(url: string): void {
  const { [url]: _gone, ...rest } = readSessions();
  writeFileSync(sessionFile(), JSON.stringify(rest, null, 2), { mode: 0o600 });
}

/** A signed-in connection: LICET_TOKEN, else the session that `licet login` kept. */
export function connect(options: ServerOptions): Connection {
  const url = serverUrl(options);
  const token = process.env["LICET_TOKEN"] ?? readSessions()[url];
  if (token === undefined) throw new LicetError("not_signed_in", { message: `you are not signed in to \`${url}\`` });
  return { url, space: options.space ?? process.env["LICET_SPACE"] ?? "main", client: createClient({ baseUrl: url, token }) };
}
