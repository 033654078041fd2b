import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fixedSigner } from "../ledger/log-fixture.ts";
import { type EvidenceLog, openLog } from "../ledger/log.ts";
import { writeMinimumIndex } from "../ledger/prune.ts";
import { nodeFiles } from "../ledger/files.ts";
import { logFiles } from "./log-files.ts";

let root: string;
let log: EvidenceLog;

async function reopen(): Promise<void> {
  log = await openLog({ folder: join(root, "log"), signer: fixedSigner(), publishEvery: 0 });
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "licet-log-files-"));
  await reopen();
  await Promise.all(Array.from({ length: 700 }, (_, n) => log.append({ leaf: Buffer.from(`entry ${n}`), payload: Buffer.alloc(0) })));
  await log.publish();
});

afterAll(async () => {
  await log.close();
  await rm(root, { recursive: true, force: true });
});

function get(path: string, more: { readonly ifNoneMatch?: string; readonly acceptEncoding?: string } = {}) {
  return logFiles(log)({ path, ifNoneMatch: more.ifNoneMatch, acceptEncoding: more.acceptEncoding });
}

describe("the log over HTTP", () => {
  test("tiles and bundles may be kept for ever, the checkpoint may not", async () => {
    for (const path of ["tile/0/000", "tile/0/002.p/188", "tile/1/000.p/2", "tile/entries/000"]) {
      expect(await get(path)).toMatchObject({ status: 200, headers: { "content-type": "application/octet-stream", "cache-control": expect.stringContaining("immutable") } });
    }
    expect(await get("checkpoint")).toMatchObject({ status: 200, headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-cache" } });
    expect(await get("shards.json")).toMatchObject({ status: 200, headers: { "content-type": "application/json", "cache-control": "no-cache" } });
  });

  test("an unchanged checkpoint is not sent again, a changed one is", async () => {
    const first = await get("checkpoint");
    const etag = first && "headers" in first ? first.headers["etag"] : undefined;
    expect(await get("checkpoint", { ifNoneMatch: `W/${etag}, "other"` })).toMatchObject({ status: 304, body: new Uint8Array() });
    expect(await get("checkpoint", { ifNoneMatch: '"other"' })).toMatchObject({ status: 200 });
  });

  test("a bundle comes compressed to whom takes that, and gives the same bytes", async () => {
    const plain = await get("tile/entries/000");
    const packed = await get("tile/entries/000", { acceptEncoding: "identity;q=0.5, gzip" });
    if (!plain || !packed || !("body" in plain) || !("body" in packed)) throw new Error("no bundle");
    expect(packed.headers).toMatchObject({ "content-encoding": "gzip", vary: "accept-encoding" });
    expect(gunzipSync(packed.body).equals(Buffer.from(plain.body))).toBe(true);
    expect(packed.body.length).toBeLessThan(plain.body.length);
    for (const acceptEncoding of ["gzip;q=0", "br", ""]) expect(await get("tile/entries/000", { acceptEncoding })).not.toMatchObject({ headers: { "content-encoding": "gzip" } });
  });

  test("a tile that no checkpoint has is not found, and anything else is no path of the log", async () => {
    for (const path of ["tile/0/003", "tile/0/002.p/5", "tile/2/000", "tile/entries/002.p/7"]) expect(await get(path)).toMatchObject({ refused: "not_found" });
    for (const path of ["journal/00000000.seg", "../keys.json", "tile/0/3", "lock", "shards/2-00000000/checkpoint", ""]) expect(await get(path)).toBeUndefined();
  });

  test("what lies wholly below the minimum index is denied and stays on the disk; the rest and every proof stay", async () => {
    await log.close();
    await writeMinimumIndex(nodeFiles, join(root, "log"), 511);
    await reopen();
    expect(await get("minimum-index")).toMatchObject({ status: 200, headers: { "cache-control": "no-cache" }, body: Buffer.from("511\n") });
    for (const path of ["tile/0/000", "tile/entries/000", "tile/entries/000.p/9"]) expect(await get(path)).toMatchObject({ refused: "log_pruned" });
    for (const path of ["tile/0/001", "tile/entries/001", "tile/1/000.p/2", "checkpoint"]) expect(await get(path)).toMatchObject({ status: 200 });
    expect(await log.resource("tile/0/000")).toBeDefined();
    expect(await log.inclusionProof(3, 700)).toHaveLength(10);
  });
});
