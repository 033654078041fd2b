import { Digest } from "@licet/contract";
import { z } from "zod";
import { admit } from "../gateway/admission.ts";
import type { Caller, Inbound } from "../gateway/answer.ts";
import { readJson, wellFormed } from "../gateway/json.ts";
import { refuse, type Refusal } from "../gateway/refusal.ts";
import type { CredentialView } from "../gateway/snapshot.ts";
import type { JsonObject } from "../ledger/recorder.ts";
import type { DecisionParts } from "./parts.ts";
import { wrongWith } from "./protocol.ts";
import { answerError } from "./verdict.ts";

interface Scoring {
  readonly credential: CredentialView;
  readonly decidedAt: number;
}

const scoringsMax = 100_000;

/** Allowed scorings of this process whose end is not reported yet: each may be reported once, by whoever asked. */
export class OpenScorings {
  readonly #open = new Map<string, Scoring>();

  /** The oldest goes when there are too many: a program that never reports must not fill the memory. */
  open(decision: string, scoring: Scoring): void {
    const [oldest] = this.#open.keys();
    if (this.#open.size >= scoringsMax && oldest !== undefined) this.#open.delete(oldest);
    this.#open.set(decision, scoring);
  }

  take(decision: string, credential: CredentialView): Scoring | undefined {
    const found = this.#open.get(decision);
    if (found?.credential.id !== credential.id || found.credential.space !== credential.space) return undefined;
    this.#open.delete(decision);
    return found;
  }
}

const Reported = z.strictObject({
  decision: z.string().min(1).max(80),
  finish: z.enum(["complete", "failed"]),
  rows: z.int().nonnegative().optional(),
  milliseconds: z.int().min(0).max(86_400_000).optional(),
  output: Digest.optional(),
});
type Reported = z.output<typeof Reported>;

/** POST /access/v1/outcome: how a scoring ended that the workload ran itself, after `score` was allowed. */
export async function scoringOutcome(parts: DecisionParts, inbound: Inbound, caller: Caller): Promise<void> {
  const { pipeline } = parts;
  const admitted = admit(pipeline, inbound);
  if ("stranger" in admitted) return answerError(caller, { refusal: admitted.stranger.refusal }, admitted.stranger.headers);
  const read = await reported(inbound);
  if ("refusal" in read) return answerError(caller, read);
  const { credential } = admitted.admission;
  const scoring = parts.scorings.take(read.decision, credential);
  if (scoring === undefined) {
    const message = "no scoring of this deployment waits for its outcome under this decision: it was reported already, or the gateway has started anew since";
    return answerError(caller, { refusal: refuse("not_found", { message, param: "decision" }) });
  }
  const endedAt = pipeline.ledger.now();
  const recorded = await pipeline.record.outcome({ decision: read.decision, credential, body: outcome(read, scoring, endedAt) });
  if (recorded) return caller.json(200, { "x-licet-decision": read.decision }, JSON.stringify({ recorded: true, decision: read.decision }));
  parts.scorings.open(read.decision, scoring);
  return answerError(caller, { refusal: refuse("evidence_unavailable") });
}

async function reported(inbound: Inbound): Promise<Reported | { readonly refusal: Refusal }> {
  const read = await inbound.body();
  if ("refusal" in read) return read;
  const value = readJson(read.bytes)?.value;
  const parsed = Reported.safeParse(value);
  return parsed.success && wellFormed(value) ? parsed.data : { refusal: refuse("query_invalid", { message: parsed.error === undefined ? "the body holds half a surrogate pair" : wrongWith(parsed.error) }) };
}

/** In the form of every outcome; nothing of it was seen by the gateway, so nothing was scanned. */
function outcome({ finish, rows, output, milliseconds }: Reported, { credential, decidedAt }: Scoring, endedAt: number): JsonObject {
  const { id, release } = credential.deployment;
  return {
    deployment: id,
    release,
    status: 200,
    code: null,
    finish,
    finishReasons: [],
    abortedBy: null,
    usage: null,
    findings: [],
    scanned: "none",
    answerBytes: 0,
    timings: { decisionMs: 0, firstByteMs: null, totalMs: milliseconds ?? Math.max(0, endedAt - decidedAt) },
    upstreamStatus: null,
    reported: { rows: rows ?? null, output: output ?? null },
  };
}
