import type { ContentMode } from "@licet/contract";
import type { Admission } from "./admission.ts";
import { adviceOf, type CedarCall } from "./decide.ts";
import { namesFor, redacted } from "./detect/redacted.ts";
import { rulesFor } from "./detect/rules.ts";
import type { ModelCall } from "./dialect.ts";
import { asRead } from "./dialects/wire.ts";
import { digestText } from "./json.ts";
import { observedFacts } from "./observe-mode.ts";
import type { CallJudgement } from "./judge.ts";
import type { DecisionFacts } from "./record.ts";
import { shown } from "./refusal.ts";
import type { Snapshot } from "./snapshot.ts";
import { mapStrings } from "./texts.ts";
import type { JsonObject } from "../ledger/recorder.ts";

export interface Asked {
  readonly time: number;
  readonly snapshot?: Snapshot | undefined;
  readonly action: "callModel" | "score" | "listModels" | "useFile" | "useBatch" | "unknown";
  readonly endpoint: string;
  readonly dialect?: string;
}

/** What is known of a call before it is read. */
export function bareFacts({ time, snapshot, action, endpoint, dialect }: Asked): DecisionFacts {
  return {
    action,
    time,
    snapshot,
    reasons: [],
    policyErrors: [],
    findings: [],
    more: { endpoint, provider: null, region: null, upstreamModel: null, stream: false, requestBytes: 0, messages: null, scanned: "none", ...(dialect !== undefined && { dialect }) },
  };
}

export interface Judged {
  readonly judgement: CallJudgement;
  readonly mode: ContentMode;
  readonly fallbackOf?: string | undefined;
}

export function callFacts({ now, snapshot, credential }: Admission, call: ModelCall, { judgement, mode, fallbackOf }: Judged): DecisionFacts {
  const named = namesFor(judgement.scan.rules, judgement.findings);
  return {
    action: "callModel",
    time: now,
    snapshot,
    credential,
    model: named(call.model),
    policyBundle: judgement.policy.bundle,
    cedar: renamed(judgement.cedar, call.model, named(call.model)),
    reasons: judgement.reasons.map((reason) => (typeof reason["component"] === "string" ? { ...reason, component: named(reason["component"]) } : reason)),
    policyErrors: judgement.policy.decision.errors.map(({ policy }) => policy),
    advice: adviceOf(judgement.policy.decision),
    findings: judgement.findings,
    more: {
      endpoint: call.dialect.path,
      provider: judgement.model?.provider ?? null,
      region: judgement.provider?.region ?? null,
      upstreamModel: judgement.model?.model ?? null,
      stream: call.stream,
      requestBytes: call.bytes,
      messages: mode === "none" ? null : messageDigests(call.messages),
      scanned: "full",
      dialect: call.dialect.name,
      ...(call.needs.length > 0 && { needs: [...new Set(call.needs.map(({ permission }) => named(permission).slice(0, needCharactersMax).toWellFormed()))].slice(0, needsMax) }),
      ...(judgement.scan.verdict.redactions.length > 0 && { redactions: judgement.scan.verdict.redactions.map(({ type, count }) => ({ type, count })) }),
      ...(fallbackOf !== undefined && { fallbackOf }),
      ...(judgement.observed !== undefined && observedFacts(judgement.observed, named)),
    },
  };
}

/** A name that a caller chose, of a call in which nothing was looked for. */
export function unreadName({ snapshot, credential }: Admission, name: string): string {
  return redacted(rulesFor(snapshot.spaces.get(credential.space), credential.deployment.system), shown(name));
}

/** What policies were asked, with the name of a model that holds what may not be recorded as it is recorded elsewhere. */
export function renamed(cedar: CedarCall, name: string, recorded: string): CedarCall | JsonObject {
  return name === recorded ? cedar : mapStrings(asRead(cedar), { text: (text) => text.replaceAll(name, recorded) });
}

const newestMax = 16;
const needCharactersMax = 400;
const needsMax = 1000;

/** Digests of the messages: all folded into one, and the newest one by one, so that a record stays small. */
function messageDigests(messages: readonly JsonObject[]): { readonly count: number; readonly digest: string; readonly newest: readonly string[] } {
  const digests = messages.map((message) => digestText(JSON.stringify(message)));
  return { count: digests.length, digest: digestText(digests.join("\n")), newest: digests.slice(-newestMax) };
}
