import { dirname, join } from "node:path";
import { parseCheckpoint, parseJson, parseNote } from "@licet/evidence";
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import { LicetError } from "../base/errors.ts";
import { fetchOutbound, openOutbound } from "../base/outbound.ts";
import { type Files, nodeFiles, replaceFile } from "./files.ts";
import { readStoredTimestamp, readTimestamp, timestampRequest } from "./timestamp.ts";

const answerBytesMax = 64 * 1024;
const totalMs = 10_000;
const everyMilliseconds = 60 * 60 * 1000;
const lookEveryMilliseconds = 60 * 1000;
const statusName = "status.json";

const status = z.strictObject({ attempted: z.int(), size: z.int(), failure: z.strictObject({ code: z.string(), message: z.string() }).nullable() });
/** The last attempt to have a checkpoint stamped. */
export type TimestampStatus = z.infer<typeof status>;

/** Where the timestamps of a shard lie. */
export function timestampsFolder(shardFolder: string): string {
  return join(shardFolder, "timestamps");
}

export interface TimestampsOptions {
  /** The authority's address; https, or loopback. */
  readonly url: string;
  /** What may be dialled beside public addresses. */
  readonly allow?: readonly string[];
  /** The last published checkpoint, and the folder of the shard that it is of. */
  readonly current: () => { readonly note: string | undefined; readonly folder: string };
  readonly clock: Clock;
  readonly files?: Files;
  /** Told each failure; the log goes on. */
  readonly onFailure: (error: LicetError) => void;
}

export interface Timestamps {
  /** Stamps the checkpoint if it changed and the last attempt is an hour old. Never throws. */
  look(): Promise<void>;
  stop(): Promise<void>;
}

/** Has checkpoints stamped by an RFC 3161 authority: hourly at most, only changed ones, beside the log and never in its way. */
export function startTimestamps(options: TimestampsOptions): Timestamps {
  let running: Promise<void> = Promise.resolve();
  const look = (): Promise<void> => {
    running = running.then(() => lookOnce(options));
    return running;
  };
  const timer = setInterval(() => void look(), lookEveryMilliseconds).unref();
  return {
    look,
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}

async function lookOnce(options: TimestampsOptions): Promise<void> {
  const { clock, files = nodeFiles, onFailure } = options;
  const { note, folder } = options.current();
  const size = note === undefined ? undefined : sizeOf(note);
  if (note === undefined || size === undefined) return;
  const attempted = clock.now();
  try {
    if (!(await isDue({ files, folder, size, now: attempted }))) return;
    const error = await attempt({ ...options, files, folder }, note, size);
    const failure = error === undefined ? null : { code: error.code, message: error.message };
    await keep(files, folder, [[statusName, Buffer.from(`${JSON.stringify({ attempted, size, failure })}\n`)]]);
    if (error !== undefined) onFailure(error);
  } catch (cause) {
    onFailure(cause instanceof LicetError ? cause : new LicetError("internal", { message: "a timestamp could not be kept", cause }));
  }
}

interface Look {
  readonly files: Files;
  readonly folder: string;
  readonly size: number;
  readonly now: number;
}

/** A clock that was set back must not end the stamping: then an attempt from the future counts for nothing. */
async function isDue({ files, folder, size, now }: Look): Promise<boolean> {
  const before = await readStatus(folder, files);
  const waited = before === undefined || now - before.attempted >= everyMilliseconds || now < before.attempted;
  return waited && (await files.readWhole(join(folder, `${size}.tsr`))) === undefined;
}

interface Attempt extends TimestampsOptions {
  readonly folder: string;
  readonly files: Files;
}

async function attempt(options: Attempt, note: string, size: number): Promise<LicetError | undefined> {
  try {
    const covered = Buffer.from(note);
    const request = timestampRequest(covered);
    const answer = await ask(options, request.der);
    readTimestamp(answer, request);
    // The note first: a token without what it covers proves nothing.
    await keep(options.files, options.folder, [[`${size}.note`, covered], [`${size}.tsr`, answer]]);
    return undefined;
  } catch (error) {
    if (error instanceof LicetError) return error;
    throw error;
  }
}

async function ask({ url, allow = [] }: TimestampsOptions, body: Uint8Array): Promise<Uint8Array> {
  const outbound = await openOutbound({ baseUrl: url, allow, limits: { totalMs, headersMs: totalMs, idleMs: totalMs, answerBytesMax } });
  try {
    const headers = { "content-type": "application/timestamp-query", accept: "application/timestamp-reply" };
    const answer = await fetchOutbound(outbound, { method: "POST", path: new URL(url).pathname.endsWith("/") ? "/" : "", headers, body });
    if (answer.status !== 200) throw new LicetError("timestamp_invalid", { message: `the time-stamping authority answered with HTTP status ${answer.status}` });
    return answer.body;
  } finally {
    await outbound.close();
  }
}

async function keep(files: Files, folder: string, contents: readonly (readonly [string, Uint8Array])[]): Promise<void> {
  await files.makeDirectory(folder);
  for (const [name, content] of contents) await replaceFile(files, join(folder, name), content);
  await files.syncDirectory(folder);
  await files.syncDirectory(dirname(folder));
}

function sizeOf(note: string): number | undefined {
  const parsed = parseNote(note);
  const checkpoint = parsed.ok ? parseCheckpoint(parsed.value.text) : parsed;
  return checkpoint.ok ? checkpoint.value.size : undefined;
}

async function readStatus(folder: string, files: Files): Promise<TimestampStatus | undefined> {
  const bytes = await files.readWhole(join(folder, statusName));
  try {
    return bytes && status.parse(parseJson(Buffer.from(bytes).toString("utf8")));
  } catch {
    // It only says when the last attempt was.
    return undefined;
  }
}

export interface StoredTimestamp {
  /** Entries of the shard that the stamped checkpoint covers. */
  readonly size: number;
  /** Milliseconds since the Unix epoch, as the authority says; `null` if the token does not fit its note. */
  readonly time: number | null;
  readonly problem: string | null;
}

/** What lies in a folder of timestamps, each checked again. */
export async function listTimestamps(folder: string, files: Files = nodeFiles): Promise<{ readonly stamps: readonly StoredTimestamp[]; readonly status: TimestampStatus | undefined }> {
  const stamps: StoredTimestamp[] = [];
  for (const name of await files.list(folder)) {
    const size = /^(0|[1-9]\d{0,15})\.tsr$/u.exec(name)?.[1];
    if (size !== undefined) stamps.push(await checked(folder, Number(size), files));
  }
  return { stamps: stamps.toSorted((a, b) => a.size - b.size), status: await readStatus(folder, files) };
}

async function checked(folder: string, size: number, files: Files): Promise<StoredTimestamp> {
  const [token, note] = await Promise.all([`${size}.tsr`, `${size}.note`].map((name) => files.readWhole(join(folder, name))));
  try {
    if (token === undefined || note === undefined) throw new LicetError("timestamp_invalid", { message: "the note that it covers is missing" });
    if (sizeOf(Buffer.from(note).toString("utf8")) !== size) throw new LicetError("timestamp_invalid", { message: "it covers a checkpoint of another size" });
    return { size, time: readStoredTimestamp(token, note).time, problem: null };
  } catch (error) {
    if (error instanceof LicetError) return { size, time: null, problem: error.message };
    throw error;
  }
}
