import type { ErrorTable } from "./table.ts";

/** Failures that any part may meet. */
export const coreErrors = {
  internal: {
    status: 500,
    what: "something that cannot happen has happened",
    why: "the request was stopped rather than answered on a guess",
    fix: "look for the request id in the server's log and report it",
  },
  invalid_request: {
    status: 422,
    what: "the request does not have the shape that this route takes",
    why: "nothing was changed: a half-understood request is refused whole",
    fix: "compare the request with /api/openapi.json; the `errors` list names each place",
  },
  body_too_large: {
    status: 413,
    what: "the request body is larger than the limit",
    why: "unbounded bodies would let one caller stop everybody's service",
    fix: "send less, or ask the operator to raise the limit",
  },
  not_found: {
    status: 404,
    what: "there is nothing here, or nothing that you may see",
    why: "the answer is the same for both, so that names do not leak between spaces",
    fix: "check the name and the space, and that your role may read it",
  },
  conflict: {
    status: 409,
    what: "the record has changed meanwhile",
    why: "writing over it would lose the other change",
    fix: "read it again and repeat the request",
  },
  unreachable: {
    status: 502,
    what: "the server could not be reached",
    why: "without it, nothing that needs the record can be done",
    fix: "start it with `npm start`, or set LICET_URL to its address",
  },
  outbound_refused: {
    status: 502,
    what: "a connection to this address is not allowed",
    why: "private, link-local and metadata addresses are refused so that nobody can turn the server against its own network",
    fix: "have the operator allow the address when registering the provider",
  },
} as const satisfies ErrorTable;
