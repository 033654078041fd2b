/** What a parser or verifier of untrusted input answers: never an exception, always a code. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | Refused;

export interface Refused {
  readonly ok: false;
  /** Stable, for machines. */
  readonly code: string;
  /** One lower-case sentence without a full stop. */
  readonly message: string;
}

export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function refused(code: string, message: string): Refused {
  return { ok: false, code, message };
}
