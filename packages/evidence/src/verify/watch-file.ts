import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { isRecord } from "../canonical.ts";
import { fromUtf8 } from "../bytes.ts";
import { parsed, refused, type Parsed } from "../parsed.ts";
import { shardsMax } from "../shard.ts";
import { readBounded } from "./folder.ts";
import type { Known } from "./watch.ts";
import { parseJson } from "../json.ts";

/** A note has at most 1 MiB, and most have one kilobyte. */
const stateBytesMax = 64 * 1024 * 1024;

/** What a monitor knows, from its file. A file that is there and cannot be read is never taken for a first start. */
export async function readWatchState(path: string): Promise<Parsed<Known>> {
  const bytes = await readBounded(path, stateBytesMax);
  if (bytes === undefined) return (await exists(path)) ? refused("state_unusable", `\`${path}\` is too large or no plain file`) : parsed(new Map());
  const known = parseState(bytes);
  return known === undefined ? refused("state_unusable", `\`${path}\` is not the state of a monitor: move it away to begin anew, and with it what was known`) : parsed(known);
}

function parseState(bytes: Uint8Array): Known | undefined {
  const text = fromUtf8(bytes);
  let value: unknown;
  try {
    value = parseJson(text.ok ? text.value : "");
  } catch {
    return undefined;
  }
  const checkpoints: unknown = isRecord(value) && value["v"] === 1 ? value["checkpoints"] : undefined;
  const notes = isRecord(checkpoints) ? Object.entries(checkpoints) : [];
  const known = new Map(notes.flatMap(([origin, note]) => (typeof note === "string" ? [[origin, note] as const] : [])));
  return known.size === notes.length && known.size > 0 && known.size <= shardsMax ? known : undefined;
}

async function exists(path: string): Promise<boolean> {
  try {
    await (await open(path, "r")).close();
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ENOENT");
  }
}

/** Durable when it resolves: what was verified is not forgotten by a power cut. */
export async function writeWatchState(path: string, known: Known): Promise<void> {
  await replaceDurably(path, `${JSON.stringify({ v: 1, checkpoints: Object.fromEntries(known) }, null, 1)}\n`);
}

/** Keeps the notes of an alarm beside the state, so that they can be shown to others. Answers their paths. */
export async function keepEvidence(path: string, alarm: { readonly code: string; readonly notes: readonly string[]; readonly now: number }): Promise<readonly string[]> {
  const stamp = new Date(alarm.now).toISOString().replaceAll(/[:.]/g, "-");
  const names = alarm.notes.map((_, at) => `${path}.${alarm.code}-${stamp}.${at + 1}.checkpoint`);
  for (const [at, name] of names.entries()) await replaceDurably(name, alarm.notes[at] ?? "");
  return names;
}

async function replaceDurably(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
