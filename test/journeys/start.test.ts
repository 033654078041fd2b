import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient } from "@licet/client";
import { again, firstPerson } from "./support/people.ts";
import { buildProduct, node, type Ran } from "./support/run.ts";
import { freePort, newPlace, serveArguments, startServer, temporaryFolder, type Place } from "./support/server.ts";

const temporary = temporaryFolder();
const folder = temporary.path;

beforeAll(buildProduct);
afterAll(() => temporary.remove());

function serve(place: Place): Promise<Ran> {
  return node([...serveArguments(place)], { timeoutMs: 20_000 });
}

/** One coded line, one line with the remedy, nothing else: no stack, no half-printed greeting. */
function expectRefusal(ran: Ran, code: string): void {
  expect(ran).toMatchObject({ code: 3, out: "" });
  expect(ran.err).toMatch(new RegExp(`^licet: error\\[${code}\\]: \\S.*\\n {2}fix: \\S.*\\n$`, "u"));
}

/** Keys lie apart from the data, for their owner only. */
function expectOwnersOnly(place: Place): void {
  expect(statSync(place.keys).mode & 0o077).toBe(0);
  for (const name of readdirSync(place.keys)) expect([name, statSync(join(place.keys, name)).mode & 0o077]).toEqual([name, 0]);
  expect(statSync(place.dir).mode & 0o077).toBe(0);
}

/** A directory that another process works in is refused, with its pid. */
async function expectLocked(place: Place, pid: number): Promise<void> {
  const ran = await serve({ ...place, port: await freePort(), dataPort: await freePort() });
  expectRefusal(ran, "data_locked");
  expect(ran.err).toContain(`process ${pid}`);
}

describe("a first and a second start", () => {
  it("prints address, fingerprints and the set-up link once; its directory is locked and its keys are its owner's; Ctrl-C stops it; a second start keeps everything", async () => {
    const place = await newPlace(join(folder, "twice"));
    const first = await startServer(place);
    expect(first.url).toBe(`http://localhost:${place.port}`);
    expect(first.dataUrl).toBe(`http://127.0.0.1:${place.dataPort}`);
    expect(first.fingerprint).toMatch(/^sha256:[0-9a-f]{64}$/u);
    expect(first.logKey).toMatch(/^\S+\+[0-9a-f]{8}\+\S+$/u);
    expect(first.said()).toContain(place.keys);
    expect(first.said()).toContain("rollback is not detectable");
    expect(first.setupUrl).toMatch(/\/setup#token=\S{20,}$/u);
    const admin = await firstPerson(first, folder);
    const used = /#token=(\S+)$/u.exec(first.setupUrl ?? "")?.[1] ?? "";
    const twice = createClient({ baseUrl: first.url })("setUp", { body: { token: used, name: "Eve", email: "eve@example.com", password: "correct horse battery" } });
    await expect(twice).rejects.toThrow(/./u);
    const log = await admin.client("showLog", { params: { space: "main" } });
    expectOwnersOnly(place);
    await expectLocked(place, first.pid);
    expect(await first.signal("SIGINT")).toEqual({ code: 0, signal: null });
    expect(first.said()).toMatch(/stopping[\s\S]*stopped\n$/u);

    const second = await startServer(place);
    expect(second.setupUrl).toBeUndefined();
    expect(second).toMatchObject({ fingerprint: first.fingerprint, logKey: first.logKey });
    expect(second.said()).toMatch(/a record of \d+ entries/u);
    const back = await again(admin, second, folder);
    const later = await back.client("showLog", { params: { space: "main" } });
    expect(later.size).toBeGreaterThanOrEqual(log.size);
    expect((await back.licet("people", "list")).out).toContain("ada.admin@example.com");
    expect(await second.signal("SIGTERM")).toEqual({ code: 0, signal: null });
  });

});

describe("what stands in the way of a start is one coded line", () => {
  it("a port that is taken", async () => {
    const blocker = createServer();
    const port = await freePort();
    await new Promise<void>((resolve) => blocker.listen(port, "127.0.0.1", resolve));
    const place = await newPlace(join(folder, "port"));
    for (const taken of [{ ...place, port }, { ...place, dataPort: port }]) {
      const ran = await serve(taken);
      expectRefusal(ran, "port_taken");
      expect(ran.err).toContain(String(port));
    }
    await new Promise((resolve) => blocker.close(resolve));
    // The refused start has left no lock behind.
    const server = await startServer(place);
    expect(await server.signal("SIGINT")).toMatchObject({ code: 0 });
  });

  it("a directory that cannot be written", async () => {
    mkdirSync(join(folder, "unwritable"), { recursive: true });
    const file = join(folder, "unwritable", "file");
    writeFileSync(file, "");
    const place = await newPlace(join(folder, "unwritable"));
    const ran = await serve({ ...place, dir: join(file, "data") });
    expectRefusal(ran, "data_unwritable");
    expect(ran.err).toContain(join(file, "data"));
  });

  it("a directory that holds somebody else's files", async () => {
    const place = await newPlace(join(folder, "foreign"));
    mkdirSync(place.dir, { recursive: true });
    writeFileSync(join(place.dir, "thesis.txt"), "mine");
    expectRefusal(await serve(place), "data_foreign");
    expect(readFileSync(join(place.dir, "thesis.txt"), "utf8")).toBe("mine");
  });

  it("data from a newer version, damaged data, missing and exposed keys", async () => {
    const place = await newPlace(join(folder, "existing"));
    const server = await startServer(place);
    await server.signal("SIGINT");
    const format = join(place.dir, "format.json");
    const text = readFileSync(format, "utf8");
    writeFileSync(format, text.replace(/"formatVersion": \d+/u, '"formatVersion": 999'));
    expectRefusal(await serve(place), "data_too_new");
    writeFileSync(format, "{");
    expectRefusal(await serve(place), "data_damaged");
    writeFileSync(format, text);

    const elsewhere = join(folder, "existing", "keys-elsewhere");
    cpSync(place.keys, elsewhere, { recursive: true });
    rmSync(place.keys, { recursive: true });
    expectRefusal(await serve(place), "keys_missing");
    // The refusal has made no new keys in their place.
    expectRefusal(await serve(place), "keys_missing");
    // A copy that others can read is refused until that is put right.
    chmodSync(elsewhere, 0o755);
    expectRefusal(await serve({ ...place, keys: elsewhere }), "keys_exposed");
    chmodSync(elsewhere, 0o700);
    const back = await startServer({ ...place, keys: elsewhere });
    expect(back.fingerprint).toBe(server.fingerprint);
    expect(await back.signal("SIGINT")).toMatchObject({ code: 0 });
  });

  it("an address beyond this machine without a proxy, and wrong use", async () => {
    const place = await newPlace(join(folder, "host"));
    expectRefusal(await node([...serveArguments(place), "--host", "0.0.0.0"], { timeoutMs: 20_000 }), "host_needs_proxy");
    expect(await node([...serveArguments(place), "--no-such-option"])).toMatchObject({ code: 2 });
  });

  it("a port that is no port is wrong use", async () => {
    const place = await newPlace(join(folder, "number"));
    for (const port of ["eighty", "70000", "4400.5"]) {
      const ran = await node([...serveArguments(place), "--port", port], { timeoutMs: 20_000 });
      expect([port, ran.code]).toEqual([port, 2]);
    }
  });
});
