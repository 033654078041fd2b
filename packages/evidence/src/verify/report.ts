import type { Digest } from "../sha256.ts";

/** One line of a verification. `not_witnessed` and `not_checked` are neither a pass nor a failure, and are never shown as a pass. */
export interface Finding {
  readonly status: "pass" | "fail" | "not_witnessed" | "not_checked";
  /** Which check. */
  readonly check: Check;
  /** `ok`, or why not: stable, for machines. */
  readonly code: string;
  /** One sentence. May quote what the export says: print it through `printable`. */
  readonly sentence: string;
}

export type Check =
  | "trust"
  | "keys"
  | "shard"
  | "entries"
  | "tiles"
  | "proof"
  | "bundle"
  | "pack"
  | "files"
  | "checkpoint"
  | "consistency"
  | "inclusion"
  | "payload"
  | "statement"
  | "release"
  | "facts"
  | "approval"
  | "check"
  | "decision"
  | "ato"
  | "witness";

export interface Report {
  /** True only if no line is a failure. */
  readonly verified: boolean;
  readonly findings: readonly Finding[];
  /** Of the trust file; null if that could not be read. */
  readonly fingerprint: Digest | null;
}

export function pass(check: Check, sentence: string): Finding {
  return { status: "pass", check, code: "ok", sentence };
}

export function fail(check: Check, code: string, sentence: string): Finding {
  return { status: "fail", check, code, sentence };
}

/** What could not be checked, and why that does not make the rest wrong. */
export function notChecked(check: Check, code: string, sentence: string): Finding {
  return { status: "not_checked", check, code, sentence };
}

/** Failures of one check beyond this many are counted, not listed. */
const failuresListedMax = 20;

/** The failures of a check, or, if there are none, the line that says what passed. */
export function verdict(failures: readonly Finding[], passed: Finding): readonly Finding[] {
  if (failures.length <= failuresListedMax) return failures.length === 0 ? [passed] : failures;
  const more = failures.length - failuresListedMax;
  return [...failures.slice(0, failuresListedMax), fail(passed.check, "more_failures", `${more} further failures of this check are not listed`)];
}

/** Failures of one check over input of any length: counted all, kept as far as they are listed. */
export class Failures {
  readonly #kept: Finding[] = [];
  #more = 0;

  add(failure: Finding): void {
    if (this.#kept.length < failuresListedMax) this.#kept.push(failure);
    else this.#more += 1;
  }

  findings(passed: Finding): readonly Finding[] {
    if (this.#kept.length === 0) return [passed];
    return this.#more === 0 ? this.#kept : [...this.#kept, fail(passed.check, "more_failures", `${this.#more} further failures of this check are not listed`)];
  }
}

/** `1 entry`, `2 entries`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** Text of unknown origin for a terminal: control and direction characters as escapes. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** The report as lines of text, one per check, for a terminal. */
export function formatReport(report: Report): string {
  const labels = { pass: "PASS", fail: "FAIL", not_witnessed: "NOT WITNESSED", not_checked: "NOT CHECKED" } as const;
  const lines = report.findings.map(({ status, check, code, sentence }) => {
    const name = status === "fail" ? `${check}[${code}]` : check;
    return `${labels[status].padEnd(4)}  ${printable(`${name}: ${sentence}`)}`;
  });
  return [...lines, report.verified ? "verified" : "NOT VERIFIED", ""].join("\n");
}
