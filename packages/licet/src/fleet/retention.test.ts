import { createSecretKey, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { manualClock } from "../base/clock.ts";
import { openKeyring } from "../ledger/keyring.ts";
import { startGatewayRetention } from "./retention.ts";

const day = 86_400_000;

test("a gateway destroys the keys of words a day after their month, and of calls when the space's time is over", async () => {
  const folder = await mkdtemp(join(tmpdir(), "licet-retention-"));
  const clock = manualClock(Date.UTC(2026, 0, 15));
  const keyring = await openKeyring({ directory: folder, root: createSecretKey(randomBytes(32)), clock });
  const kids = { runtime: await keyring.keyFor("main", "system:x", "runtime"), content: await keyring.keyFor("main", "system:x", "content"), other: await keyring.keyFor("other", "system:x", "content") };
  const gone = () => Object.entries(kids).flatMap(([name, { kid }]) => (keyring.isDestroyed(kid) ? [name] : []));
  const begin = () => startGatewayRetention({ keyring, clock, space: "main", onFailure: (error) => { throw error; } });
  const first = begin();
  await new Promise((resolve) => setTimeout(resolve, 20));
  first.stop();
  expect(gone()).toEqual([]);
  clock.set(Date.UTC(2026, 1, 2) + 1);
  const second = begin();
  await expect.poll(gone).toEqual(["content"]);
  second.stop();
  clock.advance(4000 * day);
  const third = begin();
  await expect.poll(gone).toEqual(["runtime", "content"]);
  third.stop();
  await keyring.close();
  await rm(folder, { recursive: true, force: true });
});
