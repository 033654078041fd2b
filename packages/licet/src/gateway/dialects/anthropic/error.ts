import { parseJson } from "@licet/evidence";
import { refusalBody, type Refused } from "../../answer.ts";

/** The kinds of error that the provider's clients know, by status. */
const types: ReadonlyMap<number, string> = new Map([
  [400, "invalid_request_error"],
  [401, "authentication_error"],
  [402, "billing_error"],
  [403, "permission_error"],
  [404, "not_found_error"],
  [413, "request_too_large"],
  [429, "rate_limit_error"],
  [503, "overloaded_error"],
  [504, "timeout_error"],
  [529, "overloaded_error"],
]);

function errorType(status: number): string {
  return types.get(status) ?? (status < 500 ? "invalid_request_error" : "api_error");
}

/** The error as the provider says it, with what a person needs to get on where its clients look: `error.details`. */
export function errorBody(refused: Refused): string {
  const body: { readonly error: Readonly<Record<string, unknown>> } = parseJson(refusalBody(refused));
  const { message, code, param, licet } = body.error;
  return JSON.stringify({
    type: "error",
    error: { type: errorType(refused.refusal.status), message, details: { error_code: code }, param, code, licet },
    request_id: refused.decision ?? null,
  });
}

export function errorEvent(refused: Refused): string {
  return `event: error\ndata: ${errorBody(refused)}\n\n`;
}
