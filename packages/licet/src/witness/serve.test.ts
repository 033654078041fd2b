import { chmod, readFile, readdir, stat, truncate, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkNote, emptyRoot, leafHash, merkleRoot, nodeHash, parseVkey, toBase64, type Vkey } from "@licet/evidence";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { manualClock } from "../base/clock.ts";
import { signCheckpoint } from "../ledger/checkpoint.ts";
import { fixedSigner } from "../ledger/log-fixture.ts";
import { addLog, originHash, removeLog } from "./known-logs.ts";
import { body, leaves, prove, Scene, signed, startWitness, testSigner, testVkey } from "./witness-fixture.ts";

const scene = new Scene();
afterEach(() => scene.end());

async function submit(url: string, text: string | Buffer<ArrayBuffer>): Promise<{ readonly status: number; readonly type: string | null; readonly text: string }> {
  const answer = await fetch(`${url}/add-checkpoint`, { method: "POST", body: text });
  return { status: answer.status, type: answer.headers.get("content-type"), text: await answer.text() };
}

function keysOf(vkeys: readonly string[]): Vkey[] {
  return vkeys.map((text) => parseVkey(text)).flatMap((key) => (key.ok ? [key.value] : []));
}

const textOf = (note: string): string => note.slice(0, note.lastIndexOf("\n\n") + 1);

describe("add-checkpoint", () => {
  test("cosigns with both keys, at its own time, a checkpoint that continues the last one", async () => {
    const clock = manualClock(1_700_000_000_500);
    const witness = await startWitness(scene, { folder: await scene.folder(), name: "witness.example/one", clock });
    for (const [from, to] of [[0, 3], [3, 300], [300, 300]] as const) {
      clock.advance(1000);
      const answer = await submit(witness.url, await body(from, to));
      expect(answer.status).toBe(200);
      const checked = await checkNote(`${textOf(await signed(to))}\n${answer.text}`, keysOf(witness.vkeys));
      const time = Math.floor(clock.now() / 1000);
      expect(checked.ok && checked.value.signatures.map(({ key, timestamp }) => [key.type, timestamp])).toEqual([["ed25519-cosignature", time], ["ml-dsa-44", time]]);
    }
  });

  test("never dates a cosignature before the last one", async () => {
    const clock = manualClock(1_700_000_000_000);
    const witness = await startWitness(scene, { folder: await scene.folder(), name: "w", clock });
    await submit(witness.url, await body(0, 1));
    clock.set(1_600_000_000_000);
    const answer = await submit(witness.url, await body(1, 2));
    const checked = await checkNote(`${textOf(await signed(2))}\n${answer.text}`, keysOf(witness.vkeys));
    expect(checked.ok && checked.value.signatures[0]?.timestamp).toBe(1_700_000_000);
  });

  test("answers 409 with the size that it holds, and nothing else, to another old size", async () => {
    const witness = await startWitness(scene, { folder: await scene.folder(), name: "w" });
    expect(await submit(witness.url, await body(2, 5))).toEqual({ status: 409, type: "text/x.tlog.size", text: "0\n" });
    await submit(witness.url, await body(0, 5));
    for (const text of [await body(0, 9), await body(3, 9), await body(6, 9), await body(0, 2)]) {
      expect(await submit(witness.url, text)).toEqual({ status: 409, type: "text/x.tlog.size", text: "5\n" });
    }
  });

  test("refuses a fork, a rollback to another root, and a proof that does not verify with 422, and stays where it was", async () => {
    const witness = await startWitness(scene, { folder: await scene.folder(), name: "w" });
    await submit(witness.url, await body(0, 5));
    const wrongProof = (await body(5, 9)).replace(/\n[^\n]+\n\n/u, `\n${toBase64(nodeHash(leaves(1)[0] ?? new Uint8Array(32), emptyRoot()))}\n\n`);
    for (const text of [await body(5, 9, "forged"), await body(5, 5, "forged"), wrongProof, `old 5\n\n${await signed(9)}`]) {
      expect((await submit(witness.url, text)).status).toBe(422);
    }
    const proofFromNothing = (await body(0, 9)).replace("old 0\n", "old 0\n".concat(toBase64(emptyRoot()), "\n"));
    const fresh = await startWitness(scene, { folder: await scene.folder(), name: "fresh" });
    expect((await submit(fresh.url, proofFromNothing)).status).toBe(422);
    expect((await submit(witness.url, await body(5, 9))).status).toBe(200);
  });

  test("takes a checkpoint over nothing only with the root of nothing", async () => {
    const witness = await startWitness(scene, { folder: await scene.folder(), name: "w" });
    const wrong = await signCheckpoint(testSigner, { size: 0, root: leafHash(Buffer.from("x")) });
    expect((await submit(witness.url, `old 0\n\n${wrong}`)).status).toBe(422);
    expect((await submit(witness.url, await body(0, 0))).status).toBe(200);
    expect((await submit(witness.url, await body(0, 4))).status).toBe(200);
  });

  test("refuses a log that was not added or was removed with 404, and remembers a removed one", async () => {
    const folder = await scene.folder();
    const witness = await startWitness(scene, { folder, name: "w", vkeys: [] });
    expect((await submit(witness.url, await body(0, 2))).status).toBe(404);
    await addLog(folder, { origin: testSigner.origin, vkeys: [testVkey], now: 1 });
    expect((await submit(witness.url, await body(0, 2))).status).toBe(200);
    await removeLog(folder, testSigner.origin);
    expect((await submit(witness.url, await body(2, 3))).status).toBe(404);
    await addLog(folder, { origin: testSigner.origin, vkeys: [testVkey], now: 2 });
    expect((await submit(witness.url, await body(0, 3, "forged"))).text).toBe("2\n");
  });

  test("refuses a checkpoint without a signature that holds by a known key with 403, and ignores signatures of unknown keys", async () => {
    const witness = await startWitness(scene, { folder: await scene.folder(), name: "w" });
    const good = await signed(2);
    const stranger = await signCheckpoint(fixedSigner(testSigner.origin, 0x77), { size: 2, root: merkleRoot(leaves(2)) });
    const strangerLine = stranger.slice(stranger.lastIndexOf("\n\n") + 2);
    const broken = good.replace(`\n${toBase64(merkleRoot(leaves(2)))}\n`, `\n${toBase64(merkleRoot(leaves(2, "other")))}\n`);
    for (const note of [stranger, broken]) expect((await submit(witness.url, `old 0\n\n${note}`)).status).toBe(403);
    expect((await submit(witness.url, `old 0\n\n${good}${strangerLine}`)).status).toBe(200);
  });

  test("refuses malformed bodies with 400, whatever their content type", async () => {
    const witness = await startWitness(scene, { folder: await scene.folder(), name: "w" });
    const good = await body(0, 2);
    const hash = `${toBase64(emptyRoot())}\n`;
    const bad = [
      "", "\n", "old 0\n", "old 0\n\n", good.slice(0, -1), good.replace("old 0", "old 00"), good.replace("old 0", "old -1"), good.replace("old 0", "old  0"),
      good.replace("old 0", "old 0 "), good.replace("old 0", "Old 0"), good.replace("old 0", "old 9007199254740993"), good.replace("old 0\n", "old 0\r\n"),
      good.replace("old 0\n", "old 0\nAAAA\n"), good.replace("old 0\n", `old 0\n${hash.repeat(64)}`), good.replace("old 0\n", `old 0\n${hash.slice(0, -2)}\n`),
      good.replace("\n2\n", "\n02\n"), good.replace("— ", "- "), good.replace("old 0", "old 3"), `${good}\u0000`,
    ];
    for (const text of bad) expect([text, (await submit(witness.url, text)).status]).toEqual([text, 400]);
    expect((await submit(witness.url, Buffer.from([0x6f, 0x6c, 0x64, 0x20, 0x30, 0x0a, 0x0a, 0xff, 0xfe]))).status).toBe(400);
    for (const type of ["application/json", "application/x-www-form-urlencoded", "text/plain", "nonsense"]) {
      const answer = await fetch(`${witness.url}/add-checkpoint`, { method: "POST", body: "{}", headers: { "content-type": type } });
      expect([type, answer.status]).toEqual([type, 400]);
    }
  });

  test("survives any bytes: never a 200, never a 500", async () => {
    const witness = await startWitness(scene, { folder: await scene.folder(), name: "w", limits: { addressMax: 100_000, overallMax: 100_000 } });
    const good = Buffer.from(await body(0, 2));
    const arbitrary = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, flip]) => {
        const bytes = Buffer.from(good);
        bytes[at] = (bytes[at] ?? 0) ^ flip;
        return bytes;
      }),
    );
    await fc.assert(
      fc.asyncProperty(arbitrary, async (bytes) => {
        const { status } = await submit(witness.url, Buffer.from(bytes));
        expect([400, 403, 404, 409, 422]).toContain(status);
      }),
      { numRuns: 150 },
    );
    expect((await submit(witness.url, good)).status).toBe(200);
  });

  test("sends a body that is too large away, a request that never ends, and more requests than it takes", async () => {
    const witness = await startWitness(scene, { folder: await scene.folder(), name: "w", limits: { addressMax: 3, requestMs: 300, headersMs: 200 } });
    expect((await submit(witness.url, "x".repeat(200_000))).status).toBe(413);
    const endless = new ReadableStream({ start: (stream) => stream.enqueue(Buffer.from("old")) });
    const slow = fetch(`${witness.url}/add-checkpoint`, { method: "POST", body: endless, duplex: "half" } as RequestInit);
    expect([408, "ended"]).toContain(await slow.then(({ status }) => status, () => "ended"));
    expect((await submit(witness.url, await body(0, 1))).status).toBe(200);
    const refused = await fetch(`${witness.url}/add-checkpoint`, { method: "POST", body: await body(1, 2) });
    expect([refused.status, Number(refused.headers.get("retry-after")) > 0]).toEqual([429, true]);
  });

  test("of many forks that come at once from the same size, cosigns one history", async () => {
    const witness = await startWitness(scene, { folder: await scene.folder(), name: "w" });
    await submit(witness.url, await body(0, 4));
    const forks = await Promise.all(Array.from({ length: 12 }, async (_, at) => {
      const all = [...leaves(4), ...leaves(at + 1, `fork ${at}`)];
      const note = await signCheckpoint(testSigner, { size: all.length, root: merkleRoot(all) });
      return `old 4\n${prove(4, all).map((hash) => `${toBase64(hash)}\n`).join("")}\n${note}`;
    }));
    const answers = await Promise.all(forks.map((text) => submit(witness.url, text)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(11);
  });
});

describe("the folder", () => {
  test("holds all that is needed: a restart goes on at the same size under the same keys", async () => {
    const folder = await scene.folder();
    const first = await startWitness(scene, { folder, name: "w" });
    await submit(first.url, await body(0, 7));
    await first.close();
    const second = await startWitness(scene, { folder });
    expect(second.vkeys).toEqual(first.vkeys);
    expect((await submit(second.url, await body(0, 9))).text).toBe("7\n");
    expect((await submit(second.url, await body(7, 9))).status).toBe(200);
  });

  test("is closed to others: directory 0700, files 0600; a key that others may read is refused", async () => {
    const folder = join(await scene.folder(), "w");
    const witness = await startWitness(scene, { folder, name: "w" });
    await submit(witness.url, await body(0, 1));
    await witness.close();
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, "witness-key.json"))).mode & 0o777).toBe(0o600);
    await chmod(join(folder, "witness-key.json"), 0o644);
    await expect(startWitness(scene, { folder })).rejects.toMatchObject({ code: "keys_exposed" });
  });

  test("is served by one process: the second is told which", async () => {
    const folder = await scene.folder();
    await startWitness(scene, { folder, name: "w" });
    await expect(startWitness(scene, { folder })).rejects.toMatchObject({ code: "witness_locked", message: expect.stringContaining(String(process.pid)) });
  });

  test("has one name for ever, and no key without a name", async () => {
    const folder = await scene.folder();
    await expect(startWitness(scene, { folder })).rejects.toMatchObject({ code: "witness_key_missing" });
    await (await startWitness(scene, { folder, name: "one" })).close();
    await expect(startWitness(scene, { folder, name: "two" })).rejects.toMatchObject({ code: "witness_damaged" });
  });

  test.each([
    ["missing", (path: string) => unlink(path)],
    ["empty", (path: string) => truncate(path, 0)],
    ["cut", (path: string) => truncate(path, 200)],
    ["that says nothing was cosigned under another origin", (path: string) => writeFile(path, JSON.stringify({ v: 1, origin: "other", note: null }))],
    ["with an edited size", async (path: string) => writeFile(path, (await readFile(path, "utf8")).replace(String.raw`\n7\n`, String.raw`\n2\n`))],
  ])("with a state file %s cosigns nothing for that log, and never takes it for a new one", async (_how, damage) => {
    const folder = await scene.folder();
    const first = await startWitness(scene, { folder, name: "w" });
    await submit(first.url, await body(0, 7));
    await first.close();
    const place = join(folder, "logs", originHash(testSigner.origin));
    await damage(join(place, "state.json"));
    const second = await startWitness(scene, { folder, vkeys: [] });
    for (const text of [await body(0, 2, "forged"), await body(7, 9), await body(0, 9)]) expect((await submit(second.url, text)).status).toBe(503);
    await second.close();
    const third = await startWitness(scene, { folder, vkeys: _how === "missing" ? [] : [testVkey] });
    expect((await submit(third.url, await body(0, 2, "forged"))).status).toBe(503);
  });

  test("ignores what a crash left half-written beside the state", async () => {
    const folder = await scene.folder();
    const first = await startWitness(scene, { folder, name: "w" });
    await submit(first.url, await body(0, 7));
    await first.close();
    const place = join(folder, "logs", originHash(testSigner.origin));
    await writeFile(join(place, "state.json.tmp"), "{ half");
    const second = await startWitness(scene, { folder });
    expect((await submit(second.url, await body(7, 9))).status).toBe(200);
    expect(await readdir(place)).toEqual(["keys.json", "state.json"]);
  });
});

test("monitors read the last cosigned checkpoint with the log's signature and the witness's, and a status page", async () => {
  const witness = await startWitness(scene, { folder: await scene.folder(), name: "w" });
  const path = `${witness.url}/${originHash(testSigner.origin)}/checkpoint`;
  expect((await fetch(path)).status).toBe(404);
  await submit(witness.url, await body(0, 5));
  const note = await (await fetch(path)).text();
  const checked = await checkNote(note, keysOf([testVkey, ...witness.vkeys]));
  expect(checked.ok && checked.value.signatures.map(({ key }) => key.name)).toEqual([testSigner.origin, "w", "w"]);
  expect(await (await fetch(witness.url)).json()).toMatchObject({ witness: "w", vkeys: witness.vkeys, logs: 1 });
  for (const odd of ["/nothing", "/..%2f..%2fetc/checkpoint", "/add-checkpoint"]) expect((await fetch(witness.url + odd)).status).toBe(404);
});
