/** One place in a request that was refused: a JSON pointer and what is wrong there. */
export interface Place {
  readonly pointer: string;
  readonly detail: string;
}

/**
 * An answer of the server that is not a success (RFC 9457, `application/problem+json`). `code` is the stable name
 * from the error registry; `detail` says what happened here and `fix` what to do next; `status` is the HTTP status;
 * `errors` lists the places of an invalid request; `requestId` finds the request in the server's log.
 */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  readonly detail: string;
  readonly fix: string;
  readonly errors: readonly Place[];
  readonly requestId: string;

  constructor(problem: Omit<ApiError, keyof Error>) {
    super(problem.detail);
    this.name = "ApiError";
    this.code = problem.code;
    this.status = problem.status;
    this.detail = problem.detail;
    this.fix = problem.fix;
    this.errors = problem.errors;
    this.requestId = problem.requestId;
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function placesIn(value: unknown): readonly Place[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isObject).map((place) => ({ pointer: text(place["pointer"]), detail: text(place["detail"]) }));
}

/** Reads a problem document; anything else (a proxy's page) becomes an error with the code `internal`. */
export function problemToError(status: number, body: unknown): ApiError {
  const problem = isObject(body) ? body : {};
  return new ApiError({
    status,
    code: text(problem["code"]) || "internal",
    detail: text(problem["detail"]) || text(problem["title"]) || `the server answered with status ${String(status)}`,
    fix: text(problem["fix"]) || "check that the address is that of a Licet server",
    errors: placesIn(problem["errors"]),
    requestId: text(problem["instance"]),
  });
}
