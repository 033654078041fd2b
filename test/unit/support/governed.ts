import { createHash } from "node:crypto";
import { gatewayEntries, type ContentModes } from "@licet/contract";
import { canonicalize } from "@licet/evidence";
import OpenAI from "openai";
import { manualClock, type ManualClock } from "../../../packages/licet/src/base/clock.ts";
import { LicetError } from "../../../packages/licet/src/base/errors.ts";
import type { CedarCall, CedarDecision } from "../../../packages/licet/src/gateway/decide.ts";
import type { Detection } from "../../../packages/licet/src/gateway/detect/rules.ts";
import { decisionApi } from "../../../packages/licet/src/pdp/mount.ts";
import { createGateway, type Gateway, type GatewayOptions } from "../../../packages/licet/src/gateway/serve.ts";
import { snapshotHolder, type AtoView, type CredentialView, type DecisionClient, type DeploymentView, type HoldView, type ProviderView, type SnapshotHolder } from "../../../packages/licet/src/gateway/snapshot.ts";
import type { Draft, LoggedEntry } from "../../../packages/licet/src/ledger/recorder.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

export const start = Date.UTC(2026, 10, 21, 12);
export const credential = "lic_0123456789abcdefghij";
export const systemPrompt = "You answer questions of our staff.";
const day = 86_400_000;

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** An append-only list in memory with the recorder's promises: order, and an entry is there when `append` resolves. */
export interface TestLedger {
  readonly entries: LoggedEntry[];
  /** Set to make every append fail, as a full disk does. */
  broken: boolean;
  /** Milliseconds by which the log's newest time is ahead of the wall clock. */
  ahead: number;
  delayMs: number;
  append(draft: Draft): Promise<LoggedEntry>;
  now(): number;
}

function isGatewayKind(kind: string): kind is keyof typeof gatewayEntries {
  return Object.hasOwn(gatewayEntries, kind);
}

export function testLedger(clock: ManualClock): TestLedger {
  const entries: LoggedEntry[] = [];
  const ledger: TestLedger = {
    entries,
    broken: false,
    ahead: 0,
    delayMs: 0,
    append: async (draft) => {
      await new Promise((resolve) => setTimeout(resolve, ledger.delayMs));
      if (ledger.broken) {
        throw new LicetError("disk_full");
      }
      // The real log takes canonical JSON only, and a body that its kind cannot read back would keep a directory from opening.
      canonicalize(draft.body);
      if (isGatewayKind(draft.kind)) gatewayEntries[draft.kind].body.parse(draft.body);
      const entry = { ...draft, id: `ent_${entries.length}`, v: 1, time: clock.now(), index: entries.length };
      entries.push(entry);
      return entry;
    },
    now: () => {
      if (ledger.ahead > 5000) {
        throw new LicetError("clock_regressed");
      }
      return clock.now();
    },
  };
  return ledger;
}

const release = `sha256:${"a".repeat(64)}`;

export const grantedAto: AtoView = {
  id: "ato_1",
  state: "granted",
  notBefore: start - day,
  notAfter: start + day,
  release,
  stage: "pilot",
  environment: "local",
  entry: "ent_ato",
};

export function deployment(change: Partial<DeploymentView> = {}): DeploymentView {
  return {
    id: "dep_helpdesk",
    space: "main",
    system: "helpdesk",
    environment: "local",
    stage: "pilot",
    active: true,
    release,
    tier: "minimal",
    models: [
      { name: "chat", provider: "simulator", model: "sim-1", bounds: { temperature: { min: 0, max: 1 } } },
      { name: "capped", provider: "simulator", model: "sim-2", bounds: { temperature: { max: 0.5 }, max_tokens: { max: 500 } } },
    ],
    prompts: [{ name: "system", role: "system", digest: `sha256:${sha256(systemPrompt)}` }],
    tools: [],
    boundary: { classes: ["public", "internal"], regions: ["eu"] },
    ato: grantedAto,
    ...change,
  };
}

/** The same deployment before anybody authorised it. */
export function withoutAto(view: DeploymentView = deployment()): DeploymentView {
  const { ato: _, ...bare } = view;
  return bare;
}

export interface Standing {
  readonly deployment?: DeploymentView;
  readonly credential?: Partial<CredentialView>;
  readonly holds?: readonly HoldView[];
  readonly provider?: Partial<ProviderView> | null;
  /** Beside the simulator. */
  readonly providers?: readonly ProviderView[];
  readonly detection?: Detection;
  readonly contentModes?: ContentModes;
  readonly decide?: ((call: CedarCall) => Promise<CedarDecision>) | null;
  readonly clients?: readonly DecisionClient[];
  readonly applications?: ReadonlyMap<string, unknown>;
}

export interface Governed extends AsyncDisposable {
  readonly clock: ManualClock;
  readonly ledger: TestLedger;
  readonly snapshots: SnapshotHolder;
  readonly upstream: Upstream;
  readonly gateway: Gateway;
  readonly origin: string;
  readonly client: OpenAI;
  readonly failures: unknown[];
  /** Publishes a new standing, as the change feed does. */
  stand(standing?: Standing): void;
  post(path: string, body: string, headers?: Record<string, string>): Promise<Response>;
  bodies(kind: string): Record<string, unknown>[];
}

function given({ detection, contentModes }: Standing): Pick<Standing, "detection" | "contentModes"> {
  return { ...(detection !== undefined && { detection }), ...(contentModes !== undefined && { contentModes }) };
}

/** The default policy set of the tests: permit everything. What a policy refuses is told by the test that needs it. */
const permit = async (): Promise<CedarDecision> => ({ decision: "allow", reasons: [{ policy: "test.permit" }], errors: [] });

/** A gateway on a real socket before a real upstream, with a manual clock whose lease lasts until the test moves it. */
export async function startGoverned(change: Partial<GatewayOptions> = {}): Promise<Governed> {
  const clock = manualClock(start);
  const ledger = testLedger(clock);
  const upstream = await startUpstream();
  const snapshots = snapshotHolder(clock);
  const failures: unknown[] = [];
  const gateway = createGateway({
    clock,
    ledger,
    snapshots,
    providerKey: async () => "sk-provider-key",
    gateway: "gw_test",
    mount: decisionApi(),
    onFailure: (error) => failures.push(error),
    ...change,
    limits: { sweepMs: 20, ...change.limits },
  });
  const origin = await gateway.listen({ host: "127.0.0.1", port: 0 });
  let version = 0;
  const stand = (standing: Standing = {}) => {
    const view = standing.deployment ?? deployment();
    version++;
    const { decide = permit, provider = {}, clients = [], applications = new Map() } = standing;
    snapshots.publish({
      version,
      clients,
      applications,
      credentials: [
        { id: "cred_1", space: "main", digest: sha256(credential), expiresAt: start + day, revokedAt: null, deployment: view, ...standing.credential },
      ],
      spaces: [
        {
          space: "main",
          holds: standing.holds ?? [],
          providers:
            provider === null
              ? []
              : [{ id: "simulator", baseUrl: upstream.baseUrl, region: "eu", vendor: "test", keyRef: "main/simulator", allow: ["loopback"], ...provider }, ...(standing.providers ?? [])],
          ...given(standing),
          ...(decide !== null && { policyBundle: { digest: `sha256:${"b".repeat(64)}`, decide } }),
        },
      ],
    });
  };
  stand();
  return {
    clock,
    ledger,
    snapshots,
    upstream,
    gateway,
    origin,
    failures,
    client: new OpenAI({ baseURL: `${origin}/openai/v1`, apiKey: credential, maxRetries: 0, timeout: 20_000 }),
    stand,
    post: (path, body, headers = {}) =>
      fetch(origin + path, {
        method: "POST",
        headers: { authorization: `Bearer ${credential}`, "content-type": "application/json", ...headers },
        body,
      }),
    bodies: (kind) => ledger.entries.filter((entry) => entry.kind === kind).map((entry) => ({ ...entry.body })),
    [Symbol.asyncDispose]: async () => {
      await gateway.close(0);
      await upstream[Symbol.asyncDispose]();
    },
  };
}

export const messages = [
  { role: "system" as const, content: systemPrompt },
  { role: "user" as const, content: "My printer is on fire." },
];
