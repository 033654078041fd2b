import { afterEach, expect, test } from "vitest";
import { manualClock } from "../base/clock.ts";
import { killSteps } from "./kill-steps.ts";
import { newDirectory, removeDirectory } from "./recorder-fixture.ts";

let directory = "";
afterEach(() => removeDirectory(directory));

test("a process may die between any two steps of rows, entry and commit: nothing acknowledged is lost, and the tables are those of a rebuild", async () => {
  directory = await newDirectory();
  const { steps, acknowledged, losses } = await killSteps({ directory, clock: manualClock(Date.UTC(2026, 10, 1)) });
  expect(losses).toEqual([]);
  expect(steps.length).toBeGreaterThan(25);
  expect(new Set(steps)).toEqual(new Set([...steps, "before the transaction", "before InsertQueryNode", "before UpdateQueryNode", "after a statement", "before the append", "after the append", "before the commit", "after the commit"]));
  expect(acknowledged).toBeGreaterThan(50);
}, 120_000);
