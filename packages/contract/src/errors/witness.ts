import type { ErrorTable } from "./table.ts";

/** Failures of asking witnesses, and of being one. */
export const witnessErrors = {
  witness_ahead: {
    status: 503,
    what: "a witness holds a larger or a different checkpoint of this log",
    why: "this copy of the log is older than what was signed, or another copy is running: signing on would make two histories",
    fix: "stop the other copy or put the newest data directory back; to go on from a backup use `licet restore`, which opens a new shard",
  },
  witness_unreachable: {
    status: 503,
    what: "no configured witness has confirmed the last signed checkpoint",
    why: "without one nobody can tell whether this copy of the log is the newest",
    fix: "bring a witness up and have it know this log (`licet witness add-log`), or start once with `--accept-unwitnessed REASON`, which is recorded",
  },
  witness_policy_invalid: {
    status: 422,
    what: "the witness policy cannot be used",
    why: "a policy that is half understood would promise what nobody checks",
    fix: "write it as C2SP tlog-policy text, with a URL on each witness line; `licet witness init` prints the keys",
  },
  witness_locked: {
    status: 503,
    what: "another process serves this witness folder",
    why: "two processes with one key could cosign two histories",
    fix: "stop the process that the message names, or name another folder with `--dir`",
  },
  witness_damaged: {
    status: 503,
    what: "a file of the witness folder is missing or not what was written there",
    why: "a witness that forgets what it cosigned would cosign a second history",
    fix: "put the newest copy of the folder back; if there is none, retire this key and start a witness with a new one",
  },
  witness_key_missing: {
    status: 422,
    what: "the folder holds no witness key",
    why: "a witness signs with one key from its first day on",
    fix: "make one with `licet witness init --dir DIR --name NAME`",
  },
  witness_log_invalid: {
    status: 422,
    what: "the log cannot be added to the witness or taken from it",
    why: "a witness accepts checkpoints only of logs whose name and key it was given",
    fix: "copy the verifier key from the log's page or its first start, and see `licet witness list`",
  },
} as const satisfies ErrorTable;
