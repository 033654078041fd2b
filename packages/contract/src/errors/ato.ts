import type { ErrorTable } from "./table.ts";

/** Failures and refusals around gates, authorizations to operate and deployments. */
export const atoErrors = {
  facts_malformed: {
    status: 422,
    what: "these are not the facts of a gate",
    why: "a decision on half-understood facts would be a guess",
    fix: "take the facts from `licet gate --format json`, unchanged; the places that do not fit are named",
  },
  request_open_already: {
    status: 409,
    what: "the same move is already being asked for",
    why: "two requests for one move would split the approvals between them",
    fix: "wait for the open request, or have it returned; it is named in `at`",
  },
  ato_not_granted: {
    status: 409,
    what: "the release holds no authorization to operate for this stage and environment",
    why: "a deployment without one could not carry any traffic",
    fix: "ask for it with `licet promote`, and see what is unmet with `licet gate`",
  },
  ato_not_in_force: {
    status: 409,
    what: "the authorization to operate is no longer in force",
    why: "it was revoked or has run out, and opens nothing",
    fix: "ask for a new one with `licet promote`",
  },
} as const satisfies ErrorTable;
