import { type ErrorCode, LicetError } from "@licet/contract";

const reasons: Partial<Record<ErrorCode, string>> = {
  subject_failed: "unanswered",
  subject_timeout: "unanswered",
  subject_refused: "unanswered",
  subject_stale: "stale_subject",
  subject_opaque: "weights_unseen",
  model_operator_unknown: "operator_unknown",
  interpreters_differ: "interpreters_differ",
  query_budget_spent: "aborted",
};

const messageCharactersMax = 2000;

/** Why nothing can be said, where it lies with what was tested. Undefined for everything else, which is an error of the check. */
export function unanswered(error: unknown): { readonly reason: string; readonly message: string } | undefined {
  if (!(error instanceof LicetError)) return undefined;
  const reason = reasons[error.code];
  return reason === undefined ? undefined : { reason, message: error.message.slice(0, messageCharactersMax) };
}
