import { createHash, randomBytes } from "node:crypto";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AtoPredicate } from "@licet/contract";
import { predicateType, statementType, type Statement } from "@licet/evidence";
import { startUpstream, type Upstream } from "../../../../test/unit/support/upstream.ts";
import { systemClock } from "../base/clock.ts";
import { newId } from "../base/ids.ts";
import { addGateway } from "../fleet/gateways.ts";
import { openBudgets } from "../gateway/budgets/open.ts";
import { createGateway, type Gateway } from "../gateway/serve.ts";
import { snapshotHolder } from "../gateway/snapshot.ts";
import { exampleBundle } from "../inventory/example-manifest.ts";
import { releaseOf } from "../inventory/release.ts";
import type { Draft, JsonObject } from "../ledger/recorder.ts";
import { publishBuiltin } from "../policy/publish.ts";
import { smallBundle } from "./publication-fixture.ts";
import { openFleet, type Fleet } from "./fleet-control.ts";
import { openRecordKeeping, type RecordKeeping } from "./record-keeping.ts";

export const space = "main";
export const consoleUrl = "https://licet.example";
export const system = "example";
export const providerKey = "sk-of-the-provider-0123456789";
const day = 86_400_000;

/** A control plane on a real directory, without its console: record, feed, intake and data plane. */
export interface Control {
  readonly records: RecordKeeping;
  readonly fleet: Fleet;
  readonly dataUrl: string;
  readonly failures: unknown[];
  commit(kind: string, body: JsonObject): Promise<void>;
  join(name: string): Promise<string>;
  stop(): Promise<void>;
}

export interface World {
  readonly folder: string;
  readonly upstream: Upstream;
  readonly credential: string;
  readonly control: Control;
  /** Stops the control plane, does what is to be done meanwhile, and starts it at the same address. */
  restart(meanwhile?: () => Promise<unknown>): Promise<void>;
  /** A child process that serves as a gateway. */
  gateway(name: string, how?: { readonly control?: string; readonly again?: boolean }): Promise<GatewayProcess>;
  close(): Promise<void>;
}

export interface GatewayProcess {
  readonly url: string;
  readonly directory: string;
  readonly keys: string;
  readonly child: ChildProcess;
  readonly said: () => string;
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
}

async function openControl(folder: string, port: number): Promise<Control> {
  const clock = systemClock;
  const records = await openRecordKeeping({ directory: join(folder, "control"), keysDirectory: join(folder, "control-keys"), clock });
  const failures: unknown[] = [];
  const onFailure = (error: unknown): void => void failures.push(error);
  const fleet = await openFleet({ records, providerKey: async () => providerKey, consoleUrl, onFailure });
  fleet.desk.counts(await openBudgets({ read: records.database.read, now: records.recorder.now(), shares: fleet.desk.lessor }));
  const gateway: Gateway = createGateway({ clock, ledger: records.recorder, snapshots: snapshotHolder(clock), providerKey: async () => providerKey, gateway: newId("gw", clock.now()), mount: () => (inbound, caller) => fleet.mount(inbound, caller), onFailure });
  const dataUrl = await gateway.listen({ host: "127.0.0.1", port });
  return {
    records,
    fleet,
    dataUrl,
    failures,
    async commit(kind, body) {
      const draft: Draft = { kind, space, actor: "per_1", subject: `system:${system}`, system, class: "governance", body };
      await records.recorder.commit(async () => ({ entry: draft, value: undefined }));
    },
    async join(name) {
      const { token } = await addGateway(fleet.deps, { space, name, by: "per_1" });
      return token;
    },
    async stop() {
      await gateway.close(0);
      await fleet.close();
      await records.close();
    },
  };
}

/** One system with a release, an authorization, a deployment and its credential; the provider is a simulator. */
async function govern(control: Control, { credential, upstream }: { readonly credential: string; readonly upstream: Upstream }): Promise<void> {
  const { records } = control;
  const now = Date.now();
  await publishBuiltin(records.recorder, space, await smallBundle());
  await control.commit("provider.registered", { id: "simulator", dialect: "openai", baseUrl: upstream.baseUrl, vendor: "v", region: "eu", allowPrivate: false, registeredBy: "per_1" });
  const bundle = exampleBundle();
  const release = releaseOf(bundle);
  const { manifest } = bundle;
  await control.commit("release.pushed", { system, digest: release.digest, fileDigest: release.fileDigest, materiality: release.materiality, title: manifest.title, purpose: manifest.purpose, bundle: JSON.parse(JSON.stringify(bundle)), pushedBy: "per_1" });
  const digest = `sha256:${"ab".repeat(32)}`;
  const said: AtoPredicate = { id: "ato_1", decision: "granted", request: "req_1", space, system, release: release.digest, tier: "minimal", stage: "pilot", environment: "local", dataBoundary: {}, conditions: [], requestedBy: "per_1", approvers: [], checks: [], policyDigest: digest, factsDigest: digest, notBefore: now - day, notAfter: now + day };
  const statement: Statement = { _type: statementType, subject: [{ name: system, digest: { sha256: release.digest.slice(7) } }], predicateType: predicateType("authorization-to-operate"), predicate: { ...said } };
  // The gate is asked elsewhere: here the row stands as a grant leaves it, with the signature that a gateway asks for.
  await records.database.write(async (tx) => {
    await tx.insertInto("ato").values({ space, id: said.id, system, release: release.digest, stage: "pilot", environment: "local", state: "granted", not_before: said.notBefore, not_after: said.notAfter, request: "req_1", statement: JSON.stringify(records.keys.signStatement(statement)), granted_at: now, state_since: now, state_reason: null, entry: "ent_ato" }).execute();
  });
  await control.commit("deployment.recorded", { deployment: "dep_1", system, environment: "local", stage: "pilot", release: release.digest, ato: said.id, recordedBy: "per_1", attested: [], credential: { id: "crd_1", digest: `sha256:${createHash("sha256").update(credential).digest("hex")}`, hint: "abcd", expiresAt: now + day } });
}

export async function openFleetWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "licet-fleet-"));
  const upstream = await startUpstream();
  const credential = `lct_${randomBytes(20).toString("hex")}`;
  const processes: GatewayProcess[] = [];
  let control = await openControl(folder, 0);
  await govern(control, { credential, upstream });
  const port = Number(new URL(control.dataUrl).port);
  return {
    folder,
    upstream,
    credential,
    get control() {
      return control;
    },
    async restart(meanwhile) {
      await control.stop();
      await meanwhile?.();
      control = await openControl(folder, port);
    },
    async gateway(name, how = {}) {
      const started = await startProcess({ folder, name, control: how.control ?? control.dataUrl, token: how.again === true ? undefined : await control.join(name) });
      processes.push(started);
      return started;
    },
    async close() {
      await Promise.all(processes.map((each) => each.stop("SIGKILL")));
      await control.stop();
      await upstream[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const main = fileURLToPath(new URL("../cli/main.ts", import.meta.url));
const startMsMax = 90_000;

async function startProcess({ folder, name, control, token }: { readonly folder: string; readonly name: string; readonly control: string; readonly token: string | undefined }): Promise<GatewayProcess> {
  const directory = join(folder, name);
  const keys = join(folder, `${name}-keys`);
  const tokenFile = join(folder, `${name}.token`);
  if (token !== undefined) await writeFile(tokenFile, `${token}\n`, { mode: 0o600 });
  const args = ["serve", "--role", "gateway", "--control", control, ...(token === undefined ? [] : ["--join-token", tokenFile]), "--dir", directory, "--keys", keys, "--data-port", "0"];
  const child = spawn(process.execPath, ["--conditions=source", main, ...args], { env: { ...process.env, NO_COLOR: "1" }, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the gateway did not start: ${said}`)), startMsMax);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        said += chunk.toString("utf8");
        const found = /data plane\s+(http:\S+)/u.exec(said)?.[1];
        if (found !== undefined && /Ctrl-C/u.test(said)) {
          clearTimeout(timer);
          resolve(found);
        }
      });
    }
    void exited.then(() => reject(new Error(`the gateway ended: ${said}`)));
  });
  return {
    url,
    directory,
    keys,
    child,
    said: () => said,
    async stop(signal = "SIGTERM") {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await exited;
    },
  };
}

export interface Answered {
  readonly status: number;
  readonly code: string | undefined;
  readonly decision: string | null;
}

/** `word` makes the call another one than every other. */
export function asked(word = "today"): { readonly model: string; readonly messages: readonly { readonly role: string; readonly content: string }[] } {
  return { model: "chat", messages: [{ role: "system", content: "You know the canteen." }, { role: "user", content: `What is there ${word}?` }] };
}

export function post(url: string, credential: string, body: object): Promise<Response> {
  return fetch(`${url}/openai/v1/chat/completions`, { method: "POST", headers: { authorization: `Bearer ${credential}`, "content-type": "application/json" }, body: JSON.stringify(body) });
}

export async function call(url: string, credential: string, word?: string): Promise<Answered> {
  const response = await post(url, credential, asked(word));
  const code = /"code":"(\w+)"/u.exec(await response.text())?.[1];
  return { status: response.status, code, decision: response.headers.get("x-licet-decision") };
}

/** Milliseconds until calls are answered so; every answer before counts as not yet. */
export async function until(reached: () => Promise<boolean>, millisecondsMax = 25_000): Promise<number> {
  const began = performance.now();
  for (;;) {
    if (await reached()) return performance.now() - began;
    if (performance.now() - began > millisecondsMax) throw new Error(`not reached in ${millisecondsMax} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
