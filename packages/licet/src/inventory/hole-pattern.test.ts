import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { holePattern, holesIn } from "./hole-pattern.ts";
import { editDistance, suggest } from "./suggest.ts";

describe("a template's holes", () => {
  it("are named once each", () => {
    expect(holesIn("{{a}} {{b}} {{a}} {{ c }} {{1}}")).toEqual(["a", "b"]);
  });
});

describe("a hole's pattern", () => {
  it.each(["[a-z]+", "\\d{4}-\\d{2}-\\d{2}", "[A-Za-z0-9 _-]*", "EUR \\d+", "\\p{L}+", "[^<>]{1,40}", ".*"])("`%s` is taken", (pattern) => {
    expect(holePattern({ pattern, maxLength: 9 }).kind).toBe("pattern");
  });

  it.each(["(a+)+", "a|b", "a*b*", "(?=a)", "[a-z", "\\1", "a{1,2}b{1,2}", "^a", "[z-a]"])("`%s` is refused", (pattern) => {
    expect(holePattern({ pattern, maxLength: 9 }).kind).toBe("refused");
  });

  it("must match the whole value", () => {
    const compiled = holePattern({ pattern: "[a-z]+", maxLength: 9 });
    expect(compiled.kind === "pattern" && compiled.matches("abc")).toBe(true);
    expect(compiled.kind === "pattern" && compiled.matches("abc1")).toBe(false);
    expect(compiled.kind === "pattern" && compiled.matches("abc\n")).toBe(false);
  });
});

describe("a suggestion", () => {
  it.each([
    ["purpos", "purpose"],
    ["porpuse", "purpose"],
    ["Purpose", "purpose"],
    ["onwers", "owners"],
  ])("for `%s` is `%s`", (word, meant) => {
    expect(suggest(word, ["purpose", "owners", "users"])).toBe(meant);
  });

  it("is not made where nothing is near", () => {
    expect(suggest("zebra", ["purpose", "owners"])).toBeUndefined();
    expect(suggest("", ["a"])).toBeUndefined();
  });

  it("rests on a distance that is zero for equals only, and the same both ways", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});
