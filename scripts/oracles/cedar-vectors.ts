import { summary } from "./cedar-compare.ts";
import { domainRound, readDomains } from "./cedar-domain.ts";
import { goodLiterals, headRound, randomRound, refusalRound, requestRound } from "./cedar-random.ts";
import type { Step } from "./cedar-replay.ts";
import { specialRound } from "./cedar-special.ts";
import { CedarTally } from "./cedar-tally.ts";
import { CedarWasm, forWasm, isUnreadable, type Call, type WasmAnswer } from "./cedar-wasm.ts";

/** Keeps what it is asked and what it says. */
class Recorder extends CedarWasm {
  readonly steps: Step[] = [];
  #entities: unknown;

  override setPolicies(json: unknown): string | undefined {
    const refusal = super.setPolicies(json);
    if (!isUnreadable(refusal)) this.steps.push({ step: "policies", json, taken: refusal === undefined });
    this.#entities = undefined;
    return refusal;
  }

  override setSchema(json: unknown): string | undefined {
    const refusal = super.setSchema(json);
    if (!isUnreadable(refusal)) this.steps.push({ step: "schema", json, taken: refusal === undefined });
    return refusal;
  }

  override decide(call: Call, options: { readonly schema: boolean }): WasmAnswer {
    const answer = super.decide(call, options);
    if (answer.kind === "refused" && isUnreadable(answer.message)) return answer;
    const { entities, ...parties } = call;
    if (entities !== this.#entities) this.steps.push({ step: "entities", json: entities });
    this.#entities = entities;
    this.steps.push({ step: "decide", call: parties, schema: options.schema, said: summary(answer) });
    return answer;
  }
}

/** Questions of every area with the answers of cedar-wasm; the same ones for the same seed and count. */
export async function recordVectors(seed: number, rounds: number): Promise<readonly Step[]> {
  const wasm = new Recorder();
  const good = goodLiterals(wasm);
  const domains = await readDomains(wasm);
  const tally = new CedarTally("random");
  for (let round = 0; round < rounds; round++) {
    const run = { wasm, tally, good, seed: seed + round };
    specialRound(run);
    requestRound(run);
    randomRound(run);
    refusalRound(run);
    headRound(run);
    const domain = domains[Math.floor(round / 8) % domains.length];
    if (round % 8 === 0 && domain !== undefined) domainRound(run, domain);
  }
  return wasm.steps;
}

/** As text, a step in each line; longs beyond 2^53 keep their digits. */
export function writeVectors(steps: readonly Step[]): string {
  return steps.map((step) => JSON.stringify(forWasm(step))).join("\n");
}
