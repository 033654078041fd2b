import fc from "fast-check";
import { expect, test } from "vitest";
import { manualClock } from "../base/clock.ts";
import { strangerLimit } from "./stranger-limit.ts";

const bounds = { windowMs: 60_000, addressMax: 3, overallMax: 10 };

test("an address is recorded up to its bound, then once for the rest, then not until the window ends", () => {
  const clock = manualClock(1_000_000);
  const limit = strangerLimit(() => clock.now(), bounds);
  const records = () => Array.from({ length: 6 }, () => limit.take("a").record);
  expect(records()).toEqual(["each", "each", "each", "summary", "silent", "silent"]);
  expect(limit.take("b").record).toBe("each");
  clock.advance(59_999);
  expect(limit.take("a")).toEqual({ record: "silent", retryAfterSeconds: 1 });
  clock.advance(1);
  expect(limit.take("a").record).toBe("each");
});

test("a clock that was set back begins a window, and does not close the record for ever", () => {
  const clock = manualClock(1_000_000);
  const limit = strangerLimit(() => clock.now(), bounds);
  for (let n = 0; n < 5; n++) limit.take("a");
  clock.set(10);
  expect(limit.take("a").record).toBe("each");
});

test("whatever addresses come, a window records no more than its bound and one, and whoever is silent has a summary before", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 200 }), (addresses) => {
      const limit = strangerLimit(() => 5, bounds);
      const seen: { address: number; record: string }[] = [];
      for (const address of addresses) seen.push({ address, record: limit.take(String(address)).record });
      expect(seen.filter(({ record }) => record !== "silent").length).toBeLessThanOrEqual(bounds.overallMax + 1);
      const silent = seen.findIndex(({ record }) => record === "silent");
      const summary = seen.findIndex(({ record }) => record === "summary");
      expect(silent === -1 || (summary !== -1 && summary < silent)).toBe(true);
    }),
  );
});
