import { setImmediate } from "node:timers/promises";
import type { FindingCount } from "@licet/contract";
import type { JsonObject } from "../../ledger/recorder.ts";
import { edited } from "../detect/edits.ts";
import { askedRequest } from "../external-check.ts";
import type { ExternalLines } from "../detect/external.ts";
import { rulesFor } from "../detect/rules.ts";
import type { JsonPath } from "../dialect.ts";
import type { Asking } from "../judge.ts";
import { refuse, type Refusal } from "../refusal.ts";
import { openScan, type CallScan, type CallVerdict, type Counting } from "../scan.ts";
import { maskingRules } from "./masking.ts";
import { faultOf, type ReadableText } from "./readable.ts";

/** Read at once; other calls go on between two pieces. */
const pieceCharacters = 16_384;

/**
 * The rules for what this caller stores, and the scan that its answers are read by. External detectors are asked beside it:
 * see `foundElsewhere`.
 */
export function storeScan({ snapshot, credential }: Asking, request: JsonObject = {}, isFixed: (path: JsonPath) => boolean = () => true): CallScan {
  const { space, deployment } = credential;
  return openScan({ rules: maskingRules(rulesFor(snapshot.spaces.get(space), deployment.system)), boundary: deployment.boundary.classes, request, isFixed, more: [] });
}

/** What external detectors found in texts; what is to be changed there is not, so it must not leave. */
export interface Elsewhere {
  readonly refusal: Refusal | undefined;
  readonly types: readonly string[];
}

export async function foundElsewhere(lines: ExternalLines, { rules }: CallScan, texts: readonly string[]): Promise<Elsewhere> {
  const asked = await askedRequest({ lines, rules }, { texts }, () => false);
  return { refusal: asked?.refusal, types: asked?.more?.flat().map(({ type }) => type) ?? [] };
}

/** Counts by type and what was masked, with what was found elsewhere, as one verdict beside another. */
export function verdictWith(scan: CallScan, before: CallVerdict, { counting, elsewhere: { types } }: { readonly counting?: Counting; readonly elsewhere: Elsewhere }): CallVerdict {
  const found = new Map(counting?.found);
  for (const type of types) found.set(type, (found.get(type) ?? 0) + 1);
  const own = scan.counts(found).map((each): FindingCount => (types.includes(each.type) && each.action !== "flag" ? { ...each, action: "block" } : each));
  const classes = (action: string): readonly string[] => own.flatMap((each) => (each.action === action ? [each.dataClass] : []));
  const leaving = classes("flag").filter((each) => each !== "secret" && each !== "attack");
  return {
    findings: [...before.findings, ...own],
    stopped: [...new Set([...before.stopped, ...classes("block")])].sort(),
    leaving: [...new Set([...before.leaving, ...leaving])].sort(),
    redactions: [...before.redactions, ...Array.from(counting?.taken ?? [], ([type, count]) => ({ type, count }))],
  };
}

export interface ScannedText {
  /** With its masks; not to be sent where something blocks. */
  readonly text: string;
  readonly counting: Counting;
  readonly blocked: string | undefined;
}

/** A text of any length, in pieces, as a stream is read. */
export async function scannedText(scan: CallScan, text: string): Promise<ScannedText> {
  const counting: Counting = { found: new Map(), taken: new Map() };
  const filter = scan.filter(counting, { json: false, fixed: false });
  for (let at = 0; at < text.length && filter.blocked === undefined; at += pieceCharacters) {
    filter.push(text.slice(at, at + pieceCharacters));
    await setImmediate();
  }
  filter.finish();
  return { text: filter.edits.length === 0 ? text : edited(text, filter.edits), counting, blocked: filter.blocked };
}

export interface ScannedFile {
  readonly text: string;
  readonly verdict: CallVerdict;
  readonly refusal: Refusal | undefined;
}

export interface FileText extends ReadableText {
  readonly filename: string;
}

/** Every character of a file and of its name, by the rules of its system. What is masked is masked for good. */
export async function scanFile(asking: Asking, lines: ExternalLines, { filename, text, writing }: FileText): Promise<ScannedFile> {
  const scan = storeScan(asking, { filename });
  const read = await scannedText(scan, text);
  const elsewhere = await foundElsewhere(lines, scan, [filename, text]);
  const verdict = verdictWith(scan, scan.verdict, { counting: read.counting, elsewhere });
  return { text: read.text, verdict, refusal: elsewhere.refusal ?? brokenRefusal(read, text, writing) };
}

function brokenRefusal(read: ScannedText, text: string, writing: ReadableText["writing"]): Refusal | undefined {
  const fault = read.blocked === undefined && read.text !== text ? faultOf(read.text, writing) : undefined;
  return fault === undefined ? undefined : refuse("data_outside_boundary", { message: `the file holds what is to be masked, and masked it would be broken: ${fault}`, param: "file", component: "classes" });
}
