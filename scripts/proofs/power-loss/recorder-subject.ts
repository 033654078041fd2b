import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { systemClock } from "../../../packages/licet/src/base/clock.ts";
import { nodeFiles } from "../../../packages/licet/src/ledger/files.ts";
import { complaints, publishedComplaints } from "../../../packages/licet/src/ledger/log-fixture.ts";
import { decisionDraft, dump, holdDraft, install, type Installation, liftDraft, toyKinds } from "../../../packages/licet/src/ledger/recorder-fixture.ts";
import { registryOf } from "../../../packages/licet/src/ledger/registry.ts";
import { rebuildDatabase } from "../../../packages/licet/src/ledger/replay.ts";
import { endlessly, pause, type Finding, type Place, type Seen, type Subject, type Tell } from "./subject.ts";

const purpose = "power loss";

async function work({ directory, run }: Place, tell: Tell): Promise<void> {
  const at = await install({ directory, clock: systemClock, log: { publishEvery: 0, limits: { segmentBytes: 1024 * 1024 } } });
  let counter = 0;
  tell.ready();
  const deciding = endlessly(8, async () => {
    const entry = await at.recorder.append(decisionDraft(counter++));
    tell.acknowledged(String(entry.index), entry.id);
  });
  const commanding = endlessly(2, async () => {
    const draft = counter++ % 3 === 0 ? liftDraft() : holdDraft(`${run}-${counter}`);
    const { entry } = await at.recorder.commit(async () => ({ entry: draft, value: 0 }));
    tell.acknowledged(String(entry?.index), entry?.id ?? "");
  });
  // These rows are in no log: the database alone answers for them.
  const storing = endlessly(1, async () => {
    const digest = `${run}-${counter++}`;
    await at.database.operational.insertInto("one_time_link").values({ digest, purpose, person: null, created_at: 0, expires_at: 0, used_at: null }).execute();
    tell.acknowledged("row", digest);
  });
  const settling = endlessly(1, async () => {
    await at.recorder.settle();
    tell.checkpoint(await at.log.publish());
    await pause(20);
  });
  await Promise.all([deciding, commanding, storing, settling]);
  await pause(60_000);
}

async function check(directory: string, seen: Seen): Promise<Finding> {
  const wrong = [...(await publishedComplaints(nodeFiles, join(directory, "log"))), ...brokenPages(directory)];
  const at = await install({ directory, clock: systemClock });
  try {
    const lost = await missing(at, seen);
    wrong.push(...(await complaints(at.log, seen.checkpoints)));
    const { database, log, keyring } = at;
    const live = JSON.stringify(await dump(database));
    await rebuildDatabase({ database, log, keyring, registry: registryOf(toyKinds), now: () => 0 });
    if (JSON.stringify(await dump(database)) !== live) wrong.push("the rebuilt tables differ from the live ones");
    return { lost, wrong };
  } finally {
    await at.close();
  }
}

async function missing(at: Installation, { acknowledged }: Seen): Promise<readonly string[]> {
  const lost: string[] = [];
  const rows = await at.database.read.selectFrom("one_time_link").select("digest").where("purpose", "=", purpose).execute();
  const stored = new Set(rows.map(({ digest }) => digest));
  for (const [key, value] of acknowledged) {
    const there = key === "row" ? stored.has(value) : (await at.recorder.readAt("main", Number(key)))?.id === value;
    if (!there) lost.push(`${key} ${value}`);
  }
  return lost;
}

function brokenPages(directory: string): readonly string[] {
  const database = new DatabaseSync(join(directory, "licet.db"));
  try {
    const answer = database.prepare("pragma integrity_check").get()?.["integrity_check"];
    return answer === "ok" ? [] : [`the database is damaged: ${String(answer).slice(0, 200)}`];
  } finally {
    database.close();
  }
}

export const recorderSubject: Subject = { name: "recorder with the embedded database", work, check };
