import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, type Client } from "@licet/client";
import type { DataEntity, PackSource } from "@licet/contract";
import { databaseFileName } from "../../../packages/licet/src/db/open.ts";
import { readPackFolder } from "../../../packages/licet/src/policy/pack.ts";
import { startServer, type RunningServer, type ServerOptions } from "../../../packages/licet/src/server/start.ts";

/** The whole product on real sockets: console, data plane, log, database; driven through its public API alone. */
export interface Running {
  readonly server: RunningServer;
  /** The first administrator of `main`. */
  readonly admin: Client;
  readonly email: string;
  readonly personId: string;
  /** A space of its own with application packs and their data, and a program that asks for decisions in it. */
  application(asked: { readonly space: string; readonly packs: readonly string[]; readonly data: readonly Entity[] }): Promise<Asking>;
  /** Puts entities into the space's data; when it resolves, decisions stand on them. */
  put(asking: Asking, entities: readonly Entity[]): Promise<void>;
  /** Stops, throws the database away, and starts on the log alone. */
  restartOnLog(): Promise<void>;
  close(): Promise<void>;
}

export type Entity = Partial<DataEntity> & Pick<DataEntity, "uid">;

export interface Asking {
  readonly space: string;
  readonly token: string;
  readonly clientId: string;
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
}

export const packs: readonly PackSource[] = readPackFolder(join(import.meta.dirname, "policies"));

export function packNamed(name: string): PackSource {
  const found = packs.find((pack) => pack.name === name);
  if (found === undefined) throw new Error(`no pack ${name}`);
  return found;
}

export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

const email = "ada@example.com";
export const password = "correct horse battery staple";

export async function run(options: Partial<ServerOptions> = {}): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), "licet-decisions-"));
  const settings: ServerOptions = { directory: join(folder, "data"), keysDirectory: join(folder, "keys"), host: "127.0.0.1", port: await freePort(), dataPort: 0, logLevel: "silent", ...options };
  let server = await startServer(settings);
  const baseUrl = server.consoleUrl.replace("localhost", "127.0.0.1");
  const anonymous = createClient({ baseUrl });
  await anonymous("setUp", { body: { token: server.setup?.token ?? "", name: "Ada Admin", email, password } });
  const admin = createClient({ baseUrl, token: await anonymous.signIn(email, password) });
  const { person } = await admin("showSession");
  const personId = person?.id ?? "";
  return {
    get server() {
      return server;
    },
    admin,
    email,
    personId,
    application: async ({ space, packs: names, data }) => {
      await admin("openSpace", { params: { space: "main" }, body: { name: space, title: `The space ${space}` } });
      await admin("grantRole", { params: { space, person: personId }, body: { role: "platform-engineer" } });
      await admin("publishPolicies", { params: { space }, body: { packs: names.map(packNamed), comment: "for the test" } });
      if (data.length > 0) await admin("changePolicyData", { params: { space }, body: { upsert: data.map((entity) => ({ ...entity })) } });
      const { token, client } = await admin("issueDecisionClient", { params: { space }, body: { name: "a gateway" } });
      await server.settled();
      return {
        space,
        token,
        clientId: client.id,
        post: (path, body, headers = {}) =>
          fetch(server.dataUrl + path, {
            method: "POST",
            headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
            body: typeof body === "string" ? body : JSON.stringify(body),
          }),
      };
    },
    put: async ({ space }, entities) => {
      await admin("changePolicyData", { params: { space }, body: { upsert: entities.map((entity) => ({ ...entity })) } });
      await server.settled();
    },
    restartOnLog: async () => {
      await server.close();
      for (const name of await readdir(settings.directory)) if (name.startsWith(databaseFileName)) await rm(join(settings.directory, name));
      server = await startServer(settings);
    },
    close: async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
