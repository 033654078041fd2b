import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { builtinDetectionTypes } from "@licet/contract";
import { builtinDetectors } from "./builtin.ts";
import { readLabelled, scores, wilson } from "./labelled.ts";
import { builtinScanner } from "./scanner.ts";

const texts = readLabelled(readFileSync(new URL("corpus/synthetic.jsonl", import.meta.url), "utf8"));

describe("the labelled texts", () => {
  test("hold positives and negatives for every type that is built in", () => {
    const types = new Set(texts.flatMap(({ spans }) => spans.map(({ type }) => type)));
    expect([texts.length >= 600, texts.filter(({ spans }) => spans.length === 0).length >= 150, builtinDetectionTypes.filter((type) => type !== "canary" && !types.has(type))]).toEqual([true, true, []]);
  });

  test("are read by the detectors with at least 97 % precision and recall, and no type below 85 %", () => {
    const all = scores(texts, (text) => builtinScanner.scan(text));
    const share = (hits: number, of: number) => (of === 0 ? 1 : hits / of);
    const sum = (pick: (score: (typeof all)[number]) => number) => all.reduce((total, score) => total + pick(score), 0);
    expect(share(sum(({ found }) => found), sum(({ labelled }) => labelled))).toBeGreaterThan(0.97);
    expect(share(sum(({ right }) => right), sum(({ findings }) => findings))).toBeGreaterThan(0.97);
    expect(all.filter(({ found, labelled, right, findings }) => share(found, labelled) < 0.85 || share(right, findings) < 0.85)).toEqual([]);
  });
});

test("the contract names exactly the types that are built in", () => {
  const built = builtinDetectors.flatMap(({ types }) => types.map(({ type }) => type));
  expect([...builtinDetectionTypes].sort()).toEqual([...built, "canary"].sort());
});

test("an interval of Wilson holds the share and narrows with more of it", () => {
  expect(wilson(9, 10).map((each) => each.toFixed(3))).toEqual(["0.596", "0.982"]);
  expect(wilson(0, 0)).toEqual([0, 1]);
});

test("a line whose value does not stand in its text is refused by its number", () => {
  expect(() => readLabelled('{"text":"a","spans":[]}\n{"text":"b","spans":[{"type":"email","value":"c"}]}')).toThrow(/line 2/u);
});
