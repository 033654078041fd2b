import type { Outbound } from "../base/outbound.ts";
import type { PipelineParts } from "./admission.ts";
import type { AnswerHeaders, Caller } from "./answer.ts";
import type { ModelCall } from "./dialect.ts";
import type { Flight } from "./inflight.ts";
import { traceHeaders, type TraceContext } from "./observe/trace-context.ts";
import { isPassing } from "./outcome.ts";
import { checkedEnd, heldCaller, type AnswerCheck } from "./external-check.ts";
import { providerRequest } from "./provider.ts";
import { refuse, type Refusal } from "./refusal.ts";
import { relay, type RelayEnd } from "./relay.ts";
import type { CallScan } from "./scan.ts";
import type { CredentialView, ModelView, ProviderView } from "./snapshot.ts";
import type { ToolJudge } from "./tools/judged-tool.ts";

/** One call that may go out, and to where. */
export interface Outgoing {
  readonly space: string;
  readonly outbound: Outbound;
  readonly key: string;
  readonly model: ModelView;
  readonly provider: ProviderView;
  readonly call: ModelCall;
  readonly scan: CallScan;
  /** Judges the calls of tools in the answer. */
  readonly tools: ToolJudge;
  /** Present where external detectors look at answers: then nothing goes out before they have. */
  readonly check: AnswerCheck | undefined;
  readonly trace: TraceContext | undefined;
  /** Whether the words that leave are recorded. */
  readonly keeps: boolean;
  readonly latch: CutLatch;
  readonly headers: AnswerHeaders;
}

/** One sending to the provider, as it stands in the outcome. */
export interface Sending {
  readonly upstreamStatus: number | null;
  readonly code: string | null;
  readonly ms: number;
}

export interface Exchanged {
  readonly end: RelayEnd;
  /** Empty when nothing was sent. */
  readonly sendings: readonly Sending[];
}

/** Waits grow from one sending to the next; what a provider asks for is heeded up to the bound. */
const waitMs = 100;
const waitMsMax = 2000;

/** Sends the call, again where the release says so and nothing of an answer came: the decision names the model that it goes to. */
export async function exchange(parts: PipelineParts, caller: Caller, outgoing: Outgoing): Promise<Exchanged> {
  const body = upstreamBody(outgoing);
  const sendings: Sending[] = [];
  const left = outgoing.model.retries ?? 0;
  for (;;) {
    const early = outgoing.latch.refusal();
    if (early !== undefined || caller.gone) return { end: neverSent(early), sendings };
    const sentAt = parts.clock.now();
    const end = await sent(parts, caller, { ...outgoing, body });
    sendings.push({ upstreamStatus: end.upstreamStatus, code: end.refusal?.code ?? null, ms: Math.max(0, parts.clock.now() - sentAt) });
    if (sendings.length > left || !isPassing(end)) return { end, sendings };
    await patience(outgoing.latch, waitFor(end, sendings.length));
  }
}

function upstreamBody({ scan, model, call }: Outgoing): string {
  return JSON.stringify({ ...scan.request, model: model.model, ...call.upstreamExtras });
}

async function sent(parts: PipelineParts, caller: Caller, sending: Outgoing & { readonly body: string }): Promise<RelayEnd> {
  const { outbound, key, body, call, provider, scan, tools, check, latch, headers, trace } = sending;
  const keeps = sending.keeps || check !== undefined;
  const held = check === undefined ? undefined : heldCaller(caller);
  const request = providerRequest({ key, body, call, provider, ...(trace !== undefined && { trace: traceHeaders(trace) }) });
  const relaying = relay({ outbound, request, caller: held ?? caller, call, scan, tools, keeps, headers, now: () => parts.clock.now() });
  latch.onCut((refusal) => relaying.cut(refusal, refusal.code === "snapshot_stale" ? "snapshot" : "hold"));
  const end = await relaying.ended;
  if (end.refusal?.code === "upstream_unreachable") {
    parts.lines.forget(sending.space, provider);
  }
  return check === undefined || held === undefined ? end : checkedEnd(check, held, end);
}

function waitFor({ headers }: RelayEnd, sendings: number): number {
  const asked = Number(headers["retry-after-ms"] ?? Number(headers["retry-after"]) * 1000);
  return Math.min(waitMsMax, Number.isFinite(asked) && asked > 0 ? asked : waitMs * 2 ** (sendings - 1));
}

/** A cut ends the wait at once. */
function patience(latch: CutLatch, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    latch.onCut(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

export function neverSent(refusal: Refusal | undefined): RelayEnd {
  const why = refusal ?? refuse("upstream_unreachable", { message: "the caller has left" });
  return {
    refusal: why,
    abortedBy: refusal === undefined ? "client" : refusal.code === "snapshot_stale" ? "snapshot" : "hold",
    headers: {},
    started: false,
    counting: { found: new Map(), taken: new Map() },
    usage: null,
    finishReasons: [],
    bytes: 0,
    events: 0,
    upstreamStatus: null,
    firstByteAt: null,
  };
}

/** Remembers a cut that comes before there is anything to cut. */
export interface CutLatch {
  readonly flight: Flight;
  /** Why nothing may be sent now: what was cut, and what the newest snapshot says against it. */
  refusal(): Refusal | undefined;
  onCut(listener: (refusal: Refusal) => void): void;
}

export function cutLatch({ inflight, clock }: Pick<PipelineParts, "inflight" | "clock">, credential: CredentialView, vendor?: string): CutLatch {
  let latched: Refusal | undefined;
  let listener: ((refusal: Refusal) => void) | undefined;
  const cut = (refusal: Refusal) => {
    latched ??= refusal;
    listener?.(latched);
  };
  const flight: Flight = { credential, vendor, cut };
  return {
    flight,
    refusal: () => latched ?? inflight.fallen(flight, clock.now()),
    onCut: (next) => {
      listener = next;
    },
  };
}
