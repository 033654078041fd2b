import { readFileSync } from "node:fs";
import { LicetError } from "../base/errors.ts";
import { systemClock, type Clock } from "../base/clock.ts";
import { newId } from "../base/ids.ts";
import { boundElsewhere } from "../fleet/bound-elsewhere.ts";
import { ControlLine } from "../fleet/control-line.ts";
import { FeedClient } from "../fleet/feed-client.ts";
import { joinControl } from "../fleet/join.ts";
import { readMembership, VersionFloor, writeMembership, type Membership } from "../fleet/membership.ts";
import { startGatewayRetention } from "../fleet/retention.ts";
import { startShareLine, type ShareLine } from "../fleet/share-line.ts";
import { startShipper } from "../fleet/shipper.ts";
import { subjects } from "../fleet/subjects.ts";
import { TrustedKeys } from "../fleet/trusted-keys.ts";
import type { Budgets } from "../gateway/budgets/budgets.ts";
import { ShareHolder } from "../gateway/budgets/holder.ts";
import { openSharedBudgets } from "../gateway/budgets/open.ts";
import { openBoundIds } from "../gateway/files/entries.ts";
import { openTelemetry } from "../gateway/observe/telemetry.ts";
import { createGateway } from "../gateway/serve.ts";
import type { SnapshotInput } from "../gateway/snapshot.ts";
import { StandingViews } from "../gateway/standing-views.ts";
import type { StandingRows } from "../gateway/store.ts";
import { failureFields, openLog } from "../http/log.ts";
import { listenOrSay } from "./listen.ts";
import { decisionApi } from "../pdp/mount.ts";
import { logFiles } from "./log-files.ts";
import { startMetrics } from "./metrics.ts";
import { Closers, openRecordKeeping, type Opening, type RecordKeeping } from "./record-keeping.ts";

export interface GatewayRoleOptions extends Opening {
  /** Origin of the control plane's data plane. Default: the one that it joined at. */
  readonly control?: string | undefined;
  /** PEM certificates to trust for it instead of the system's. */
  readonly controlCa?: string | undefined;
  /** The one-time token, for the first start. */
  readonly joinToken?: string | undefined;
  readonly host: string;
  readonly port: number;
  readonly trustedProxy?: string | undefined;
  readonly logLevel?: "info" | "error" | "silent";
  /** An OpenTelemetry collector, and what is sent along. */
  readonly otlpEndpoint?: string | undefined;
  readonly otlpHeaders?: string | undefined;
  /** For Prometheus, on loopback. */
  readonly metricsPort?: number | undefined;
}

export interface RunningGateway {
  readonly dataUrl: string;
  readonly control: string;
  readonly name: string;
  readonly space: string;
  readonly origin: string;
  readonly vkey: string;
  readonly trustFingerprint: string;
  readonly keysDirectory: string;
  readonly entries: number;
  close(): Promise<void>;
  /** Resolves when the process must stop by itself, with the reason. */
  readonly failed: Promise<unknown>;
}

interface Parts {
  readonly options: GatewayRoleOptions;
  readonly clock: Clock;
  readonly closers: Closers;
  readonly records: RecordKeeping;
}

/**
 * A gateway as a process of its own: its own directory, keys and log, the data plane of the embedded one, and a snapshot
 * that comes over the wire. It starts without its control plane and denies every call until a snapshot has come.
 */
export async function startGatewayRole(options: GatewayRoleOptions): Promise<RunningGateway> {
  refusePlainAddress(options);
  const clock = options.clock ?? systemClock;
  const closers = new Closers();
  try {
    const records = await openRecordKeeping({ ...options, clock });
    closers.add(() => records.close());
    return await serve({ options, clock, closers, records });
  } catch (error) {
    await closers.close();
    throw error;
  }
}

/** Credentials must not travel in the clear. */
function refusePlainAddress({ host, trustedProxy }: GatewayRoleOptions): void {
  if (trustedProxy === undefined && !["127.0.0.1", "localhost", "::1"].includes(host)) throw new LicetError("host_needs_proxy", { message: `\`${host}\` is not a loopback address` });
}

async function serve({ options, clock, closers, records }: Parts): Promise<RunningGateway> {
  const { keys, keyring, log, recorder } = records;
  const ca = options.controlCa === undefined ? undefined : readFileSync(options.controlCa, "utf8");
  const membership = await memberOf({ options, clock, closers, records }, ca);
  const serverLog = openLog(options.logLevel ?? "error");
  const onFailure = (error: unknown): void => serverLog.error(failureFields(error), "background work failed");
  const trusted = new TrustedKeys(keys.directory, membership);
  const line = new ControlLine({ control: membership.control, ca, clock, sign: (type, payload) => keys.signEnvelope(type, payload), gateway: membership.gateway, keys: () => trusted.signing });
  closers.add(() => line.close());
  const shipper = startShipper({ log, keyring, recorder, line, space: membership.space, onFailure });
  const floor = await VersionFloor.open(keys.directory, onFailure);
  closers.add(() => floor.close());
  const retention = startGatewayRetention({ keyring, clock, space: membership.space, onFailure });
  closers.add(async () => retention.stop());
  let views = { keys: trusted.all, of: new StandingViews(trusted.all) };
  const build = (rows: StandingRows): Promise<SnapshotInput> => {
    if (views.keys !== trusted.all) views = { keys: trusted.all, of: new StandingViews(trusted.all) };
    retention.set(rows.privacy[0]?.settings.retentionDays);
    return views.of.build(rows);
  };
  const feed = new FeedClient({ membership, keys: trusted, line, clock, floor, build, onTaken: (taken) => shipper.resume(taken), onFailure });
  // Begins with the gateway's id, so that no other gateway can use up its numbers.
  const instance = `${membership.gateway}:${newId("gw", clock.now())}`;
  const shared = sharedBudgets({ records, line, membership, run: instance, onFailure });
  const { otlpEndpoint, otlpHeaders, metricsPort } = options;
  const telemetry = openTelemetry({ clock, instance, otlpEndpoint, otlpHeaders, scraped: metricsPort !== undefined, onFailure });
  closers.add(() => telemetry.close());
  const gateway = createGateway({
    observer: telemetry.observer,
    budgets: shared.budgets,
    boundIds: await openBoundIds({ read: records.database.read, recorder, elsewhere: boundElsewhere(line, onFailure) }),
    clock,
    ledger: recorder,
    snapshots: feed,
    providerKey: (space, provider) => feed.providerKey(space, provider),
    gateway: instance,
    space: membership.space,
    get consoleUrl() {
      return feed.consoleUrl;
    },
    endUser: subjects(line),
    // A workload's own questions: applications and access requests are the control plane's alone.
    mount: decisionApi(),
    logFile: logFiles(log),
    onFailure,
    ...(options.trustedProxy === undefined ? {} : { publicUrl: new URL(options.trustedProxy).origin }),
  });
  const dataUrl = await listenOrSay(options.port, () => gateway.listen({ host: options.host, port: options.port }));
  closers.add(() => shipper.stop());
  closers.add(() => shared.shares.stop());
  closers.add(async () => feed.stop());
  closers.add(() => gateway.close());
  const metrics = metricsPort === undefined ? undefined : await listenOrSay(metricsPort, () => startMetrics({ port: metricsPort, telemetry, gateway, snapshots: feed, clock }));
  closers.add(async () => metrics?.close());
  feed.start();
  const { name, space, control } = membership;
  return { dataUrl, control, name, space, origin: log.origin, vkey: log.vkey, trustFingerprint: records.trustFile().fingerprint ?? "", keysDirectory: keys.directory, entries: log.size, close: () => closers.close(), failed: records.failed };
}

interface Sharing {
  readonly records: RecordKeeping;
  readonly line: ControlLine;
  readonly membership: Membership;
  readonly run: string;
  readonly onFailure: (error: unknown) => void;
}

/** Counts this run's calls, and asks the control plane for its part of every limit. */
function sharedBudgets({ records, line, membership, run, onFailure }: Sharing): { readonly budgets: Budgets; readonly shares: ShareLine } {
  const { clock, log, recorder } = records;
  const newest = log.shards.at(-1);
  const holder = new ShareHolder({ clock, elapsed: () => performance.now(), space: membership.space, account: ({ space, system }) => budgets.account(space, system, recorder.now()), onWant: () => shares.wake() });
  const budgets = openSharedBudgets({ now: recorder.now(), shares: holder });
  const shares = startShareLine({ holder, line, run, log: newest?.origin ?? log.origin, size: newest?.size ?? 0, onFailure });
  return { budgets, shares };
}

async function memberOf({ options, clock, records }: Parts, ca: string | undefined): Promise<Membership> {
  const { keys } = records;
  const { control, joinToken } = options;
  const known = await readMembership(keys.directory);
  if (known === undefined) {
    if (joinToken === undefined || control === undefined) throw new LicetError("gateway_not_joined", { message: `\`${options.directory}\` has not joined a control plane: the first start needs \`--control\` and \`--join-token\`` });
    return joinControl({ control: originOf(control), ca, token: joinToken, keys, clock });
  }
  if (control === undefined || originOf(control) === known.control) return known;
  const moved = { ...known, control: originOf(control) };
  await writeMembership(keys.directory, moved);
  return moved;
}

function originOf(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) throw new LicetError("invalid_request", { message: `\`${url}\` is not an address: give the origin of the control plane's data plane, such as https://licet-data.example` });
  return `${parsed.origin}${parsed.pathname.replace(/\/+$/u, "")}`;
}
