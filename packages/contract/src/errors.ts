import { assuranceErrors } from "./errors/assurance.ts";
import { atoErrors } from "./errors/ato.ts";
import { ciErrors } from "./errors/ci.ts";
import { cliErrors } from "./errors/cli.ts";
import { coreErrors } from "./errors/core.ts";
import { decisionErrors } from "./errors/decisions.ts";
import { gatewayErrors } from "./errors/gateway.ts";
import { gatewayProcessErrors } from "./errors/gateways.ts";
import { identityErrors } from "./errors/identity.ts";
import { inventoryErrors } from "./errors/inventory.ts";
import { keysErrors } from "./errors/keys.ts";
import { manifestErrors } from "./errors/manifest.ts";
import { observeErrors } from "./errors/observe.ts";
import { oipErrors } from "./errors/oip.ts";
import { oversightErrors } from "./errors/oversight.ts";
import { policyErrors } from "./errors/policy.ts";
import { privacyErrors } from "./errors/privacy.ts";
import { riskErrors } from "./errors/risk.ts";
import { statementErrors } from "./errors/statements.ts";
import { storageErrors } from "./errors/storage.ts";
import type { ErrorInfo } from "./errors/table.ts";
import { witnessErrors } from "./errors/witness.ts";

/** Every code that Licet can answer with. `docs/errors.md` is checked against this table. */
export const errors = {
  ...coreErrors,
  ...storageErrors,
  ...manifestErrors,
  ...inventoryErrors,
  ...riskErrors,
  ...policyErrors,
  ...identityErrors,
  ...assuranceErrors,
  ...ciErrors,
  ...oversightErrors,
  ...atoErrors,
  ...gatewayErrors,
  ...gatewayProcessErrors,
  ...decisionErrors,
  ...cliErrors,
  ...keysErrors,
  ...privacyErrors,
  ...witnessErrors,
  ...statementErrors,
  ...observeErrors,
  ...oipErrors,
} as const;

export type ErrorCode = keyof typeof errors;

export function errorInfo(code: ErrorCode): ErrorInfo {
  return errors[code];
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errors, code);
}

export interface ErrorDetail {
  /** Public: what happened here, with user input in backticks. Defaults to the registry's `what`. */
  readonly message?: string;
  /** Public: where and what, as data for machines. Never secrets, never model content. */
  readonly at?: Readonly<Record<string, unknown>>;
  /** Internal: kept for the server's log, never sent. */
  readonly cause?: unknown;
}

/** A failure with a stable code. Refusals (denied, unmet, held) are values, not errors. */
export class LicetError extends Error {
  readonly code: ErrorCode;
  readonly at: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, detail: ErrorDetail = {}) {
    super(detail.message ?? errors[code].what, { cause: detail.cause });
    this.name = "LicetError";
    this.code = code;
    this.at = detail.at ?? {};
  }
}
