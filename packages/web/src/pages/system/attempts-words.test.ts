import type { RecordedCheck, RepeatView } from "@licet/contract";
import { expect, test } from "vitest";
import { attemptText, isWorn, outcomeText, repeatText, reservedText, reuseText } from "./attempts-words.ts";

const digest = `sha256:${"0".repeat(64)}`;
const attempted = (attempt: RecordedCheck["figures"]["attempt"], carriedFrom: string | null = null): string => attemptText({ figures: { attempt } as RecordedCheck["figures"], carriedFrom });

test("a result says which attempt it is, at which alpha, and whether anything was spent", () => {
  expect(attempted({ index: 2, alphaSpent: 0.00759908877318, previous: ["chk_1"] })).toBe("attempt 2 on this subject, judged at alpha 0.0076");
  expect(attempted({ index: 1, alphaSpent: 0.0303963550927, previous: [], repeats: "chk_1" }, "chk_2")).toBe("attempt 1 on this subject, judged at alpha 0.0304; made again for another producer, nothing spent; stands from an earlier result on the same data");
});

test("the checks of a ticket that are the same attempt stand together", () => {
  const reserved = [{ check: "a", index: 1, alpha: 0.03, repeats: null }, { check: "b", index: 1, alpha: 0.03, repeats: null }, { check: "c", index: 2, alpha: 0.0076, repeats: "chk_1" }];
  expect(reservedText({ reserved })).toEqual(["attempt 1 at alpha 0.03: a, b", "attempt 2 at alpha 0.0076, made again: c"]);
});

test("a drawn repetition says what came out, and where it is owed or disagrees what to do", () => {
  const repeat = (state: RepeatView["state"], lacking: RepeatView["lacking"] = []): string => repeatText({ ticket: "tkt_1", repeat: { check: "auc", reported: "chk_1", state, lacking, differences: state === "disagrees" ? ["verdict"] : [], entry: null } });
  expect(repeatText({ ticket: "tkt_1", repeat: null })).toBe("");
  expect(repeat("agrees")).toContain("it agrees");
  expect(repeat("disagrees")).toMatch(/came out otherwise \(verdict\).*does not count.*`licet check --on-server`/u);
  expect(repeat("owed", [{ name: "test", digest }])).toContain("lacks test: `licet check repeat tkt_1`");
  expect([outcomeText({ drawn: true, agrees: true, differences: [], at: 1, entry: "e" }), outcomeText({ drawn: false, agrees: false, differences: ["counts"], at: 1, entry: "e" })]).toEqual(["drawn by lot and made again by this server: it agrees", "made again by another producer: it does not agree (counts)"]);
});

test("a data set is worn out above twenty uses, and not at twenty", () => {
  const used = (uses: number) => ({ id: "test", digest, uses });
  expect([0, 1, 20].map((uses) => reuseText(used(uses)))).toEqual(["not used yet", "used once", "used 20 times"]);
  expect(reuseText(used(21))).toContain("Test on new data");
  expect([isWorn(used(20)), isWorn(used(21))]).toEqual([false, true]);
});
