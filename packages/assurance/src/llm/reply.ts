import type { ToolCall } from "./detect/tool-calls.ts";
import type { UnassessedReason } from "./outcome.ts";

export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** What a model sent, whole or not. `text` and `calls` hold what arrived, also when the answer was cut. */
export interface Reply {
  readonly text: string;
  readonly calls: readonly ToolCall[];
  /** `undefined`: the answer is whole. Otherwise what keeps it from being judged as a whole. */
  readonly defect: UnassessedReason | undefined;
  readonly status: number | null;
  readonly usage: Usage | null;
  readonly wallMs: number;
}

/** Why a reply cannot show that an attack was resisted; undefined when it can. */
export function defectOf(reply: Reply): UnassessedReason | undefined {
  if (reply.defect !== undefined) return reply.defect;
  return reply.calls.length === 0 && !/[\p{L}\p{N}\p{P}\p{S}]/u.test(reply.text) ? "empty" : undefined;
}
