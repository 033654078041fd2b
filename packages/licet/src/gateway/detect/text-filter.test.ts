import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PackDetection } from "@licet/contract";
import { edited } from "./edits.ts";
import { Placeholders } from "./placeholders.ts";
import { detectionOf, type DetectionRules } from "./rules.ts";
import { declaredSamples, samples } from "../../detect/sample-texts.ts";
import { textFilter } from "./text-filter.ts";

const section: PackDetection["section"] = {
  dictionaries: [{ type: "project", class: "confidential", terms: ["Blue Heron", "Heron Nest Phase", "heron"] }],
  canaries: ["zebra-7719-quiet"],
  patterns: [{ type: "case-number", class: "internal", pattern: "\\bCASE-\\d{4,8}\\b", matchMax: 20 }],
};

function rulesWith(actions: NonNullable<PackDetection["section"]["actions"]>): DetectionRules {
  return detectionOf([{ pack: "org", section: { ...section, actions } }]).rules("any");
}

const classes = ["personal", "special", "confidential", "internal", "secret", "attack"] as const;
const special = ["canary", "invisible-text"];
const blockAll = rulesWith([...classes, ...special].map((of) => ({ of, action: "block" as const })));
const maskAll = rulesWith([...classes, ...special].map((of) => ({ of, action: "mask" as const })));
const flagAll = rulesWith([...classes, ...special].map((of) => ({ of, action: "flag" as const })));
const boundary = ["public", "internal", "confidential", "personal", "special"];

interface Feed {
  readonly text: string;
  readonly cuts: readonly number[];
}

const noise = fc.string({
  unit: fc.constantFrom("a", "Ab", "-", "@", ".", " ", ":", "1", "42", "4111 ", "+49 ", "DE89", "AKIA", "sk-", "-----BEGIN ", "\n", "é", "=", "\\u00", "%4", "password=", "ignore ", "rules", "CASE-", "heron ", "\u200B", "４", "x7Hq", "the "),
  maxLength: 24,
});
const sample = fc.constantFrom(...[...samples, ...declaredSamples].map(([, text]) => text));
const words = fc.array(fc.oneof(noise, sample, sample.map((each) => Buffer.from(each).toString("base64")), sample.map((each) => encodeURIComponent(each)), fc.constantFrom(" ", ", ", "\n", ". ")), { maxLength: 8 });
const text = words.map((parts) => parts.join(""));
/** Of values that are written in several ways and grow into one another, how many there are is a matter of view. */
const spaced = words.map((parts) => parts.join(" ; "));
const feed = (words: fc.Arbitrary<string>): fc.Arbitrary<Feed> => fc.record({ text: words, cuts: fc.array(fc.nat({ max: 4000 }), { maxLength: 14 }) });

function pieces({ text, cuts }: Feed): readonly string[] {
  const places = [0, ...cuts.map((cut) => cut % (text.length + 1)), text.length].sort((a, b) => a - b);
  return places.slice(1).map((end, i) => text.slice(places[i], end));
}

function run(rules: DetectionRules, parts: readonly string[], placeholders = new Placeholders()) {
  const found = new Map<string, number>();
  const filter = textFilter({ rules, boundary, placeholders, found });
  let safeBefore = 0;
  let editsAtSafe: readonly { readonly start: number; readonly end: number; readonly replacement: string }[] = [];
  for (const part of parts) {
    filter.push(part);
    expect(filter.safe).toBeGreaterThanOrEqual(safeBefore);
    // What was said of the part that may leave is never said otherwise.
    expect(filter.edits.slice(0, editsAtSafe.length)).toEqual(editsAtSafe);
    expect(filter.edits.slice(editsAtSafe.length).every(({ start }) => start >= safeBefore)).toBe(true);
    safeBefore = filter.safe;
    editsAtSafe = [...filter.edits];
  }
  filter.finish();
  return { safe: filter.safe, blocked: filter.blocked, found, edits: filter.edits, length: filter.length };
}

const numRuns = Number(process.env["DETECT_RUNS"] ?? 120);

describe("an answer that comes in pieces", () => {
  test("lets nothing of what is blocked leave, however it is split, and blocks what the whole text would", () => {
    fc.assert(
      fc.property(feed(text), (fed) => {
        const { safe, blocked } = run(blockAll, pieces(fed));
        const matches = blockAll.scan(fed.text);
        expect(blocked !== undefined).toBe(matches.length > 0);
        expect(safe).toBeLessThanOrEqual(Math.min(fed.text.length, ...matches.map(({ start }) => start)));
        expect(blocked !== undefined || safe === fed.text.length).toBe(true);
      }),
      { numRuns },
    );
  });

  test("reads the same after what is masked is taken out, however it is split, and counts the same", () => {
    fc.assert(
      fc.property(feed(spaced), (fed) => {
        const whole = run(maskAll, [fed.text]);
        const split = run(maskAll, pieces(fed));
        expect(edited(fed.text, split.edits)).toBe(edited(fed.text, whole.edits));
        expect(Object.fromEntries(split.found)).toEqual(Object.fromEntries(whole.found));
        expect(split.safe).toBe(fed.text.length);
        const counts = Object.groupBy(maskAll.scan(fed.text), ({ type }) => type);
        expect(Object.fromEntries(split.found)).toEqual(Object.fromEntries(Object.entries(counts).map(([type, all]) => [type, all?.length])));
      }),
      { numRuns },
    );
  });

  test("leaves at once where everything is only flagged", () => {
    fc.assert(
      fc.property(feed(spaced), (fed) => {
        const found = new Map<string, number>();
        const filter = textFilter({ rules: flagAll, boundary, placeholders: new Placeholders(), found });
        for (const part of pieces(fed)) {
          filter.push(part);
          expect(filter.safe).toBe(filter.length);
        }
        filter.finish();
        const counts = Object.groupBy(flagAll.scan(fed.text), ({ type }) => type);
        expect(Object.fromEntries(found)).toEqual(Object.fromEntries(Object.entries(counts).map(([type, all]) => [type, all?.length])));
      }),
      { numRuns: numRuns / 3 },
    );
  });

  test("gives the values of the call back, however their placeholders are split", () => {
    const values = ["jo@example.com", 'quo"ted\\value', "DE89 3704 0044 0532 0130 00"];
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(0, 1, 2), fc.constantFrom("dear ", "[email_1_", "[", "]", " and ", "[x]")), { maxLength: 12 }), fc.array(fc.nat({ max: 400 }), { maxLength: 12 }), (parts, cuts) => {
        const placeholders = new Placeholders();
        const made = values.map((value, index) => placeholders.replace(["email", "assigned-secret", "iban"][index] ?? "", value));
        const said = parts.map((part) => (typeof part === "number" ? (made[part] ?? "") : part)).join("");
        const { edits, safe, blocked, found } = run(blockAll, pieces({ text: said, cuts }), placeholders);
        expect([edited(said, edits), safe, blocked, found.size]).toEqual([parts.map((part) => (typeof part === "number" ? (values[part] ?? "") : part)).join(""), said.length, undefined, 0]);
      }),
      { numRuns },
    );
  });

  test("what is put back into JSON is escaped", () => {
    const placeholders = new Placeholders();
    const said = `{"key":"${placeholders.replace("assigned-secret", 'a"b\\c')}"}`;
    const filter = textFilter({ rules: flagAll, boundary, placeholders, found: new Map(), form: "json" });
    filter.push(said);
    filter.finish();
    expect(JSON.parse(edited(said, filter.edits))).toEqual({ key: 'a"b\\c' });
  });

  test("a text that is a JSON document stays one, however it comes in pieces", () => {
    const values = ["two\nlines", 'quo"ted', "back\\slash"];
    fc.assert(
      fc.property(fc.constantFrom("", " \n"), fc.constantFrom('{ "keys": [', "[", '[ {"a":1}, '), fc.array(fc.nat({ max: 60 }), { maxLength: 8 }), (space, opening, cuts) => {
        const placeholders = new Placeholders();
        const closing = opening.startsWith("{") ? "]}" : "]";
        const document = (of: readonly string[]) => `${space}${opening}${of.map((each) => `"${each}"`).join(", ")}${closing}`;
        const said = document(values.map((value) => placeholders.replace("assigned-secret", value)));
        const { edits } = run(flagAll, pieces({ text: said, cuts }), placeholders);
        expect(JSON.parse(edited(said, edits))).toEqual(JSON.parse(document(values.map((value) => JSON.stringify(value).slice(1, -1)))));
        const plain = `[x] ${placeholders.replace("assigned-secret", "two\nlines")} {`;
        expect(edited(plain, run(flagAll, [plain], placeholders).edits)).toBe("[x] two\nlines {");
      }),
      { numRuns: numRuns / 3 },
    );
  });

  test("plain words leave with the next space", () => {
    const filter = textFilter({ rules: blockAll, boundary, placeholders: new Placeholders(), found: new Map() });
    const plain = textFilter({ rules: detectionOf(undefined).rules("any"), boundary, placeholders: new Placeholders(), found: new Map() });
    plain.push("Turn it off ");
    filter.push("Turn it off. ");
    expect([plain.safe, filter.length]).toEqual([12, 13]);
  });

  test("what is held back and kept in memory is bounded, whatever the text", () => {
    for (const unit of ["a", "1", "4 ", "@", "-", "ab:", "-----BEGIN PRIVATE KEY-----", "eyJhbGciOiJIUzI1NiJ9.", "%41"]) {
      const filter = textFilter({ rules: detectionOf(undefined).rules("any"), boundary, placeholders: new Placeholders(), found: new Map() });
      let held = 0;
      for (let i = 0; i < 700 && filter.blocked === undefined; i++) {
        filter.push(unit.repeat(Math.ceil(40 / unit.length)));
        held = Math.max(held, filter.length - filter.safe);
      }
      expect({ unit, bounded: held < 19_000 * (unit === "%41" ? 4 : 1) }).toEqual({ unit, bounded: true });
    }
  });

  test("a type that holds the message lets nothing leave before the end", () => {
    const rules = rulesWith([{ of: "secret", action: "block", hold: "message" }]);
    const filter = textFilter({ rules, boundary, placeholders: new Placeholders(), found: new Map() });
    filter.push("all is well. Nothing here. ");
    expect(filter.safe).toBe(0);
    filter.finish();
    expect(filter.safe).toBe(filter.length);
  });
});
