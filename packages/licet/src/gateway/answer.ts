import { decisionUrl } from "./observe/decision-link.ts";
import type { Refusal } from "./refusal.ts";

/** The caller's side of one exchange. Implemented over a socket by serve.ts; everything else only sees this. */
export interface Caller {
  /** Origin of the console, for links to decisions; none where there is no console. */
  readonly consoleUrl?: string | undefined;
  /** True once the connection is closed. */
  readonly gone: boolean;
  /** Called once when the connection closes before the answer ended; at once when it has already. */
  onGone(listener: () => void): void;
  json(status: number, headers: AnswerHeaders, body: string): void;
  /** Begins an answer of server-sent events with status 200. */
  startStream(headers: AnswerHeaders): void;
  /** False when the caller reads more slowly than it is written to; then wait for `onDrain`. */
  write(text: string): boolean;
  onDrain(listener: () => void): void;
  /** The clean end of a stream. */
  end(): void;
  /** Ends a stream so that no client takes it for complete: the last event, then the connection is destroyed. */
  breakOff(lastEvent: string): void;
}

export type AnswerHeaders = Readonly<Record<string, string>>;

/** One request of the data plane, its body not read yet. */
export interface Inbound {
  readonly method: string;
  readonly path: string;
  /** What follows the question mark of the address, as it came; absent where nothing does. */
  readonly query?: string | undefined;
  readonly authorization: string | undefined;
  readonly requestId: string | undefined;
  /** One header by its lower-case name; several of one name are joined by commas. */
  header(name: string): string | undefined;
  /** Where the connection comes from; of a proxy in front, the proxy. */
  readonly address: string;
  /** The whole body, or why it was not taken: what is not of this media type, `application/json` where none is named. */
  body(media?: string): Promise<{ readonly bytes: Uint8Array } | { readonly refusal: Refusal }>;
}

/** Serves further paths of the data plane; undefined for a path that is not its own. */
export type DataPlaneMount = (inbound: Inbound, caller: Caller) => Promise<void> | undefined;

export interface Refused {
  readonly refusal: Refusal;
  /** Id of the recorded decision; absent when it could not be recorded. */
  readonly decision?: string | undefined;
  /** What the provider said, when it was asked. */
  readonly upstream?: UpstreamError | undefined;
  /** The decision's page in the console. */
  readonly url?: string | undefined;
  /** Of an event in a stream that numbers its events: which one it is. */
  readonly number?: number | undefined;
}

export interface UpstreamError {
  readonly status: number;
  readonly code?: string;
  readonly message?: string;
}

/** The error in OpenAI's dialect, with what a person needs to get on. */
export function refusalBody({ refusal, decision, upstream, url }: Refused): string {
  const { code, message, param, policy, remedy, component } = refusal;
  return JSON.stringify({
    error: {
      message: `${message}; ${remedy}`,
      type: upstream === undefined ? "licet_refused" : "upstream_error",
      param,
      code,
      licet: {
        decision: decision ?? null,
        ...(url !== undefined && { url }),
        policy,
        ...(component !== undefined && { component }),
        remedy,
        docs: `docs/errors.md#${code}`,
        ...(upstream !== undefined && { upstream }),
      },
    },
  });
}

export function refusalHeaders({ refusal, decision, upstream }: Refused): AnswerHeaders {
  return {
    ...(decision !== undefined && { "x-licet-decision": decision }),
    // What the official clients show as the request's id; the provider's own, when it was asked.
    ...(decision !== undefined && upstream === undefined && { "x-request-id": decision, "request-id": decision }),
    ...(refusal.code === "credential_invalid" && { "www-authenticate": "Bearer" }),
    ...retryHeaders(refusal),
  };
}

/** The official clients try a 429 again by themselves; where that cannot help within a minute they are told not to. */
function retryHeaders({ code, retryAfterSeconds }: Refusal): AnswerHeaders {
  const late = code === "budget_exceeded" && (retryAfterSeconds ?? Infinity) > 60;
  return { ...(retryAfterSeconds !== undefined && { "retry-after": String(retryAfterSeconds) }), ...(late && { "x-should-retry": "false" }) };
}

/** How a surface says no. */
export interface ErrorForm {
  errorBody(refused: Refused): string;
  errorEvent(refused: Refused): string;
}

const ownForm: ErrorForm = { errorBody: refusalBody, errorEvent: refusalEvent };

export function answerRefusal(caller: Caller, refused: Refused, headers: AnswerHeaders = {}, form: ErrorForm = ownForm): void {
  caller.json(refused.refusal.status, { ...headers, ...refusalHeaders(refused) }, form.errorBody(linked(caller, refused)));
}

/** With the address of the decision's page, which its caller may open; that page finds the decision's space. */
export function linked({ consoleUrl }: Pick<Caller, "consoleUrl">, refused: Refused): Refused {
  const { decision } = refused;
  return decision === undefined || consoleUrl === undefined ? refused : { ...refused, url: decisionUrl(consoleUrl, decision) };
}

export function refusalEvent(refused: Refused): string {
  return `data: ${refusalBody(refused)}\n\n`;
}
