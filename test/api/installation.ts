import { rmSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, type Client } from "@licet/client";
import { routes, type Role, type RouteName, type RunnerSettings } from "@licet/contract";
import { systemClock, type Clock } from "../../packages/licet/src/base/clock.ts";
import { newId } from "../../packages/licet/src/base/ids.ts";
import type { Database } from "../../packages/licet/src/db/database.ts";
import type { SnapshotSource } from "../../packages/licet/src/gateway/snapshot.ts";
import { buildConsole } from "../../packages/licet/src/http/console.ts";
import type { Handlers } from "../../packages/licet/src/http/handlers.ts";
import { openIdentity, type Identity } from "../../packages/licet/src/identity/identity.ts";
import { addPerson, grantRole } from "../../packages/licet/src/identity/people.ts";
import type { LoggedEntry, Recorder } from "../../packages/licet/src/ledger/recorder.ts";
import { compose } from "../../packages/licet/src/server/compose.ts";
import { openRecordKeeping } from "../../packages/licet/src/server/record-keeping.ts";
import { sessionSecret } from "../../packages/licet/src/server/session-secret.ts";

/** The whole console on a real socket: real features, real SQLite, real log and keys. */
export interface Installation {
  readonly baseUrl: string;
  /** A second view of the same accounts, for what no route offers. */
  readonly identity: Identity;
  readonly database: Database;
  readonly recorder: Recorder;
  readonly entries: readonly LoggedEntry[];
  readonly logged: readonly Readonly<Record<string, unknown>>[];
  readonly anonymous: Client;
  /** A person with these roles, signed in with a password. */
  person(space: string, held: readonly Role[]): Promise<{ readonly token: string; readonly id: string; readonly email: string; readonly client: Client }>;
  close(): Promise<void>;
  /** Stops, and answers the folder, which is left for the next `install`. */
  leave(): Promise<string>;
}

export interface InstallOptions {
  readonly handlers?: Partial<Handlers>;
  readonly pageFolder?: string;
  readonly clock?: Clock;
  readonly trustedProxies?: readonly string[];
  /** What people type, where that is not the loopback address. */
  readonly publicUrl?: string;
  /** What a gateway in this process decides on; without, there is none. */
  readonly snapshots?: SnapshotSource | undefined;
  readonly runner?: RunnerSettings;
  /** An installation that was closed with `leave`: it goes on where it was, at another port. */
  readonly folder?: string;
}

export const password = "correct horse battery staple";

/** The base URL stands in cookies and passkeys, so the port has to be known before the server listens. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => {
    probe.listen(0, "127.0.0.1", resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => {
    probe.close(resolve);
  });
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Owned by `laidOut`. */
const made: { times: number; first: Promise<string> | undefined } = { times: 0, first: undefined };

/** A first start, as it leaves its folder. */
async function firstStart(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "licet-api-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const records = await openRecordKeeping({ directory: join(folder, "data"), keysDirectory: join(folder, "keys"), clock: systemClock });
  const composed = await compose({ records, baseUrl: "http://localhost:4400", demo: false, onFailure: () => undefined });
  await composed.close();
  await records.close();
  return folder;
}

/** Where an installation goes. Where a file makes many, a second and later one is a copy of a first start: publishing the policies takes longer than most tests. */
async function laidOut(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "licet-api-"));
  made.times += 1;
  if (made.times > 1) await cp(await (made.first ??= firstStart()), folder, { recursive: true });
  return folder;
}

export async function install(options: InstallOptions = {}): Promise<Installation> {
  const clock = options.clock ?? systemClock;
  const folder = options.folder ?? (await laidOut());
  const port = await freePort();
  const baseUrl = `http://127.0.0.1:${String(port)}`;
  const origin = `http://localhost:${String(port)}`;
  const records = await openRecordKeeping({ directory: join(folder, "data"), keysDirectory: join(folder, "keys"), clock });
  const { database, recorder, keys } = records;
  const entries: LoggedEntry[] = [];
  recorder.onCommitted((entry) => entries.push(entry));
  const logged: Readonly<Record<string, unknown>>[] = [];
  const log = { info: (fields: object) => void logged.push({ ...fields }), error: (fields: object) => void logged.push({ ...fields }) };
  const composed = await compose({ records, baseUrl: origin, demo: false, snapshots: options.snapshots, runner: options.runner, onFailure: (error) => log.error({ failure: String(error) }) });
  const identity = openIdentity({ database, recorder, baseUrl: origin, secret: await sessionSecret(keys.directory), demo: false });
  async function closeRecords(): Promise<void> {
    await composed.close();
    await records.close();
  }
  const removed = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const app = await buildConsole({
    handlers: { ...composed.handlers, ...options.handlers },
    authenticator: composed.authenticator,
    auth: composed.auth,
    baseUrl: options.publicUrl ?? origin,
    pageFolder: options.pageFolder,
    trustedProxies: options.trustedProxies,
    log,
    version: "0.0.0",
    newRequestId: () => newId("req", systemClock.now()),
  }).catch(async (error: unknown) => {
    await closeRecords();
    await removed();
    throw error;
  });
  await app.listen({ host: "127.0.0.1", port });
  const anonymous = createClient({ baseUrl });
  let people = 0;
  async function stop(): Promise<void> {
    composed.endWaits();
    await app.close();
    await closeRecords();
  }
  return {
    baseUrl,
    identity,
    database,
    recorder,
    entries,
    logged,
    anonymous,
    async person(space, held) {
      const email = `person${String(people++)}@example.org`;
      const { person, invitation } = await addPerson(identity.people, { space, email, name: "A Person", actor: "server" });
      for (const role of held) await grantRole(identity.people, { space, person: person.id, role, actor: "server", request: "req_test" });
      await anonymous("acceptInvitation", { body: { token: invitation, password } });
      const token = await anonymous.signIn(email, password);
      return { token, id: person.id, email, client: createClient({ baseUrl, token }) };
    },
    async close() {
      await stop();
      await removed();
    },
    async leave() {
      await stop();
      return folder;
    },
  };
}

/** A well-formed address for a route: every parameter has a value of its own shape. */
export function addressOf(name: RouteName, space: string): string {
  const values: Readonly<Record<string, string>> = { space, system: "helpdesk", pack: "baseline", digest: `sha256:${"0".repeat(64)}`, role: "auditor" };
  const path = routes[name].path.replaceAll(/:([a-z]+)/giu, (_, part: string) => values[part] ?? `${part.slice(0, 3)}_0123456789`);
  return name === "askGate" ? `${path}?to=pilot` : path;
}
