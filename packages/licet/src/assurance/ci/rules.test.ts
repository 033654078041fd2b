import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { claimText, fitsPattern, fitsRules } from "./rules.ts";

/** What `*` means, said by another engine: slow on hostile patterns, right on short ones. */
function oracle(pattern: string, text: string): boolean {
  const pieces = pattern.split("*").map((piece) => piece.replaceAll(/[.*+?^${}()|[\]\\/-]/gu, String.raw`\$&`));
  return new RegExp(`^${pieces.join("[^]*")}$`, "u").test(text);
}

describe("a pattern", () => {
  const letters = fc.array(fc.constantFrom("a", "b", "/", "*", "."), { maxLength: 8 }).map((parts) => parts.join(""));

  test("fits what the same regular expression fits, and nothing else", () => {
    fc.assert(
      fc.property(letters, letters, (pattern, text) => {
        const plain = text.replaceAll("*", "");
        expect(fitsPattern(pattern, plain)).toBe(oracle(pattern, plain));
      }),
      { numRuns: 2_000 },
    );
  });

  test("without `*` fits its own text alone", () => {
    fc.assert(
      fc.property(letters, letters, (pattern, text) => {
        const plain = pattern.replaceAll("*", "");
        expect(fitsPattern(plain, plain)).toBe(true);
        expect(fitsPattern(plain, text)).toBe(plain === text);
      }),
    );
  });

  test("is looked for in linear time, however often its pieces almost fit", () => {
    const began = performance.now();
    expect(fitsPattern("*aaaaaaaaab*aaaaaaaaab*aaaaaaaaab*c", "a".repeat(100_000))).toBe(false);
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});

describe("a rule", () => {
  test.each([[["octo/app"]], [{ is: "octo/app" }], [null], [undefined], [1.5]])("is not met by a claim that is no text: %j", (value) => {
    expect(claimText(value)).toBeUndefined();
    expect(fitsRules([{ claim: "repository", value: "*o*" }], { repository: value })).toBe(false);
  });

  test("is not met by what every object inherits", () => {
    expect(fitsRules([{ claim: "constructor", value: "*" }], {})).toBe(false);
  });

  test("is met by a flag or a number of that text", () => {
    expect(fitsRules([{ claim: "ref_protected", value: "true" }, { claim: "repository_id", value: "42" }], { ref_protected: true, repository_id: 42 })).toBe(true);
  });
});
