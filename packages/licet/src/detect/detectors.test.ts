import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contextCharacters } from "./detector.ts";
import { matchesIn, pendingIn, readingOf } from "./reading.ts";
import { declaredSamples, sampleDetectors, samples } from "./sample-texts.ts";

const all = [...samples, ...declaredSamples];

function found(text: string): readonly (readonly [string, string])[] {
  const reading = readingOf(text);
  return sampleDetectors.flatMap((detector) => matchesIn(reading, detector, 0).map(({ type, start, end }) => [type, text.slice(start, end)] as const));
}

function typesIn(text: string): readonly string[] {
  return found(text).map(([type]) => type);
}

/** Made of what detectors look at, so that near misses are common. */
const noise = fc.string({
  unit: fc.constantFrom("a", "k", "Ab", "-", "@", ".", " ", ":", "/", "1", "42", "4111 ", "+49 ", "(0", "DE89", "AKIA", "sk-", "-----BEGIN ", "PRIVATE KEY-----", "\n", "é", "=", "\\u00", "%4", "&#6", "password=", "ignore ", "rules", "CASE-", "heron ", "\u200B", "\u{E0041}", "４", "x7Hq"),
  maxLength: 24,
});
const sample = fc.constantFrom(...all.map(([, text]) => text));
const glue = fc.constantFrom(" ", "", ", ", "\n", "-", ". ", "; ", "/");
const text = fc.array(fc.oneof(noise, sample, sample.map((each) => Buffer.from(each).toString("base64")), sample.map((each) => encodeURIComponent(each)), glue), { maxLength: 6 }).map((parts) => parts.join(""));

describe("a detector", () => {
  test.each(all)("finds %s in `%s`", (type, words) => {
    expect(typesIn(`so: ${words} .`)).toEqual([type]);
  });

  test.each(all.filter(([type]) => type !== "invisible-text" && type !== "private-key" && type !== "prompt-injection"))("finds %s at the very beginning and end of a text", (type, words) => {
    expect(typesIn(words)).toEqual([type]);
  });

  const hidden: readonly (readonly [string, (words: string) => string])[] = [
    ["base64", (words) => Buffer.from(`the value is ${words} ok`).toString("base64")],
    ["base64 of its URL form", (words) => Buffer.from(`the value is ${words} ok`).toString("base64url")],
    ["hexadecimal", (words) => Buffer.from(`the value is ${words} ok`).toString("hex")],
    ["percent signs", (words) => Array.from(Buffer.from(`it is ${words} ok`), (byte) => `%${byte.toString(16).padStart(2, "0")}`).join("")],
    ["escapes of JSON", (words) => Array.from({ length: words.length }, (_, at) => `\\u${words.charCodeAt(at).toString(16).padStart(4, "0")}`).join("")],
    ["base64 of escapes", (words) => Buffer.from(`it is ${encodeURIComponent(words)} ok`).toString("base64")],
  ];
  test.each(hidden)("finds everything that is hidden in %s", (_, hide) => {
    const missed = all.filter(([type, words]) => !typesIn(hide(words)).includes(type));
    expect(missed).toEqual([]);
  });

  test("reads a megabyte of its worst text in time that grows with the text", () => {
    const worst = ["@", "a", "4 ", "1", "-----BEGIN ", "a@", "a.", "sk-", "password=", "1.", ":", "+1234567 ", "ignore all ", "DE89 ", "eyJ", "\u200B", "%41", "\\", "://a:", "AKIA", "CASE-1", "heron "];
    for (const unit of worst) {
      const took = [10_000, 40_000].map((length) => {
        const words = unit.repeat(Math.ceil(length / unit.length));
        const begun = process.hrtime.bigint();
        typesIn(words);
        return Number(process.hrtime.bigint() - begun) / 1e6;
      });
      // Four times the text; with quadratic time it would be sixteen.
      expect({ unit, quadratic: (took[1] ?? 0) > 10 * Math.max(took[0] ?? 0, 60) }).toEqual({ unit, quadratic: false });
    }
  });
});

describe("what a detector says of the beginning of a text", () => {
  test("lets nothing of a match go before the match is known, and takes nothing back", () => {
    fc.assert(
      fc.property(text, (words) => {
        const whole = readingOf(words);
        for (const detector of sampleDetectors) {
          const matches = matchesIn(whole, detector, 0);
          for (let cut = 0; cut < words.length; cut++) {
            const part = readingOf(words.slice(0, cut));
            const pending = pendingIn(part, detector);
            const gone = matches.filter(({ start, end }) => cut < end && pending > start);
            const settled = matchesIn(part, detector, 0).filter(({ start }) => start < pending);
            expect({ cut, gone, settled }).toEqual({ cut, gone: [], settled: matches.filter(({ start }) => start < pending) });
          }
        }
      }),
      // Longer runs are drawn anew each time.
      process.env["DETECT_RUNS"] === undefined ? { numRuns: 25, seed: 11 } : { numRuns: Number(process.env["DETECT_RUNS"]) },
    );
  });

  test("is the same when the text before it is cut off", () => {
    fc.assert(
      fc.property(text, (words) => {
        const padded = `${"lorem ipsum ".repeat(10)}${words}`;
        const reading = readingOf(padded);
        for (const detector of sampleDetectors) {
          const matches = matchesIn(reading, detector, 0);
          for (const { end } of matches) {
            const cut = Math.max(0, end - contextCharacters);
            const rest = matchesIn(readingOf(padded.slice(cut)), detector, end - cut).map((match) => ({ ...match, start: match.start + cut, end: match.end + cut }));
            expect(rest).toEqual(matches.filter(({ start }) => start >= end));
          }
        }
      }),
      { numRuns: Number(process.env["DETECT_RUNS"] ?? 50) },
    );
  });
});
