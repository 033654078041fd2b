import type { JsonObject } from "../../ledger/recorder.ts";
import { scannedAnswer } from "../answer-texts.ts";
import type { AnswerHeaders } from "../answer.ts";
import type { JsonPath } from "../dialect.ts";
import { objectAt, textAt, wireObject } from "../dialects/wire.ts";
import { readJson, wellFormed } from "../json.ts";
import { refuse } from "../refusal.ts";
import type { RelayEnd } from "../relay.ts";
import type { CallScan } from "../scan.ts";
import { answerRefusal, cleanWords } from "../stream.ts";
import type { WholeEnd } from "../whole-exchange.ts";

export type ObjectAnswer = { readonly kind: "object"; readonly value: JsonObject; readonly end: RelayEnd } | { readonly kind: "failed"; readonly end: RelayEnd };

export interface ObjectShape {
  /** As `file` or `batch`; the provider must say the same. */
  readonly object: string;
  /** Names things for the protocol: never rewritten. */
  readonly isFixed: (path: JsonPath) => boolean;
}

/** A provider's answer of one JSON object: of the kind that was asked for, each string scanned. */
export function objectAnswer(scan: CallScan, whole: WholeEnd, { object, isFixed }: ObjectShape): ObjectAnswer {
  const bytes = bytesAnswer(scan, whole);
  if (bytes.kind === "failed") return bytes;
  const parsed = readJson(bytes.bytes);
  const value = parsed !== undefined && wellFormed(parsed.value) ? wireObject(parsed.value) : undefined;
  if (value === undefined || textAt(value, "object") !== object) return failed(bytes.end, `the provider's answer is no \`${object}\``);
  const counting = { found: new Map<string, number>(), taken: new Map<string, number>() };
  const scanned = scannedAnswer(scan, counting, { value, isFixed });
  const end = { ...bytes.end, counting };
  if (scanned.blocked !== undefined) return { kind: "failed", end: { ...end, refusal: answerRefusal(scan, counting), abortedBy: "boundary" } };
  return { kind: "object", value: scanned.value, end: { ...end, body: JSON.stringify(scanned.value) } };
}

export function failed(end: RelayEnd, message: string): { readonly kind: "failed"; readonly end: RelayEnd } {
  const { body: _, ...rest } = end;
  return { kind: "failed", end: { ...rest, refusal: refuse("upstream_invalid", { message }), abortedBy: "upstream" } };
}

export type BytesAnswer = { readonly kind: "bytes"; readonly bytes: Uint8Array; readonly end: RelayEnd } | { readonly kind: "failed"; readonly end: RelayEnd };

/** A whole answer of status 200; of any other the provider's words, where nothing is wrong with them. */
export function bytesAnswer(scan: CallScan, whole: WholeEnd): BytesAnswer {
  if (whole.kind === "ended") return { kind: "failed", end: whole.end };
  const end = { ...whole.end, headers: cleanHeaders(scan, whole.headers) };
  return end.upstreamStatus === 200 ? { kind: "bytes", bytes: whole.bytes, end } : { kind: "failed", end: { ...end, ...upstreamError(scan, end.upstreamStatus ?? 502, whole.bytes) } };
}

function cleanHeaders(scan: CallScan, headers: AnswerHeaders): AnswerHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => scan.isClean(value)));
}

const errorBytesMax = 65_536;

/** The provider's status goes on; 401 and 403 would look like the caller's own credential, and redirects are not followed. */
function upstreamError(scan: CallScan, status: number, bytes: Uint8Array): Pick<RelayEnd, "refusal" | "upstream" | "abortedBy"> {
  const ours = status < 400 || status === 401 || status === 403;
  const answer = wireObject(readJson(bytes.subarray(0, errorBytesMax))?.value);
  const error = answer === undefined ? undefined : objectAt(answer, "error");
  const [message, code] = error === undefined ? [] : [textAt(error, "message"), textAt(error, "code")];
  const words = cleanWords(scan, { ...(message !== undefined && { message }), ...(code !== undefined && { code }) });
  return { refusal: refuse("upstream_error", { message: `the provider answered with status ${status}`, status: ours ? 502 : status }), upstream: { status, ...words }, abortedBy: "upstream" };
}
