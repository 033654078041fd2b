import { rmSync } from "node:fs";
import { cp } from "node:fs/promises";
import { declaredLimit } from "@licet/assurance";
import type { CheckResult, Manifest, ReleaseBundle, Role } from "@licet/contract";
import { manualClock, type ManualClock } from "../base/clock.ts";
import { carryOutRegistration } from "../assurance/ci/registration.ts";
import { assuranceEntries } from "../assurance/entries.ts";
import { checkResultStatement, testResultStatement } from "../assurance/statement.ts";
import { newId } from "../base/ids.ts";
import { identityEntries } from "../identity/entries.ts";
import { inventoryEntries } from "../inventory/entries.ts";
import { exampleBundle, exampleManifest } from "../inventory/example-manifest.ts";
import { releaseOf } from "../inventory/release.ts";
import { openKeys, type Keys } from "../ledger/keys.ts";
import type { EntryDefinition } from "../ledger/recorder.ts";
import { install, newDirectory, removeDirectory, type Installation } from "../ledger/recorder-fixture.ts";
import { createOversight, type Oversight } from "../oversight/oversight.ts";
import type { Effects } from "../oversight/moves.ts";
import { grantRole } from "../identity/people.ts";
import { heldRoles } from "../identity/store.ts";
// oxlint-disable-next-line no-restricted-imports -- this fixture mounts the routes as server/compose.ts does
import { oversightRoutes } from "../oversight/routes.ts";
import { oversightEntries } from "../oversight/entries.ts";
import { builtinBundle, type Bundle } from "../policy/bundle.ts";
import { policyEntries } from "../policy/entries.ts";
import { carryOutPublication, type Compile } from "../policy/publication.ts";
import { publishBuiltin } from "../policy/publish.ts";
import { riskEntries } from "../risk/entries.ts";
import { atoEntries } from "./entries.ts";
import { promotions } from "./lifecycle.ts";
// oxlint-disable-next-line no-restricted-imports -- this fixture mounts the routes as server/compose.ts does
import { atoRoutes } from "./routes.ts";
import type { Handlers } from "../http/handlers.ts";
import type { Passkeys } from "../oversight/approvals.ts";
import { join } from "node:path";

export const hour = 3_600_000;
export const t0 = Date.UTC(2026, 10, 20, 9);
export const definitions = [...inventoryEntries, ...riskEntries, ...policyEntries, ...identityEntries, ...assuranceEntries, ...oversightEntries, ...atoEntries];

type Routes = ReturnType<typeof atoRoutes> & ReturnType<typeof oversightRoutes>;
export type Caller = Parameters<Handlers["askGate"]>[1];

/** A real installation: database, log, keys, and every feature under the gate. */
export interface World {
  readonly installation: Installation;
  readonly clock: ManualClock;
  readonly keys: Keys;
  readonly oversight: Oversight;
  readonly routes: Routes;
  readonly failures: unknown[];
  /** Adds a person with roles that count at once unless said otherwise. */
  person(name: string, held: readonly Role[], how?: { readonly by?: string; readonly early?: boolean }): Promise<Caller>;
  push(bundle: ReleaseBundle, by: string): Promise<string>;
  provider(id: string): Promise<void>;
  result(of: { readonly system: string; readonly release: string; readonly id: string; readonly check: CheckResult["check"]; readonly verdict: CheckResult["verdict"]; readonly producer?: "self" | "licet"; readonly by?: string; readonly limit?: number }): Promise<void>;
  close(): Promise<void>;
}

const noCompiler: Compile = () => Promise.reject(new Error("no test here publishes policies by a move"));

export const noPasskeys: Passkeys = { verify: () => Promise.resolve(false), of: () => Promise.resolve([]) };

export interface WorldOptions {
  /** The installation's bundle, where it is not the real one. */
  readonly bundle?: Bundle;
  /** Composes published packs with the installation's; without it none can be published. */
  readonly compile?: Compile;
  /** Kinds of entry of features above. */
  readonly more?: readonly EntryDefinition[];
  readonly directory?: string;
  readonly passkeys?: Passkeys;
  readonly clock?: ManualClock;
}

/** Owned by `laidOut`: an installation in which the real policies are published, once in a process; doing it takes longer than most tests. */
let published: Promise<string> | undefined;

async function withPolicies(): Promise<string> {
  const directory = await newDirectory();
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  const installation = await install({ directory, clock: manualClock(t0), definitions });
  await publishBuiltin(installation.recorder, "main", builtinBundle());
  await installation.close();
  return directory;
}

async function laidOut({ bundle, clock }: WorldOptions): Promise<string> {
  const directory = await newDirectory();
  if (bundle === undefined && clock === undefined) await cp(await (published ??= withPolicies()), directory, { recursive: true });
  return directory;
}

export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const directory = options.directory ?? (await laidOut(options));
  const clock = options.clock ?? manualClock(t0);
  const installation = await install({ directory, clock, definitions: [...definitions, ...(options.more ?? [])] });
  const { recorder, database } = installation;
  const { read } = database;
  const keys = await openKeys({ directory: join(directory, "keys"), fresh: false, now: clock.now() });
  const failures: unknown[] = [];
  await publishBuiltin(recorder, "main", options.bundle ?? builtinBundle());
  const commit = (kind: string, body: Parameters<typeof recorder.append>[0]["body"], more: { readonly actor: string; readonly subject: string; readonly system?: string }): Promise<unknown> =>
    recorder.commit(async () => ({ entry: { kind, space: "main", class: "governance", body, ...more }, value: undefined }));
  const effects: Effects = {
    "register-ci": ({ space, system, id, detail, requestedBy }, { outcome }) => carryOutRegistration({ recorder, read }, { space, system, request: id, detail, by: requestedBy, outcome }),
    "register-provider": () => Promise.reject(new Error("no test here registers a provider by a move")),
    "set-privacy": () => Promise.reject(new Error("no test here sets privacy by a move")),
    erase: () => Promise.reject(new Error("no test here erases by a move")),
    "publish-policy": (request, end) => carryOutPublication({ read, recorder, compile: options.compile ?? noCompiler }, request, end),
    "grant-role": async ({ space, detail, requestedBy, id }) => {
      const person = typeof detail["person"] === "string" ? detail["person"] : "";
      if ((await heldRoles(read, space, person)).some((each) => each.role === "assessor")) return;
      await grantRole({ database, recorder, demo: false }, { space, person, role: "assessor", actor: requestedBy, request: id });
    },
  };
  const oversight = createOversight({ read, recorder, promotions: promotions({ read, recorder, signStatement: (statement) => keys.signStatement(statement) }), effects, onFailure: (error) => failures.push(error) });
  const passkeys = options.passkeys ?? noPasskeys;
  return {
    installation,
    clock,
    keys,
    oversight,
    failures,
    routes: { ...atoRoutes({ read, recorder, oversight }), ...oversightRoutes({ read, recorder, oversight, passkeys }) },
    async person(name, held, { by = "server", early = true } = {}) {
      const personId = `per_${name}`;
      const email = `${name}@example.com`;
      await commit("person.added", { person: personId, email, name, by: "administrator" }, { actor: by, subject: `person:${personId}` });
      for (const role of held) await commit("role.granted", { person: personId, role, early, request: null }, { actor: by, subject: `person:${personId}` });
      return { personId, email, name, space: "main", roles: held, authenticatedAt: clock.now(), method: "password", ip: "127.0.0.1" };
    },
    async push(bundle, by) {
      const release = releaseOf(bundle);
      const { manifest } = bundle;
      const body = { system: manifest.name, digest: release.digest, fileDigest: release.fileDigest, materiality: release.materiality, title: manifest.title, purpose: manifest.purpose, bundle: JSON.parse(JSON.stringify(bundle)), pushedBy: by };
      await commit("release.pushed", body, { actor: by, system: manifest.name, subject: `system:${manifest.name}` });
      return release.digest;
    },
    async provider(id) {
      await commit("provider.registered", { id, dialect: "openai", baseUrl: "http://127.0.0.1:9/v1", vendor: "v", region: "eu", allowPrivate: false, registeredBy: "per_ops" }, { actor: "per_ops", subject: "space" });
    },
    async result({ system, release, id, check, verdict, producer = "licet", by = "server", limit }) {
      const result = checkResult({ id, check, verdict, limit });
      const said = { id: newId("res", clock.now()), ticket: "tic_none", system, release, producer, producedBy: by, producedAt: clock.now(), result };
      const statement = keys.signStatement(checkResultStatement(said));
      const testResult = keys.signStatement(testResultStatement(said));
      await commit("check.recorded", JSON.parse(JSON.stringify({ id: said.id, statement, testResult })), { actor: by, system, subject: `system:${system}` });
    },
    async close() {
      await installation.close();
      if (options.directory === undefined) await removeDirectory(directory);
    },
  };
}

const digest = `sha256:${"cd".repeat(32)}`;

/** Judged by the limit that the classifier's release declares for it, unless another is given. */
function checkResult({ id, check, verdict, limit: given }: { readonly id: string; readonly check: string; readonly verdict: CheckResult["verdict"]; readonly limit: number | undefined }): CheckResult {
  const declared = tumourManifest.assurance?.checks.find((each) => each.id === id);
  const { op, value } = declared === undefined ? { op: ">=" as const, value: 0.5 } : declaredLimit(declared);
  return {
    schema: "licet.assurance.result/v1",
    id,
    check,
    checkVersion: "1",
    engine: { name: "licet", version: "0.1.0", digest },
    subject: { kind: "onnx", id: "classifier", digest },
    inputs: [],
    estimate: 0.9,
    unit: "share",
    interval: null,
    counts: { attempted: 1, assessed: 1, unassessed: 0 },
    basis: { kind: "none", reason: "fixture" },
    limit: { op, value: given ?? value, alpha: 0.05, source: "manifest" },
    verdict,
    notes: [],
    attempt: { index: 1, alphaSpent: 0.05, previous: [] },
    seed: "00",
    cost: { queries: 0, wallMs: 1 },
    evidence: [],
    origin: "native",
  };
}

/** An internal language-model application: minimal tier. */
export const helpdesk: ReleaseBundle = exampleBundle({ ...exampleManifest, name: "helpdesk", environments: ["local", "staging"] });

const tumourManifest: Manifest = {
  ...exampleManifest,
  name: "tumour",
  risk: { ...exampleManifest.risk, effectOnPeople: "health-liberty-livelihood-or-rights" },
  oversight: { mode: "review-before-effect", overseer: "head of pathology" },
  components: { models: [{ name: "classifier", provider: "local", model: "classifier", file: "model.onnx" }] },
  assurance: {
    checks: [
      { check: "data.schema", id: "schema", dataset: "test", columns: { a: { type: "number" } } },
      { check: "perf.metric", id: "recall", model: "classifier", dataset: "test", target: "y", metric: "recall", floor: 0.8 },
      { check: "fair.opportunity", id: "opportunity", model: "classifier", dataset: "test", target: "y", group: { name: "texture", column: "t", transform: { kind: "value" } }, max: 0.1 },
      { check: "fair.odds", id: "odds", advisory: true, model: "classifier", dataset: "test", target: "y", group: { name: "texture", column: "t", transform: { kind: "value" } }, max: 0.1 },
    ],
  },
};

/** A diagnostic classifier: high tier. */
export const tumour: ReleaseBundle = { ...exampleBundle(tumourManifest), files: [{ path: "model.onnx", digest, bytes: 1 }] };

/** The same, with a limit of its fairness check that everything passes. */
export const laxTumour: ReleaseBundle = {
  ...exampleBundle({ ...tumourManifest, assurance: { checks: tumourManifest.assurance?.checks.map((check) => (check.id === "opportunity" ? { ...check, max: 1 } : check)) ?? [] } }),
  files: tumour.files,
};

export function changed(bundle: ReleaseBundle, purpose: string): ReleaseBundle {
  return { ...exampleBundle({ ...bundle.manifest, purpose }), files: bundle.files };
}

/** Calls a handler as somebody who has just signed in. */
export function fresh(world: World, caller: Caller): Caller {
  return { ...caller, authenticatedAt: world.clock.now() };
}

/** The handlers under test set no cookies. */
export const cookies = { add: () => undefined };
