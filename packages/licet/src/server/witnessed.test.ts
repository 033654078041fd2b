import { cp } from "node:fs/promises";
import { join } from "node:path";
import { checkNote, parsePolicy, parseVkey } from "@licet/evidence";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { askTlogOracle, tlogOracleAbsent, tlogOraclePresent } from "../ledger/tlog-oracle.ts";
import { addLog } from "../witness/known-logs.ts";
import { policyOf, Scene, startWitness } from "../witness/witness-fixture.ts";
import { openRecordKeeping, type RecordKeeping } from "./record-keeping.ts";
import { startServer } from "./start.ts";

const scene = new Scene();
afterEach(() => scene.end());

interface Place {
  readonly directory: string;
  readonly keysDirectory: string;
}

async function place(): Promise<Place> {
  const folder = await scene.folder();
  return { directory: join(folder, "data"), keysDirectory: join(folder, "keys") };
}

const nursery = new Scene();
let young: Place & { readonly origin: string; readonly vkey: string };
beforeAll(async () => {
  const folder = await nursery.folder();
  const at = { directory: join(folder, "data"), keysDirectory: join(folder, "keys") };
  young = { ...at, ...(await using(at, async ({ log }) => ({ origin: log.origin, vkey: log.vkey }))) };
});
afterAll(() => nursery.end());

/** What a machine's backup would put back: the data and the keys' memory of what was signed. */
async function copyOf({ directory, keysDirectory }: Place): Promise<Place> {
  const copy = await place();
  await cp(directory, copy.directory, { recursive: true });
  await cp(keysDirectory, copy.keysDirectory, { recursive: true });
  return copy;
}

async function using<T>(at: Place & { readonly witnessPolicy?: string; readonly acceptUnwitnessed?: string }, work: (records: RecordKeeping) => Promise<T>): Promise<T> {
  const records = await openRecordKeeping({ ...at, clock: systemClock });
  try {
    return await work(records);
  } finally {
    await records.close();
  }
}

async function note({ recorder, log }: RecordKeeping): Promise<string> {
  await recorder.commit(async () => ({
    entry: { kind: "audit.exported", space: "main", actor: "server", subject: "space", class: "governance", body: { system: null, by: "server" } },
    value: undefined,
  }));
  return log.publish();
}

interface Witnessed {
  readonly at: Place;
  readonly policy: string;
  readonly vkey: string;
  readonly close: () => Promise<void>;
}

/** An installation that has started once, a witness that knows its log, and the policy that names it. */
async function witnessed(): Promise<Witnessed> {
  const { origin, vkey } = young;
  const at = await copyOf(young);
  const folder = await scene.folder();
  const witness = await startWitness(scene, { folder, name: "witness.example/one", vkeys: [] });
  await addLog(folder, { origin, vkeys: [vkey], now: 1 });
  return { at, policy: policyOf([witness]), vkey: witness.vkeys[0] ?? "", close: () => witness.close() };
}

test("data and keys put back from before are refused while a witness is named, and start with the documented warning when none is", async () => {
  const { at, policy } = await witnessed();
  await using({ ...at, witnessPolicy: policy }, note);
  const old = await copyOf(at);
  await using({ ...at, witnessPolicy: policy }, note);
  await expect(using({ ...old, witnessPolicy: policy, acceptUnwitnessed: "I insist" }, note)).rejects.toMatchObject({ code: "witness_ahead" });
  await expect(using({ ...at, directory: old.directory }, note)).rejects.toMatchObject({ code: "log_rolled_back" });
  expect(await using(old, async (records) => [records.log.size, records.witnesses])).toEqual([1, undefined]);
});

test("that nobody witnesses is recorded, with the reason, in the first checkpoint that is signed without", async () => {
  const { at, policy, close } = await witnessed();
  await close();
  await expect(using({ ...at, witnessPolicy: policy }, note)).rejects.toMatchObject({ code: "witness_unreachable" });
  await using({ ...at, witnessPolicy: policy, acceptUnwitnessed: "the witness is being moved" }, async ({ recorder, log }) => {
    expect(await recorder.readAt("main", 0)).toMatchObject({ kind: "log.unwitnessed-accepted", body: { by: "operator", witnesses: ["w0"], reason: "the witness is being moved" } });
    expect(log.size).toBe(1);
  });
});

test("the trust file names the witnesses, the data plane serves the cosigned checkpoint, and an independent verifier accepts the log", async ({ skip }) => {
  const { at, policy, vkey } = await witnessed();
  const server = await startServer({ ...at, witnessPolicy: policy, host: "127.0.0.1", port: 0, dataPort: 0, logLevel: "silent" });
  scene.onEnd(() => server.close());
  expect(server.witnesses).toBe(1);
  const key = parseVkey(vkey);
  const cosigners = async (): Promise<readonly string[]> => {
    const checked = await checkNote(await (await fetch(`${server.dataUrl}/log/checkpoint`)).text(), key.ok ? [key.value] : []);
    return checked.ok ? checked.value.signatures.map((signature) => signature.key.name) : [checked.message];
  };
  await expect.poll(cosigners, { timeout: 10_000 }).toEqual(["witness.example/one"]);
  await server.close();
  await using({ ...at, witnessPolicy: policy }, async ({ trustFile }) => {
    const { witnesses } = trustFile();
    expect(witnesses).toEqual({ policy });
    expect(parsePolicy(witnesses?.policy ?? "").ok).toBe(true);
  });
  if (!tlogOraclePresent) skip(tlogOracleAbsent);
  expect(askTlogOracle(join(at.directory, "log"), server.vkey, [], ["--witness", vkey, "--quorum", "1"])).toMatchObject({ ok: true });
});
