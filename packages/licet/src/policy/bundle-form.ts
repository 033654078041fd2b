import type { PolicyJson, SchemaJson } from "@licet/cedar";
import type { PackDetection } from "@licet/contract";
import type { PolicyRequest } from "./request.ts";

/** `enforce` decides; `warn` and `shadow` are reported beside a decision that they cannot change. */
export type PolicyMode = "enforce" | "warn" | "shadow";

/** One Cedar policy of a bundle, with what people read when it forbids. */
export interface BundlePolicy {
  readonly id: string;
  /** Name of the pack that it comes from. */
  readonly pack: string;
  readonly effect: "permit" | "forbid";
  /** As written, or with the guard of its team pack. */
  readonly text: string;
  /** `text` as cedar-wasm parsed it when the bundle was compiled. */
  readonly json: PolicyJson;
  readonly annotations: Readonly<Record<string, string>>;
  readonly mode: PolicyMode;
}

export type PackKind = "builtin" | "baseline" | "team" | "application";

export interface BundlePack {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly kind: PackKind;
  readonly topic?: string;
  /** Of a team pack: the systems that it tightens. */
  readonly systems?: readonly string[];
  /** Of the pack's sources. */
  readonly digest: string;
  readonly scenarios: number;
  /** Ids of the pack's policies that determine the outcome of at least one scenario. */
  readonly covered: readonly string[];
  /** Of an application pack: how the decision API names its entities. */
  readonly authzen?: unknown;
}

/** A request with what cedar-wasm answered when the bundle was compiled. */
export interface GoldenDecision {
  readonly request: PolicyRequest;
  readonly decision: "allow" | "deny";
  readonly reasons: readonly string[];
  readonly errors: readonly string[];
  /** Policies in mode warn or shadow that would have forbidden; absent where there are none. */
  readonly advisory?: readonly string[];
}

/** Schema and policies as published: the digest stands in every decision and every approval. */
export interface Bundle {
  readonly v: 2;
  /** Cedar text of all namespaces. */
  readonly schema: string;
  readonly schemaJson: SchemaJson;
  readonly packs: readonly BundlePack[];
  /** In the order in which refusals are named. */
  readonly policies: readonly BundlePolicy[];
  readonly golden: readonly GoldenDecision[];
  /** What packs declare about detection, in their order; absent where none does. */
  readonly detection?: readonly PackDetection[];
  /** Digest of the canonical JSON of all the rest; of a bundle of version 1 that of its content then. */
  readonly digest: string;
}
