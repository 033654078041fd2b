import { randomFillSync } from "node:crypto";

/** Where one call stands in a distributed trace (W3C Trace Context). Ids are lower-case hexadecimal. */
export interface TraceContext {
  /** 32 digits; the caller's, or a new one. */
  readonly traceId: string;
  /** 16 digits: the gateway's own span. */
  readonly spanId: string;
  /** The caller's span; undefined where the trace begins here. */
  readonly parentId: string | undefined;
  readonly sampled: boolean;
  /** `tracestate` as it came in; empty for none. */
  readonly state: string;
}

const traceparent = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/u;
const traceparentCharactersMax = 128;
const stateCharactersMax = 512;
const nothing = /^0+$/u;

/** A caller's header is only ever a hint: what is malformed begins a new trace, as the recommendation has it. */
export function traceOf(parent: string | undefined, state?: string): TraceContext {
  const read = parent === undefined || parent.length > traceparentCharactersMax ? null : traceparent.exec(parent.trim());
  const spanId = randomHex(8);
  if (read === null || !valid(read)) {
    return { traceId: randomHex(16), spanId, parentId: undefined, sampled: true, state: "" };
  }
  const [, , traceId = "", parentId = "", flags = "00"] = read;
  return { traceId, spanId, parentId, sampled: (Number.parseInt(flags, 16) & 1) === 1, state: readState(state) };
}

/** The trace that a caller's header names; undefined where it names none. */
export function traceIdOf(parent: string | undefined): string | undefined {
  const context = parent === undefined ? undefined : traceOf(parent);
  return context?.parentId === undefined ? undefined : context.traceId;
}

function valid([, version = "", traceId = "", parentId = "", , rest]: RegExpExecArray): boolean {
  const known = version === "00" ? rest === undefined : version !== "ff";
  return known && !nothing.test(traceId) && !nothing.test(parentId);
}

function readState(state: string | undefined): string {
  return state !== undefined && state.length <= stateCharactersMax && /^[\x20-\x7E]*$/u.test(state) ? state : "";
}

/** For the provider: the gateway's span is the parent of whatever it does. */
export function traceHeaders({ traceId, spanId, sampled, state }: TraceContext): Readonly<Record<string, string>> {
  return { traceparent: `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`, ...(state !== "" && { tracestate: state }) };
}

/** Owned by `randomHex`: one system call for many ids; no byte is handed out twice. */
const pool = Buffer.allocUnsafeSlow(4096);
let used = pool.length;

function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const hex = pool.toString("hex", used, used + bytes);
  used += bytes;
  return nothing.test(hex) ? randomHex(bytes) : hex;
}
