import { packInMemory, verifyPack } from "@licet/evidence";
import { seeded } from "../../packages/licet/src/ledger/log-fixture.ts";
import { exportPack, signingKey, story, trustFile, type Files } from "../../test/unit/verifier/story.ts";
import type { Proof } from "./proof.ts";

type Random = () => number;
type Mutation = (bytes: Uint8Array, random: Random) => Uint8Array;

const below = (random: Random, limit: number) => Math.floor(random() * limit);

/** Each gives other bytes, or the same ones by chance: those are not counted. */
const mutations: Readonly<Record<string, Mutation>> = {
  changed: (bytes, random) => {
    const copy = Uint8Array.from(bytes);
    const at = below(random, copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 + below(random, 255));
    return copy;
  },
  cut: (bytes, random) => bytes.subarray(0, below(random, bytes.length)),
  lengthened: (bytes, random) => Uint8Array.from([...bytes, ...Array.from({ length: 1 + below(random, 8) }, () => below(random, 256))]),
  swapped: (bytes, random) => {
    const copy = Uint8Array.from(bytes);
    const [one, other] = [below(random, copy.length), below(random, copy.length)];
    [copy[one], copy[other]] = [copy[other] ?? 0, copy[one] ?? 0];
    return copy;
  },
  repeated: (bytes, random) => {
    const [from, to] = [below(random, bytes.length), below(random, bytes.length)].toSorted((a, b) => a - b);
    return Uint8Array.from([...bytes.subarray(0, to), ...bytes.subarray(from)]);
  },
};

const same = (one: Uint8Array, other: Uint8Array) => Buffer.compare(one, other) === 0;

interface Mutant {
  readonly kind: string;
  readonly path: string;
  readonly files: Files;
}

/** One change in one file, or of the set of files; undefined when chance changed nothing. */
function mutantOf(files: Files, random: Random): Mutant | undefined {
  const entries = [...files];
  const [path, bytes] = entries[below(random, entries.length)] ?? ["", new Uint8Array()];
  const pick = below(random, Object.keys(mutations).length + 2);
  const [kind, mutation] = Object.entries(mutations)[pick] ?? [];
  if (kind !== undefined && mutation !== undefined) {
    const changed = mutation(bytes, random);
    return same(changed, bytes) ? undefined : { kind, path, files: new Map([...files, [path, changed]]) };
  }
  if (pick === Object.keys(mutations).length) return { kind: "removed", path, files: new Map(entries.filter(([name]) => name !== path)) };
  const [, other] = entries[below(random, entries.length)] ?? ["", bytes];
  return same(other, bytes) ? undefined : { kind: "replaced", path, files: new Map([...files, [path, other]]) };
}

export const packMutants: Proof = {
  name: "pack-mutants",
  promise: "the verifier rejects every export in which a byte, a file or the set of files was changed",
  covers: ["packages/evidence/src"],
  async run({ seed, goOn }) {
    const random = seeded(seed);
    const keys = { log: signingKey(), statement: signingKey() };
    const trust = trustFile(keys);
    const { files } = await exportPack(story(keys), { keys, since: 4 });
    const accepted = await verifyPack({ source: packInMemory(files), trust });
    const losses = accepted.verified ? [] : ["the unchanged export is rejected, so rejecting its mutants proves nothing"];
    const figures: Record<string, number> = { files: files.size, mutants: 0 };
    do {
      const mutant = mutantOf(files, random);
      if (mutant === undefined) continue;
      const report = await verifyPack({ source: packInMemory(mutant.files), trust });
      figures["mutants"] = (figures["mutants"] ?? 0) + 1;
      figures[mutant.kind] = (figures[mutant.kind] ?? 0) + 1;
      if (report.verified) losses.push(`seed ${seed}, mutant ${figures["mutants"]}: ${mutant.path} ${mutant.kind} was accepted`);
    } while (goOn() || figures["mutants"] === 0);
    return { figures, losses };
  },
};
