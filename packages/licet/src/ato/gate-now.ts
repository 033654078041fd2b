import type { GateAnswer, RouteAnswer, TrafficStage } from "@licet/contract";
import type { Recorder } from "../ledger/recorder.ts";
import { openPromotion } from "../oversight/store.ts";
import { gatherFacts, type Question } from "./facts.ts";
import { decideGate, type GateWatch } from "./gate.ts";
import type { Reader } from "./store.ts";

export interface GateOptions {
  readonly read: Reader;
  readonly recorder: Pick<Recorder, "now">;
  readonly watch?: ((space: string) => GateWatch) | undefined;
}

/**
 * The gate's answer and facts as they stand now, with the approvals of the open request for the same move.
 * Throws `not_found`, `release_unknown`, `policy_not_published`.
 */
export async function gateNow({ read, recorder, watch }: GateOptions, space: string, question: Question): Promise<RouteAnswer<"askGate">> {
  const now = recorder.now();
  const asked = await gatherFacts(read, space, question, now);
  const { system, release, environment, to } = asked.facts;
  const request = await openPromotion(read, space, { system, release, stage: to, environment });
  const { facts, bundle } = request === undefined ? asked : await gatherFacts(read, space, { ...question, environment, request }, now);
  return { answer: decideGate(facts, bundle, watch?.(space)), facts };
}

/** For boards and pages: the latest release's answer for the next stage, in the manifest's first environment. */
export function gateFor(options: GateOptions): (space: string, system: string, to: TrafficStage) => Promise<GateAnswer> {
  return async (space, system, to) => (await gateNow(options, space, { system, to })).answer;
}
