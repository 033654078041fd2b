import { clopperPearson } from "../../packages/assurance/src/stats/proportion.ts";
import { alpha, type Gate } from "./assurance-gates/gate.ts";
import { countVerdicts, type Verdicts } from "./assurance-gates/count.ts";
import { gates } from "./assurance-gates/gates.ts";
import type { Proof, ProofOptions, ProofRow, ProofRun } from "./proof.ts";
import { inThreads } from "./threads.ts";

/** Error rate of the proof itself, for each gate. */
const proofAlpha = 0.001;
/** Rounds of a record: every gate this often, exactly at its limit. */
export const gateRounds = 20_000;
/** A slice looks at every gate this often before it asks for more time. */
const sliceRounds = 10;
/** A thread takes so many of a gate's runs at once. */
const threadRounds = 1000;

/**
 * Simulates every gate with the truth exactly on its limit. A verdict that is given too often is one whose rate exceeds
 * alpha with 99.9 % confidence (exact lower bound); in a slice, over all gates together.
 */
export const assuranceGates: Proof = {
  name: "assurance-gates",
  promise: `with the truth exactly on the limit, in ${gateRounds.toLocaleString("en")} runs of each world no gate is shown (at 99.9 %) to pass or to fail more often than its alpha`,
  covers: ["packages/assurance/src/stats", "packages/assurance/src/verdict", "packages/assurance/src/performance", "packages/assurance/src/fairness", "packages/assurance/src/privacy", "packages/assurance/src/data", "packages/assurance/src/drift", "packages/assurance/src/robust", "packages/assurance/src/llm"],
  run: (options) => (options.rounds === undefined ? Promise.resolve(simulateSlice(gates, options)) : simulateAll(options.seed, options.rounds)),
};

interface Counted extends Verdicts {
  readonly gate: Gate;
}

/** As often as there is time for, in this thread. */
export function simulateSlice(simulated: readonly Gate[], { seed, goOn }: Pick<ProofOptions, "seed" | "goOn">): ProofRun {
  const counted = simulated.map((gate) => ({ gate, runs: 0, pass: 0, fail: 0 }));
  for (let first = 0; first === 0 || goOn(); first += sliceRounds) {
    for (const each of counted) Object.assign(each, added(each, countVerdicts(each.gate, { seed, first, last: first + sliceRounds })));
  }
  return runOf(counted, proofAlpha / (2 * counted.length));
}

/** Every gate so often, whatever the clock says, in as many threads as there are processors. */
async function simulateAll(seed: number, rounds: number): Promise<ProofRun> {
  const tasks = gates.flatMap((_, gate) => Array.from({ length: Math.ceil(rounds / threadRounds) }, (__, part): Task => ({ gate, seed, first: part * threadRounds, last: Math.min(rounds, (part + 1) * threadRounds) })));
  const counted = gates.map((gate) => ({ gate, runs: 0, pass: 0, fail: 0 }));
  await inThreads<Task, { readonly gate: number; readonly verdicts: Verdicts }>({
    script: new URL("assurance-gates/worker.ts", import.meta.url),
    next: () => tasks.shift(),
    told: ({ gate, verdicts }) => {
      const each = counted[gate];
      if (each !== undefined) Object.assign(each, added(each, verdicts));
    },
  });
  const { losses, ...run } = runOf(counted, proofAlpha);
  const short = rounds < gateRounds ? [`${rounds} runs of a gate are not enough for a record: give --rounds ${gateRounds}`] : [];
  return { ...run, losses: [...short, ...losses] };
}

interface Task {
  readonly gate: number;
  readonly seed: number;
  readonly first: number;
  readonly last: number;
}

function added(a: Verdicts, b: Verdicts): Verdicts {
  return { runs: a.runs + b.runs, pass: a.pass + b.pass, fail: a.fail + b.fail };
}

function runOf(counted: readonly Counted[], confidence: number): ProofRun {
  return {
    figures: { gates: counted.length, runs: counted.reduce((sum, { runs }) => sum + runs, 0) },
    losses: counted.flatMap((each) => lossesOf(each, confidence)),
    table: counted.map(rowOf),
  };
}

function lossesOf({ gate, runs, pass, fail }: Counted, confidence: number): readonly string[] {
  const told = [["pass", pass], ["fail", fail]] as const;
  return told.flatMap(([verdict, count]) => {
    if (gate.tests !== "both" && gate.tests !== verdict) return [];
    const { lower } = clopperPearson(count, runs, confidence);
    return lower > alpha ? [`${gate.name}: ${count} of ${runs} runs on the limit are a ${verdict}, more than ${alpha}`] : [];
  });
}

function rowOf({ gate, runs, pass, fail }: Counted): ProofRow {
  const share = (verdict: "pass" | "fail", count: number) => (gate.tests === "both" || gate.tests === verdict ? `${((100 * count) / runs).toFixed(2)} %` : "");
  return { gate: gate.name, runs, "false pass": share("pass", pass), "false fail": share("fail", fail) };
}
