import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { newId } from "../base/ids.ts";
import { examineLog } from "./examine.ts";
import { nodeFiles } from "./files.ts";
import { openKeyring } from "./keyring.ts";
import { type Keys, openKeys } from "./keys.ts";
import { openLog } from "./log.ts";
import { repairLog, type Repaired } from "./repair.ts";
import { sealEntry } from "./sealing.ts";
import { surveySegment } from "./segment-survey.ts";
import type { FileVerdict } from "./verdict.ts";

let root: string;
let keys: Keys;
const now = Date.UTC(2026, 10, 1);
const limits = { segmentBytes: 80_000, aheadBytes: 8192 };
const at = (...names: string[]) => join(root, ...names);

async function grow(folder: string, entries: number): Promise<void> {
  const keyring = await openKeyring({ directory: keys.directory, root: keys.root, clock: { now: () => now } });
  const log = await openLog({ folder, signer: keys.log, memories: [keys.memory], publishEvery: 0, limits });
  for (let n = 0; n < entries; n += 20) {
    const frames = await Promise.all(Array.from({ length: 20 }, async (_, more) => sealEntry(keyring, { id: newId("ent", now), v: 1, time: now, kind: "toy.entry", space: "main", actor: "dep_1", subject: "system:x", class: "runtime", body: { n: n + more, text: "y".repeat((n * 7) % 90) } })));
    await Promise.all(frames.map(({ frame }) => log.append(frame)));
  }
  await log.close();
  await keyring.close();
}

async function filesIn(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && entry.name !== "lock") found.set(relative(folder, path), await readFile(path));
  }
  return found;
}

let pristine: ReadonlyMap<string, Buffer>;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "licet-repair-"));
  keys = await openKeys({ directory: at("keys"), fresh: true, now });
  await grow(at("log"), 300);
  await cp(at("log"), at("early"), { recursive: true });
  await grow(at("log"), 60);
  await cp(at("log"), at("same"), { recursive: true });
  pristine = await filesIn(at("log"));
});

let log: string;
let cases = 0;

// Its own copy for each test: one that ran out of time may still be writing into the one before.
beforeEach(async () => {
  log = at(`case-${(cases += 1)}`);
  await cp(at("same"), log, { recursive: true });
});

afterAll(() => rm(root, { recursive: true, force: true }));

function nonEmpty(): readonly string[] {
  return [...pristine.keys()].filter((name) => pristine.get(name)?.length !== 0);
}

interface Damage {
  readonly file: number;
  readonly place: number;
  readonly flip: number;
}

/** Flips bytes anywhere; answers which files were hit. */
async function damage(hits: readonly Damage[]): Promise<ReadonlySet<string>> {
  const names = nonEmpty();
  const hit = new Map<string, Buffer>();
  for (const { file, place, flip } of hits) {
    const name = names[file % names.length] ?? "";
    const bytes = hit.get(name) ?? Buffer.from(pristine.get(name) ?? []);
    const offset = place % bytes.length;
    bytes[offset] = (bytes[offset] ?? 0) ^ flip;
    hit.set(name, bytes);
  }
  for (const [name, bytes] of hit) await writeFile(join(log, name), bytes);
  return new Set([...hit.keys()].filter((name) => !hit.get(name)?.equals(pristine.get(name) ?? Buffer.alloc(0))));
}

async function options() {
  const note = await keys.memory.get();
  return { files: nodeFiles, folder: log, signer: keys.log, notes: note === undefined ? [] : [note], known: undefined };
}

async function found(): Promise<readonly FileVerdict[]> {
  const verdicts: FileVerdict[] = [];
  for await (const verdict of examineLog(await options())) verdicts.push(verdict);
  return verdicts;
}

async function repaired(backup: string): Promise<Repaired & { readonly wrong: readonly string[] }> {
  const result = await repairLog({ ...(await options()), backup: at(backup) });
  const after = await filesIn(log);
  const wrong = [...pristine].filter(([name, bytes]) => after.get(name)?.equals(bytes) !== true).map(([name]) => name);
  return { ...result, wrong };
}

async function heal(): Promise<void> {
  for (const [name, bytes] of pristine) await writeFile(join(log, name), bytes);
}

const damages = fc.array(fc.record({ file: fc.nat(), place: fc.nat(), flip: fc.integer({ min: 1, max: 255 }) }), { minLength: 1, maxLength: 5 });
const rounds = Number(process.env["LICET_REPAIR_ROUNDS"] ?? 8);

describe("random bytes changed anywhere in the log", () => {
  test("are found in the file where they are, at the first of them", async () => {
    expect(await found()).toEqual([]);
    await fc.assert(
      fc.asyncProperty(damages, async (hits) => {
        await heal();
        const hit = await damage(hits);
        const verdicts = await found();
        const named = new Set(verdicts.map(({ path }) => path));
        expect([...named]).toEqual(expect.arrayContaining([...hit]));
        // Each leaf is in a tile, a bundle and a segment: damage to all three may leave what depends on it unproven.
        expect([...named].filter((name) => hit.size < 3 && !hit.has(name))).toEqual([]);
      }),
      { numRuns: rounds },
    );
  });

  test("come back byte for byte from a backup that covers them, or are named", async () => {
    await fc.assert(
      fc.asyncProperty(damages, fc.constantFrom("same", "early"), async (hits, backup) => {
        await heal();
        await damage(hits);
        const { wrong, left } = await repaired(backup);
        expect(left.map(({ path }) => path)).toEqual(expect.arrayContaining([...wrong]));
        expect(left.every(({ flaws }) => flaws.some(({ lost }) => lost !== undefined))).toBe(true);
      }),
      { numRuns: rounds },
    );
  });

  test("within the entries of the backup always come back", async () => {
    const journals = [...pristine.keys()].filter((name) => name.endsWith("00000000.seg") || name.endsWith("00000001.seg") || name.startsWith("tile"));
    const names = nonEmpty();
    const within = fc.array(fc.record({ file: fc.constantFrom(...journals.map((name) => names.indexOf(name))), place: fc.nat(), flip: fc.integer({ min: 1, max: 255 }) }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(within, async (hits) => {
        await heal();
        await damage(hits);
        expect(await repaired("same")).toMatchObject({ wrong: [], left: [] });
      }),
      { numRuns: rounds },
    );
  });
});

test("a damaged entry that nothing proves any more is named, and what follows it is neither renumbered nor given up", async () => {
  const hits = ["journal/00000000.seg", "tile/0/000", "tile/entries/000"].map((name) => ({ file: nonEmpty().indexOf(name), place: 5000, flip: 1 }));
  const hit = await damage(hits);
  const verdicts = await found();
  expect(new Set(verdicts.map(({ path }) => path))).toEqual(hit);
  expect(verdicts[0]).toMatchObject({ path: "journal/00000000.seg", complete: false, flaws: [{ lost: expect.stringMatching(/^entry \d+$/) }] });
  expect(await repaired("early")).toMatchObject({ wrong: [], left: [] });
});

test("damage in entries that no sound checkpoint covers any more is left and named, not passed over", async () => {
  const last = "journal/00000002.seg";
  const frames = surveySegment(pristine.get(last) ?? Buffer.alloc(0)).pieces;
  const hits = [
    { name: last, place: (frames.at(-3)?.at ?? 0) + 40 },
    { name: "tile/0/001.p/104", place: 3000 },
    { name: "tile/entries/001.p/104", place: 46_000 },
  ];
  await damage(hits.map(({ name, place }) => ({ file: nonEmpty().indexOf(name), place, flip: 1 })));
  const { wrong, left } = await repaired("early");
  expect(left.map(({ path }) => path)).toEqual(expect.arrayContaining([...wrong, last]));
});

test("a missing segment, tile and checkpoint come back", async () => {
  for (const name of ["journal/00000001.seg", "tile/0/000", "tile/entries/001.p/104", "checkpoint"]) await rm(join(log, name));
  expect(await repaired("same")).toMatchObject({ wrong: [], left: [] });
});

test("a frame that was changed together with its checksum is not the signed one, and only the signed one takes its place", async () => {
  await rm(at("forged"), { recursive: true, force: true });
  await cp(log, at("forged"), { recursive: true });
  const { crc32 } = await import("node:zlib");
  for (const folder of [log, at("forged")]) {
    const path = join(folder, "journal", "00000000.seg");
    const bytes = await readFile(path);
    const end = 32 + 16 + bytes.readUInt32LE(32);
    bytes.writeUInt8(bytes.readUInt8(60) ^ 1, 60);
    bytes.writeUInt32LE(crc32(bytes.subarray(40, end)), 36);
    await writeFile(path, bytes);
  }
  const offsets = (await found()).map(({ path, flaws }) => ({ path, offset: flaws[0]?.offset }));
  expect(offsets).toEqual([{ path: "journal/00000000.seg", offset: 60 }]);
  expect(await repaired("forged")).toMatchObject({ written: [], left: [{ path: "journal/00000000.seg", flaws: [{ lost: "entry 0" }] }] });
  expect(await repaired("same")).toMatchObject({ wrong: [], left: [] });
});

test("a dry run says what it would write and writes nothing", async () => {
  const hit = await damage([{ file: 0, place: 3, flip: 1 }]);
  const before = await filesIn(log);
  const { written } = await repairLog({ ...(await options()), backup: at("same"), dryRun: true });
  expect(new Set(written)).toEqual(hit);
  expect(await filesIn(log)).toEqual(before);
});
