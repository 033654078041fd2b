import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { type Files, nodeFiles, type OpenFile } from "../../../packages/licet/src/ledger/files.ts";
import { complaints, fixedSigner, publishedComplaints } from "../../../packages/licet/src/ledger/log-fixture.ts";
import { type EvidenceLog, openLog } from "../../../packages/licet/src/ledger/log.ts";
import { endlessly, pause, type Finding, type Place, type Seen, type Subject, type Tell } from "./subject.ts";

const writers = 16;
const leafBytes = 1024;

function leafOf(text: string): Buffer {
  const filler = createHash("sha256").update(text).digest("hex");
  return Buffer.from(`${text} `.padEnd(leafBytes, filler));
}

function openAt(directory: string, files: Files): Promise<EvidenceLog> {
  // Small segments, so that a round sees some of them finished.
  return openLog({ folder: join(directory, "log"), files, signer: fixedSigner("licet.example/power"), publishEvery: 0, limits: { segmentBytes: 4 * 1024 * 1024 } });
}

async function work(files: Files, { directory, run }: Place, tell: Tell): Promise<void> {
  const log = await openAt(directory, files);
  let counter = 0;
  tell.ready();
  const appending = endlessly(writers, async () => {
    const text = `${run}-${counter++}`;
    const index = await log.append({ leaf: leafOf(text), payload: Buffer.alloc(0) });
    tell.acknowledged(String(index), text);
  });
  const publishing = endlessly(1, async () => {
    tell.checkpoint(await log.publish());
    await pause(15);
  });
  await Promise.all([appending, publishing]);
  await pause(60_000);
}

async function check(directory: string, { acknowledged, checkpoints }: Seen): Promise<Finding> {
  const wrong = [...(await publishedComplaints(nodeFiles, join(directory, "log")))];
  const log = await openAt(directory, nodeFiles);
  const lost: string[] = [];
  for (const [index, text] of acknowledged) {
    const frame = await log.read(Number(index));
    if (!frame || !leafOf(text).equals(Buffer.from(frame.leaf))) lost.push(`entry ${index}`);
  }
  wrong.push(...(await complaints(log, checkpoints)));
  await log.close();
  wrong.push(...(await publishedComplaints(nodeFiles, join(directory, "log"))));
  return { lost, wrong };
}

export const logSubject: Subject = { name: "log", work: (place, tell) => work(nodeFiles, place, tell), check };

/** Says "synced" and leaves it to chance: what the harness has to notice. */
const carelessFiles: Files = {
  ...nodeFiles,
  open: async (path, mode) => careless(await open(path, { read: "r", update: "r+", create: "wx+", replace: "w+" }[mode])),
  syncDirectory: async () => {},
};

function careless(handle: Awaited<ReturnType<typeof open>>): OpenFile {
  return {
    read: async (buffer, position) => (await handle.read(buffer, 0, buffer.length, position)).bytesRead,
    write: async (buffer, position) => (await handle.write(buffer, 0, buffer.length, position)).bytesWritten,
    datasync: async () => {},
    truncate: (length) => handle.truncate(length),
    size: async () => (await handle.stat()).size,
    close: () => handle.close(),
  };
}

export const carelessSubject: Subject = { name: "control: the log with its syncs left out", work: (place, tell) => work(carelessFiles, place, tell), check };
