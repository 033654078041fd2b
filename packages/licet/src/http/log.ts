import { pino } from "pino";

/** What the listeners write: never a query string, a header or a body. */
export interface ServerLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** Lines of JSON on standard error, which leaves standard output to what a person reads. */
export function openLog(level: "info" | "error" | "silent" = "info"): ServerLog {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: true }));
}

/** A thrown value as fields: causes are for the operator's eyes only. */
export function failureFields(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { failure: typeof error };
  const cause = error.cause === undefined ? {} : { cause: failureFields(error.cause) };
  return { failure: error.name, message: error.message, stack: error.stack, ...cause };
}
