import type { ErrorTable } from "./table.ts";

/** Failures of protected keys, of key management services and of time-stamping authorities. */
export const keysErrors = {
  keys_locked: {
    status: 503,
    what: "the keys are under a passphrase, and none was given",
    why: "without it neither the log can be signed nor a payload be opened",
    fix: "name the file that holds it with --passphrase-file or LICET_PASSPHRASE_FILE",
  },
  kms_package_missing: {
    status: 503,
    what: "the client of the key management service is not installed",
    why: "no vendor's client comes along with licet; who uses a service installs it",
    fix: "run the npm command that the message names in the folder where licet is installed",
  },
  kms_failed: {
    status: 503,
    what: "the key management service did not do what it was asked",
    why: "a checkpoint is not signed with another key than the log's, and wrapped keys open nowhere else",
    fix: "check credentials, permissions and the network of the service's client; nothing was lost, and it is tried again",
  },
  kms_unsupported: {
    status: 422,
    what: "the key of the key management service cannot be used for this",
    why: "checkpoints are signed with Ed25519, and the root key is wrapped by an encryption key",
    fix: "name an Ed25519 signing key to sign the log, and a key for encryption (RSA for Azure) to protect the root",
  },
  keys_rotation: {
    status: 409,
    what: "the key was not replaced",
    why: "a key's time must begin after everything that the one before it has signed",
    fix: "see the message; stop the server and run the command again",
  },
  timestamp_invalid: {
    status: 502,
    what: "the answer of the time-stamping authority is not a timestamp of this checkpoint",
    why: "a timestamp that does not fit proves nothing, so it was not kept",
    fix: "check the address of the authority; the log goes on without a timestamp, and the next hour tries again",
  },
} as const satisfies ErrorTable;
