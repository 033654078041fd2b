import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkNote, parseCheckpoint, parseNote, parseVkey } from "@licet/evidence";
import { fastify } from "fastify";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { askTlogOracle, tlogOracleAbsent, tlogOraclePresent } from "../ledger/tlog-oracle.ts";
import { loadWitnessKey } from "./key.ts";
import { addLog, readCosigned } from "./known-logs.ts";
import { fill, memoryInMemory, openWitnessed, policyOf, Scene, startWitness, testSigner, testVkey, type Witnessed } from "./witness-fixture.ts";
import { openWitnesses } from "./witnesses.ts";

const scene = new Scene();
afterEach(() => scene.end());

function sizeOf(note: string): number {
  const parsed = parseNote(note);
  const checkpoint = parsed.ok ? parseCheckpoint(parsed.value.text) : parsed;
  return checkpoint.ok ? checkpoint.value.size : -1;
}

async function signersOf(note: string, vkeys: readonly string[]): Promise<readonly string[]> {
  const keys = vkeys.map((text) => parseVkey(text)).flatMap((key) => (key.ok ? [key.value] : []));
  const checked = await checkNote(note, keys);
  return checked.ok ? checked.value.signatures.map(({ key }) => key.name) : [checked.message];
}

/** The whole of a log's memory as it was, for a rollback. */
async function copyOf(folder: string): Promise<string> {
  const copy = join(await scene.folder(), "log");
  await cp(folder, copy, { recursive: true });
  return copy;
}

async function closed({ log }: Witnessed): Promise<void> {
  await log.close();
}

async function twoWitnesses(): Promise<{ readonly policy: string; readonly vkeys: readonly string[] }> {
  const witnesses = [await startWitness(scene, { folder: await scene.folder(), name: "witness.example/one" }), await startWitness(scene, { folder: await scene.folder(), name: "witness.example/two" })];
  return { policy: policyOf(witnesses), vkeys: witnesses.map(({ vkeys }) => vkeys[0] ?? "") };
}

describe("a log with two witnesses, both required", () => {
  test("publishes checkpoints that carry both cosignatures, and an independent verifier accepts them", async ({ skip }) => {
    const { policy, vkeys } = await twoWitnesses();
    const folder = await scene.folder();
    const { log, witnesses } = await openWitnessed(scene, { folder, policy });
    let done = 0;
    const olds: string[] = [];
    for (const next of [1, 3, 256, 600]) {
      await fill(log, done, next);
      done = next;
      const note = await log.publish();
      expect(await signersOf(note, [testVkey, ...vkeys])).toEqual([testSigner.origin, "witness.example/one", "witness.example/two"]);
      expect((await readFile(join(folder, "checkpoint"))).toString()).toBe(note);
      olds.push(note);
    }
    const status = await witnesses.status(log.checkpoint());
    expect(status).toMatchObject({ configured: 2, quorum: true, items: [{ name: "w0", size: 600, error: null }, { name: "w1", size: 600, error: null }] });
    expect(Math.abs((status.items[0]?.cosignedAt ?? 0) - systemClock.now())).toBeLessThan(30_000);
    if (!tlogOraclePresent) skip(tlogOracleAbsent);
    const more = [...vkeys.flatMap((vkey) => ["--witness", vkey]), "--quorum", "2"];
    expect(askTlogOracle(folder, testVkey, [], more)).toMatchObject({ ok: true, size: 600 });
  });

  test("says that the quorum is missing while one is away, and has the same checkpoint cosigned when it is back", async () => {
    const [one, two] = [await scene.folder(), await scene.folder()];
    const staying = await startWitness(scene, { folder: one, name: "one" });
    const leaving = await startWitness(scene, { folder: two, name: "two" });
    const { log, witnesses } = await openWitnessed(scene, { folder: await scene.folder(), policy: policyOf([staying, leaving]) });
    await fill(log, 0, 3);
    await leaving.close();
    const lonely = await log.publish();
    expect(await signersOf(lonely, [staying.vkeys[0] ?? "", leaving.vkeys[0] ?? ""])).toEqual(["one"]);
    expect(await witnesses.status(lonely)).toMatchObject({ quorum: false, items: [{ size: 3, error: null }, { error: expect.stringContaining("unreachable") }] });
    await startWitness(scene, { folder: two, port: Number(new URL(leaving.url).port) });
    await expect.poll(async () => signersOf(await log.publish(), [...staying.vkeys, ...leaving.vkeys]), { timeout: 30_000 }).toEqual(["one", "two"]);
    expect(sizeOf(log.checkpoint() ?? "")).toBe(3);
    expect(await witnesses.status(log.checkpoint())).toMatchObject({ quorum: true });
  });

  test("asks a witness once for both of its keys", async () => {
    const witness = await startWitness(scene, { folder: await scene.folder(), name: "one" });
    const [ed25519 = "", mlDsa44 = ""] = witness.vkeys;
    const policy = `witness classical ${ed25519} ${witness.url}\nwitness quantum ${mlDsa44} ${witness.url}\ngroup both all classical quantum\nquorum both\n`;
    const { log, witnesses } = await openWitnessed(scene, { folder: await scene.folder(), policy });
    await fill(log, 0, 2);
    expect(await signersOf(await log.publish(), witness.vkeys)).toEqual(["one", "one"]);
    expect(await witnesses.status(log.checkpoint())).toMatchObject({ configured: 2, quorum: true });
  });
});

describe("rollback and fork", () => {
  async function grown(): Promise<{ readonly policy: string; readonly folder: string; readonly old: string; readonly oldNote: string }> {
    const { policy } = await twoWitnesses();
    const folder = await scene.folder();
    const first = await openWitnessed(scene, { folder, policy });
    await fill(first.log, 0, 5);
    const oldNote = await first.log.publish();
    await closed(first);
    const old = await copyOf(folder);
    const second = await openWitnessed(scene, { folder, policy });
    await fill(second.log, 5, 9);
    await closed(second);
    return { policy, folder, old, oldNote };
  }

  test("an old copy, its keys' memory rolled back as well, is refused by a witness; without one it goes on", async () => {
    const { policy, old, oldNote } = await grown();
    const memory = memoryInMemory();
    memory.note = oldNote;
    await expect(openWitnessed(scene, { folder: await copyOf(old), policy, memories: [memory] })).rejects.toMatchObject({ code: "witness_ahead", message: expect.stringContaining("over 9 entries") });
    expect(memory.note).toBe(oldNote);
    const alone = await openWitnessed(scene, { folder: old, policy: "quorum none\n", memories: [memory] });
    await fill(alone.log, 5, 6, "other");
    expect(sizeOf(await alone.log.publish())).toBe(6);
  });

  test("a log whose data is gone altogether is refused: the empty tree is asked about, and nothing else is signed", async () => {
    const { policy } = await grown();
    const folder = await scene.folder();
    await expect(openWitnessed(scene, { folder, policy })).rejects.toMatchObject({ code: "witness_ahead" });
    await expect(readFile(join(folder, "checkpoint"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("another history of the same size is refused", async () => {
    const { policy } = await twoWitnesses();
    const first = await openWitnessed(scene, { folder: await scene.folder(), policy });
    await fill(first.log, 0, 4);
    await closed(first);
    const forged = await scene.folder();
    const alone = await openWitnessed(scene, { folder: forged, policy: "quorum none\n" });
    await fill(alone.log, 0, 4, "forged");
    await closed(alone);
    await expect(openWitnessed(scene, { folder: forged, policy })).rejects.toMatchObject({ code: "witness_ahead", message: expect.stringContaining("another history") });
  });

  test("two copies that run at once: the one that a witness saw second stops signing for good", async () => {
    const { policy } = await twoWitnesses();
    const folder = await scene.folder();
    const first = await openWitnessed(scene, { folder, policy });
    await fill(first.log, 0, 3);
    await closed(first);
    const copy = await copyOf(folder);
    const mine = await openWitnessed(scene, { folder, policy });
    const theirs = await openWitnessed(scene, { folder: copy, policy });
    await fill(mine.log, 3, 8);
    await mine.log.publish();
    await fill(theirs.log, 3, 5, "forged");
    await expect(theirs.log.publish()).rejects.toMatchObject({ code: "witness_ahead" });
    await fill(theirs.log, 5, 20, "forged");
    await expect(theirs.log.publish()).rejects.toMatchObject({ code: "witness_ahead" });
    expect(sizeOf(theirs.log.checkpoint() ?? "")).toBe(3);
    await fill(mine.log, 8, 9);
    expect(sizeOf(await mine.log.publish())).toBe(9);
  });

  test("a forged tree that is larger than what the witnesses hold is not signed on either", async () => {
    const { policy } = await twoWitnesses();
    const folder = await scene.folder();
    const first = await openWitnessed(scene, { folder, policy });
    await fill(first.log, 0, 3);
    await closed(first);
    const copy = await copyOf(folder);
    const mine = await openWitnessed(scene, { folder, policy });
    const theirs = await openWitnessed(scene, { folder: copy, policy });
    await fill(mine.log, 3, 4);
    await mine.log.publish();
    await fill(theirs.log, 3, 30, "forged");
    await expect(theirs.log.publish()).rejects.toMatchObject({ code: "witness_ahead", message: expect.stringContaining("another history") });
  });
});

describe("at the start", () => {
  test("a witness that is behind, because it lost answers or was put back, is brought up to date", async () => {
    const folder = await scene.folder();
    const witnessFolder = await scene.folder();
    const witness = await startWitness(scene, { folder: witnessFolder, name: "one" });
    const policy = policyOf([witness]);
    const first = await openWitnessed(scene, { folder, policy });
    await fill(first.log, 0, 5);
    await closed(first);
    const alone = await openWitnessed(scene, { folder, policy: "quorum none\n" });
    await fill(alone.log, 5, 700);
    await closed(alone);
    const again = await openWitnessed(scene, { folder, policy });
    expect(await again.witnesses.status(undefined)).toMatchObject({ items: [{ size: 700, error: null }] });
  });

  test("one of two that answers is enough to sign, none is not: `witness_unreachable`, with each one's reason and the log's key", async () => {
    const [up, down] = [await startWitness(scene, { folder: await scene.folder(), name: "up" }), await startWitness(scene, { folder: await scene.folder(), name: "down" })];
    await down.close();
    const one = await openWitnessed(scene, { folder: await scene.folder(), policy: policyOf([up, down], 1) });
    await fill(one.log, 0, 2);
    expect(sizeOf(await one.log.publish())).toBe(2);
    await up.close();
    const folder = await scene.folder();
    const refused = openWitnessed(scene, { folder, policy: policyOf([up, down], 1) });
    await expect(refused).rejects.toMatchObject({ code: "witness_unreachable", message: expect.stringContaining(testVkey) });
  });

  test("a witness that does not know the log counts as no answer", async () => {
    const witness = await startWitness(scene, { folder: await scene.folder(), name: "one", vkeys: [] });
    const refused = openWitnessed(scene, { folder: await scene.folder(), policy: policyOf([witness]) });
    await expect(refused).rejects.toMatchObject({ code: "witness_unreachable", message: expect.stringContaining("does not know this log") });
  });

  test("what an operator accepts is signed only after it was recorded; a witness ahead cannot be accepted", async () => {
    const witness = await startWitness(scene, { folder: await scene.folder(), name: "one" });
    await witness.close();
    const { log, witnesses, unwitnessed } = await openWitnessed(scene, { folder: await scene.folder(), policy: policyOf([witness]), accept: "the witness moves house" });
    expect(unwitnessed).toEqual({ witnesses: ["w0"], reason: "the witness moves house" });
    await fill(log, 0, 2);
    await expect(log.publish()).rejects.toMatchObject({ code: "witness_unreachable" });
    witnesses.accepted();
    expect(sizeOf(await log.publish())).toBe(2);
    expect(await witnesses.status(log.checkpoint())).toMatchObject({ quorum: false });

    const { policy } = await twoWitnesses();
    const first = await openWitnessed(scene, { folder: await scene.folder(), policy });
    await fill(first.log, 0, 2);
    await closed(first);
    await expect(openWitnessed(scene, { folder: await scene.folder(), policy, accept: "please" })).rejects.toMatchObject({ code: "witness_ahead" });
  });

  test("a policy without addresses, or that does not parse, is refused", () => {
    const open = (policyText: string) => () => openWitnesses({ policyText, clock: systemClock });
    expect(open("witness one x\nquorum one\n")).toThrow(expect.objectContaining({ code: "witness_policy_invalid" }));
    expect(open("quorum none")).toThrow(expect.objectContaining({ code: "witness_policy_invalid" }));
    expect(open("witness one witness.example/w1+c5ec0ea6+BAPS4Hog0BTXVzxfCuBuLiaQEuBuMGlOPZKtrAhXxqcq\nquorum one\n")).toThrow(expect.objectContaining({ code: "witness_policy_invalid" }));
  });
});

describe("a witness that misbehaves", () => {
  interface Answer {
    readonly status: number;
    readonly type?: string;
    readonly body: string;
    readonly afterMs?: number;
  }

  /** Answers as told, whatever was sent. */
  async function impostor({ status, type = "text/plain", body, afterMs = 0 }: Answer): Promise<string> {
    const app = fastify({ logger: false, forceCloseConnections: true });
    app.addContentTypeParser("*", { parseAs: "string" }, (_request, text, done) => done(null, text));
    app.post("/add-checkpoint", async (_request, reply) => {
      if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
      return reply.code(status).header("content-type", type).send(Buffer.from(body));
    });
    scene.onEnd(() => app.close());
    return app.listen({ host: "127.0.0.1", port: 0 });
  }

  async function besides(url: string): Promise<Witnessed & { readonly goodVkey: string }> {
    const good = await startWitness(scene, { folder: await scene.folder(), name: "good" });
    const bad = await startWitness(scene, { folder: await scene.folder(), name: "bad" });
    const opened = await openWitnessed(scene, { folder: await scene.folder(), policy: policyOf([good, { vkeys: bad.vkeys, url }]), limits: { endorseMs: 300, confirmMs: 300 } });
    return { ...opened, goodVkey: good.vkeys[0] ?? "" };
  }

  test.each([
    ["signs something else", { status: 200, body: "— bad AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" }],
    ["answers nothing", { status: 200, body: "" }],
    ["adds lines that are no signatures", { status: 200, body: "hello\n\nworld\n" }],
    ["answers 409 without a size", { status: 409, body: "many" }],
    ["answers 409 with a size of the wrong type", { status: 409, body: "99\n" }],
    ["says forever that it holds less", { status: 409, type: "text/x.tlog.size", body: "0\n" }],
    ["answers too much", { status: 200, body: "x".repeat(400_000) }],
    ["redirects", { status: 302, body: "" }],
    ["fails", { status: 500, body: "" }],
    ["answers too late", { status: 200, body: "", afterMs: 2000 }],
  ])("that %s is left out, and the others' cosignatures are kept", async (_how, answer) => {
    const { log, witnesses, goodVkey } = await besides(await impostor(answer));
    await fill(log, 0, 2);
    const begin = performance.now();
    const note = await log.publish();
    expect(performance.now() - begin).toBeLessThan(1500);
    expect(await signersOf(note, [goodVkey])).toEqual(["good"]);
    expect(note.split("\n")).toHaveLength(7);
    expect((await witnesses.status(note)).items[1]?.error).not.toBeNull();
  });

  test("that dates its cosignature far in the future is left out", async () => {
    const folder = await scene.folder();
    const bad = await startWitness(scene, { folder, name: "late", clock: { now: () => systemClock.now() + 3_600_000 } });
    const good = await startWitness(scene, { folder: await scene.folder(), name: "good" });
    const { log } = await openWitnessed(scene, { folder: await scene.folder(), policy: policyOf([good, bad]) });
    await fill(log, 0, 1);
    expect(await signersOf(await log.publish(), [...good.vkeys, ...bad.vkeys])).toEqual(["good"]);
  });
});

/** More of them by LICET_WITNESS_KILLS. */
const killRounds = Number(process.env["LICET_WITNESS_KILLS"] ?? 1);

describe("processes", () => {
  const child = fileURLToPath(new URL("./serve-child.ts", import.meta.url));

  async function spawnWitness(folder: string, port: string): Promise<{ readonly process: ChildProcess; readonly url: string; readonly vkeys: readonly string[] }> {
    const started = spawn(process.execPath, ["--conditions=source", child, folder, "witness.example/killed", port], { stdio: ["ignore", "pipe", "inherit"] });
    scene.onEnd(async () => started.kill("SIGKILL"));
    const [line] = (await once(started.stdout, "data")) as [Buffer];
    const said = JSON.parse(line.toString()) as { readonly url: string; readonly vkeys: readonly string[] };
    return { process: started, ...said };
  }

  test("a witness killed in the middle of many checkpoints forgets none that it cosigned, and goes on where it was", async () => {
    const folder = await scene.folder();
    const first = await spawnWitness(folder, "0");
    await addLog(folder, { origin: testSigner.origin, vkeys: [testVkey], now: 1 });
    const { log, witnesses } = await openWitnessed(scene, { folder: await scene.folder(), policy: policyOf([first]) });
    let cosigned = 0;
    let size = 0;
    let up = first;
    for (let round = 0; round < killRounds; round += 1) {
      setTimeout(() => up.process.kill("SIGKILL"), 30 + round * 37);
      for (let gone = false; !gone; ) {
        await fill(log, size, size + 3);
        size += 3;
        const note = await log.publish();
        gone = (await signersOf(note, up.vkeys)).length === 0;
        if (!gone) cosigned = size;
      }
      up = await spawnWitness(folder, new URL(first.url).port);
      expect(up.vkeys).toEqual(first.vkeys);
      const held = await readCosigned(folder, testSigner.origin, { key: await loadWitnessKey(folder) });
      expect(held?.size ?? 0).toBeGreaterThanOrEqual(cosigned);
      await expect.poll(async () => (await signersOf(await log.publish(), up.vkeys)).length, { timeout: 30_000 }).toBe(1);
    }
    expect(await witnesses.status(log.checkpoint())).toMatchObject({ quorum: true });
  });
});
