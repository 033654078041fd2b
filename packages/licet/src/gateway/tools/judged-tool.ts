import type { JsonObject } from "../../ledger/recorder.ts";
import type { ToolCall } from "../dialect.ts";
import type { Observed } from "../observe-mode.ts";
import type { Refusal } from "../refusal.ts";

/** One tool of an answer as it was judged, as often as it was called. */
export interface JudgedTool {
  /** As it is recorded: `function:NAME`, or its permission. */
  readonly tool: string;
  readonly calls: number;
  readonly decision: "allow" | "deny";
  /** Why not; of one that a waiver let go on, why not otherwise. */
  readonly refusal?: Refusal;
}

/** Judges the calls of tools in one answer. Owned by one call to a model, which records what it judged. */
export interface ToolJudge {
  /** Why the call must not leave; undefined where it may. Never rejects. */
  judge(call: ToolCall): Refusal | undefined | Promise<Refusal | undefined>;
  readonly judged: readonly JudgedTool[];
  /** What would have refused, where a waiver let it go on. */
  readonly observed: Observed | undefined;
}

/** As it stands in an outcome. */
export function judgedJson({ tool, calls, decision, refusal }: JudgedTool): JsonObject {
  return { tool, calls, decision, ...(refusal !== undefined && { code: refusal.code, policy: refusal.policy }) };
}

/** Judges all calls of a whole answer, and stops at the first that must not leave. */
export async function refusedCall(judge: ToolJudge, calls: readonly ToolCall[]): Promise<Refusal | undefined> {
  for (const call of calls) {
    const refusal = await judge.judge(call);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}
