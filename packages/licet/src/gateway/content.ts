import { defaultPrivacy, type ContentMode, type FindingCount, type GatewayContentBody } from "@licet/contract";
import type { JsonObject } from "../ledger/recorder.ts";
import { modeFor } from "../privacy/content-modes.ts";
import { decided, redacted } from "./detect/redacted.ts";
import { defaultRules, type DetectionRules } from "./detect/rules.ts";
import type { ModelCall } from "./dialect.ts";
import type { CredentialView, Snapshot } from "./snapshot.ts";
import { joinedTexts } from "./texts.ts";
import type { AnswerText } from "./transcript.ts";

/** A longer prompt cannot be recorded whole, so it is refused where prompts are recorded. */
export const promptBytesMax = 4 * 1024 * 1024;

type RecordedMode = GatewayContentBody["mode"];

/** Words to record beside a decision or an outcome. */
export interface Words {
  readonly mode: RecordedMode;
  /** As the caller names its end user; under whose key the words are sealed. */
  readonly user: string | undefined;
  readonly messages: readonly JsonObject[] | null;
  readonly texts: readonly AnswerText[] | null;
  readonly truncated: boolean;
}

export interface Spoken {
  readonly snapshot: Snapshot;
  readonly credential: CredentialView;
  readonly findings: readonly FindingCount[];
}

/** What may be recorded of this call's words. */
export function contentMode({ snapshot, credential, findings }: Spoken): ContentMode {
  const modes = snapshot.spaces.get(credential.space)?.contentModes ?? defaultPrivacy.contentModes;
  // A secret is as sensitive as data can be; an attack is no data.
  const found = findings.flatMap(({ dataClass }) => (dataClass === "attack" ? [] : dataClass === "secret" ? ["special"] : [dataClass]));
  return modeFor(modes, [...credential.deployment.boundary.classes, ...found]);
}

export function isRecorded(mode: ContentMode): mode is RecordedMode {
  return mode === "redacted" || mode === "encrypted";
}

export function promptWords({ user, messages: said }: Pick<ModelCall, "user" | "messages">, mode: RecordedMode, rules: DetectionRules = defaultRules): Words {
  const messages = said.map((message) => plain(mode === "encrypted" ? message : redactedMessage(rules, message)));
  return { mode, user, messages, texts: null, truncated: false };
}

export interface Answered {
  /** By which findings are taken out of what is recorded; those that hold everywhere where absent. */
  readonly rules?: DetectionRules;
  readonly texts: readonly AnswerText[];
  readonly truncated: boolean;
}

export function answerWords({ user }: Pick<ModelCall, "user">, mode: RecordedMode, { texts, truncated, rules = defaultRules }: Answered): Words {
  const said = mode === "encrypted" ? texts : texts.map(({ at, text }) => ({ at: redacted(rules, at), text: redacted(rules, truncated ? decided(rules, text) : text) }));
  return { mode, user, messages: null, texts: said, truncated };
}

function plain(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value));
}

/** A message in several parts is redacted as the model reads it: in one piece. */
function redactedMessage(rules: DetectionRules, message: JsonObject): object {
  const { content } = message;
  return redactedValue(rules, Array.isArray(content) ? { ...message, content: joinedTexts([content])[0] ?? content } : message);
}

function redactedValue(rules: DetectionRules, value: object): object {
  const walk = (each: unknown): unknown => {
    if (typeof each === "string") return redacted(rules, each.toWellFormed());
    if (Array.isArray(each)) return each.map(walk);
    return typeof each === "object" && each !== null ? redactedValue(rules, each) : each;
  };
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, walk(child)]));
}
