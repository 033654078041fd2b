import { domainRound, readDomains } from "./cedar-domain.ts";
import { goodLiterals, headRound, randomRound, refusalRound, requestRound } from "./cedar-random.ts";
import { specialRound } from "./cedar-special.ts";
import { CedarTally } from "./cedar-tally.ts";
import { CedarWasm } from "./cedar-wasm.ts";

export interface AreaOptions {
  /** Of the first round; each further round takes the next. */
  readonly seed: number;
  readonly rounds?: number;
  /** Asked after each round. */
  readonly goOn: () => boolean;
  readonly onRound?: (run: AreaRun) => void;
}

export interface AreaRun {
  readonly tallies: readonly CedarTally[];
  readonly rounds: number;
  /** How often an instance of cedar-wasm was lost. */
  readonly deaths: number;
}

/** Rounds through all areas but the corpus, in turn. A round is made by its seed alone. */
export async function runAreas({ seed, rounds = Infinity, goOn, onRound }: AreaOptions): Promise<AreaRun> {
  const wasm = new CedarWasm();
  const good = goodLiterals(wasm);
  const domains = await readDomains(wasm);
  const [random, domain, requests, special] = [new CedarTally("random"), new CedarTally("domain"), new CedarTally("requests"), new CedarTally("special")];
  const tallies = [random, domain, requests, special];
  let done = 0;
  do {
    const run = { wasm, good, seed: seed + done };
    randomRound({ ...run, tally: random });
    requestRound({ ...run, tally: requests });
    refusalRound({ ...run, tally: special });
    headRound({ ...run, tally: random });
    specialRound({ ...run, tally: special });
    const turn = domains[run.seed % domains.length];
    if (turn !== undefined) domainRound({ ...run, tally: domain }, turn);
    done += 1;
    onRound?.({ tallies, rounds: done, deaths: wasm.deaths });
  } while (done < rounds && goOn());
  return { tallies, rounds: done, deaths: wasm.deaths };
}
