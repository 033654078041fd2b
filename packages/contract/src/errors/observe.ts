import type { ErrorTable } from "./table.ts";

/** Failures of telemetry and of what explains a decision. */
export const observeErrors = {
  otlp_endpoint_invalid: {
    status: 500,
    what: "the address of the OpenTelemetry collector is not one that can be used",
    why: "spans and metrics go to one declared collector and nowhere else",
    fix: "give its base URL, as `--otlp-endpoint https://collector.example:4318`; without TLS only on this machine",
  },
  otlp_headers_invalid: {
    status: 500,
    what: "the headers for the OpenTelemetry collector cannot be read",
    why: "a half-read list could send a secret under another header's name",
    fix: "set LICET_OTLP_HEADERS as `name=value,name=value` with percent-encoded values",
  },
  otlp_refused: {
    status: 502,
    what: "the OpenTelemetry collector does not take what is sent",
    why: "telemetry that is not taken is dropped and counted; calls and evidence go on",
    fix: "check the collector's address, its OTLP/HTTP receiver with JSON, and the headers that it wants",
  },
  nothing_to_request: {
    status: 409,
    what: "no request can lift this refusal",
    why: "it says that something has to be changed, waited for or corrected, which nobody can approve",
    fix: "do what the decision's remedy says: `licet why DECISION` shows it",
  },
} as const satisfies ErrorTable;
