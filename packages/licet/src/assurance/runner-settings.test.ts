import { runnerDefaults, RunnerSettings } from "@licet/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LicetError } from "../base/errors.ts";
import { runnerSettings } from "./runner-settings.ts";

function outcomeOf(text: string): string {
  try {
    return RunnerSettings.safeParse(runnerSettings(text)).success ? "whole" : "broken";
  } catch (error) {
    return error instanceof LicetError ? error.code : String(error);
  }
}

describe("settings of the server's runner", () => {
  test("keep their defaults where nothing is said, and take what is", () => {
    expect(runnerSettings(undefined)).toEqual(runnerDefaults);
    expect(runnerSettings("")).toEqual(RunnerSettings.parse(runnerDefaults));
    expect(runnerSettings("time=90s,memory=512,rows=1000,concurrency=1,queries=10,tokens=100,money=2.50EUR,repeat=3d")).toEqual({ timeMs: 90_000, memoryMb: 512, rows: 1000, concurrency: 1, repeatMs: 259_200_000, budget: { queries: 10, tokens: 100, money: { currency: "EUR", micros: 2_500_000 } } });
    expect(runnerSettings("queries=0").budget.queries).toBe(0);
    expect(runnerSettings("money=0.000001USD").budget.money?.micros).toBe(1);
  });

  test.each([
    ["an unknown name", "threads=2", /none of time, memory/u],
    ["a name without a value", "rows", /`rows=` is no whole number/u],
    ["a name that stands twice", "rows=1,rows=2", /`rows` stands twice/u],
    ["a time without a unit", "time=10", /no time/u],
    ["a time that is too short to come to anything", "time=1s", /`time=1s`/u],
    ["a number with a sign", "queries=-1", /no whole number/u],
    ["a broken number", "tokens=1.5", /no whole number/u],
    ["none at a time", "concurrency=0", /`concurrency=0`/u],
    ["less memory than it takes to begin", "memory=1", /`memory=1`/u],
    ["money without a currency", "money=25", /no amount with its currency/u],
    ["money in parts of a millionth", "money=0.0000001USD", /no amount/u],
    ["two values", "rows=1=2", /none of/u],
  ])("are refused with a code and what to write: %s", (_what, text, message) => {
    let refused: unknown;
    try {
      runnerSettings(text);
    } catch (error) {
      refused = error;
    }
    expect(refused).toMatchObject({ code: "runner_settings_invalid", message: expect.stringMatching(message) });
  });

  test("of any text are either whole and within their bounds, or refused with that code", () => {
    const part = fc.tuple(fc.constantFrom("time", "memory", "rows", "concurrency", "queries", "tokens", "money", "repeat", "x"), fc.oneof(fc.nat().map(String), fc.constantFrom("10m", "72h", "5USD", "1e9", "", "9".repeat(30)), fc.string({ maxLength: 8 }))).map((pair) => pair.join("="));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
        expect(["whole", "runner_settings_invalid"]).toContain(outcomeOf(parts.join(",")));
      }),
      { numRuns: 300 },
    );
  });
});
