import { existsSync } from "node:fs";
import { join } from "node:path";
import { LicetError } from "@licet/contract";
import { nodeFiles } from "../ledger/files.ts";
import { listTimestamps, timestampsFolder } from "../ledger/timestamp-keeper.ts";
import { exitCodes, type ExitCode } from "./failure.ts";
import type { KeysOptions } from "./keys.ts";
import { columns, type Terminal, timeText } from "./terminal.ts";

/** Reads what lies beside the log; a running server is not disturbed. */
export async function runTimestamps(options: KeysOptions & { readonly json?: boolean }, terminal: Terminal): Promise<ExitCode> {
  const log = join(options.dir, "log");
  if (!existsSync(log)) throw new LicetError("file_unreadable", { message: `\`${options.dir}\` is not a data directory` });
  const shards = ["", ...(await nodeFiles.list(join(log, "shards"))).map((name) => join("shards", name))];
  const found = await Promise.all(shards.map(async (shard) => ({ shard: shard === "" ? "1" : shard.slice("shards/".length), ...(await listTimestamps(timestampsFolder(join(log, shard)))) })));
  const failed = found.some(({ stamps, status }) => (status?.failure ?? null) !== null || stamps.some(({ problem }) => problem !== null));
  if (options.json === true) terminal.out(JSON.stringify(found, null, 2));
  else print(found, terminal);
  return failed ? exitCodes.findings : exitCodes.fine;
}

type Found = Awaited<ReturnType<typeof listTimestamps>> & { readonly shard: string };

function print(found: readonly Found[], terminal: Terminal): void {
  const rows = found.flatMap(({ shard, stamps }) => stamps.map(({ size, time, problem }) => [shard, String(size), time === null ? "refused" : timeText(time), problem ?? "fits its note"]));
  terminal.out(rows.length === 0 ? "no timestamps: `licet serve --timestamp-url URL` asks an authority for them" : columns([["SHARD", "SIZE", "TIME", "CHECK"], ...rows]));
  for (const { status } of found) {
    if (status?.failure) terminal.out(`last attempt, ${timeText(status.attempted)}, at size ${status.size}: ${status.failure.message} (${status.failure.code})`);
  }
}
