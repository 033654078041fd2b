import { seeded } from "../../packages/licet/src/ledger/log-fixture.ts";
import { whyNoLoopDisk } from "./power-loss/loop-disk.ts";
import { newBench, roundsPerDisk, type Bench } from "./power-loss/rounds.ts";
import type { Subject } from "./power-loss/subject.ts";
import { control, subjects } from "./power-loss/subjects.ts";
import type { Proof, ProofOptions, ProofRow } from "./proof.ts";

interface Tally {
  readonly subject: string;
  rounds: number;
  acknowledged: number;
  lost: number;
  unopenable: number;
}

const complaintsMax = 5;

export const powerLoss: Proof = {
  name: "power-loss",
  promise: "when an ext4 file system loses its power in the middle of work, everything acknowledged is there after the next start, it opens, and no second history is signed; a control without syncs loses",
  covers: ["packages/licet/src/ledger", "packages/licet/src/db", "packages/evidence/src"],
  whyNot: whyNoLoopDisk,
  async run(options) {
    const random = seeded(options.seed);
    const losses: string[] = [];
    const rows: Tally[] = [];
    for (const subject of subjects.slice(0, options.rounds === undefined ? 1 : undefined)) {
      rows.push(await tally(subject, { ...options, random, note: (loss) => losses.push(loss) }));
    }
    const blind = await tally(control, { ...options, rounds: Math.min(options.rounds ?? 1, roundsPerDisk), random, note: () => 0 });
    if (blind.lost === 0) losses.push("the control lost nothing, so the harness would not have seen a loss");
    const rounds = rows.reduce((sum, row) => sum + row.rounds, 0);
    const acknowledged = rows.reduce((sum, row) => sum + row.acknowledged, 0);
    const table: readonly ProofRow[] = [...rows, blind].map((row) => ({ ...row }));
    return { figures: { rounds, acknowledged, lost: 0, unopenable: 0, controlLost: blind.lost }, losses, table };
  },
};

type Tallying = ProofOptions & { readonly random: () => number; readonly note: (loss: string) => void };

/** So many rounds, or one. */
async function tally(subject: Subject, { rounds = 1, random, note, seed }: Tallying): Promise<Tally> {
  const row: Tally = { subject: subject.name, rounds: 0, acknowledged: 0, lost: 0, unopenable: 0 };
  let bench: Bench | undefined;
  try {
    while (row.rounds < rounds) {
      bench ??= await newBench(subject);
      const result = await bench.round(300 + random() * 2200);
      row.rounds += 1;
      row.acknowledged += result.acknowledged;
      row.lost += result.lost.length;
      row.unopenable += result.unopenable === undefined ? 0 : 1;
      const found = [...result.lost.slice(0, complaintsMax).map((what) => `${what} was acknowledged and is gone`), ...result.wrong, ...(result.unopenable === undefined ? [] : [result.unopenable])];
      for (const what of found) note(`${subject.name}, seed ${seed}, round ${row.rounds}: ${what}`);
      if (found.length > 0 || row.rounds % roundsPerDisk === 0) {
        await bench.dispose();
        bench = undefined;
      }
    }
  } finally {
    await bench?.dispose();
  }
  return row;
}
