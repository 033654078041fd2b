import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { parseTilePath } from "@licet/evidence";
import type { LogAnswer, LogRequest } from "../gateway/serve.ts";
import type { EvidenceLog } from "../ledger/log.ts";
import { minimumIndexName } from "../ledger/prune.ts";
import { shardListName } from "../ledger/shard-list.ts";
import { isPruned, resolveShardPath } from "../ledger/shards.ts";

const forever = "public, max-age=31536000, immutable";
const compress = promisify(gzip);
/** Smaller ones gain nothing; larger ones would hold a thread that the journal needs. */
const gzipBytesMin = 512;
const gzipBytesMax = 1024 * 1024;
/** Full bundles are asked for by every monitor alike. */
const compressedMax = 64;

/**
 * C2SP tlog-tiles over HTTP. Tiles and bundles never change, partial ones included; checkpoint, list of shards and minimum index do.
 * Answers undefined for what is no path of a log.
 */
export function logFiles(log: EvidenceLog): (request: LogRequest) => Promise<LogAnswer | undefined> {
  const compressed = new Map<string, Promise<Uint8Array>>();
  return async (request) => {
    const { path } = request;
    if (path === shardListName) return changing(request, await log.resource(path), "application/json");
    if (path === minimumIndexName) return changing(request, Buffer.from(`${log.minimumIndex}\n`), "text/plain; charset=utf-8");
    const place = resolveShardPath(log.shards, path);
    if (place?.path === "checkpoint") return changing(request, await log.resource(path), "text/plain; charset=utf-8");
    const tile = parseTilePath(place?.path ?? "");
    if (!place || !tile.ok) return undefined;
    if (isPruned(tile.value, log.minimumIndex - place.shard.base)) {
      return { refused: "log_pruned", message: `\`${path}\` lies below the log's minimum index ${log.minimumIndex}` };
    }
    const body = await log.resource(path);
    if (body === undefined) return { refused: "not_found", message: `the log has no \`${path}\`` };
    return tile.value.level === "entries" ? bundle(request, body, compressed) : { status: 200, headers: lasting, body };
  };
}

const lasting = { "content-type": "application/octet-stream", "cache-control": forever };

async function bundle({ path, acceptEncoding }: LogRequest, body: Uint8Array, compressed: Map<string, Promise<Uint8Array>>): Promise<LogAnswer> {
  const headers = { ...lasting, vary: "accept-encoding" };
  if (!accepts(acceptEncoding) || body.length < gzipBytesMin || body.length > gzipBytesMax) return { status: 200, headers, body };
  return { status: 200, headers: { ...headers, "content-encoding": "gzip" }, body: await packedOnce(compressed, path, body) };
}

/** Asked for again and again: the tag spares the transfer, and nobody may keep it without asking. */
function changing({ path, ifNoneMatch }: LogRequest, body: Uint8Array | undefined, contentType: string): LogAnswer {
  if (body === undefined) return { refused: "not_found", message: `the log has no \`${path}\` yet` };
  const etag = `"${createHash("sha256").update(body).digest("hex").slice(0, 32)}"`;
  const headers = { "content-type": contentType, "cache-control": "no-cache", etag };
  const known = ifNoneMatch?.split(",").some((tag) => tag.trim().replace(/^W\//u, "") === etag) ?? false;
  return known ? { status: 304, headers, body: new Uint8Array() } : { status: 200, headers, body };
}

/** `gzip`, or anything at all; not with `q=0`. */
function accepts(header: string | undefined): boolean {
  return (header ?? "").split(",").some((each) => {
    const [name = "", ...parameters] = each.split(";").map((part) => part.trim().toLowerCase());
    return ["gzip", "*"].includes(name) && !parameters.some((parameter) => /^q=0(?:\.0*)?$/u.test(parameter));
  });
}

function packedOnce(compressed: Map<string, Promise<Uint8Array>>, path: string, body: Uint8Array): Promise<Uint8Array> {
  const known = compressed.get(path) ?? compress(body, { level: 1 });
  compressed.delete(path);
  compressed.set(path, known);
  const [oldest] = compressed.keys();
  if (compressed.size > compressedMax && oldest !== undefined) compressed.delete(oldest);
  return known;
}
