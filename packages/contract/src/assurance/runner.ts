import { z } from "zod";
import { budgetMicrosMax, budgetTokensMax, Currency } from "../manifest/budgets.ts";
import { repeatMsDefault } from "./attempts.ts";

const second = 1000;
const hour = 3600 * second;

/** What one run of the server's runner may spend on questions to models: declared in its ticket before the first is asked. */
export const RunnerBudget = z
  .strictObject({
    queries: z.int().nonnegative().max(10_000_000),
    tokens: z.int().nonnegative().max(budgetTokensMax).describe("of questions and answers together"),
    money: z.strictObject({ currency: Currency, micros: z.int().nonnegative().max(budgetMicrosMax) }).nullable().describe("in millionths; null where money is not bounded"),
  })
  .meta({ id: "RunnerBudget" });
export type RunnerBudget = z.output<typeof RunnerBudget>;

/** The bounds of the server's own runner, as `licet serve --runner` sets them. */
export const RunnerSettings = z
  .strictObject({
    timeMs: z.int().min(10 * second).max(24 * hour).describe("a run that takes longer is ended, and is an aborted attempt"),
    memoryMb: z.int().min(64).max(1_048_576).describe("heap of a run's thread, in MiB"),
    rows: z.int().min(1).max(100_000_000).describe("of one table"),
    concurrency: z.int().min(1).max(256).describe("runs at a time; others wait"),
    repeatMs: z.int().min(60 * second).max(365 * 24 * hour).describe("within which a drawn check is made again; after it the run is disputed"),
    budget: RunnerBudget,
  })
  .meta({ id: "RunnerSettings" });
export type RunnerSettings = z.output<typeof RunnerSettings>;

export const runnerDefaults: RunnerSettings = {
  timeMs: 600 * second,
  memoryMb: 2048,
  rows: 2_000_000,
  concurrency: 2,
  repeatMs: repeatMsDefault,
  budget: { queries: 20_000, tokens: 20_000_000, money: null },
};

export const RunnerView = z
  .strictObject({
    ...RunnerSettings.shape,
    running: z.int().nonnegative().describe("runs under way, of any space"),
    waiting: z.int().nonnegative().describe("runs that wait for their turn"),
  })
  .meta({ id: "RunnerView" });
export type RunnerView = z.output<typeof RunnerView>;
