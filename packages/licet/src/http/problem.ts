import { errorInfo, LicetError, type ErrorCode } from "@licet/contract";
import type { z } from "zod";

export interface Place {
  /** JSON pointer: `/body/name`, `/query/limit`, `/params/system`. */
  readonly pointer: string;
  readonly detail: string;
}

/** A problem document (RFC 9457) with our code, the fix, and the request id as its instance. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly fix: string;
  readonly instance: string;
  readonly errors?: readonly Place[];
  readonly at?: Readonly<Record<string, unknown>>;
}

export const problemType = "application/problem+json; charset=utf-8";

/** A request that does not fit its route: the places travel in `at.errors`. */
export function invalidRequest(places: readonly Place[]): LicetError {
  return new LicetError("invalid_request", { at: { errors: places } });
}

const placesMax = 50;

export function placesOf(error: z.ZodError, part: string): readonly Place[] {
  return error.issues.slice(0, placesMax).map((issue) => ({
    pointer: ["", part, ...issue.path.map((step) => String(step).replaceAll("~", "~0").replaceAll("/", "~1"))].join("/"),
    detail: issue.message,
  }));
}

function isPlace(value: unknown): value is Place {
  return typeof value === "object" && value !== null && "pointer" in value && "detail" in value;
}

/** INVARIANT: nothing of a cause, a stack or a foreign message reaches the document. */
export function toProblem(error: LicetError, instance: string): Problem {
  const info = errorInfo(error.code);
  const { errors, ...at } = error.at;
  return {
    type: `/errors/${error.code}`,
    title: info.what,
    status: info.status,
    detail: error.message,
    code: error.code,
    fix: info.fix,
    instance,
    ...(Array.isArray(errors) ? { errors: errors.filter(isPlace) } : {}),
    ...(Object.keys(at).length === 0 ? {} : { at }),
  };
}

/** What Fastify throws before a handler runs, as codes of ours. */
const foreign: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "body_too_large",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "content_type_refused",
  FST_ERR_CTP_EMPTY_JSON_BODY: "invalid_request",
  FST_ERR_CTP_INVALID_JSON_BODY: "invalid_request",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "invalid_request",
  FST_ERR_BAD_URL: "not_found",
};

/** Any thrown value as one failure of ours; what is not ours is `internal` and keeps its cause for the log. */
export function toLicetError(error: unknown): LicetError {
  if (error instanceof LicetError) return error;
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    const code = foreign[error.code];
    if (code === "invalid_request") return invalidRequest([{ pointer: "/body", detail: "not a JSON document" }]);
    if (code !== undefined) return new LicetError(code, { cause: error });
  }
  // secure-json-parse refuses `__proto__` with a plain SyntaxError.
  if (error instanceof SyntaxError && "statusCode" in error) return invalidRequest([{ pointer: "/body", detail: "not a JSON document" }]);
  return new LicetError("internal", { cause: error });
}
