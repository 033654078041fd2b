/**
 * Erases the payloads of some subjects from the log of oracles-log.ts, gives their room back and prunes the first part,
 * then opens what is left. The last line is JSON.
 */
import { join } from "node:path";
import { systemClock } from "../../packages/licet/src/base/clock.ts";
import { LicetError } from "../../packages/licet/src/base/errors.ts";
import { nodeFiles } from "../../packages/licet/src/ledger/files.ts";
import { openKeyring } from "../../packages/licet/src/ledger/keyring.ts";
import { openKeys } from "../../packages/licet/src/ledger/keys.ts";
import { tell } from "../../packages/licet/src/ledger/kill-told.ts";
import { openLog } from "../../packages/licet/src/ledger/log.ts";
import { reclaim, writeMinimumIndex } from "../../packages/licet/src/ledger/prune.ts";
import { leafIn, openEntry } from "../../packages/licet/src/ledger/sealing.ts";

const [directory = "", ...subjects] = process.argv.slice(2);
const folder = join(directory, "log");
const keys = await openKeys({ directory: join(directory, "keys"), fresh: false, now: systemClock.now() });
const keyring = await openKeyring({ directory: join(directory, "keys"), root: keys.root, clock: systemClock });
await keyring.destroy(subjects.flatMap((subject) => keyring.keysOf("main", subject, { class: "runtime" })));
const reclaimedBytes = await reclaim({ files: nodeFiles, folder: join(folder, "journal"), isDestroyed: (kid) => keyring.isDestroyed(kid) });

const log = await openLog({ folder, signer: keys.log, memories: [keys.memory], publishEvery: 0 });
const counts = { erased: 0, opened: 0, wrong: 0 };
for await (const frame of log.scan(0)) counts[outcomeOf(frame)] += 1;
const minimumIndex = Math.floor(log.size / 3);
await log.close();
await writeMinimumIndex(nodeFiles, folder, minimumIndex);
await keyring.close();
tell(JSON.stringify({ ...counts, reclaimedBytes, minimumIndex }));

/** Erased is what a destroyed key sealed, and nothing else. */
function outcomeOf(frame: Parameters<typeof openEntry>[1]): keyof typeof counts {
  const destroyed = keyring.isDestroyed(leafIn(frame).payload.kid);
  try {
    openEntry(keyring, frame);
    return destroyed ? "wrong" : "opened";
  } catch (error) {
    return destroyed && error instanceof LicetError && error.code === "payload_erased" ? "erased" : "wrong";
  }
}
