import { errorInfo, type ErrorCode } from "@licet/contract";

/** Why a call does not go through: a value, recorded like any decision. Nothing in it comes from a message's content. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly status: number;
  readonly message: string;
  /** The field of the request, when one is to blame. */
  readonly param: string | null;
  /** What differs from the release, as `prompt` or `tool:search`. */
  readonly component?: string;
  /** The Cedar policy, or `gateway.CODE` for what the gateway itself demands. */
  readonly policy: string;
  readonly remedy: string;
  /** When the same call may pass; absent where waiting does not help. */
  readonly retryAfterSeconds?: number;
}

export interface RefusalDetail {
  readonly message?: string;
  readonly param?: string;
  readonly component?: string;
  readonly policy?: string;
  readonly remedy?: string;
  readonly status?: number;
  readonly retryAfterSeconds?: number | undefined;
}

export function refuse(code: ErrorCode, detail: RefusalDetail = {}): Refusal {
  const info = errorInfo(code);
  return {
    code,
    status: detail.status ?? info.status,
    message: shown(detail.message ?? info.what),
    param: detail.param === undefined ? null : shown(detail.param),
    ...(detail.component !== undefined && { component: shown(detail.component) }),
    policy: detail.policy ?? `gateway.${code}`,
    remedy: detail.remedy ?? info.fix,
    ...(detail.retryAfterSeconds !== undefined && { retryAfterSeconds: detail.retryAfterSeconds }),
  };
}

const shownCharactersMax = 300;

/** Names that a caller chose travel into records and answers: bounded, and without control characters. */
export function shown(text: string): string {
  const printable = text.replaceAll(/\p{Cc}/gu, " ");
  const short = printable.length <= shownCharactersMax ? printable : `${printable.slice(0, shownCharactersMax - 1)}…`;
  // Cutting may halve a surrogate pair, and the log takes well-formed text only.
  return short.toWellFormed();
}
