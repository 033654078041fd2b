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

/** A thrown value as fields: causes are for the operator's eyes only. What has a code names itself; anything else, only its stack says where it comes from. */
export function failureFields(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { failure: typeof error };
  const cause = error.cause === undefined ? {} : { cause: failureFields(error.cause) };
  const code = "code" in error && typeof error.code === "string" && error.code !== "internal" ? error.code : undefined;
  return { failure: code ?? error.name, message: error.message, ...(code === undefined && { stack: error.stack }), ...cause };
}
