import type { JsonObject } from "../ledger/recorder.ts";
import { edited } from "./detect/edits.ts";
import type { JsonPath } from "./dialect.ts";
import { openLane } from "./lane.ts";
import type { CallScan, Counting } from "./scan.ts";
import { isJsonText, isMedia, joinedTexts, mapStrings } from "./texts.ts";

const knownMax = 512;
const knownCharactersMax = 128;

export interface WholeText {
  /** As it may leave. */
  readonly text: string;
  readonly blocked: string | undefined;
}

/** Texts that stand whole in one place of an answer. Remembers those with nothing in them: ids and names recur in every event. */
export interface WholeTexts {
  scan(text: string, at: { readonly fixed: boolean; readonly json: boolean }): WholeText;
}

export function wholeTexts(scan: CallScan, counting: Counting): WholeTexts {
  const clean = new Set<string>();
  return {
    scan: (text, { fixed, json }) => {
      if (clean.has(text) || isMedia(text, fixed)) {
        return { text, blocked: undefined };
      }
      if (scan.isClean(text)) {
        if (text.length <= knownCharactersMax && clean.size < knownMax) clean.add(text);
        return { text, blocked: undefined };
      }
      const lane = openLane({ scan, counting, json, fixed, joined: false });
      lane.push(text);
      lane.finish();
      const released = lane.blocked === undefined ? lane.released(0, text) : text;
      return { text: released, blocked: lane.blocked };
    },
  };
}

/** What leaves if nothing is put back: what the call itself said is no finding when its parts are read as one. */
function bareValue(scan: CallScan, value: JsonObject): JsonObject {
  return mapStrings(value, {
    text: (text, path) => {
      if (scan.isClean(text)) return text;
      const filter = scan.filter({ found: new Map(), taken: new Map() }, { json: isJsonText(path), fixed: true });
      filter.push(text);
      filter.finish();
      return edited(text, filter.edits);
    },
  });
}

export interface ScannedAnswer {
  readonly value: JsonObject;
  readonly blocked: string | undefined;
}

/** A whole answer: each of its strings and keys, and what its parts say when they are read as one. */
export function scannedAnswer(scan: CallScan, counting: Counting, answer: { readonly value: JsonObject; isFixed(path: JsonPath): boolean }): ScannedAnswer {
  const whole = wholeTexts(scan, counting);
  const again = { found: new Map<string, number>(), taken: new Map<string, number>() };
  const derived = wholeTexts(scan, again);
  const said = { fixed: true, json: false };
  let blocked: string | undefined;
  const value = mapStrings(answer.value, {
    text: (text, path) => {
      const scanned = whole.scan(text, { fixed: answer.isFixed(path), json: isJsonText(path) });
      blocked ??= scanned.blocked;
      return scanned.text;
    },
    key: (key) => {
      blocked ??= derived.scan(key, said).blocked;
    },
  });
  for (const text of joinedTexts(value === answer.value ? value : bareValue(scan, answer.value))) blocked ??= derived.scan(text, said).blocked;
  for (const [type, count] of again.found) counting.found.set(type, Math.max(counting.found.get(type) ?? 0, count));
  return { value, blocked };
}
