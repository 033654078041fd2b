import { join } from "node:path";
import { parseLeaf } from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import { type Files, replaceFile } from "./files.ts";
import { encodeFrame, type Frame, frameBytes } from "./frame.ts";
import { encodeSegmentHeader, segmentHeaderBytes, segmentName, segmentNumber, decodeSegmentHeader } from "./segment.ts";
import { segmentIndexPath } from "./segment-index.ts";
import { type SoundPiece, surveySegment } from "./segment-survey.ts";

export const minimumIndexName = "minimum-index";

/** Entries below it are no longer served. Durable in a file of its own; 0 when there is none. */
export async function readMinimumIndex(files: Files, folder: string): Promise<number> {
  const bytes = await files.readWhole(join(folder, minimumIndexName));
  if (bytes === undefined) return 0;
  const text = Buffer.from(bytes).toString("utf8");
  if (/^(?:0|[1-9]\d{0,15})\n$/.test(text)) return Number(text);
  throw new LicetError("log_damaged", { message: `the file \`${minimumIndexName}\` of the log does not hold a number` });
}

export async function writeMinimumIndex(files: Files, folder: string, minimumIndex: number): Promise<void> {
  await replaceFile(files, join(folder, minimumIndexName), Buffer.from(`${minimumIndex}\n`));
  await files.syncDirectory(folder);
}

export interface ReclaimOptions {
  readonly files: Files;
  /** `journal` of the newest shard; frozen shards are never written. */
  readonly folder: string;
  readonly isDestroyed: (kid: string) => boolean;
}

interface Reclaimable {
  readonly number: number;
  /** Of payloads whose keys were destroyed. */
  readonly bytes: number;
}

/** Finished segments that hold payloads nobody can open any more. */
export async function reclaimable(options: ReclaimOptions): Promise<readonly Reclaimable[]> {
  const found: Reclaimable[] = [];
  for (const number of (await finished(options))) {
    const { frames } = await soundSegment(options, number);
    const bytes = frames.reduce((sum, frame) => sum + (isErased(options, frame) ? frame.payload.length : 0), 0);
    if (bytes > 0) found.push({ number, bytes });
  }
  return found;
}

/**
 * Writes finished segments anew without the payloads of destroyed keys; leaves, order and batches stay. Nobody may have
 * the log open. A crash leaves the old segment or the new one: the index, which is made again, goes first.
 */
export async function reclaim(options: ReclaimOptions): Promise<number> {
  const { files, folder } = options;
  let reclaimed = 0;
  for (const { number, bytes } of await reclaimable(options)) {
    const { first, frames } = await soundSegment(options, number);
    const kept = frames.map((frame) => (isErased(options, frame) ? { ...frame, payload: Buffer.alloc(0) } : frame));
    const target = Buffer.alloc(segmentHeaderBytes + kept.reduce((sum, frame) => sum + frameBytes(frame), 0));
    target.set(encodeSegmentHeader(first));
    let at = segmentHeaderBytes;
    for (const frame of kept) at = encodeFrame(target, frame, { at, batch: frame.batch, last: frame.last });
    await files.remove(segmentIndexPath(folder, number));
    await files.syncDirectory(folder);
    await replaceFile(files, join(folder, segmentName(number)), target);
    await files.syncDirectory(folder);
    reclaimed += bytes;
  }
  return reclaimed;
}

async function finished({ files, folder }: ReclaimOptions): Promise<readonly number[]> {
  return (await files.list(folder)).flatMap((name) => segmentNumber(name) ?? []).slice(0, -1);
}

/** Only what is whole is written anew: a damaged segment is for `licet log repair`. */
async function soundSegment({ files, folder }: ReclaimOptions, number: number): Promise<{ readonly first: number; readonly frames: readonly SoundPiece[] }> {
  const bytes = Buffer.from((await files.readWhole(join(folder, segmentName(number)))) ?? []);
  const first = decodeSegmentHeader(bytes);
  const { pieces } = surveySegment(bytes);
  const frames = pieces.flatMap((piece) => (piece.kind === "frame" ? [piece] : []));
  if (first === undefined || frames.length !== pieces.length) throw new LicetError("log_damaged", { message: `the journal segment \`${segmentName(number)}\` is damaged: run \`licet log fsck\`` });
  return { first, frames };
}

function isErased({ isDestroyed }: ReclaimOptions, { leaf, payload }: Frame): boolean {
  const parsed = payload.length > 0 ? parseLeaf(leaf) : undefined;
  return parsed?.ok === true && isDestroyed(parsed.value.payload.kid);
}
