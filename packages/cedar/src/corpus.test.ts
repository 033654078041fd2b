import { expect, test } from "vitest";
import { compareCorpus, corpusIsHere, corpusPath, openCorpus } from "./corpus-fixture.ts";

/** Every test of the corpus with `CEDAR_CORPUS_TESTS=all`, which takes minutes. */
const asked = process.env["CEDAR_CORPUS_TESTS"] ?? "300";

test.skipIf(!corpusIsHere)("decisions, reasons and errors are those that Cedar recorded in its own corpus (needs ../shared/policy/cedar-corpus.tar.gz)", () => {
  const corpus = openCorpus(corpusPath);
  const step = asked === "all" ? 1 : Math.max(1, Math.floor(corpus.tests.length / Number(asked)));
  const figures = compareCorpus(corpus, corpus.tests.filter((_, index) => index % step === 0));
  expect(figures.differences).toEqual([]);
  expect(figures.requests).toBeGreaterThanOrEqual(2_000);
  expect(figures.same).toBe(figures.requests);
  expect(figures.skipped).toEqual({});
});
