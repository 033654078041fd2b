import { killRound } from "../../packages/licet/src/ledger/kill-rounds.ts";
import { seeded } from "../../packages/licet/src/ledger/log-fixture.ts";
import { newDirectory, removeDirectory } from "../../packages/licet/src/ledger/recorder-fixture.ts";
import type { Proof } from "./proof.ts";

/** The log of one directory outlives so many kills; then the next directory begins. */
const roundsPerDirectory = 5;

export const kill: Proof = {
  name: "kill",
  promise: "a server that is killed with SIGKILL in the middle of appends, commands and projections loses nothing that it acknowledged, and its tables are those of a rebuild from the log",
  covers: ["packages/licet/src/ledger", "packages/licet/src/db", "packages/evidence/src"],
  async run({ seed, goOn }) {
    const random = seeded(seed);
    const figures = { kills: 0, directories: 0, acknowledged: 0, entries: 0 };
    const losses: string[] = [];
    do {
      const directory = await newDirectory();
      const olds: string[] = [];
      figures.directories += 1;
      try {
        let size = 0;
        for (let round = 0; round < roundsPerDirectory && (round === 0 || goOn()); round += 1) {
          const result = await killRound({ directory, round, acknowledgements: 5 + Math.floor(random() ** 2 * 600), olds });
          figures.kills += 1;
          figures.acknowledged += result.acknowledged;
          size = result.size;
          losses.push(...result.losses.map((loss) => `seed ${seed}, directory ${figures.directories}, ${loss}`));
        }
        figures.entries += size;
      } finally {
        await removeDirectory(directory);
      }
    } while (goOn());
    return { figures, losses };
  },
};
