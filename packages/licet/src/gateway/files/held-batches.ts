import type { ErrorCode } from "@licet/contract";
import { licetVersion } from "../../base/version.ts";
import type { Admission, PipelineParts } from "../admission.ts";
import { textAt, wireObject } from "../dialects/wire.ts";
import { neverSent } from "../exchange.ts";
import { bareFacts } from "../facts.ts";
import { readJson } from "../json.ts";
import { outcomeBody } from "../outcome.ts";
import { keyHeaders } from "../provider.ts";
import { reasonOf, type DecisionFacts } from "../record.ts";
import { refuse, type Refusal } from "../refusal.ts";
import type { RelayEnd } from "../relay.ts";
import type { CredentialView, ProviderView, Snapshot } from "../snapshot.ts";
import { standingRefusal } from "../standing.ts";
import { wholeExchange, type WholeEnd } from "../whole-exchange.ts";
import type { BoundId } from "./bound-id.ts";
import { storeScan } from "./scan-file.ts";

/** What stops a system on purpose. Other ends of its standing let what was begun under it run out. */
const stopping: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["held", "ato_suspended", "ato_revoked"]);
const triesMax = 10;
const waitMs = 1000;
const waitMsMax = 60_000;
const answerMsMax = 3000;

/** A batch that was to be cancelled. */
interface Tried {
  count: number;
  /** When to try again; never again where that is infinite. */
  next: number;
}

/** Stops at the provider what a stopped system set going there. */
export interface HeldBatches {
  /** Looks at what runs; answers when all that has to be done now is done. Does nothing while it still does. */
  sweep(): Promise<void>;
}

/**
 * Batches of a system under a hold, or under an authorization that was suspended or revoked, are cancelled at their provider,
 * once each. INVARIANT: each cancellation has a decision in the log before it is sent. A stop is not undone by lifting the hold.
 */
export function heldBatches(parts: PipelineParts): HeldBatches {
  const tried = new Map<string, Tried>();
  let running: Promise<void> | undefined;
  const sweep = async (): Promise<void> => {
    const snapshot = parts.snapshots.current();
    if (snapshot === undefined) return;
    for (const batch of parts.boundIds.running()) {
      const due = stoppedBatch(parts, { snapshot, batch });
      const key = `${batch.space}\n${batch.provider}\n${batch.id}`;
      const before = tried.get(key) ?? { count: 0, next: 0 };
      if (due === undefined || parts.clock.now() < before.next) continue;
      const over = await cancelled(parts, due);
      const count = before.count + 1;
      tried.set(key, { count, next: over || count >= triesMax ? Infinity : parts.clock.now() + Math.min(waitMsMax, waitMs * 2 ** (count - 1)) });
    }
  };
  return {
    sweep: () => {
      running ??= sweep().finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}

interface Due {
  readonly admission: Admission;
  readonly batch: BoundId;
  readonly provider: ProviderView;
  readonly stop: Refusal;
}

function stoppedBatch({ clock }: PipelineParts, { snapshot, batch }: { readonly snapshot: Snapshot; readonly batch: BoundId }): Due | undefined {
  const credential = credentialOf(snapshot, batch);
  const provider = snapshot.spaces.get(batch.space)?.providers.get(batch.provider);
  if (credential === undefined || provider === undefined) return undefined;
  const admission = { now: clock.now(), snapshot, credential };
  const stop = standingRefusal(admission);
  return stop !== undefined && stopping.has(stop.code) ? { admission, batch, provider, stop } : undefined;
}

/** Of the deployment that created it; of its system where that is gone. */
function credentialOf({ byCredentialDigest }: Snapshot, { space, system, deployment }: BoundId): CredentialView | undefined {
  const own = [...byCredentialDigest.values()].filter((each) => each.space === space && each.deployment.system === system);
  return own.find((each) => each.deployment.id === deployment) ?? own[0];
}

/** True where nothing is left to be done. */
async function cancelled(parts: PipelineParts, due: Due): Promise<boolean> {
  const { admission, stop } = due;
  const { credential, now } = admission;
  const written = await parts.record.decision({ kind: "gateway.decision", facts: factsOf(due, stop) });
  if (!("id" in written) || "refusal" in written) return false;
  const decidedAt = parts.clock.now();
  const end = await sent(parts, due).catch((): RelayEnd => ({ ...neverSent(undefined), refusal: refuse("provider_unknown"), abortedBy: "upstream" }));
  const body = outcomeBody({ credential, end, scan: storeScan(admission), sendings: [], cost: undefined, times: { receivedAt: now, decidedAt, endedAt: parts.clock.now() } });
  const recorded = await parts.record.outcome({ decision: written.id, credential, body });
  // A batch that is over, or that the provider no longer knows, cannot be cancelled.
  return recorded && (end.refusal === undefined || (end.upstreamStatus !== null && isFinal(end.upstreamStatus)));
}

function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 401 && status !== 403 && status !== 408 && status !== 429;
}

function factsOf({ admission: { now, snapshot, credential }, batch, provider }: Due, stop: Refusal): DecisionFacts {
  const facts = bareFacts({ action: "useBatch", endpoint: "POST /openai/v1/batches/{batch}/cancel", time: now, snapshot });
  const stored = { object: "batch", id: batch.id, purpose: batch.purpose, digest: batch.digest, lines: null };
  return { ...facts, credential, reasons: [reasonOf(stop)], more: { ...facts.more, provider: provider.id, region: provider.region, stored } };
}

async function sent(parts: PipelineParts, { batch, provider }: Due): Promise<RelayEnd> {
  const outbound = await parts.lines.open(batch.space, provider);
  const key = await parts.providerKey(batch.space, provider.id);
  const ask = async (method: "GET" | "POST", path: string): Promise<WholeEnd> => {
    const version = provider.apiVersion === undefined ? "" : `?api-version=${encodeURIComponent(provider.apiVersion)}`;
    const headers = { ...keyHeaders(key, provider), accept: "*/*", "accept-encoding": "identity", "user-agent": `licet/${licetVersion}` };
    const exchange = wholeExchange({ outbound, request: { method, path: `${path}${version}`, headers }, now: () => parts.clock.now() });
    // A provider that is silent keeps nobody else's batches running, and no gateway from stopping.
    const timer = setTimeout(() => exchange.cut(refuse("upstream_timeout"), "upstream"), answerMsMax);
    return exchange.ended.finally(() => clearTimeout(timer));
  };
  const shown = await ask("GET", `/batches/${batch.id}`);
  if (shown.kind === "ended") return shown.end;
  if (shown.kind === "answer" && shown.end.upstreamStatus === 200 && over.has(statusOf(shown.bytes))) return shown.end;
  return endOf(await ask("POST", `/batches/${batch.id}/cancel`));
}

/** States of a batch in which nothing more is computed, or in which it is being stopped already. */
const over: ReadonlySet<string> = new Set(["completed", "failed", "expired", "cancelling", "cancelled"]);

function statusOf(bytes: Uint8Array): string {
  return textAt(wireObject(readJson(bytes)?.value) ?? {}, "status") ?? "";
}

function endOf(whole: WholeEnd): RelayEnd {
  if (whole.kind === "ended" || whole.end.upstreamStatus === 200) return whole.end;
  return { ...whole.end, refusal: refuse("upstream_error", { message: `the provider answered with status ${whole.end.upstreamStatus}` }), abortedBy: "upstream" };
}
