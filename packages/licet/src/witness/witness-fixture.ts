import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { leafHash, merkleRoot, toBase64 } from "@licet/evidence";
import { systemClock, type Clock } from "../base/clock.ts";
import { openLog as openServerLog } from "../http/log.ts";
import { fixedSigner } from "../ledger/log-fixture.ts";
import { signCheckpoint, vkeyOf, type CheckpointMemory } from "../ledger/checkpoint.ts";
import { openLog, type EvidenceLog } from "../ledger/log.ts";
import { addLog } from "./known-logs.ts";
import { type RunningWitness, serveWitness, type WitnessLimits } from "./serve.ts";
import { openWitnesses, type Unwitnessed, type Witnesses, type WitnessLimits as ClientLimits } from "./witnesses.ts";

/** Everything that a test opened, ended in reverse; folders last. */
export class Scene {
  readonly #enders: (() => Promise<unknown>)[] = [];

  onEnd(end: () => Promise<unknown>): void {
    this.#enders.unshift(end);
  }

  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "licet-witness-"));
    this.#enders.push(() => rm(folder, { recursive: true, force: true }));
    return folder;
  }

  async end(): Promise<void> {
    for (const end of this.#enders.splice(0)) await end();
  }
}

export const testSigner = fixedSigner("licet.example/witnessed");
export const testVkey = vkeyOf(testSigner);

export interface WitnessAt {
  readonly folder: string;
  readonly name?: string;
  readonly port?: number;
  readonly clock?: Clock;
  readonly limits?: Partial<WitnessLimits>;
  /** Default: the test log's. */
  readonly vkeys?: readonly string[];
}

export async function startWitness(scene: Scene, at: WitnessAt): Promise<RunningWitness> {
  const { folder, name, port = 0, clock = systemClock, limits = {}, vkeys = [testVkey] } = at;
  const witness = await serveWitness({ folder, name, host: "127.0.0.1", port, clock, log: openServerLog("silent"), limits });
  if (vkeys.length > 0) await addLog(folder, { origin: testSigner.origin, vkeys, now: 1 });
  let open = true;
  const close = async (): Promise<void> => {
    if (open) await witness.close();
    open = false;
  };
  scene.onEnd(close);
  return { ...witness, close };
}

/** Both Ed25519 keys, and as many of them as `quorum` says. */
export function policyOf(witnesses: readonly { readonly vkeys: readonly string[]; readonly url: string }[], quorum: number | "all" = "all"): string {
  const lines = witnesses.map(({ vkeys, url }, at) => `witness w${at} ${vkeys[0] ?? ""} ${url}\n`);
  return `${lines.join("")}group enough ${quorum} ${witnesses.map((_, at) => `w${at}`).join(" ")}\nquorum enough\n`;
}

export function memoryInMemory(): CheckpointMemory & { note: string | undefined } {
  const memory = {
    note: undefined as string | undefined,
    get: async () => memory.note,
    set: async (next: string) => {
      memory.note = next;
    },
  };
  return memory;
}

export interface Witnessed {
  readonly log: EvidenceLog;
  readonly witnesses: Witnesses;
  readonly unwitnessed: Unwitnessed | undefined;
}

export interface WitnessedAt {
  readonly folder: string;
  readonly policy: string;
  readonly memories?: readonly CheckpointMemory[];
  readonly accept?: string;
  readonly limits?: Partial<ClientLimits>;
}

/** As the server opens it: nothing is signed before the witnesses were asked. */
export async function openWitnessed(scene: Scene, { folder, policy, memories = [], accept, limits = {} }: WitnessedAt): Promise<Witnessed> {
  const witnesses = openWitnesses({ policyText: policy, clock: systemClock, limits: { confirmPauseMs: 10, ...limits } });
  scene.onEnd(() => witnesses.close());
  const log = await openLog({ folder, signer: testSigner, memories, publishEvery: 0, ...witnesses.duties });
  scene.onEnd(() => log.close().catch(() => {}));
  const unwitnessed = await witnesses.confirm({ log, signer: testSigner, memories }, accept);
  return { log, witnesses, unwitnessed };
}

export async function fill(log: EvidenceLog, from: number, to: number, word = "entry"): Promise<void> {
  await Promise.all(Array.from({ length: to - from }, (_, at) => log.append({ leaf: Buffer.from(`${word} ${from + at}`), payload: Buffer.alloc(0) })));
}

export const leaves = (count: number, word = "leaf"): Uint8Array[] => Array.from({ length: count }, (_, at) => leafHash(Buffer.from(`${word} ${at}`)));

/** RFC 6962 section 2.1.2, from the definition. */
export function prove(from: number, all: readonly Uint8Array[], whole = true): Uint8Array[] {
  if (from === all.length) return whole ? [] : [merkleRoot(all)];
  let half = 1;
  while (half * 2 < all.length) half *= 2;
  const [left, right] = [all.slice(0, half), all.slice(half)];
  return from <= half ? [...prove(from, left, whole), merkleRoot(right)] : [...prove(from - half, right, false), merkleRoot(left)];
}

/** The test log's checkpoint over the first `count` leaves. */
export async function signed(count: number, word?: string): Promise<string> {
  return signCheckpoint(testSigner, { size: count, root: merkleRoot(leaves(count, word)) });
}

/** What its client would submit. */
export async function body(from: number, to: number, word?: string): Promise<string> {
  const proof = from === 0 || from === to ? [] : prove(from, leaves(to, word));
  return `old ${from}\n${proof.map((hash) => `${toBase64(hash)}\n`).join("")}\n${await signed(to, word)}`;
}
