import type { ErrorForm, Refused } from "../answer.ts";

/** The protocol's error object: `{"error": "…"}`, with what a person needs to get on beside it. */
function errorBody({ refusal, decision, upstream, url }: Refused): string {
  const { code, message, param, policy, remedy, component } = refusal;
  return JSON.stringify({
    error: `${message}; ${remedy}`,
    licet: {
      code,
      param,
      decision: decision ?? null,
      ...(url !== undefined && { url }),
      policy,
      ...(component !== undefined && { component }),
      remedy,
      docs: `docs/errors.md#${code}`,
      ...(upstream !== undefined && { upstream }),
    },
  });
}

/** Nothing of this surface streams, so an event is the body. */
export const oipForm: ErrorForm = { errorBody, errorEvent: errorBody };
