import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatTlogProof, leafHash, packJson, parsePackEntry, toHex, utf8 } from "@licet/evidence";
import { main } from "../../../packages/evidence/src/verify-cli.ts";
import { sigstoreBundle } from "../../../packages/licet/src/controls/sigstore.ts";
import { decision, productLog, type ProductLog } from "./product-log.ts";
import { statementOf, type Files } from "./story.ts";

let product: ProductLog;
let place: string;
let trust: string;
/** What the server serves now. */
let served: Files | undefined;
let server: Server;
let url: string;

beforeAll(async () => {
  product = await productLog();
  place = await mkdtemp(join(tmpdir(), "licet-verify-log-"));
  trust = join(place, "trust.json");
  for (let seq = 1; seq <= 270; seq += 1) await product.append(decision(seq));
  await writeFile(join(place, "old.checkpoint"), await product.log.publish());
  await product.append({});
  await product.log.publish();
  await writeFile(trust, product.trust());
  served = await product.published();
  server = createServer((request, response) => {
    const bytes = served?.get((request.url ?? "").slice("/log/".length));
    if (served === undefined) response.writeHead(503).end();
    else response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/log`;
}, 60_000);

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await product.close();
  await rm(place, { recursive: true, force: true });
});

/** In this process: that the built file does the same by itself is told elsewhere. Names of files are relative to `place`. */
async function run(...args: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const said = { out: "", err: "" };
  const streams = { out: (text: string) => void (said.out += text), err: (text: string) => void (said.err += text) };
  const named = args.map((arg) => (/\.(?:json|checkpoint|tlog-proof)$/.test(arg) ? join(place, arg) : arg));
  return { code: await main([...named, "--trust", trust], streams), ...said };
}

describe("a log", () => {
  test("is verified in its folder and over http, against an older checkpoint too", async () => {
    for (const target of [product.folder, url]) {
      const { code, out, err } = await run(target, "--old", "old.checkpoint");
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).toContain("PASS  checkpoint: the log");
      expect(out).toContain("with Ed25519 and ML-DSA-44");
      expect(out).toContain("PASS  consistency: the log of 271 entries continues the older one of 270");
      expect(out).not.toContain("PASS  witness");
    }
  });

  test("that does not answer is exit status 3, and one whose files are wrong is 1", async () => {
    const before = served;
    served = undefined;
    expect(await run(url)).toMatchObject({ code: 3, err: expect.stringContaining("error[unreadable]") });
    served = new Map([...(before ?? []), ["tile/0/000", new Uint8Array(8192)]]);
    expect(await run(url)).toMatchObject({ code: 1, out: expect.stringContaining("FAIL  tiles[tile_differs]") });
    served = before;
  });
});

describe("a single file", () => {
  test("that holds a proof is verified with the entry or its hash, and not with another", async () => {
    const frame = await product.log.read(7);
    const leaf = frame?.leaf ?? utf8("");
    const proof = formatTlogProof({ index: 7, proof: await product.log.inclusionProof(7, 271), checkpoint: product.log.checkpoint() ?? "" });
    await writeFile(join(place, "seven.tlog-proof"), proof);
    await writeFile(join(place, "leaf.json"), leaf);
    expect(await run("seven.tlog-proof", "--entry", "leaf.json")).toMatchObject({ code: 0, out: expect.stringContaining("stands as entry 7 in the log of 271 entries") });
    expect(await run("seven.tlog-proof", "--leaf-hash", toHex(leafHash(leaf)))).toMatchObject({ code: 0 });
    expect(await run("seven.tlog-proof", "--leaf-hash", "0".repeat(64))).toMatchObject({ code: 1, out: expect.stringContaining("FAIL  proof[not_included]") });
    expect(await run("seven.tlog-proof", "--leaf-hash", "zz")).toMatchObject({ code: 1 });
    expect(await run("seven.tlog-proof")).toMatchObject({ code: 2 });
  });

  test("that holds a statement is verified as envelope, as Sigstore bundle, and with its place in the log", async () => {
    const envelope = product.keys.signStatement(statementOf("https://licet.dev/predicate/note/v1", { said: "so" }));
    const index = await product.append({ body: { statement: { ...envelope, signatures: envelope.signatures.map((each) => ({ ...each })) } } });
    const entry = parsePackEntry((await product.export()).get(`entries/${index}.json`) ?? utf8(""));
    if (!entry.ok) throw new Error(entry.message);
    const { leaf, payload } = entry.value;
    const tlogProof = formatTlogProof({ index, proof: await product.log.inclusionProof(index, index + 1), checkpoint: product.log.checkpoint() ?? "" });
    const bundle = { ...sigstoreBundle(envelope) };
    const other = product.keys.signStatement(statementOf("https://licet.dev/predicate/note/v1", { said: "otherwise" }));
    const write = (name: string, value: unknown) => writeFile(join(place, name), packJson(value));
    await Promise.all([write("envelope.json", envelope), write("bundle.json", bundle), write("placed.json", { statement: envelope, leaf, tlogProof, payload }), write("other.json", { statement: other, leaf, tlogProof, payload })]);
    await write("rekor.json", { ...bundle, verificationMaterial: { publicKey: { hint: "x" }, tlogEntries: [{}] } });
    await write("changed.json", { ...envelope, payload: `${envelope.payload.slice(0, 40)}A${envelope.payload.slice(41)}` });
    for (const name of ["envelope.json", "bundle.json"]) expect(await run(name)).toMatchObject({ code: 0, out: expect.stringContaining("NOT CHECKED  proof:") });
    const placed = await run("placed.json");
    expect(placed).toMatchObject({ code: 0, out: expect.stringContaining("PASS  bundle: the statement is the one in the entry") });
    expect(placed.out).toContain(`stands as entry ${index}`);
    expect(await run("other.json")).toMatchObject({ code: 1, out: expect.stringContaining("bundle[statement_other_entry]") });
    expect(await run("rekor.json")).toMatchObject({ code: 1, out: expect.stringContaining("bundle[bundle_unsupported]") });
    expect(await run("changed.json")).toMatchObject({ code: 1 });
    await writeFile(join(place, "none.json"), "[]");
    expect(await run("none.json")).toMatchObject({ code: 1, out: expect.stringContaining("bundle[bundle_malformed]") });
  });
});

test.each([[["a", "--once"]], [["--watch", "u"]], [["--watch", "u", "--state", "s", "--old", "o"]], [["--watch", "u", "--state", "s", "--interval", "0"]], [["a", "--minimum-index", "x"]], [["bundle.json", "--minimum-index", "1"]], [["bundle.json", "--entry", "leaf.json"]]])("exit status 2 for the arguments %j", async (args) => {
  expect(await run(...args)).toMatchObject({ code: 2, err: expect.stringContaining("usage:") });
});

describe("a monitor", () => {
  test("keeps the last checkpoint, tells growth once, and outlives a server that does not answer", async () => {
    const watch = ["--watch", url, "--state", "state.json", "--once"] as const;
    const before = served;
    expect(await run(...watch)).toMatchObject({ code: 0, out: expect.stringContaining("NEWS   first_seen:") });
    expect(await run(...watch)).toEqual({ code: 0, out: "", err: "" });
    served = undefined;
    expect(await run(...watch)).toMatchObject({ code: 3, out: expect.stringContaining("WARN   unreachable:") });
    await product.append({});
    await product.log.publish();
    served = await product.published();
    expect(await run(...watch)).toMatchObject({ code: 0, out: expect.stringContaining("NEWS   grown:") });
    served = before;
    const { code, out } = await run(...watch);
    expect({ code, out }).toEqual({ code: 1, out: expect.stringContaining("ALARM  rollback:") });
    const kept = (await readdir(place)).filter((name) => name.startsWith("state.json.rollback"));
    expect(kept).toHaveLength(2);
    expect(await readFile(join(place, kept.sort().at(-1) ?? ""), "utf8")).toBe(new TextDecoder().decode(before?.get("checkpoint")));
    expect(await run(...watch)).toMatchObject({ code: 1 });
    served = await product.published();
    expect(await run(...watch)).toEqual({ code: 0, out: "", err: "" });
  });

  test("alarms on a fork, in which every signature holds", async () => {
    const twin = await productLog({ like: product });
    for (let seq = 1; seq <= 300; seq += 1) await twin.append({});
    await twin.log.publish();
    served = await twin.published();
    expect(await run("--watch", url, "--state", "state.json", "--once", "--json")).toMatchObject({ code: 1, out: expect.stringContaining('"code":"fork"') });
    await twin.close();
  });

  test("takes no damaged state for a first start", async () => {
    await writeFile(join(place, "broken.json"), "{}");
    expect(await run("--watch", url, "--state", "broken.json", "--once")).toMatchObject({ code: 3, out: expect.stringContaining("state_unusable") });
  });
});
