import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ManualClock, manualClock } from "../../../packages/licet/src/base/clock.ts";
import { LicetError } from "../../../packages/licet/src/base/errors.ts";
import { signCheckpoint } from "../../../packages/licet/src/ledger/checkpoint.ts";
import { openKeys } from "../../../packages/licet/src/ledger/keys.ts";
import { readTimestamp, type TimestampRequest, timestampRequest } from "../../../packages/licet/src/ledger/timestamp.ts";
import { listTimestamps, startTimestamps, type Timestamps } from "../../../packages/licet/src/ledger/timestamp-keeper.ts";

const hour = 3_600_000;
let authority = "";
let server: Server;
let url = "";
/** What the authority does with the next requests. */
let mood: "honest" | "replays" | "refuses" | "fails" | "bends" = "honest";
let requests = 0;
let first: Buffer | undefined;

const openssl = (...args: readonly string[]): Buffer => execFileSync("openssl", [...args], { cwd: authority, stdio: ["ignore", "pipe", "pipe"] });

const config = `
[req]
distinguished_name = name
prompt = no
[name]
CN = Test Time-Stamping Authority
[ca]
basicConstraints = critical,CA:true
[tsa]
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[tsaconf]
serial = ./serial
crypto_device = builtin
signer_cert = ./tsa.pem
signer_key = ./tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[other]
serial = ./serial
crypto_device = builtin
signer_cert = ./tsa.pem
signer_key = ./tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha512
`;

/** A real authority: OpenSSL's, behind HTTP. */
beforeAll(async () => {
  authority = await mkdtemp(join(tmpdir(), "licet-tsa-"));
  await writeFile(join(authority, "openssl.cnf"), config);
  await writeFile(join(authority, "serial"), "01\n");
  openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-config", "openssl.cnf", "-extensions", "ca");
  openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "tsa.key", "-out", "tsa.csr", "-config", "openssl.cnf");
  openssl("x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "tsa.pem", "-days", "2", "-extfile", "openssl.cnf", "-extensions", "tsa");
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => void answer(Buffer.concat(chunks)).then(({ status, body }) => response.writeHead(status, { "content-type": "application/timestamp-reply" }).end(body)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/tsa`;
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(authority, { recursive: true, force: true });
});

async function answer(query: Buffer): Promise<{ readonly status: number; readonly body: Buffer }> {
  requests += 1;
  if (mood === "fails") return { status: 500, body: Buffer.from("no") };
  if (mood === "replays" && first !== undefined) return { status: 200, body: first };
  await writeFile(join(authority, "query.tsq"), query);
  openssl("ts", "-reply", "-queryfile", "query.tsq", "-out", "reply.tsr", "-config", "openssl.cnf", "-section", mood === "refuses" ? "other" : "tsaconf");
  const body = await readFile(join(authority, "reply.tsr"));
  first ??= body;
  if (mood === "bends") body.writeUInt8(body.readUInt8(body.length - 5) ^ 1, body.length - 5);
  return { status: 200, body };
}

describe("timestamps", () => {
  let folder = "";
  let clock: ManualClock;
  let note: string | undefined;
  let failures: string[] = [];
  let keeper: Timestamps;
  const at = (name: string) => join(folder, "timestamps", name);
  const checkpoint = async (size: number) => {
    const keys = await openKeys({ directory: join(folder, "keys"), fresh: true, now: 1 });
    note = await signCheckpoint(keys.log, { size, root: new Uint8Array(32).fill(size) });
  };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "licet-stamps-"));
    clock = manualClock(Date.UTC(2026, 10, 1));
    [note, failures, mood, requests, first] = [undefined, [], "honest", 0, undefined];
    keeper = startTimestamps({ url, allow: ["loopback"], current: () => ({ note, folder: at("") }), clock, onFailure: (error) => failures.push(error.code) });
  });
  afterEach(async () => {
    await keeper.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test("are taken of changed checkpoints, hourly at most, and OpenSSL verifies them with their notes", async () => {
    await keeper.look();
    expect(requests).toBe(0);
    await checkpoint(3);
    await keeper.look();
    await keeper.look();
    clock.advance(2 * hour);
    await keeper.look();
    expect(requests).toBe(1);
    await checkpoint(4);
    await keeper.look();
    expect(requests).toBe(2);
    await checkpoint(5);
    await keeper.look();
    expect(requests).toBe(2);
    clock.advance(hour);
    await keeper.look();
    expect(failures).toEqual([]);
    expect(await readdir(at(""))).toEqual(["3.note", "3.tsr", "4.note", "4.tsr", "5.note", "5.tsr", "status.json"]);
    expect(await readFile(at("5.note"), "utf8")).toBe(note);
    const verified = openssl("ts", "-verify", "-data", at("5.note"), "-in", at("5.tsr"), "-CAfile", "ca.pem", "-untrusted", "tsa.pem");
    expect(verified.toString()).toContain("Verification: OK");
    expect(() => openssl("ts", "-verify", "-data", at("4.note"), "-in", at("5.tsr"), "-CAfile", "ca.pem", "-untrusted", "tsa.pem")).toThrow("Command failed");
    const { stamps, status } = await listTimestamps(at(""));
    expect(stamps.map(({ size, problem }) => [size, problem])).toEqual([[3, null], [4, null], [5, null]]);
    expect(Math.abs((stamps[2]?.time ?? 0) - Date.now())).toBeLessThan(600_000);
    expect(status?.failure).toBeNull();
  });

  test.each(["fails", "refuses", "replays", "bends"] as const)("of an authority that %s are not kept: the failure is told, and the next hour tries again", async (wrong) => {
    await checkpoint(3);
    await keeper.look();
    await checkpoint(4);
    clock.advance(hour);
    mood = wrong;
    await keeper.look();
    expect(failures).toEqual(["timestamp_invalid"]);
    expect((await readdir(at(""))).filter((name) => name.startsWith("4"))).toEqual([]);
    expect((await listTimestamps(at(""))).status).toMatchObject({ size: 4, failure: { code: "timestamp_invalid" } });
    mood = "honest";
    await keeper.look();
    expect(requests).toBe(2);
    clock.advance(hour);
    await keeper.look();
    expect((await listTimestamps(at(""))).status?.failure).toBeNull();
    expect(await readdir(at(""))).toContain("4.tsr");
  });

  test("of an authority that is not there are told as such", async () => {
    const away = startTimestamps({ url: "http://127.0.0.1:9/", allow: ["loopback"], current: () => ({ note, folder: at("") }), clock, onFailure: (error) => failures.push(error.code) });
    await checkpoint(3);
    await away.look();
    await away.stop();
    expect(failures).toEqual(["unreachable"]);
  });

  test("that were changed on the disk, or lie with another note, are shown as refused", async () => {
    await checkpoint(3);
    await keeper.look();
    const good = note ?? "";
    await writeFile(at("3.note"), `${good}x`);
    expect((await listTimestamps(at(""))).stamps).toMatchObject([{ size: 3, time: null, problem: expect.any(String) }]);
    await writeFile(at("4.note"), good);
    await writeFile(at("4.tsr"), await readFile(at("3.tsr")));
    expect((await listTimestamps(at(""))).stamps).toMatchObject([{ size: 3, time: null }, { size: 4, time: null, problem: "it covers a checkpoint of another size" }]);
  });
});

test("an answer to another request over the same note is refused: it may be an old one", async () => {
  mood = "honest";
  const [asked, other] = [timestampRequest(Buffer.from("note")), timestampRequest(Buffer.from("note"))];
  const { body } = await answer(asked.der);
  expect(readTimestamp(body, asked).time).toBeGreaterThan(0);
  expect(() => readTimestamp(body, other)).toThrow(expect.objectContaining({ code: "timestamp_invalid" }));
});

function codeOrTime(answered: Uint8Array, request: TimestampRequest): unknown {
  try {
    return readTimestamp(answered, request).time;
  } catch (error) {
    return error instanceof LicetError ? error.code : error;
  }
}

test("no single changed byte of an answer passes as a timestamp of another imprint, nonce or time", async () => {
  const request = timestampRequest(Buffer.from("note"));
  mood = "honest";
  const { body } = await answer(request.der);
  const { time } = readTimestamp(body, request);
  for (let position = 0; position < body.length; position += 7) {
    const mutant = Buffer.from(body);
    mutant.writeUInt8(mutant.readUInt8(position) ^ 1, position);
    expect(["timestamp_invalid", time]).toContain(codeOrTime(mutant, request));
  }
});
