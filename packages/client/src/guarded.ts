import type { Answer, ScoringAsked, Workload } from "./workload.ts";

/** A scoring that did not happen, or whose result does not count: the message says why, `remedy` what to do next. */
export class ScoringRefused extends Error {
  override readonly name = "ScoringRefused";
  readonly code: string;
  readonly remedy: string;
  /** Id of the recorded decision; null where none was recorded. */
  readonly decision: string | null;

  constructor({ code, message, remedy, decision }: Omit<Extract<Answer, { readonly allowed: false }>, "allowed">) {
    super(`${message}; ${remedy}`);
    this.code = code;
    this.remedy = remedy;
    this.decision = decision;
  }
}

export interface GuardOptions<I, O> {
  readonly workload: Workload;
  /** The model as the release declares it, with the digest of the file that `score` runs. */
  readonly model: string;
  readonly digest: string;
  /** What of an input Licet is told: classes of its data, and words in it. Nothing unless named. */
  readonly describe?: ((input: I) => Pick<ScoringAsked, "dataClasses" | "texts">) | undefined;
  /** How many rows an output is of, for the record. */
  readonly rows?: ((output: O) => number) | undefined;
}

/**
 * Wraps a function that runs a model in this process: each call is decided and recorded before the model runs, and its
 * end is recorded before the result is handed out. Throws {@link ScoringRefused} where Licet says no, cannot be reached,
 * or does not take the outcome; what `score` itself throws is passed on, after it was recorded as failed.
 *
 * @example
 * const digest = await digestOfModel(bytes);
 * const score = guarded((rows: Float32Array) => model.run(rows), { workload: licet, model: "tumour-gbm", digest });
 * const result = await score(rows);
 */
export function guarded<I, O>(score: (input: I) => O | Promise<O>, { workload, model, digest, describe, rows }: GuardOptions<I, O>): (input: I) => Promise<O> {
  return async (input) => {
    const answer = await workload.mayScore({ model, digest, ...describe?.(input) });
    if (!answer.allowed) throw new ScoringRefused(answer);
    const { decision } = answer;
    const startedAt = performance.now();
    const ended = (finish: "complete" | "failed", count?: number): Promise<boolean> => workload.scored({ decision, finish, rows: count, milliseconds: performance.now() - startedAt });
    const output = await attempt(() => score(input));
    if ("failed" in output) {
      await ended("failed");
      throw output.failed;
    }
    if (await ended("complete", rows?.(output.value))) return output.value;
    throw new ScoringRefused({ code: "evidence_unavailable", message: "the outcome of the scoring is not in the record, so its result is withheld", remedy: "ask again once Licet can be reached", decision });
  };
}

async function attempt<T>(work: () => T | Promise<T>): Promise<{ readonly value: T } | { readonly failed: unknown }> {
  try {
    return { value: await work() };
  } catch (failed) {
    return { failed };
  }
}

/** `sha256:` and the digest of a model's file, as the release declares it. */
export async function digestOfModel(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `sha256:${Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
