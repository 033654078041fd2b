/** Whether a rate is at most `limit`, looked at after every outcome. */
export interface SequentialLimit {
  readonly limit: number;
  readonly alpha: number;
}

export interface SequentialState {
  readonly outcomes: number;
  readonly events: number;
  /** Log of the evidence that the rate is below the limit: at log(1 / alpha) it passes. */
  readonly logPass: number;
  /** Log of the evidence that the rate is above the limit. */
  readonly logFail: number;
  readonly verdict: "pass" | "fail" | "insufficient_evidence";
}

export const sequentialStart: SequentialState = { outcomes: 0, events: 0, logPass: 0, logFail: 0, verdict: "insufficient_evidence" };

/**
 * Adds one outcome (true = event). Two likelihood-ratio e-processes against the limit, with alternatives limit / 4 and
 * min(0.9, 3 limit): by Ville's inequality each crosses 1 / alpha with probability at most alpha however often one
 * looks, for every rate on the wrong side. Fail is tested first; a decided state does not change any more.
 * Source: Wald 1945; Ramdas, Grünwald, Vovk & Shafer 2023. Needs 0 < limit < 0.9.
 */
export function sequentialStep(state: SequentialState, event: boolean, { limit, alpha }: SequentialLimit): SequentialState {
  if (state.verdict !== "insufficient_evidence") return state;
  const next = { ...sequentialEvidence({ events: state.events + (event ? 1 : 0), n: state.outcomes + 1 }, limit), events: state.events + (event ? 1 : 0), outcomes: state.outcomes + 1 };
  return { ...next, verdict: crossed(next, alpha) };
}

/** The evidence of both processes after `events` of `n`: it does not depend on their order. */
export function sequentialEvidence({ events, n }: { readonly events: number; readonly n: number }, limit: number): { readonly logPass: number; readonly logFail: number } {
  const ratio = (p: number) => events * Math.log(p / limit) + (n - events) * Math.log((1 - p) / (1 - limit));
  return { logPass: ratio(limit / 4), logFail: ratio(Math.min(0.9, 3 * limit)) };
}

/** Runs over outcomes until decided or exhausted. */
export function runSequential(outcomes: Iterable<boolean>, options: SequentialLimit): SequentialState {
  let state = sequentialStart;
  for (const event of outcomes) {
    state = sequentialStep(state, event, options);
    if (state.verdict !== "insufficient_evidence") return state;
  }
  return state;
}

function crossed({ logPass, logFail }: { readonly logPass: number; readonly logFail: number }, alpha: number): SequentialState["verdict"] {
  const threshold = Math.log(1 / alpha);
  if (logFail >= threshold) return "fail";
  return logPass >= threshold ? "pass" : "insufficient_evidence";
}
