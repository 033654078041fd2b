import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, globSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A PostgreSQL for tests: the one that LICET_TEST_DATABASE_URL names, else a throw-away cluster, else a reason why none. */
export type TestPostgres =
  | { readonly available: true; readonly url: string; readonly stop: () => Promise<void> }
  | { readonly available: false; readonly reason: string };

function binaries(): string | undefined {
  const installed = globSync("/usr/lib/postgresql/*/bin/initdb").sort().at(-1);
  const initdb = installed ?? ["/usr/local/bin/initdb", "/opt/homebrew/bin/initdb"].find((file) => existsSync(file));
  return initdb === undefined ? undefined : dirname(initdb);
}

/** Known without starting anything, so that a suite can be declared or skipped. */
export function postgresUnavailable(): string | undefined {
  if (process.env["LICET_TEST_DATABASE_URL"] !== undefined || binaries() !== undefined) return undefined;
  return "no PostgreSQL: set LICET_TEST_DATABASE_URL or install it";
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** initdb refuses root, so root hands over to an unprivileged user. */
async function as(command: readonly string[]): Promise<{ file: string; args: readonly string[] }> {
  const [file = "", ...args] = command;
  if (process.getuid?.() !== 0) return { file, args };
  const user = await run("id", ["postgres"]).then(() => "postgres", () => "nobody");
  return { file: "runuser", args: ["-u", user, "--", ...command] };
}

export async function startPostgres(): Promise<TestPostgres> {
  const given = process.env["LICET_TEST_DATABASE_URL"];
  if (given !== undefined) return { available: true, url: given, stop: async () => undefined };
  const folder = binaries();
  if (folder === undefined) return { available: false, reason: postgresUnavailable() ?? "" };
  const directory = await mkdtemp(join(tmpdir(), "licet-postgres-"));
  await chmod(directory, 0o777);
  const data = join(directory, "data");
  const initialise = await as([join(folder, "initdb"), "-D", data, "-A", "trust", "-U", "licet", "--no-sync", "-E", "UTF8", "--locale=C"]);
  await run(initialise.file, [...initialise.args], { cwd: directory });
  const port = await freePort();
  const serve = await as([join(folder, "postgres"), "-D", data, "-p", String(port), "-k", directory, "-h", "127.0.0.1", "-F"]);
  const server = spawn(serve.file, [...serve.args], { cwd: directory, stdio: "ignore" });
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const url = `postgres://licet@127.0.0.1:${port}/postgres`;
  const stop = async () => {
    const stopping = await as([join(folder, "pg_ctl"), "-D", data, "-m", "immediate", "stop"]);
    await run(stopping.file, [...stopping.args], { cwd: directory }).catch(() => undefined);
    await ended;
    await rm(directory, { recursive: true, force: true });
  };
  await ready(folder, port).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { available: true, url, stop };
}

async function ready(folder: string, port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const up = await run(join(folder, "pg_isready"), ["-h", "127.0.0.1", "-p", String(port), "-U", "licet"]).then(() => true, () => false);
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the throw-away PostgreSQL did not start");
}

/** A fresh, empty database on the server, dropped by `drop`. */
export async function freshDatabase(url: string): Promise<{ readonly url: string; readonly drop: () => Promise<void> }> {
  const { Client } = await import("pg");
  const name = `licet_test_${randomBytes(6).toString("hex")}`;
  const administer = async (statement: string) => {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  };
  await administer(`create database ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  return { url: own.href, drop: () => administer(`drop database if exists ${name} with (force)`) };
}
