import type { ErrorTable } from "./table.ts";

/** Failures and refusals around requests, approvals and holds. */
export const oversightErrors = {
  request_closed: {
    status: 409,
    what: "the request is closed",
    why: "an answer to a request that was granted, returned or refused would change nothing",
    fix: "ask for the move again, and answer the new request",
  },
  approval_role_missing: {
    status: 403,
    what: "you do not hold the role in which you want to answer",
    why: "an approval counts for the role in which it was given",
    fix: "answer in a role that you hold; your roles stand on your account page",
  },
  approval_not_yours: {
    status: 403,
    what: "you may not answer this request",
    why: "nobody approves their own change, and administrators approve nothing",
    fix: "have somebody answer who is no author and no administrator; the request names who can",
  },
  approval_reauthenticate: {
    status: 401,
    what: "you signed in more than 15 minutes ago",
    why: "an approval says who gave it, and a session left open does not",
    fix: "sign in again and repeat the answer",
  },
  approval_statement_changed: {
    status: 409,
    what: "the statement is not the one that this answer would sign now",
    why: "the facts, the policies or your words have changed since it was drafted",
    fix: "look at the request again, and sign the new draft",
  },
  assertion_invalid: {
    status: 403,
    what: "the passkey's answer does not fit this statement",
    why: "a signature over something else would prove nothing about this approval",
    fix: "sign the draft again with a passkey that is registered for your account",
  },
  hold_scope_invalid: {
    status: 422,
    what: "a hold names the one thing that it stops: a system or a vendor, and nothing where it stops everything",
    why: "a hold that is placed on a guess may stop the wrong thing",
    fix: "give `system` with scope `system`, `vendor` with scope `vendor`, and neither with scope `all`",
  },
  hold_lifted_already: {
    status: 409,
    what: "the hold is not in force",
    why: "it was lifted before",
    fix: "see which holds are in force with `licet hold list`",
  },
  waiver_environment: {
    status: 422,
    what: "the system's newest release does not name this environment",
    why: "a waiver is for one system in one environment that its manifest declares",
    fix: "give one of the environments in licet.yaml, or add it there and push",
  },
  waiver_over: {
    status: 409,
    what: "this system has been observed in this environment for as long as it may be",
    why: "observing lasts at most 30 days from the first waiver on, and another one does not begin it anew",
    fix: "have the release authorised: `licet gate --to experiment` says what is missing",
  },
  waiver_in_force: {
    status: 409,
    what: "a waiver for this system and environment is in force already",
    why: "two of them would leave it open which one a call went on by",
    fix: "end the one that is in force with `licet waiver end`, or wait for its end",
  },
  waiver_ended_already: {
    status: 409,
    what: "the waiver is not in force",
    why: "it was ended before, or its time is over",
    fix: "see which are in force with `licet waiver list`",
  },
} as const satisfies ErrorTable;
