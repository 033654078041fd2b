import type { Detector, Match } from "./detect.ts";

/** Bounded repetitions only: each start looks at a bounded number of characters. */
const awsKey = /(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}/gu;
const awsPrefix = /(?<![A-Za-z0-9])(?:A|AK|AKI|AS|ASI|(?:AKIA|ASIA)[A-Z0-9]{0,15})$/u;
const apiKey = /(?<![A-Za-z0-9])sk-[A-Za-z0-9_-]{20}/gu;
const apiPrefix = /(?<![A-Za-z0-9])(?:s|sk|sk-[A-Za-z0-9_-]{0,19})$/u;
const pemHeader = /-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY-----/gu;
const pemPrefix = "-----BEGIN ";
const pemLabel = "PRIVATE KEY-----";
const pemWords = /^(?:[A-Z0-9]{1,12} ){0,4}[A-Z0-9]{0,12}$/u;

/** The longest beginning that any of these keys needs, plus the character before it. */
const tailCharactersMax = 80;

export const keyDetectors: readonly Detector[] = [
  {
    type: "aws-access-key",
    dataClass: "special",
    matches: (text) => (text.includes("AKIA") || text.includes("ASIA") ? all(awsKey, text) : []),
    pending: (text) => tailMatch(awsPrefix, text),
  },
  {
    type: "api-key",
    dataClass: "special",
    matches: (text) => (text.includes("sk-") ? all(apiKey, text) : []),
    pending: (text) => tailMatch(apiPrefix, text),
  },
  {
    type: "private-key",
    dataClass: "special",
    matches: (text) => (text.includes(pemPrefix) ? all(pemHeader, text) : []),
    pending: pemPending,
  },
];

function all(pattern: RegExp, text: string): readonly Match[] {
  return Array.from(text.matchAll(pattern), (match) => ({ start: match.index, end: match.index + match[0].length }));
}

function tailMatch(pattern: RegExp, text: string): number {
  const from = Math.max(0, text.length - tailCharactersMax);
  const match = pattern.exec(text.slice(from));
  return match === null ? text.length : from + match.index;
}

function pemPending(text: string): number {
  const from = Math.max(0, text.length - tailCharactersMax);
  const tail = text.slice(from);
  for (let dash = tail.indexOf("-"); dash >= 0; dash = tail.indexOf("-", dash + 1)) {
    if (couldBePem(tail.slice(dash))) {
      return from + dash;
    }
  }
  return text.length;
}

function couldBePem(start: string): boolean {
  if (start.length <= pemPrefix.length) {
    return pemPrefix.startsWith(start);
  }
  if (!start.startsWith(pemPrefix)) {
    return false;
  }
  const rest = start.slice(pemPrefix.length);
  const label = rest.indexOf(pemLabel.slice(0, 11));
  const unlabelled = pemWords.test(rest);
  return unlabelled || (label >= 0 && pemLabel.startsWith(rest.slice(label)));
}
