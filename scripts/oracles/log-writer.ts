/**
 * The process that oracles-log.ts kills: several writers on the product's log, until so many entries are there.
 * Each line of its output is an acknowledgement, `index id`, told after the entry was durable.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../packages/licet/src/base/clock.ts";
import { newId } from "../../packages/licet/src/base/ids.ts";
import { openKeyring } from "../../packages/licet/src/ledger/keyring.ts";
import { openKeys } from "../../packages/licet/src/ledger/keys.ts";
import { tell } from "../../packages/licet/src/ledger/kill-told.ts";
import { seeded } from "../../packages/licet/src/ledger/log-fixture.ts";
import { openLog } from "../../packages/licet/src/ledger/log.ts";
import { sealEntry } from "../../packages/licet/src/ledger/sealing.ts";

const [directory = "", entries = "0", seed = "0"] = process.argv.slice(2);
const random = seeded(Number(seed));
const writers = 1 + Math.floor(random() * 12);
const keysAt = join(directory, "keys");
const keys = await openKeys({ directory: keysAt, fresh: !existsSync(join(directory, "log")), now: systemClock.now() });
const keyring = await openKeyring({ directory: keysAt, root: keys.root, clock: systemClock });
const log = await openLog({
  folder: join(directory, "log"),
  signer: keys.log,
  memories: [keys.memory],
  publishEvery: 5 + Math.floor(random() * 100),
  limits: { segmentBytes: 65_536 + Math.floor(random() * 1_000_000) },
});
let begun = log.size;

function entry(n: number) {
  const system = `system-${Math.floor(random() * 4)}`;
  const time = systemClock.now();
  const body = { n, text: "ä".repeat(Math.floor(random() ** 3 * 2000)) };
  return { id: newId("ent", time), v: 1, time, kind: "oracle.entry", space: "main", actor: `dep_${n % 7}`, system, subject: `system:${system}`, class: "runtime" as const, gateway: "gw_oracle", seq: n, body };
}

async function write(): Promise<void> {
  while (begun < Number(entries)) {
    begun += 1;
    const sealed = await sealEntry(keyring, entry(begun));
    const index = await log.append(sealed.frame);
    tell(`${index} ${sealed.entry.id}`);
    // Lulls make publications with small steps, bursts those with large ones.
    if (random() < 0.02) await new Promise((resolve) => setTimeout(resolve, random() * 30));
    if (random() < 0.002) await log.publish();
  }
}

tell(`vkey ${log.vkey}`);
await Promise.all(Array.from({ length: writers }, write));
await log.close();
await keyring.close();
