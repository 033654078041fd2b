import type { ErrorTable } from "./table.ts";

/** Failures between a gateway process and its control plane. */
export const gatewayProcessErrors = {
  gateway_exists: {
    status: 409,
    what: "there is already a gateway of this name in the space",
    why: "a gateway's name stands in the records of what it decided",
    fix: "choose another name; `licet gateway list` shows those in use",
  },
  gateway_join_refused: {
    status: 403,
    what: "the join token does not work",
    why: "a token works once, for an hour, for the gateway that it was made for",
    fix: "make a new one with `licet gateway add NAME` and start the gateway with it in a new directory",
  },
  gateway_not_joined: {
    status: 422,
    what: "this directory is not a gateway's",
    why: "a gateway has keys of its own that its control plane must know first",
    fix: "run `licet gateway add NAME` at the control plane, then `licet serve --role gateway --control URL --join-token FILE --dir DIR`",
  },
  gateway_directory: {
    status: 422,
    what: "this directory is a gateway's own",
    why: "a gateway's log is a shard of its own and holds no governance",
    fix: "start it with `licet serve --role gateway`, or name another directory with `--dir`",
  },
  gateway_stranger: {
    status: 403,
    what: "the control plane does not know this gateway, or knows it no more",
    why: "snapshots and records are exchanged only with gateways that joined and were not removed",
    fix: "see `licet gateway list` at the control plane; a removed gateway joins again under another name, in a new directory",
  },
  gateway_feed_refused: {
    status: 503,
    what: "what the control plane sent cannot be trusted",
    why: "a snapshot that is forged, replayed, older than one before, or built at another time would decide calls wrongly",
    fix: "look for something between gateway and control plane; after a restore from a copy or a rotation of the statement key let the gateway join again",
  },
  gateway_clock_apart: {
    status: 503,
    what: "the clocks of gateway and control plane are more than 5 seconds apart",
    why: "authorizations and credentials end at a time, and both must mean the same by it",
    fix: "keep both machines' clocks in step (NTP)",
  },
  budget_share_missing: {
    status: 429,
    what: "this gateway has no share of a budget that the call could be counted in",
    why: "gateways keep a budget together: each spends only what the control plane has leased it, and without an answer from there nothing",
    fix: "send the call again after a second; if it goes on, see whether the gateway reaches its control plane (`licet gateway list` there, the server log here)",
  },
  gateway_request_invalid: {
    status: 422,
    what: "the control plane cannot use what a gateway sent",
    why: "records are taken over only whole, in order, and of the gateway's own space",
    fix: "run the same version of Licet on both sides; if both are, compare the gateway's log with `licet log check`",
  },
} as const satisfies ErrorTable;
