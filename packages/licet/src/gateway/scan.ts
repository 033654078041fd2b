import type { FindingCount } from "@licet/contract";
import type { JsonObject } from "../ledger/recorder.ts";
import type { Match } from "../detect/detector.ts";
import { edited, type Edit } from "./detect/edits.ts";
import { Placeholders } from "./detect/placeholders.ts";
import type { DetectionRules } from "./detect/rules.ts";
import { findingCounts, scanCall } from "./detect/scan-call.ts";
import { textFilter, type TextFilter } from "./detect/text-filter.ts";
import type { JsonPath } from "./dialect.ts";
import { editedRequest, mapStrings, textsOf } from "./texts.ts";

/** What was taken out, by type. */
export interface Redaction {
  readonly type: string;
  readonly count: number;
}

/** What detection says of a request. */
export interface CallVerdict {
  readonly findings: readonly FindingCount[];
  /** Classes of what must not leave, sorted. */
  readonly stopped: readonly string[];
  /** Classes of data that leave with the call. */
  readonly leaving: readonly string[];
  readonly redactions: readonly Redaction[];
}

/** Detection over one call, request and answer; knows what was taken out, so that the answer gives it back. */
export interface CallScan {
  /** By which it is scanned. */
  readonly rules: DetectionRules;
  readonly verdict: CallVerdict;
  /** The request as it may leave. */
  readonly request: JsonObject;
  /** The same messages as they may leave, to be recorded. */
  messages(said: readonly JsonObject[]): readonly JsonObject[];
  /** One text of the answer that comes in pieces. */
  filter(counting: Counting, form: TextForm): TextFilter;
  /** True for a text of the answer in which there is nothing to count, to stop or to change. */
  isClean(text: string): boolean;
  counts(found: ReadonlyMap<string, number>): readonly FindingCount[];
  /** Classes of these findings that must not reach the caller, sorted. */
  stopped(found: ReadonlyMap<string, number>): readonly string[];
}

export interface TextForm {
  /** The text is JSON: what is put back is escaped. */
  readonly json: boolean;
  /** The text must not change: nothing is put back into it. */
  readonly fixed: boolean;
}

/** Owned by one answer: what was found and what was taken out, by type. */
export interface Counting {
  readonly found: Map<string, number>;
  readonly taken: Map<string, number>;
}

export interface ScanOptions {
  readonly rules: DetectionRules;
  readonly boundary: readonly string[];
  readonly request: JsonObject;
  readonly isFixed: (path: JsonPath) => boolean;
  /** For each text of the request what external detectors found in it. */
  readonly more?: readonly (readonly Match[])[] | undefined;
}

/** Reads every text of a request. */
export function openScan({ rules, boundary, request, isFixed, more }: ScanOptions): CallScan {
  const placeholders = new Placeholders();
  const texts = textsOf(request, isFixed);
  const scanned = scanCall({ rules, boundary, texts, placeholders, ...(more !== undefined && { more }) });
  const classes = (types: Iterable<string>) => [...new Set(Array.from(types, (type) => rules.classes.get(type) ?? "attack"))].sort();
  const changes = scanned.edits.some((edits) => edits.length > 0);
  return {
    rules,
    verdict: { findings: scanned.findings, stopped: classes(scanned.blocked), leaving: scanned.leavingClasses, redactions: placeholders.made },
    request: changes ? editedRequest(request, isFixed, scanned.edits) : request,
    messages: (said) => (changes ? editedMessages(said, texts, scanned.edits) : said),
    filter: (counting, { json, fixed }) => textFilter({ rules, boundary, placeholders: fixed ? new Placeholders() : placeholders, ...counting, form: json ? "json" : "text" }),
    isClean: (text) => rules.scan(text).length === 0 && (placeholders.isEmpty || placeholders.found(text).length === 0),
    counts: (found) => findingCounts({ rules, boundary, found }),
    stopped: (found) => classes([...found.keys()].filter((type) => rules.action(type, boundary) !== "flag")),
  };
}

function editedMessages(said: readonly JsonObject[], texts: readonly { readonly text: string }[], edits: readonly (readonly Edit[])[]): readonly JsonObject[] {
  const changed = new Map(texts.flatMap(({ text }, at) => ((edits[at]?.length ?? 0) === 0 ? [] : [[text, edited(text, edits[at] ?? [])] as const])));
  return said.map((message) => mapStrings(message, { text: (text) => changed.get(text) ?? text }));
}
