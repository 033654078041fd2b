import { gatewayEntries } from "@licet/contract";
import { manualClock, type ManualClock } from "../../../packages/licet/src/base/clock.ts";
import { LicetError } from "../../../packages/licet/src/base/errors.ts";
import { createBudgets } from "../../../packages/licet/src/gateway/budgets/budgets.ts";
import { priceBook } from "../../../packages/licet/src/gateway/budgets/price-tables.ts";
import type { CedarCall, CedarDecision } from "../../../packages/licet/src/gateway/decide.ts";
import type { Detection } from "../../../packages/licet/src/gateway/detect/rules.ts";
import { gatewayEntryDefinitions } from "../../../packages/licet/src/gateway/entries.ts";
import { createGateway, type Gateway, type GatewayLimits } from "../../../packages/licet/src/gateway/serve.ts";
import { snapshotHolder, type CredentialView, type DeploymentView, type HoldView, type ProviderView, type SnapshotHolder } from "../../../packages/licet/src/gateway/snapshot.ts";
import { standingVersion } from "../../../packages/licet/src/gateway/store.ts";
import { nodeFiles, type Files } from "../../../packages/licet/src/ledger/files.ts";
import type { LoggedEntry } from "../../../packages/licet/src/ledger/recorder.ts";
import { install, newDirectory, removeDirectory, type Installation } from "../../../packages/licet/src/ledger/recorder-fixture.ts";
import { builtinBundle } from "../../../packages/licet/src/policy/bundle.ts";
import { createDecider } from "../../../packages/licet/src/policy/decide.ts";
import { sha256, start } from "../../unit/support/governed.ts";
import { startFaultyProvider, type FaultyProvider } from "./provider.ts";
import { releaseOf, type Surface } from "./surfaces.ts";

export const key = "lic_matrix0123456789abcd";
export const providerKey = "sk-provider-key-of-the-matrix";
const day = 86_400_000;

/** Gateways of one installation that differ in their bounds alone. */
const bounds = {
  patient: {},
  /** Waits for nobody. */
  hasty: { headersMs: 700, requestMs: 1000, upstream: { headersMs: 700, idleMs: 300, totalMs: 1500, connectMs: 1000 } },
  small: { bodyBytesMax: 4096, callsMax: 1, upstream: { answerBytesMax: 100_000 } },
} as const satisfies Readonly<Record<string, Partial<GatewayLimits>>>;
export type Bounds = keyof typeof bounds;

export interface Standing {
  readonly release?: DeploymentView;
  readonly credential?: Partial<CredentialView> | null;
  readonly holds?: readonly HoldView[];
  readonly provider?: Partial<ProviderView> | null;
  readonly detection?: Detection;
  readonly decide?: ((call: CedarCall) => Promise<CedarDecision>) | null;
}

/** What can go wrong with the log's disk. */
export interface Disk {
  full: boolean;
  /** The log says that it cannot keep up. */
  behind: boolean;
  delayMs: number;
}

export interface Place extends AsyncDisposable {
  readonly surface: Surface;
  readonly provider: FaultyProvider;
  readonly clock: ManualClock;
  readonly snapshots: SnapshotHolder;
  readonly installation: Installation;
  /** All that became durable, in its order. */
  readonly entries: LoggedEntry[];
  readonly disk: Disk;
  readonly failures: unknown[];
  readonly gateways: Readonly<Record<Bounds, Gateway>>;
  readonly origins: Readonly<Record<Bounds, string>>;
  stand(standing?: Standing): void;
  /** As the change feed's: the lease is renewed when the database has answered. */
  heartbeat(database: "there" | "gone"): Promise<void>;
}

const decider = createDecider(builtinBundle());
const byPolicies = async (asked: CedarCall): Promise<CedarDecision> => decider.decide({ ...asked });

/** Real gateways on real sockets before a real log and database; only time is the test's. */
export async function openPlace(surface: Surface): Promise<Place> {
  const directory = await newDirectory();
  const clock = manualClock(start);
  const disk: Disk = { full: false, behind: false, delayMs: 0 };
  const installation = await install({ directory, clock, definitions: gatewayEntryDefinitions, log: { files: filling(disk) }, wrapLog: (log) => falling(log, disk) });
  const { recorder } = installation;
  const entries: LoggedEntry[] = [];
  recorder.onCommitted((entry) => entries.push(entry));
  const provider = await startFaultyProvider(() => installation.log.size);
  const snapshots = snapshotHolder(clock);
  const failures: unknown[] = [];
  const budgets = createBudgets({ prices: priceBook([]), now: start });
  const made = (name: Bounds) => createGateway({ clock, ledger: recorder, snapshots, providerKey: async () => providerKey, gateway: `gw_${name}`, budgets, onFailure: (error) => failures.push(error), limits: { sweepMs: 20, ...bounds[name] } });
  const gateways = { patient: made("patient"), hasty: made("hasty"), small: made("small") };
  const at = { host: "127.0.0.1", port: 0 };
  const origins = { patient: await gateways.patient.listen(at), hasty: await gateways.hasty.listen(at), small: await gateways.small.listen(at) };
  let version = 0;
  const place: Place = {
    surface,
    provider,
    clock,
    snapshots,
    installation,
    entries,
    disk,
    failures,
    gateways,
    origins,
    stand: (standing = {}) => snapshots.publish(input(place, standing, ++version)),
    heartbeat: async (database) => {
      const read = database === "there" ? installation.database.read : gone;
      await standingVersion(read).then(() => snapshots.renew(version), () => false);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(Object.values(gateways).map((gateway) => gateway.close(0)));
      await provider[Symbol.asyncDispose]();
      await installation.close().catch(() => installation.crash());
      await removeDirectory(directory);
    },
  };
  place.stand();
  return place;
}

/** A database that answers nothing any more. */
const gone = new Proxy({} as Installation["database"]["read"], {
  get: () => () => {
    throw new LicetError("database_unavailable");
  },
});

function input({ surface, provider }: Place, standing: Standing, version: number): Parameters<SnapshotHolder["publish"]>[0] {
  const { decide = byPolicies } = standing;
  const row: ProviderView = { id: "sim", kind: surface.kind, baseUrl: `${provider.origin}/${surface.kind === "oip" ? "v2" : "v1"}`, region: "eu", vendor: "test", keyRef: "main/sim", allow: ["loopback"] };
  const view: CredentialView = { id: "crd_1", space: "main", digest: sha256(key), expiresAt: start + day, revokedAt: null, deployment: standing.release ?? releaseOf(surface) };
  return {
    version,
    credentials: standing.credential === null ? [] : [{ ...view, ...standing.credential }],
    spaces: [
      {
        space: "main",
        holds: standing.holds ?? [],
        providers: standing.provider === null ? [] : [{ ...row, ...standing.provider }],
        ...(standing.detection !== undefined && { detection: standing.detection }),
        ...(decide !== null && { policyBundle: { digest: `sha256:${"b".repeat(64)}`, decide } }),
      },
    ],
  };
}

/** The file system of a disk that is full: what needs room fails as it does on Linux. */
function filling(disk: Disk): Files {
  const refuse = () => {
    if (disk.full) throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  };
  return {
    ...nodeFiles,
    open: async (path, mode) => {
      if (mode !== "read") refuse();
      const file = await nodeFiles.open(path, mode);
      return {
        ...file,
        write: async (buffer, position) => {
          refuse();
          return file.write(buffer, position);
        },
      };
    },
  };
}

function falling(log: Installation["log"], disk: Disk): Installation["log"] {
  return new Proxy(log, {
    get: (target, name) => {
      if (name !== "append") {
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      }
      return async (frame: Parameters<typeof log.append>[0]) => {
        if (disk.behind) throw new LicetError("log_backpressure");
        if (disk.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, disk.delayMs));
        return target.append(frame);
      };
    },
  });
}

/** The bodies of a kind, read as their own schema reads them. */
export function bodiesOf(entries: readonly LoggedEntry[], kind: "gateway.decision"): readonly ReturnType<(typeof gatewayEntries)["gateway.decision"]["body"]["parse"]>[];
export function bodiesOf(entries: readonly LoggedEntry[], kind: "gateway.outcome"): readonly ReturnType<(typeof gatewayEntries)["gateway.outcome"]["body"]["parse"]>[];
export function bodiesOf(entries: readonly LoggedEntry[], kind: "gateway.decision" | "gateway.outcome"): readonly unknown[] {
  return entries.filter((entry) => entry.kind === kind).map(({ body }) => gatewayEntries[kind].body.parse(body));
}
