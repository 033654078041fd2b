import { hexadecimal, is } from "./characters.ts";
import type { Detector, Match } from "./detector.ts";
import { hasAddress } from "./traits.ts";

/** An address with a port and a prefix length has no more. */
const runCharactersMax = 60;
const versionWords = /(?:version|release|build|rev|ver|v|§|section|chapter|kapitel|abschnitt)\.?[ :=]{0,2}$/iu;

/** Addresses of hosts; none of a machine for itself, of no machine, and of masks. */
export const ipDetector: Detector = {
  types: [{ type: "ip-address", class: "personal" }],
  needs: hasAddress,
  matches: (text, from) => {
    const found: Match[] = [];
    for (let at = nextMark(text, from); at >= 0; ) {
      const start = runBegin(text, at);
      const end = runFinish(text, at);
      const match = start < from ? undefined : inRun(text, start, end);
      if (match !== undefined) found.push(match);
      at = nextMark(text, end);
    }
    return found;
  },
  pending: (text) => Math.max(runBegin(text, text.length), text.length - runCharactersMax),
};

function isPart(unit: number): boolean {
  return is(unit, hexadecimal) || unit === 46 || unit === 58;
}

/** The next dot or colon with a digit or another colon beside it. */
function nextMark(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if ((unit === 46 || unit === 58) && (is(text.charCodeAt(at + 1), hexadecimal) || text.charCodeAt(at + 1) === 58)) return at;
  }
  return -1;
}

function runBegin(text: string, at: number): number {
  const least = Math.max(0, at - runCharactersMax - 1);
  let begin = at;
  while (begin > least && isPart(text.charCodeAt(begin - 1))) begin--;
  return begin;
}

function runFinish(text: string, at: number): number {
  let end = at;
  while (end < text.length && isPart(text.charCodeAt(end))) end++;
  return end;
}

function inRun(text: string, start: number, end: number): Match | undefined {
  if (end - start > runCharactersMax || /[\p{L}\p{N}_]/u.test(text.charAt(start - 1)) || /[\p{L}\p{N}_]/u.test(text.charAt(end))) return undefined;
  const run = text.slice(start, end).replace(/[.:]+$/u, "");
  const v4 = /^(\d{1,3}(?:\.\d{1,3}){3})(?::\d{1,5})?$/u.exec(run)?.[1];
  if (v4 !== undefined) return isHostV4(v4) && !versionWords.test(text.slice(Math.max(0, start - 20), start)) ? { type: "ip-address", start, end: start + v4.length } : undefined;
  return isHostV6(run) ? { type: "ip-address", start, end: start + run.length } : undefined;
}

function isHostV4(address: string): boolean {
  const parts = address.split(".");
  const numbers = parts.map(Number);
  if (numbers.some((part) => part > 255) || parts.some((part) => part.length > 1 && part.startsWith("0"))) return false;
  return !/^(?:0\.|127\.|255\.)/u.test(address) && numbers.slice(1).some((part) => part > 0);
}

/** At least three groups, of which one has a digit, so that `::` and `a::b` of programs are none. */
function isHostV6(run: string): boolean {
  const halves = run.split("::");
  if (!run.includes(":") || halves.length > 2 || /^:[^:]|[^:]:$/u.test(run)) return false;
  const dotted = /:(\d{1,3}(?:\.\d{1,3}){3})$/u.exec(run)?.[1];
  const plain = dotted === undefined ? run : `${run.slice(0, -dotted.length)}0:0`;
  const groups = plain.split(/:+/u).filter((group) => group !== "");
  if (groups.some((group) => !/^[0-9a-fA-F]{1,4}$/u.test(group)) || plain.replace("::", "").includes("::")) return false;
  const fits = halves.length === 2 ? groups.length <= 7 && groups.length >= 3 : groups.length === 8;
  return fits && /\d/u.test(run) && groups.some((group) => group.length > 2);
}

