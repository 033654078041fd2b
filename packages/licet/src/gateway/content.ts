import { defaultPrivacy, type ContentMode, type FindingCount, type GatewayContentBody } from "@licet/contract";
import type { JsonObject } from "../ledger/recorder.ts";
import { modeFor } from "../privacy/content-modes.ts";
import { detectors, type Match } from "./detect.ts";
import { messageText, unescapedJson, type ChatMessage, type ModelCall } from "./openai.ts";
import type { CredentialView, Snapshot } from "./snapshot.ts";
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
  return modeFor(modes, [...credential.deployment.boundary.classes, ...findings.map(({ dataClass }) => dataClass)]);
}

export function isRecorded(mode: ContentMode): mode is RecordedMode {
  return mode === "redacted" || mode === "encrypted";
}

export function endUserOf({ request }: ModelCall): string | undefined {
  return request.safety_identifier ?? request.user;
}

export function promptWords(call: ModelCall, mode: RecordedMode): Words {
  const messages = call.request.messages.map((message) => plain(mode === "encrypted" ? message : redactedMessage(message)));
  return { mode, user: endUserOf(call), messages, texts: null, truncated: false };
}

export interface Answered {
  readonly texts: readonly AnswerText[];
  readonly truncated: boolean;
}

export function answerWords(call: ModelCall, mode: RecordedMode, { texts, truncated }: Answered): Words {
  const said = mode === "encrypted" ? texts : texts.map(({ at, text }) => ({ at, text: redacted(truncated ? decided(text) : text) }));
  return { mode, user: endUserOf(call), messages: null, texts: said, truncated };
}

function plain(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value));
}

/** A message in several parts is redacted as the model reads it: in one piece. */
function redactedMessage(message: ChatMessage): object {
  const { content } = message;
  return redactedValue(Array.isArray(content) ? { ...message, content: messageText(message) } : message);
}

function redactedValue(value: object): object {
  const walk = (each: unknown): unknown => {
    if (typeof each === "string") return redacted(each);
    if (Array.isArray(each)) return each.map(walk);
    return typeof each === "object" && each !== null ? redactedValue(each) : each;
  };
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, walk(child)]));
}

/** Every finding replaced by its type. Escapes of JSON inside a string are read, as whoever runs a tool reads them. */
export function redacted(text: string): string {
  const read = unescapedJson(text).toWellFormed();
  const found = detectors.flatMap((detector) => detector.matches(read).map((match) => ({ ...whole(read, detector.type, match), type: detector.type }))).toSorted((a, b) => a.start - b.start || b.end - a.end);
  let out = "";
  let at = 0;
  for (const { start, end, type } of found) {
    if (start >= at) out += `${read.slice(at, start)}[${type}]`;
    at = Math.max(at, end);
  }
  return found.length === 0 ? text : out + read.slice(at);
}

const wordCharacter = /[\p{L}\p{M}\p{N}_+/=~%@-]/u;

/** Of a private key the detector finds the heading: the key goes with it, to its last line or to the end of the text. */
function whole(text: string, type: string, match: Match): Match {
  if (type !== "private-key") return widened(text, match);
  const last = text.indexOf("-----END ", match.end);
  const end = last < 0 ? -1 : text.indexOf("-----", last + "-----END ".length);
  return { start: match.start, end: end < 0 ? text.length : end + "-----".length };
}

/** A detector says where it is sure, which may be before the end of what it found: the whole word goes. */
function widened(text: string, { start, end }: Match): Match {
  const inside = (at: number): boolean => wordCharacter.test(text.charAt(at)) || isSurrogate(text, at);
  const joins = (at: number): boolean => inside(at) || (".:".includes(text.charAt(at) || " ") && inside(at - 1) && inside(at + 1));
  let [from, to] = [start, end];
  while (from > 0 && joins(from - 1)) from -= 1;
  while (to < text.length && joins(to)) to += 1;
  return { start: from, end: to };
}

/** Half of a character outside the basic plane: never left alone. */
function isSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xd8_00 && unit <= 0xdf_ff;
}

/** Without the end that more text could have made a finding of. */
function decided(text: string): string {
  return text.slice(0, Math.min(text.length, ...detectors.map((detector) => detector.pending(text))));
}
