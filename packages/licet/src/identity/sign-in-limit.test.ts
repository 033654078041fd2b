import { expect, test } from "vitest";
import { attemptLimit, keysMax, windowMinutes } from "./sign-in-limit.ts";

function refused(take: () => void): boolean {
  try {
    take();
    return false;
  } catch {
    return true;
  }
}

function times(count: number, take: () => void): boolean {
  return Array.from({ length: count }, () => refused(take)).some(Boolean);
}

test("the last allowed attempt is let through, the next is not, and the wait is named", () => {
  let time = 1_000_000;
  const limit = attemptLimit(() => time, 3);
  expect(times(3, () => limit.take("a"))).toBe(false);
  time += 60_000;
  expect(() => limit.take("a")).toThrow(expect.objectContaining({ code: "too_many_attempts", at: { retryAfterSeconds: (windowMinutes - 1) * 60 } }) as Error);
  expect(refused(() => limit.take("b"))).toBe(false);
  time += (windowMinutes - 1) * 60_000 - 1;
  expect(refused(() => limit.take("a"))).toBe(true);
  time += 1;
  expect(refused(() => limit.take("a"))).toBe(false);
});

test("what is forgiven starts again at none", () => {
  const limit = attemptLimit(() => 0, 3);
  times(3, () => limit.take("a"));
  limit.forgive("a");
  expect(times(3, () => limit.take("a"))).toBe(false);
  expect(refused(() => limit.take("a"))).toBe(true);
});

test("a flood of made-up accounts keeps a bounded number, the newest ones", () => {
  const limit = attemptLimit(() => 0, 1);
  limit.take("old");
  for (let n = 0; n < keysMax; n++) limit.take(`made-up ${String(n)}`);
  expect(refused(() => limit.take("old"))).toBe(false);
  expect(refused(() => limit.take(`made-up ${String(keysMax - 1)}`))).toBe(true);
});
