import { expect, test } from "vitest";
import { manualClock } from "../base/clock.ts";
import { leaseMs, snapshotHolder } from "./snapshot.ts";

const input = (version: number) => ({ version, credentials: [], spaces: [] });

test("before the first snapshot there is none", () => {
  const holder = snapshotHolder(manualClock(0));
  expect(holder.current()).toBeUndefined();
  expect(holder.renew(0)).toBe(false);
});

test("a lease lasts one second from its renewal, and not a millisecond longer", () => {
  const clock = manualClock(5000);
  const holder = snapshotHolder(clock);
  holder.publish(input(7));
  clock.advance(leaseMs - 1);
  expect(holder.current()).toMatchObject({ version: 7, builtAt: 5000, leaseUntil: 6000 });
  expect(holder.renew(7)).toBe(true);
  clock.advance(leaseMs - 1);
  expect(holder.current()).toMatchObject({ builtAt: 5000, leaseUntil: 6999 });
  clock.advance(1);
  expect(holder.current()).toBeUndefined();
});

test("a heartbeat for a newer version does not renew: something happened that this snapshot does not hold", () => {
  const clock = manualClock(0);
  const holder = snapshotHolder(clock);
  holder.publish(input(7));
  clock.advance(500);
  expect(holder.renew(8)).toBe(false);
  clock.advance(500);
  expect(holder.current()).toBeUndefined();
});

test("an older snapshot never replaces a newer one", () => {
  const holder = snapshotHolder(manualClock(0));
  holder.publish(input(8));
  holder.publish(input(7));
  expect(holder.current()?.version).toBe(8);
});

test("a clock that was set back does not prolong a lease", () => {
  const clock = manualClock(10_000);
  const holder = snapshotHolder(clock);
  holder.publish(input(1));
  clock.set(9000);
  expect(holder.current()).toBeUndefined();
});

test("the lease runs from when the rows were read, however long the reading took", () => {
  const clock = manualClock(10_000);
  const holder = snapshotHolder(clock);
  holder.publish(input(7), 9100);
  expect(holder.current()?.leaseUntil).toBe(10_100);
  expect(holder.renew(7, 9500)).toBe(true);
  clock.advance(500);
  expect(holder.current()).toBeUndefined();
});
