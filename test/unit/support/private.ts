import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { defaultPrivacy, type ContentModes, type Role } from "@licet/contract";
import { manualClock, type ManualClock } from "../../../packages/licet/src/base/clock.ts";
import { tableColumns } from "../../../packages/licet/src/db/tables.ts";
import { createGateway, type Gateway } from "../../../packages/licet/src/gateway/serve.ts";
import { snapshotHolder } from "../../../packages/licet/src/gateway/snapshot.ts";
import type { Caller } from "../../../packages/licet/src/http/handlers.ts";
import { openIdentity, type Identity } from "../../../packages/licet/src/identity/identity.ts";
import { addPerson, grantRole } from "../../../packages/licet/src/identity/people.ts";
import { registryOf } from "../../../packages/licet/src/ledger/registry.ts";
import { rebuildDatabase } from "../../../packages/licet/src/ledger/replay.ts";
import { endUserSubject, type ErasureDeps } from "../../../packages/licet/src/privacy/erase.ts";
import { compose, type Composed } from "../../../packages/licet/src/server/compose.ts";
import { openRecordKeeping, type RecordKeeping } from "../../../packages/licet/src/server/record-keeping.ts";
import { credential, deployment, sha256, start, systemPrompt } from "./governed.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

export const day = 86_400_000;

/** A whole installation on a real directory, with a gateway before a simulated provider, and a clock that a test moves. */
export interface PrivateInstallation {
  readonly folder: string;
  readonly data: string;
  readonly clock: ManualClock;
  records: RecordKeeping;
  composed: Composed;
  identity: Identity;
  readonly upstream: Upstream;
  readonly failures: unknown[];
  deps(): ErasureDeps;
  /** Somebody with an account and a password, who counts at once. */
  person(email: string, name: string, roles: readonly Role[], withPassword?: boolean): Promise<Caller>;
  /** One call through the gateway. */
  ask(words: { readonly content: unknown; readonly user?: string; readonly stream?: boolean; readonly classes?: readonly string[]; readonly modes?: ContentModes }): Promise<{ readonly status: number; readonly body: string }>;
  approve(request: string, by: Caller): Promise<void>;
  stop(): Promise<void>;
  open(): Promise<void>;
  /** Every file below the data directory that holds the text. */
  filesWith(text: string): readonly string[];
  /** Every row of every record table, as it lies there; the installation must be stopped or settled. */
  rows(): Readonly<Record<string, readonly string[]>>;
  rebuild(): Promise<void>;
  /** The same as `licet db rebuild` does it, with nobody else at work: the installation must be stopped. */
  rebuildStopped(): Promise<void>;
  copyTo(name: string): Promise<string>;
  remove(): Promise<void>;
}

const recordTables = Object.entries(tableColumns).flatMap(([table, { kind }]) => (kind === "record" ? [table] : []));

export async function privateInstallation(from?: { readonly folder: string; readonly data: string; readonly clock: ManualClock }): Promise<PrivateInstallation> {
  const folder = from?.folder ?? (await mkdtemp(join(tmpdir(), "licet-privacy-")));
  const data = from?.data ?? join(folder, "data");
  const clock = from?.clock ?? manualClock(start);
  const upstream = await startUpstream();
  const failures: unknown[] = [];
  const opened = async () => {
    const records = await openRecordKeeping({ directory: data, keysDirectory: join(folder, "keys"), clock });
    const composed = await compose({ records, baseUrl: "http://localhost:4400", demo: true, onFailure: (error) => failures.push(error) });
    const identity = openIdentity({ database: records.database, recorder: records.recorder, baseUrl: "http://localhost:4400", secret: "0123456789abcdef0123456789abcdef", demo: true });
    return { records, composed, identity };
  };
  const first = await opened();
  let gateway: Gateway | undefined;
  const at: PrivateInstallation = {
    folder,
    data,
    clock,
    ...first,
    upstream,
    failures,
    deps: () => ({ database: at.records.database, recorder: at.records.recorder, keyring: at.records.keyring, clock }),
    async person(email, name, roles, withPassword = false) {
      const { person, invitation } = await addPerson(at.identity.people, { space: "main", email, name, actor: "server" });
      for (const role of roles) await grantRole(at.identity.people, { space: "main", person: person.id, role, actor: "server", request: "req_test" });
      if (withPassword) {
        await at.identity.acceptInvitation(invitation, "correct horse battery staple");
        await at.identity.accounts.signIn(email, "correct horse battery staple");
      }
      return { personId: person.id, email, name, space: "main", roles, authenticatedAt: clock.now(), method: "password", ip: "127.0.0.1" };
    },
    async ask({ content, user, stream = false, classes = ["public", "internal"], modes }) {
      const snapshots = snapshotHolder(clock);
      const { recorder, keyring } = at.records;
      const view = deployment({ boundary: { classes: [...classes], regions: ["eu"] }, ato: { id: "ato_1", state: "granted", notBefore: 0, notAfter: clock.now() + day, release: deployment().release, stage: "pilot", environment: "local", entry: "ent_ato" } });
      const simulator = { id: "simulator", baseUrl: upstream.baseUrl, region: "eu", vendor: "test", keyRef: "main/simulator", allow: ["loopback"] };
      snapshots.publish({
        version: 1,
        credentials: [{ id: "cred_1", space: "main", digest: sha256(credential), expiresAt: clock.now() + day, revokedAt: null, deployment: view }],
        spaces: [{ space: "main", holds: [], providers: [simulator], policyBundle: { digest: `sha256:${"b".repeat(64)}`, decide: async () => ({ decision: "allow", reasons: [{ policy: "test.permit" }], errors: [] }) }, ...(modes !== undefined && { contentModes: modes }) }],
      });
      gateway = createGateway({ clock, ledger: recorder, snapshots, providerKey: async () => "sk-provider-key", gateway: `gw_${String(++gateways)}`, endUser: (space, name) => endUserSubject(keyring, space, name) });
      const origin = await gateway.listen({ host: "127.0.0.1", port: 0 });
      const messages = [{ role: "system", content: systemPrompt }, { role: "user", content }];
      const response = await fetch(`${origin}/openai/v1/chat/completions`, { method: "POST", headers: { authorization: `Bearer ${credential}`, "content-type": "application/json" }, body: JSON.stringify({ model: "chat", messages, stream, ...(user !== undefined && { safety_identifier: user }) }) });
      const body = await response.text();
      await gateway.close(0);
      gateway = undefined;
      return { status: response.status, body };
    },
    async approve(request, by) {
      const answer = { role: by.roles[0], answer: "approve", comment: "" } as const;
      await at.composed.handlers.giveApproval({ params: { space: "main", request }, query: {}, body: answer } as never, { ...by, authenticatedAt: clock.now() }, { add: () => undefined });
    },
    async stop() {
      await gateway?.close(0);
      await at.composed.close();
      await at.records.close();
    },
    async open() {
      Object.assign(at, await opened());
    },
    filesWith: (text) => everyFile(data).filter((file) => holds(read(file), text)),
    rows: () => dump(join(data, "licet.db")),
    async rebuild() {
      const { database, log, keyring, definitions } = at.records;
      await at.records.recorder.settle();
      await rebuildDatabase({ database, log, keyring, registry: registryOf(definitions), now: () => clock.now() });
    },
    async rebuildStopped() {
      const records = await openRecordKeeping({ directory: data, keysDirectory: join(folder, "keys"), clock });
      const { database, log, keyring, definitions } = records;
      await rebuildDatabase({ database, log, keyring, registry: registryOf(definitions), now: () => clock.now() });
      await records.close();
    },
    async copyTo(name) {
      const target = join(folder, name);
      await at.records.recorder.settle();
      await at.records.log.publish();
      for (const part of ["format.json", "log", "files"]) if (existsSync(join(data, part))) await cp(join(data, part), join(target, part), { recursive: true });
      await at.records.database.backup(join(target, "licet.db"));
      return target;
    },
    async remove() {
      await upstream[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return at;
}

let gateways = 0;

export function modes(mode: ContentModes["public"]): ContentModes {
  return { ...defaultPrivacy.contentModes, public: mode, internal: mode, confidential: mode, personal: mode, special: mode };
}

function everyFile(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true }).flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : []));
}

/** A tile's temporary file may be gone by its own rename. */
function read(file: string): Buffer {
  return existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
}

/** As UTF-8, as UTF-16 and in base64 at each of its three alignments. */
function holds(bytes: Buffer, text: string): boolean {
  const plain = Buffer.from(text);
  const encoded = [0, 1, 2].map((skip) => Buffer.from(plain.subarray(skip).toString("base64").replace(/.{0,3}=*$/u, "").slice(0, -1)));
  return [plain, Buffer.from(text, "utf16le"), ...encoded.filter(({ length }) => length > 8)].some((form) => bytes.includes(form));
}

function dump(file: string): Readonly<Record<string, readonly string[]>> {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return Object.fromEntries(recordTables.map((table) => [table, database.prepare(`select * from "${table}"`).all().map((row) => JSON.stringify(row)).toSorted()]));
  } finally {
    database.close();
  }
}
