import type { FindingCount } from "@licet/contract";
import type { TraceContext } from "./trace-context.ts";

/** Who is told of every call: metrics, spans, live views. Counts, names and times only, never a message's content. */
export interface CallObserver {
  /** After the decision is durable, or could not be recorded. Must not throw, must not wait. */
  decided(call: ObservedDecision): void;
  /** After the outcome is recorded. Only for calls that were allowed. */
  ended(call: ObservedOutcome): void;
}

/** One decision, as it was recorded. All durations are milliseconds with fractions, of a monotonic clock. */
export interface ObservedDecision {
  /** Undefined where the log did not take it. */
  readonly id: string | undefined;
  readonly space: string | undefined;
  readonly system: string | undefined;
  readonly deployment: string | undefined;
  readonly release: string | undefined;
  /** `callModel`, `embed`, `listModels`, `unknown`. */
  readonly action: string;
  /** Name of the dialect; undefined where the endpoint is none. */
  readonly dialect: string | undefined;
  readonly stream: boolean;
  /** As the caller names the model. */
  readonly model: string | undefined;
  /** As the provider names it. */
  readonly upstreamModel: string | undefined;
  readonly provider: ObservedProvider | undefined;
  readonly decision: "allow" | "deny";
  /** Why not, from the registry of errors. */
  readonly code: string | undefined;
  /** What refused: a Cedar policy's id, or `gateway.CODE`. */
  readonly policy: string | undefined;
  /** Policies in mode warn or shadow that would have refused. */
  readonly warned: number;
  readonly findings: readonly FindingCount[];
  /** When the call came in, milliseconds since the Unix epoch. */
  readonly receivedAt: number;
  /** From the call's arrival to the durable decision. */
  readonly decisionMs: number;
  /** The part of `decisionMs` that waited for the log. */
  readonly durableMs: number;
  readonly trace: TraceContext | undefined;
}

export interface ObservedProvider {
  readonly id: string;
  /** `openai`, `azure`, `anthropic`. */
  readonly kind: string;
  /** Origin and path prefix that it is reached at. */
  readonly baseUrl: string;
}

/** How an allowed call ended, as it was recorded. */
export interface ObservedOutcome {
  readonly call: ObservedDecision;
  /** What the caller got; 499 where it had left. */
  readonly status: number;
  readonly code: string | undefined;
  readonly finish: "complete" | "aborted" | "refused" | "failed";
  readonly finishReasons: readonly string[];
  readonly usage: ObservedUsage | null;
  /** Undefined where no price is declared. */
  readonly cost: ObservedCost | undefined;
  /** In the answer. */
  readonly findings: readonly FindingCount[];
  /** Calls of tools in the answer: let go on, or why not. */
  readonly tools?: readonly { readonly calls: number; readonly decision: "allow" | "deny"; readonly code: string | undefined }[];
  /** Values replaced, both ways together. */
  readonly redactions: number;
  readonly upstreamStatus: number | null;
  /** From sending to the provider to its first byte; null when none came. */
  readonly upstreamFirstByteMs: number | null;
  /** From sending to the provider to the end of its answer; 0 when nothing was sent. */
  readonly upstreamMs: number;
  /** From the call's arrival to its end. */
  readonly totalMs: number;
  /** False when the log did not take the outcome. */
  readonly recorded: boolean;
}

export interface ObservedUsage {
  readonly prompt: number;
  readonly completion: number;
  readonly cached?: number | undefined;
  readonly reasoning?: number | undefined;
}

export interface ObservedCost {
  /** Millionths of the currency. */
  readonly costMicros: number;
  readonly currency: string;
}

export const noObserver: CallObserver = { decided: () => undefined, ended: () => undefined };

/** Tells several. One that fails is not told again, and neither the call nor the others notice. */
export function observers(parts: readonly CallObserver[], onFailure: (error: unknown) => void = () => undefined): CallObserver {
  let live = parts;
  const tell = (step: (observer: CallObserver) => void): void => {
    for (const observer of live) {
      try {
        step(observer);
      } catch (error) {
        live = live.filter((each) => each !== observer);
        onFailure(error);
      }
    }
  };
  return {
    decided: (call) => tell((observer) => observer.decided(call)),
    ended: (call) => tell((observer) => observer.ended(call)),
  };
}
