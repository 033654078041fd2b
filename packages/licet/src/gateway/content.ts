import { defaultPrivacy, type ContentMode, type FindingCount, type GatewayContentBody } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import type { JsonObject, JsonValue } from "../ledger/recorder.ts";
import { modeFor } from "../privacy/content-modes.ts";
import { decided, redacted, redactedTogether } from "./detect/redacted.ts";
import { defaultRules, type DetectionRules } from "./detect/rules.ts";
import type { ModelCall } from "./dialect.ts";
import type { CredentialView, Snapshot } from "./snapshot.ts";
import { partKey } from "./texts.ts";
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
  const cut = truncated && mode !== "encrypted" ? texts.map(({ at, text }) => ({ at, text: decided(rules, text) })) : texts;
  return { mode, user, messages: null, texts: mode === "encrypted" ? cut : redactedTexts(rules, cut), truncated };
}

const lastPart = /(?:\[\d+\]|\.\d+)(?=\.(?:text|refusal)$)/u;

/** The parts of one message stand in places that differ by a number: a reader puts them together. */
function redactedTexts(rules: DetectionRules, texts: readonly AnswerText[]): readonly AnswerText[] {
  const out = new Map<AnswerText, string>();
  for (const group of Map.groupBy(texts, ({ at }) => at.replace(lastPart, "")).values()) {
    const said = redactedTogether(rules, group.map(({ text }) => text));
    for (const [position, each] of group.entries()) out.set(each, said[position] ?? "");
  }
  return texts.map((each) => ({ at: redacted(rules, each.at), text: out.get(each) ?? "" }));
}

function plain(value: object): JsonObject {
  return parseJson(JSON.stringify(value));
}

/** Without its findings. What stands in parts is read in one piece, as the model reads it. */
export function redactedMessage(rules: DetectionRules, message: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(message).map(([key, child]) => [redacted(rules, key.toWellFormed()), redactedValue(rules, child)]));
}

function redactedValue(rules: DetectionRules, value: JsonValue): JsonValue {
  if (typeof value === "string") return redacted(rules, value.toWellFormed());
  if (isList(value)) return redactedList(rules, value);
  return typeof value === "object" && value !== null ? redactedMessage(rules, value) : value;
}

function redactedList(rules: DetectionRules, list: readonly JsonValue[]): readonly JsonValue[] {
  const said = redactedTogether(rules, list.filter(isPart).map(partText));
  let part = 0;
  return list.map((each) => {
    if (!isPart(each)) return redactedValue(rules, each);
    const text = said[part++] ?? "";
    const key = partKey(each);
    return key === undefined || !isRecord(each) ? text : { ...redactedMessage(rules, each), [key]: text };
  });
}

/** What stands beside others and is read with them: a part of a message, an element of a tensor. */
function isPart(value: JsonValue): boolean {
  return typeof value === "string" || partKey(value) !== undefined;
}

function partText(part: JsonValue): string {
  if (typeof part === "string") return part.toWellFormed();
  const key = partKey(part);
  const text = key === undefined || !isRecord(part) ? "" : part[key];
  return typeof text === "string" ? text.toWellFormed() : "";
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isRecord(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
