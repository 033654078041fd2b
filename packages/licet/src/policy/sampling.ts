import { digestOf } from "@licet/evidence";
import type { Clock } from "../base/clock.ts";
import type { Bundle } from "./bundle-form.ts";
import { distrust, isDistrusted, type Decider, type EntityBase, type PolicyDecision } from "./decide.ts";
import { wholeRequest } from "./engine.ts";
import type { PolicyRequest } from "./request.ts";
import { JudgeThread } from "./sampling-thread.ts";
import { canonicalOutcome, outcomeOf, type Outcome } from "./scenario-outcome.ts";

/** A live decision that Cedar's own implementation makes differently. Holds no content of the request. */
export interface PolicyMismatch {
  readonly space: string;
  readonly policyDigest: string;
  readonly requestDigest: string;
  readonly ours: Outcome;
  readonly theirs: Outcome;
  /** When it was found. */
  readonly at: number;
}

export interface SamplingOptions {
  readonly clock: Clock;
  /** Share of the decisions that are made again; 0.001 where absent. */
  readonly share?: number;
  readonly perSecondMax?: number;
  readonly queueMax?: number;
  /** Between 0 and 1, as `Math.random`. */
  readonly random?: () => number;
  /** Told of every difference; the bundle is distrusted by then. */
  readonly onMismatch: (mismatch: PolicyMismatch) => void;
  /** Told that a sample could not be judged; the decision stands. */
  readonly onFailure?: (error: unknown) => void;
}

const defaults = { share: 0.001, perSecondMax: 20, queueMax: 100, random: Math.random };

/**
 * Has a share of the live decisions made again by cedar-wasm, in a thread of its own and after the answer was given.
 *
 * INVARIANT: once a bundle was decided differently, no decision of that bundle is made by `@licet/cedar` again in this
 * process; see `distrust`.
 */
export class Sampler {
  readonly #options: SamplingOptions & typeof defaults;
  readonly #judge = new JudgeThread();
  #second = 0;
  #taken = 0;

  constructor(options: SamplingOptions) {
    this.#options = { ...defaults, ...options };
  }

  /** Costs a random number where the decision is not taken. Never throws, never waits. */
  offer(decided: Decided): void {
    if (this.#options.random() >= this.#options.share || !this.#hasRoom()) return;
    this.#taken++;
    this.#check(decided).catch((error: unknown) => this.#options.onFailure?.(error));
  }

  /** For decisions that are made elsewhere, as the gate's are. */
  watch(space: string): (decided: Omit<Decided, "space">) => void {
    return (decided) => this.offer({ space, ...decided });
  }

  /** For a bundle that is distrusted: cedar-wasm's own decision. A failure denies. */
  async decide(bundle: Bundle, request: PolicyRequest, base?: EntityBase): Promise<PolicyDecision> {
    try {
      return await this.#judge.decide(bundle, wholeRequest(request, base));
    } catch (error) {
      this.#options.onFailure?.(error);
      return { decision: "deny", reasons: [], errors: [{ policy: "engine", message: "cedar-wasm did not answer" }], warnings: [], shadowed: [], advisoryErrors: [] };
    }
  }

  async close(): Promise<void> {
    await this.#judge.close();
  }

  #hasRoom(): boolean {
    const second = Math.floor(this.#options.clock.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#taken = 0;
    }
    return this.#taken < this.#options.perSecondMax && this.#judge.waiting < this.#options.queueMax;
  }

  async #check({ space, bundle, request, base, decision }: Decided): Promise<void> {
    const whole = wholeRequest(request, base);
    const judged = await this.#judge.decide(bundle, whole);
    if (judged.errors.some(({ policy }) => policy === "engine") || canonicalOutcome(judged) === canonicalOutcome(decision)) return;
    distrust(bundle.digest);
    this.#options.onMismatch({ space, policyDigest: bundle.digest, requestDigest: digestOf(whole), ours: outcomeOf(decision), theirs: outcomeOf(judged), at: this.#options.clock.now() });
  }
}

/** A decision with all that went into it. */
export interface Decided {
  readonly space: string;
  readonly bundle: Bundle;
  readonly request: PolicyRequest;
  readonly base?: EntityBase | undefined;
  readonly decision: PolicyDecision;
}

/** The same decider, whose decisions are offered to the sampler. */
export function withSampling(decider: Decider, { sampler, space }: { readonly sampler: Sampler | undefined; readonly space: string }): Decider {
  if (sampler === undefined) return decider;
  return {
    ...decider,
    decide(request, base) {
      const decision = decider.decide(request, base);
      if (!isDistrusted(decider.bundle.digest)) sampler.offer({ space, bundle: decider.bundle, request, base, decision });
      return decision;
    },
  };
}

/** Decides as `decider` does, offers the decision to the sampler, and asks cedar-wasm once the bundle is distrusted. */
export async function decideSampled({ decider, sampler, space }: { readonly decider: Decider; readonly sampler: Sampler | undefined; readonly space: string }, request: PolicyRequest, base?: EntityBase): Promise<PolicyDecision> {
  const { bundle } = decider;
  if (sampler === undefined) return decider.decide(request, base);
  if (isDistrusted(bundle.digest)) return sampler.decide(bundle, request, base);
  const decision = decider.decide(request, base);
  sampler.offer({ space, bundle, request, base, decision });
  return decision;
}
