import { clopperPearson } from "../../packages/assurance/src/stats/proportion.ts";
import { randomFrom } from "../../packages/assurance/src/stats/random.ts";
import { alpha, type Gate } from "./assurance-gates/gate.ts";
import { fairnessGates } from "./assurance-gates/fairness.ts";
import { performanceGates } from "./assurance-gates/performance.ts";
import { privacyGates } from "./assurance-gates/privacy.ts";
import type { Proof, ProofOptions, ProofRow, ProofRun } from "./proof.ts";

/** Error rate of the proof itself, for each gate. */
const proofAlpha = 0.001;
/** Rounds of a record: every gate this often, exactly at its limit. */
export const gateRounds = 20_000;
const roundsAtOnce = 200;

export const gates: readonly Gate[] = [...performanceGates, ...fairnessGates, ...privacyGates];

interface Counted {
  readonly gate: Gate;
  runs: number;
  pass: number;
  fail: number;
}

/**
 * Simulates every gate with the truth exactly on its limit. A verdict that is given too often is one whose rate exceeds
 * alpha with 99.9 % confidence (exact lower bound); in a slice, over all gates together.
 */
export const assuranceGates: Proof = {
  name: "assurance-gates",
  promise: "with the truth exactly on the limit, no gate passes more often than its alpha and none fails more often",
  covers: ["packages/assurance/src/stats", "packages/assurance/src/verdict", "packages/assurance/src/performance", "packages/assurance/src/fairness", "packages/assurance/src/privacy"],
  run: (options) => Promise.resolve(simulate(gates, options)),
};

export function simulate(simulated: readonly Gate[], { seed, goOn, rounds }: ProofOptions): ProofRun {
  const counted = simulated.map((gate): Counted => ({ gate, runs: 0, pass: 0, fail: 0 }));
  const wanted = rounds ?? Number.MAX_SAFE_INTEGER;
  // A counted run is not cut short by the clock.
  const more = rounds === undefined ? goOn : () => true;
  for (let first = 0; first < wanted && (first === 0 || more()); first += roundsAtOnce) {
    for (const each of counted) drawMany(each, { seed, first, last: Math.min(wanted, first + roundsAtOnce) });
  }
  const confidence = rounds === undefined ? proofAlpha / (2 * counted.length) : proofAlpha;
  return {
    figures: { gates: counted.length, runs: counted.reduce((sum, { runs }) => sum + runs, 0) },
    losses: counted.flatMap((each) => lossesOf(each, confidence)),
    table: counted.map(rowOf),
  };
}

function drawMany(counted: Counted, { seed, first, last }: { readonly seed: number; readonly first: number; readonly last: number }): void {
  const { gate } = counted;
  for (let run = first; run < last; run += 1) {
    if (run % (gate.every ?? 1) !== 0) continue;
    const name = `${seed} ${gate.name} ${run}`;
    const { verdict } = gate.draw(randomFrom(name), `${name} bootstrap`);
    counted.runs += 1;
    if (verdict === "pass") counted.pass += 1;
    if (verdict === "fail") counted.fail += 1;
  }
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
