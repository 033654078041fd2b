import type { BudgetLimits, ContentModes, ModelPrices, ProviderKind } from "@licet/contract";
import type { Clock } from "../base/clock.ts";
import type { TemplateText } from "../inventory/prompt-template.ts";
import type { CedarCall, CedarDecision, ObserveCall } from "./decide.ts";
import type { Detection } from "./detect/rules.ts";

/**
 * What the gateway knows, in memory only and never changed in place: a new standing is a new snapshot.
 *
 * INVARIANT: a snapshot decides only while its lease runs. The lease is renewed by the change feed's heartbeat; once
 * it lapses every call is denied, because a hold or a revocation could have been missed.
 */
export interface Snapshot {
  /** Applied log index that this was built from. */
  readonly version: number;
  readonly builtAt: number;
  /** When the lease was last renewed; a clock that stands before it has been set back. */
  readonly renewedAt: number;
  readonly leaseUntil: number;
  readonly byCredentialDigest: ReadonlyMap<string, CredentialView>;
  readonly spaces: ReadonlyMap<string, SpaceView>;
  /** Who asks the decision API about applications, by the digest of their token. */
  readonly byClientDigest: ReadonlyMap<string, DecisionClient>;
  /** What the decision API decides on in each space; made and read by `pdp` alone. */
  readonly applications: ReadonlyMap<string, unknown>;
}

/** A program that asks for decisions about an application's subjects and resources: of one space, and of no deployment. */
export interface DecisionClient {
  readonly id: string;
  readonly space: string;
  readonly name: string;
  /** Lower-case SHA-256 in hexadecimal of the token as the client sends it. */
  readonly digest: string;
  readonly expiresAt: number;
}

export interface CredentialView {
  readonly id: string;
  readonly space: string;
  /** Lower-case SHA-256 in hexadecimal of the credential as the caller sends it. */
  readonly digest: string;
  readonly expiresAt: number;
  readonly revokedAt: number | null;
  readonly deployment: DeploymentView;
}

export interface DeploymentView {
  readonly id: string;
  readonly space: string;
  readonly system: string;
  readonly environment: string;
  readonly stage: string;
  readonly active: boolean;
  /** Digest of the release, `sha256:…`. */
  readonly release: string;
  readonly tier: string;
  readonly models: readonly ModelView[];
  readonly prompts: readonly PromptView[];
  readonly tools: readonly ToolView[];
  readonly boundary: {
    readonly classes: readonly string[];
    readonly regions: readonly string[];
    /** To whom data may leave; nobody where absent. */
    readonly sharingPaths?: readonly { readonly to: string; readonly classes: readonly string[]; readonly region?: string | undefined }[];
  };
  readonly ato?: AtoView;
  /** The waiver under which this deployment is observed; in force only between its times. */
  readonly observe?: ObserveView;
  /** The oversight mode that the deployed release declares. */
  readonly oversight?: string;
  /** Every set of limits holds; nothing is limited where absent. */
  readonly budgets?: BudgetView;
}

/** Limits by who set them: the deployed release, the operator for the system, the operator for all systems of the space. */
export interface BudgetView {
  readonly release?: BudgetLimits;
  readonly system?: BudgetLimits;
  readonly space?: BudgetLimits;
}

export interface ModelView {
  /** What callers say in `model`; the provider's own name is accepted too. */
  readonly name: string;
  /** Id of the registered provider, or `local` for a model that the system runs itself. */
  readonly provider: string;
  /** The provider's name of the model, sent upstream. */
  readonly model: string;
  /** `sha256:…` of the weights, where the release declares them: always for a model that the system runs itself. */
  readonly digest?: string;
  /** The provider's version, where the release pins one. */
  readonly version?: string;
  readonly bounds: Readonly<Record<string, ParameterBound | undefined>>;
  /** The declared `response_format` in its wire form; see `wireResponseFormat`. */
  readonly responseFormat?: unknown;
  /** A classical model that is served: it is asked for scores and never in words. */
  readonly scores?: true;
  /** Powers that the release permits by name, as `store` or `server-tool:web_search`; none where absent. */
  readonly permissions?: readonly string[];
  /** Names of declared models that may answer in its place when its provider fails, in their order. */
  readonly fallback?: readonly string[];
  /** How often the same call is sent again to the same model when its provider fails; none where absent. */
  readonly retries?: number;
}

/** Limits of one request parameter. A bound on `max_tokens` holds for `max_completion_tokens` too, and the reverse. */
export interface ParameterBound {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** One of `digest` (SHA-256 of the exact UTF-8 text) and `template`. */
export interface PromptView {
  readonly name: string;
  readonly role: "system" | "developer";
  readonly digest?: string;
  readonly template?: TemplateText;
}

export interface ToolView {
  /** The function's name. */
  readonly name: string;
  /** `toolDigest` of inventory/release.ts, of what goes over the wire. */
  readonly digest: string;
  /** The strongest thing it can do, in the manifest's words. */
  readonly power?: string;
}

/** Who let a system be observed, and until when; see `observe-mode.ts`. */
export interface ObserveView {
  readonly id: string;
  readonly notBefore: number;
  readonly notAfter: number;
  /** Ids of the person who asked, and of whom agreed, with the role in which they did. */
  readonly asked: string;
  readonly granted: readonly { readonly person: string; readonly role: string }[];
  /** Nobody else could have agreed. */
  readonly soleOperator: boolean;
}

export interface AtoView {
  readonly id: string;
  readonly state: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly release: string;
  readonly stage: string;
  readonly environment: string;
  /** Id of the log entry that granted it. */
  readonly entry: string;
}

export interface HoldView {
  readonly id: string;
  readonly scope: "all" | "system" | "vendor";
  readonly system?: string;
  /** Of scope `vendor`: nothing is sent to its providers. */
  readonly vendor?: string;
  readonly reason: string;
}

export interface ProviderView {
  readonly id: string;
  /** Up to and including the version segment, as in `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  readonly region: string;
  readonly vendor: string;
  /** Whose service it is: says which dialects it speaks and how keys travel; `openai` where absent. */
  readonly kind?: ProviderKind;
  /** Of Azure: the value of `api-version`. */
  readonly apiVersion?: string;
  /** Names the key in the vault; part of the provider's identity, never the key itself. */
  readonly keyRef: string;
  /** Addresses that the operator allowed beside public ones; see `OutboundOptions.allow`. */
  readonly allow?: readonly string[];
  /** The organisation's own prices by model, as the provider names it; they go before the price tables. */
  readonly prices?: Readonly<Record<string, ModelPrices>>;
}

export interface PolicyBundleView {
  readonly digest: string;
  decide(request: CedarCall | ObserveCall): Promise<CedarDecision>;
  /** Answers of an earlier epoch no longer count: something else decides by now. Absent where that cannot be. */
  epoch?(): number;
}

export interface SpaceView {
  readonly holds: readonly HoldView[];
  readonly providers: ReadonlyMap<string, ProviderView>;
  /** Absent until a bundle is published: then nothing is allowed. */
  readonly policyBundle?: PolicyBundleView;
  /** What is recorded of calls' words; the defaults when absent. */
  readonly contentModes?: ContentModes;
  /** What is looked for in calls, and what is done about it; the defaults when absent. */
  readonly detection?: Detection;
}

/** Flat rows, as the record tables give them. */
export interface SnapshotInput {
  readonly version: number;
  readonly credentials: readonly CredentialView[];
  readonly spaces: readonly {
    readonly space: string;
    readonly holds: readonly HoldView[];
    readonly providers: readonly ProviderView[];
    readonly policyBundle?: PolicyBundleView;
    readonly contentModes?: ContentModes;
    readonly detection?: Detection;
  }[];
  readonly clients?: readonly DecisionClient[];
  readonly applications?: ReadonlyMap<string, unknown>;
}

export interface SnapshotSource {
  /** Undefined when there is none or its lease has lapsed. */
  current(): Snapshot | undefined;
}

export interface SnapshotHolder extends SnapshotSource {
  /**
   * Puts a newly built snapshot in place, with a fresh lease. An older version than the present one is ignored. The lease
   * runs from `readAt`, when the rows began to be read: what was committed after that could have been missed.
   */
  publish(input: SnapshotInput, readAt?: number): void;
  /** The feed's heartbeat. False when `version` is not the one held: then only `publish` helps. */
  renew(version: number, readAt?: number): boolean;
}

export const leaseMs = 1000;

export function snapshotHolder(clock: Clock, lease: number = leaseMs): SnapshotHolder {
  let held: Snapshot | undefined;
  return {
    publish: (input, readAt = clock.now()) => {
      if (held !== undefined && input.version < held.version) {
        return;
      }
      held = build(input, { now: readAt, lease });
    },
    renew: (version, readAt = clock.now()) => {
      if (held === undefined || held.version !== version) {
        return false;
      }
      held = { ...held, renewedAt: readAt, leaseUntil: readAt + lease };
      return true;
    },
    current: () => {
      const now = clock.now();
      const fresh = held !== undefined && held.renewedAt <= now && now < held.leaseUntil;
      return fresh ? held : undefined;
    },
  };
}

function build(input: SnapshotInput, at: { readonly now: number; readonly lease: number }): Snapshot {
  const spaces = input.spaces.map(({ space, providers, ...view }) => {
    const byId = new Map(providers.map((provider) => [provider.id, provider]));
    return [space, { ...view, providers: byId }] as const;
  });
  return {
    version: input.version,
    builtAt: at.now,
    renewedAt: at.now,
    leaseUntil: at.now + at.lease,
    byCredentialDigest: new Map(input.credentials.map((view) => [view.digest, view])),
    spaces: new Map(spaces),
    byClientDigest: new Map((input.clients ?? []).map((client) => [client.digest, client])),
    applications: input.applications ?? new Map(),
  };
}
