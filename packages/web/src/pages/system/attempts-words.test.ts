import { runnerDefaults, type RecordedCheck, type RepeatView } from "@licet/contract";
import { expect, test } from "vitest";
import { attemptText, isWorn, outcomeText, repeatText, reservedText, reuseText, runnerText } from "./attempts-words.ts";

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
  const repeat = (state: RepeatView["state"], lacking: RepeatView["lacking"] = []): string => repeatText({ ticket: "tkt_1", repeat: { check: "auc", reported: "chk_1", state, lacking, differences: state === "disagrees" ? ["verdict"] : [], entry: null, since: 0, until: 0, failed: null } });
  expect(repeatText({ ticket: "tkt_1", repeat: null })).toBe("");
  expect(repeat("agrees")).toContain("it agrees");
  expect(repeat("disagrees")).toMatch(/came out otherwise \(verdict\).*No result of this run counts.*`licet check --on-server`/u);
  expect(repeat("void")).toMatch(/No result of this run counts: run `licet check --on-server`/u);
  expect(repeat("owed")).toMatch(/`licet check repeat tkt_1` does it now\. Until then no result of this run counts/u);
  expect(repeat("owed", [{ name: "test", digest }])).toContain("lacks test: `licet check repeat tkt_1`");
  expect([outcomeText({ drawn: true, agrees: true, differences: [], at: 1, entry: "e" }), outcomeText({ drawn: false, agrees: false, differences: ["counts"], at: 1, entry: "e" })]).toEqual(["drawn by lot and made again by this server: it agrees", "made again by another producer: it does not agree (counts)"]);
});

test("a data set is worn out above twenty uses, and not at twenty", () => {
  const used = (uses: number) => ({ id: "test", digest, uses });
  expect([0, 1, 20].map((uses) => reuseText(used(uses)))).toEqual(["not used yet", "used once", "used 20 times"]);
  expect(reuseText(used(21))).toContain("Test on new data");
  expect([isWorn(used(20)), isWorn(used(21))]).toEqual([false, true]);
});

test("the runner's bounds are told in the units that people use", () => {
  const view = { ...runnerDefaults, running: 1, waiting: 3 };
  expect(runnerText(view)).toEqual([
    "1 of 2 runs under way, 3 waiting",
    "each ends after 10 minutes, in 2,048 MiB, with 2,000,000 rows of a table",
    "each may spend on questions to models 20,000 questions, 20,000,000 tokens, money not bounded",
    "a drawn check is made again within 72 hours",
  ]);
  expect(runnerText({ ...view, timeMs: 30_000, budget: { ...view.budget, money: { currency: "EUR", micros: 2_500_000 } } })).toEqual(expect.arrayContaining([expect.stringContaining("after 30 seconds"), expect.stringContaining("2.5 EUR")]));
});
