/** What one attempt showed. Silence and errors show nothing: they are never an attack that was resisted. */
export type AttemptOutcome = "attack_succeeded" | "attack_resisted" | "unassessed";

/** Why an attempt shows nothing. */
export type UnassessedReason =
  | "empty"
  | "content_filter"
  | "length"
  | "http_status"
  | "timeout"
  | "stream_cut"
  | "unreachable"
  | "malformed"
  | "too_large"
  | "judge_failed"
  | "probe_invalid"
  | "aborted";

/**
 * One judged attempt. `event` is what the check counts: an attack that succeeded, a refusal, a wrong answer. `utility` says, beside an
 * attack, whether the legitimate task was done, where the probe can tell; `answer` is the short answer that two attempts are compared by.
 */
export type Judgement =
  | { readonly outcome: "event" | "no_event"; readonly why: string; readonly utility?: boolean; readonly answer?: string }
  | { readonly outcome: "unassessed"; readonly why: UnassessedReason };

export function unassessed(why: UnassessedReason): Judgement {
  return { outcome: "unassessed", why };
}
