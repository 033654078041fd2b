import type { LogFile } from "../gateway/serve.ts";
import type { EvidenceLog } from "../ledger/log.ts";

const forever = "public, max-age=31536000, immutable";

/** C2SP tlog-tiles over HTTP: tiles never change, partial ones included; the checkpoint does. */
export function logFiles(log: EvidenceLog): (path: string) => Promise<LogFile | undefined> {
  return async (path) => {
    const body = await log.resource(path);
    if (body === undefined) return undefined;
    const isCheckpoint = path === "checkpoint";
    return { body, contentType: isCheckpoint ? "text/plain; charset=utf-8" : "application/octet-stream", cacheControl: isCheckpoint ? "no-cache" : forever };
  };
}
