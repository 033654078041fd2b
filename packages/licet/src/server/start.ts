import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { RunnerSettings } from "@licet/contract";
import type { SignerKey } from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import { systemClock, type Clock } from "../base/clock.ts";
import { newId } from "../base/ids.ts";
import { licetVersion } from "../base/version.ts";
import { openTelemetry } from "../gateway/observe/telemetry.ts";
import { openBudgets } from "../gateway/budgets/open.ts";
import { openBoundIds } from "../gateway/files/entries.ts";
import { createGateway } from "../gateway/serve.ts";
import { snapshotHolder } from "../gateway/snapshot.ts";
import { buildConsole } from "../http/console.ts";
import { openLog as openServerLog } from "../http/log.ts";
import { startTimestamps, type Timestamps, timestampsFolder } from "../ledger/timestamp-keeper.ts";
import { openRecordKeeping, type Opening, type RecordKeeping } from "./record-keeping.ts";
import { endUserSubject } from "../privacy/erase.ts";
import { AccessRequests } from "../pdp/access-requests.ts";
import { startExtAuthz } from "../pdp/ext-authz-grpc.ts";
import { decisionApi } from "../pdp/mount.ts";
import type { DecisionParts } from "../pdp/parts.ts";
import { compose } from "./compose.ts";
import { listenOrSay } from "./listen.ts";
import { logFiles } from "./log-files.ts";
import { startMetrics } from "./metrics.ts";
import { openSampling } from "./policy-sampling.ts";
import { startFeed, type Feed } from "./snapshot-feed.ts";

export interface ServerOptions extends Opening {
  readonly host: string;
  readonly port: number;
  readonly dataPort: number;
  /** The https origin of a reverse proxy in front; needed to listen beyond loopback. */
  readonly trustedProxy?: string | undefined;
  readonly demo?: boolean;
  /** An RFC 3161 authority that stamps checkpoints, hourly at most. */
  readonly timestampUrl?: string | undefined;
  /** The authority may be on this machine or in a private network. */
  readonly timestampAllowPrivate?: boolean | undefined;
  readonly logLevel?: "info" | "error" | "silent";
  /** Envoy's external authorization over gRPC, on loopback: plain text, so nowhere else. 0 picks a free port. */
  readonly extAuthzPort?: number | undefined;
  /** Spans and metrics go to this OpenTelemetry collector, by OTLP over HTTP. */
  readonly otlpEndpoint?: string | undefined;
  /** `name=value,name=value`, sent to the collector. */
  readonly otlpHeaders?: string | undefined;
  /** GET /metrics for Prometheus, on loopback. 0 picks a free port. */
  readonly metricsPort?: number | undefined;
  /** Bounds of the server's own runner. */
  readonly runner?: RunnerSettings | undefined;
}

export interface RunningServer {
  readonly consoleUrl: string;
  readonly dataUrl: string;
  /** Where Envoy asks over gRPC, as `127.0.0.1:9001`. */
  readonly extAuthz: string | undefined;
  /** Where a scraper asks, as `http://127.0.0.1:9464/metrics`. */
  readonly metricsUrl: string | undefined;
  readonly origin: string;
  readonly vkey: string;
  readonly trustFingerprint: string;
  readonly entries: number;
  readonly keysDirectory: string;
  /** How many the policy names; 0 without one. */
  readonly witnesses: number;
  /** The one-time set-up link, while there is no administrator. */
  readonly setup: { readonly token: string; readonly url: string; readonly expiresAt: number } | undefined;
  /** What was committed so far is what the gateway decides on, and what pages show. */
  settled(): Promise<void>;
  close(): Promise<void>;
  /** Resolves when the process must stop by itself, with the reason. */
  readonly failed: Promise<unknown>;
}

/** Beyond loopback the connection needs TLS, which a named proxy ends: cookies and credentials must not travel in the clear. */
function publicAddress(options: ServerOptions, loopbackUrl: string): string {
  const loopback = ["127.0.0.1", "localhost", "::1"].includes(options.host);
  if (options.trustedProxy !== undefined) return new URL(options.trustedProxy).origin;
  if (!loopback) throw new LicetError("host_needs_proxy", { message: `\`${options.host}\` is not a loopback address` });
  return loopbackUrl;
}

function pageFolder(): string | undefined {
  for (let at = import.meta.dirname; dirname(at) !== at; at = dirname(at)) {
    for (const folder of [join(at, "page"), join(at, "dist", "page")]) if (existsSync(join(folder, "index.html"))) return folder;
  }
  return undefined;
}

/** Everything that was opened so far, closed in reverse: a start that fails half-way leaves no lock behind. */
class Opened {
  readonly #closers: (() => Promise<void>)[] = [];

  add(close: () => Promise<void>): void {
    this.#closers.unshift(close);
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0)) await close();
  }
}

interface Parts {
  readonly options: ServerOptions;
  readonly clock: Clock;
  readonly opened: Opened;
  readonly records: RecordKeeping;
}

/** Opens the directory, the log and the database, then console and data plane. Throws one coded error for each thing in the way. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const clock = options.clock ?? systemClock;
  const opened = new Opened();
  try {
    const records = await openRecordKeeping({ ...options, clock });
    opened.add(() => records.close());
    return await serveOn({ options, clock, opened, records });
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function serveOn({ options, clock, opened, records }: Parts): Promise<RunningServer> {
  const log = openServerLog(options.logLevel ?? "error");
  const onFailure = (error: unknown): void => log.error({ failure: error instanceof Error ? error.message : "unknown" }, "background work failed");
  const snapshots = snapshotHolder(clock);
  // Passkeys are bound to a host name: an address in digits cannot have any.
  const baseUrl = publicAddress(options, `http://localhost:${options.port}`);
  const stamps = timestampsOf({ options, clock, opened, records }, onFailure);
  opened.add(async () => stamps?.stop());
  const sampler = await openSampling({ records, clock, log });
  opened.add(() => sampler.close());
  const composed = await compose({ records, snapshots, runner: options.runner, baseUrl, demo: options.demo === true, onFailure, watchGate: (space) => sampler.watch(space) });
  opened.add(() => composed.close());
  const feed = await startFeed({ clock, read: records.database.read, recorder: records.recorder, snapshots, statementKeys: statementKeys(records), sampler, onFailure });
  opened.add(() => feed.stop());
  let decisionParts: DecisionParts | undefined;
  const onMounted = (parts: DecisionParts): void => void (decisionParts = parts);
  const instance = newId("gw", clock.now());
  const { otlpEndpoint, otlpHeaders, metricsPort } = options;
  const telemetry = openTelemetry({ clock, instance, otlpEndpoint, otlpHeaders, scraped: metricsPort !== undefined, onFailure });
  opened.add(() => telemetry.close());
  const { desk } = composed.fleet;
  const budgets = await openBudgets({ read: records.database.read, now: records.recorder.now(), shares: desk.lessor });
  desk.counts(budgets);
  const gateway = createGateway({
    observer: telemetry.observer,
    consoleUrl: baseUrl,
    clock,
    ledger: records.recorder,
    snapshots,
    providerKey: composed.providerKey,
    budgets,
    boundIds: await openBoundIds({ read: records.database.read, recorder: records.recorder }),
    gateway: instance,
    endUser: (space, user) => endUserSubject(records.keyring, space, user),
    logFile: logFiles(records.log),
    mount: (mounting) => {
      const decisions = decisionApi({ onMounted, approvals: new AccessRequests({ read: records.database.read, ask: composed.askMove }) })(mounting);
      return (inbound, caller) => composed.fleet.mount(inbound, caller) ?? decisions(inbound, caller);
    },
    onFailure,
  });
  const dataUrl = await listenOrSay(options.dataPort, () => gateway.listen({ host: options.host, port: options.dataPort }));
  opened.add(() => gateway.close());
  const metrics = metricsPort === undefined ? undefined : await listenOrSay(metricsPort, () => startMetrics({ port: metricsPort, telemetry, gateway, snapshots, clock, budgets }));
  opened.add(async () => metrics?.close());
  const { extAuthzPort } = options;
  const extAuthz = extAuthzPort === undefined || decisionParts === undefined ? undefined : await startExtAuthz({ parts: decisionParts, host: "127.0.0.1", port: extAuthzPort, onFailure });
  opened.add(async () => extAuthz?.close());
  const consoleApp = await buildConsole({
    handlers: composed.handlers,
    authenticator: composed.authenticator,
    auth: composed.auth,
    baseUrl,
    pageFolder: pageFolder(),
    log,
    version: licetVersion,
    newRequestId: () => newId("req", clock.now()),
    trustedProxies: options.trustedProxy === undefined ? undefined : ["loopback"],
  });
  opened.add(() => consoleApp.close());
  opened.add(async () => composed.endWaits());
  await listenOrSay(options.port, () => consoleApp.listen({ host: options.host, port: options.port }));
  const witnesses = (await records.witnesses?.status(undefined))?.configured ?? 0;
  return running({ options, clock, opened, records }, { dataUrl, extAuthz: extAuthz?.address, metricsUrl: metrics?.url, baseUrl, feed, witnesses, setup: await composed.newSetupToken() });
}

/** Beside the log: a failing authority is told in the server's log and by `licet log timestamps`, and stops nothing. */
function timestampsOf({ options, clock, records }: Parts, onFailure: (error: unknown) => void): Timestamps | undefined {
  const { timestampUrl, timestampAllowPrivate } = options;
  if (timestampUrl === undefined) return undefined;
  const { log, directory } = records;
  const path = log.shards.length > 1 ? join("shards", log.shards.at(-1)?.name ?? "") : "";
  return startTimestamps({
    url: timestampUrl,
    allow: timestampAllowPrivate === true ? ["loopback", "private"] : [],
    current: () => ({ note: log.checkpoint(), folder: timestampsFolder(join(directory, "log", path)) }),
    clock,
    onFailure,
  });
}

/** As the trust file names them: what an auditor believes is what the gateway believes. */
function statementKeys(records: RecordKeeping): readonly SignerKey[] {
  return records.trustFile().statementKeys.map(({ keyid, publicKey }) => ({ keyid, publicKey: Buffer.from(publicKey, "base64") }));
}

interface Served {
  readonly dataUrl: string;
  readonly extAuthz: string | undefined;
  readonly metricsUrl: string | undefined;
  readonly baseUrl: string;
  readonly feed: Feed;
  readonly witnesses: number;
  readonly setup: { readonly token: string; readonly expiresAt: number } | undefined;
}

function running({ opened, records }: Parts, { dataUrl, extAuthz, metricsUrl, baseUrl, feed, witnesses, setup }: Served): RunningServer {
  return {
    consoleUrl: baseUrl,
    dataUrl,
    extAuthz,
    metricsUrl,
    origin: records.log.origin,
    vkey: records.log.vkey,
    trustFingerprint: records.trustFile().fingerprint ?? "",
    entries: records.log.size,
    keysDirectory: records.keys.directory,
    witnesses,
    setup: setup === undefined ? undefined : { ...setup, url: `${baseUrl}/setup#token=${setup.token}` },
    async settled() {
      await records.recorder.settle();
      await feed.refresh();
    },
    close: () => opened.close(),
    failed: records.failed,
  };
}
