import { Envelope, runnerDefaults, type RunnerSettings } from "@licet/contract";
import { trustFingerprint, type Statement } from "@licet/evidence";
import { ciRoutes } from "../assurance/ci/routes.ts";
import { repeatOwed } from "../assurance/attempts/repeat.ts";
import { Repeats } from "../assurance/attempts/repeats.ts";
import { runAuthenticator } from "../assurance/ci/run-credential.ts";
import { IssuerKeys } from "../assurance/ci/issuer-keys.ts";
import { carryOutRegistration } from "../assurance/ci/registration.ts";
import { assuranceRoutes } from "../assurance/routes.ts";
import { heldFiles } from "../assurance/held-files.ts";
import type { OpenUnderTest } from "../assurance/runner-asks.ts";
import { Runner } from "../assurance/runner.ts";
import { runAgain, type ServerRunDeps } from "../assurance/server-run.ts";
import { atoRoutes } from "../ato/routes.ts";
import type { GateWatch } from "../ato/gate.ts";
import { gateFor } from "../ato/gate-now.ts";
import { promotions } from "../ato/lifecycle.ts";
import { licetVersion } from "../base/version.ts";
import { controlsRoutes } from "../controls/routes.ts";
import { statementHandlers } from "../controls/statement-handlers.ts";
import { storageOf } from "../controls/storage.ts";
import { databaseFileName } from "../db/open.ts";
import { packagedTables, priceBook } from "../gateway/budgets/price-tables.ts";
import { budgetRoutes } from "../gateway/budgets/routes.ts";
import { underTest } from "../gateway/tested/under-test.ts";
import type { Authenticator, RunAuthenticator } from "../http/access.ts";
import type { ConsoleOptions } from "../http/console.ts";
import type { Handlers } from "../http/handlers.ts";
import { passkeyCredentials, verifyAssertion } from "../identity/assertion.ts";
import { fleetRoutes } from "../fleet/routes.ts";
import { openIdentity, type Identity } from "../identity/identity.ts";
import { identityHandlers } from "../identity/routes.ts";
import { insightRoutes } from "../insight/routes.ts";
import { trafficFeed, type TrafficFeed } from "../insight/traffic-feed.ts";
import { carryOutProvider, providerKey, type ProviderDeps } from "../inventory/providers.ts";
import { inventoryRoutes } from "../inventory/routes.ts";
import { createOversight, type Oversight } from "../oversight/oversight.ts";
import { oversightRoutes } from "../oversight/routes.ts";
import { needRequest, moveAnswer, requestView } from "../oversight/view.ts";
import { startWaivers } from "../oversight/waiver-moves.ts";
import { decisionRoutes } from "../pdp/routes.ts";
import { policyRoutes } from "../policy/routes.ts";
import type { ErasureDeps } from "../privacy/erase.ts";
import { startRetention } from "../privacy/retention.ts";
import { privacyRoutes } from "../privacy/routes.ts";
import { assessBundle, tierOf } from "../risk/answer.ts";
import { assessmentView } from "../risk/assess.ts";
import { riskRoutes } from "../risk/routes.ts";
import { join } from "node:path";
import { accessMoves } from "./access-moves.ts";
import type { SnapshotSource } from "../gateway/snapshot.ts";
import { openFleet, type Fleet } from "./fleet-control.ts";
import { moveEffects } from "./move-effects.ts";
import { packSource } from "./pack-source.ts";
import { openPolicies, type Policies } from "./policies.ts";
import type { RecordKeeping } from "./record-keeping.ts";
import { sessionSecret } from "./session-secret.ts";
import { statementSource } from "./statement-source.ts";

export interface ComposeOptions {
  readonly records: RecordKeeping;
  readonly baseUrl: string;
  readonly demo: boolean;
  readonly onFailure: (error: unknown) => void;
  /** Sees the gate's decisions in a space. */
  readonly watchGate?: ((space: string) => GateWatch) | undefined;
  /** What this process's gateway decides on. */
  readonly snapshots?: SnapshotSource | undefined;
  /** Bounds of the server's own runner. */
  readonly runner?: RunnerSettings | undefined;
}

export interface Composed {
  readonly handlers: Handlers;
  readonly authenticator: Authenticator & RunAuthenticator;
  readonly auth: ConsoleOptions["auth"];
  readonly providerKey: (space: string, provider: string) => Promise<string>;
  /** Gateways that run as processes of their own. */
  readonly fleet: Fleet;
  /** Opens a gate move for whoever asks; answers the request's id. */
  readonly askMove: Oversight["ask"];
  newSetupToken(): Promise<{ readonly token: string; readonly expiresAt: number } | undefined>;
  /** Answers whoever waits for traffic or for a run: before the console closes, or it would wait for them. */
  endWaits(): void;
  close(): Promise<void>;
}

/** The one place that wires: features know each other's functions, and nobody else's. */
export async function compose(options: ComposeOptions): Promise<Composed> {
  const { records, baseUrl, demo } = options;
  const { recorder, database, keys } = records;
  const { read, operational } = database;
  const policies = openPolicies({ records, snapshots: options.snapshots, onFailure: options.onFailure });
  await policies.standing.composeAll();
  const identity = openIdentity({ database, recorder, baseUrl, secret: await sessionSecret(keys.directory), demo });
  const providers: ProviderDeps = { recorder, read, operational, sealSecret: (purpose, secret) => keys.sealSecret(purpose, secret), openSecret: (purpose, sealed) => keys.openSecret(purpose, sealed) };
  const privacy: ErasureDeps = { database, recorder, keyring: records.keyring, clock: records.clock };
  const oversight = createOversight({
    read,
    recorder,
    promotions: promotions({ read, recorder, signStatement: signer(keys), watch: options.watchGate }),
    effects: moveEffects({ privacy, publication: policies.publication, people: identity.people, carryOutProvider: (space, given) => carryOutProvider(providers, space, given), carryOutRegistration: (approved) => carryOutRegistration({ recorder, read }, approved) }),
    onFailure: options.onFailure,
  });
  await oversight.reconcile();
  const stopWatching = oversight.watch();
  const stopRetention = await startRetention(privacy, options.onFailure);
  const stopWaivers = await startWaivers({ read, recorder }, options.onFailure);
  policies.backtests.begin();
  const feed = trafficFeed({ read, recorder });
  const fleet = await openFleet({ records, providerKey: (space, provider) => providerKey(providers, space, provider), consoleUrl: options.baseUrl, onFailure: options.onFailure });
  const files = heldFiles(join(records.directory, "files"));
  const runs: ServerRunDeps = { recorder, read, signStatement: signer(keys), files, root: join(records.directory, "files"), runner: new Runner(options.runner ?? runnerDefaults), tierOf: (space, bundle) => tierOf({ read, recorder }, space, bundle), underTest: runnerAsks({ records, providers, snapshots: options.snapshots }) };
  const repeats = new Repeats({ ...runs, repeatMs: runs.runner.settings.repeatMs, again: (order) => runAgain(runs, order), onFailure: options.onFailure });
  repeats.start();
  return {
    fleet,
    handlers: handlersOf({ ...options, fleet, identity, oversight, providers, privacy, policies, feed, runs, repeats }),
    authenticator: { ...identity.authenticator, ...runAuthenticator(read, () => recorder.now(), repeatOwed(runs)) },
    auth: (request) => identity.accounts.handle(request),
    providerKey: (space, provider) => providerKey(providers, space, provider),
    askMove: (opening) => oversight.ask(opening),
    newSetupToken: () => identity.newSetupToken(),
    endWaits: () => {
      feed.endWaits();
      void runs.runner.close();
    },
    close: async () => {
      await runs.runner.close();
      await repeats.close();
      await fleet.close();
      await policies.backtests.stop();
      await stopRetention();
      await stopWaivers();
      await stopWatching();
    },
  };
}

/** The contract's envelope is what travels; the evidence package's is read-only. */
function signer(keys: RecordKeeping["keys"]): (statement: Statement) => Envelope {
  return (statement) => Envelope.parse(keys.signStatement(statement));
}

interface Wired extends ComposeOptions {
  readonly identity: Identity;
  readonly oversight: Oversight;
  readonly providers: ProviderDeps;
  readonly privacy: ErasureDeps;
  readonly policies: Policies;
  readonly fleet: Fleet;
  readonly feed: TrafficFeed;
  readonly runs: ServerRunDeps;
  readonly repeats: Repeats;
}

function handlersOf(wired: Wired): Handlers {
  const { records, fleet, identity, oversight, providers, privacy, policies, watchGate } = wired;
  const { recorder, database, keys, log, keyring, witnesses } = records;
  const { read } = database;
  const signStatement = signer(keys);
  const asked = async (opening: Parameters<Oversight["ask"]>[0]) => {
    const id = await oversight.ask(opening);
    return moveAnswer(await requestView({ read, judge: oversight.judge, now: recorder.now() }, await needRequest(read, opening.space, id)));
  };
  return {
    ...identityHandlers({
      identity,
      moves: { openRoleGrant: ({ space, caller, person, role }) => asked({ space, move: "grant-role", system: null, detail: { person: person.id, role }, by: caller.personId }) },
      probe: async () => {
        await database.ping();
        return { ok: recorder.healthy(), version: licetVersion, database: database.engine, log: recorder.healthy() ? "writable" : "poisoned" };
      },
    }),
    ...inventoryRoutes({
      ...providers,
      tierOf: (space, bundle) => tierOf({ read, recorder }, space, bundle),
      moves: { openProvider: ({ space, by, detail }) => asked({ space, move: "register-provider", system: null, detail: { ...detail }, by }) },
    }),
    ...riskRoutes({ recorder, read, signStatement }),
    ...ciRoutes({ read, recorder, issuers: new IssuerKeys({ now: () => recorder.now() }), openRegistration: ({ space, system, by, detail }) => asked({ space, move: "register-ci", system, detail: { ...detail }, by }) }),
    ...assuranceRoutes({ ...wired.runs, repeats: wired.repeats }),
    ...oversightRoutes({
      read,
      recorder,
      oversight,
      passkeys: {
        verify: (check) => verifyAssertion(database, { ...check, origin: identity.accounts.origins, rpId: identity.accounts.rpId }),
        of: (personId) => passkeyCredentials(database, personId),
      },
    }),
    ...privacyRoutes({ deps: privacy, moves: { open: asked } }),
    ...fleetRoutes(fleet.deps),
    ...atoRoutes({ read, recorder, oversight, watch: watchGate }),
    ...decisionRoutes({ read, recorder, beginPolicies: (space) => policies.standing.compose(space) }),
    ...policyRoutes({ ...policies.publication, ...policies, moves: { open: asked } }),
    ...budgetRoutes({ read, recorder, tables: packagedTables() }),
    ...insightHandlers(wired),
    ...statementHandlers({ read, recorder, engine: database.engine, signStatement, ...statementSource({ log, recorder }) }),
    ...controlsRoutes({
      read,
      recorder,
      source: packSource({ log, keyring, recorder, signPack: (type, payload) => keys.signEnvelope(type, payload), signStatement }),
      log: {
        vkey: log.vkey,
        get size() {
          return log.size;
        },
        publish: () => log.publish(),
        get shards() {
          return log.shards;
        },
        leafAt: async (index) => (await log.read(index))?.leaf,
      },
      storage: storageOf({ directory: records.directory, database: [databaseFileName, `${databaseFileName}-wal`], now: () => recorder.now() }),
      trust: () => {
        const { fingerprint, ...trust } = records.trustFile();
        return { ...trust, fingerprint: fingerprint ?? trustFingerprint(trust) };
      },
      witnesses: witnesses && ((checkpoint) => witnesses.status(checkpoint)),
    }),
  };
}

/** The server's runner asks the providers that the gateway asks, by the same standing: none where this process has no gateway. */
function runnerAsks({ records, providers, snapshots }: Pick<Wired, "records" | "providers" | "snapshots">): OpenUnderTest | undefined {
  const { recorder, database: { read } } = records;
  return snapshots && underTest({ snapshots, ledger: recorder, prices: priceBook(packagedTables()), clock: { now: () => recorder.now() }, providerKey: (space, provider) => providerKey(providers, space, provider), tierOf: (space, bundle) => tierOf({ read, recorder }, space, bundle) });
}

function insightHandlers({ records, oversight, baseUrl, feed, watchGate, runs, repeats }: Wired): ReturnType<typeof insightRoutes> {
  const { recorder, database } = records;
  const { read } = database;
  return insightRoutes({
    ...accessMoves({ records, oversight, baseUrl }),
    feed,
    read,
    now: () => recorder.now(),
    assess: async (space, bundle) => assessmentView(await assessBundle({ read, recorder }, space, bundle)),
    gate: gateFor({ read, recorder, watch: watchGate }),
    repeatOf: (space, ticket) => repeats.view(space, ticket),
    runner: () => runs.runner.view,
  });
}
