import { z } from "zod";
import type { AnswerHeaders, Caller, Inbound } from "../gateway/answer.ts";
import type { Recorded } from "../gateway/record.ts";
import { refuse } from "../gateway/refusal.ts";
import { mcpRequest } from "./coaz.ts";
import { itemVerdicts, opened, recorded, refused, told, type Known } from "./evaluate.ts";
import type { DecisionParts } from "./parts.ts";
import { wrongWith } from "./protocol.ts";
import { answerError, type Verdict } from "./verdict.ts";

export const mcpPath = "/access/v1/mcp";

const Claims = z.record(z.string(), z.unknown());

/** An MCP message as its server received it, with the claims of the access token that the server has validated. */
const Question = z.object({
  message: z.looseObject({ jsonrpc: z.literal("2.0"), id: z.union([z.string().max(200), z.number(), z.null()]).optional(), method: z.string().min(1).max(200), params: z.unknown().optional() }),
  token: Claims,
  mapping: z.unknown().optional(),
  server: z.string().min(1).max(2048).optional(),
  subject_claim: z.string().min(1).max(100).optional(),
});

const codes = { denied: -32_001, "mapping-error": -32_602 } as const;

/**
 * POST /access/v1/mcp: the whole of COAZ-MCP for a server that enforces by itself. Every decision that the mapping asks for
 * is recorded; the answer is a permit only where all of them are, else the JSON-RPC error that the server sends.
 */
export async function mcpEvaluation(parts: DecisionParts, inbound: Inbound, caller: Caller): Promise<void> {
  const open = await opened(parts, inbound, caller);
  if (open === undefined) return;
  const { who, echo } = open;
  if (!("asking" in who)) return refused(parts, caller, { ...open, refusal: refuse("action_unsupported", { message: "an MCP server asks with the token of a decision client", status: 403 }) });
  const parsed = Question.safeParse(open.body);
  if (!parsed.success) return refused(parts, caller, { ...open, refusal: refuse("query_invalid", { message: wrongWith(parsed.error) }) });
  return answerMessage(parts, caller, { who, echo, question: parsed.data });
}

interface Asked {
  readonly who: Known;
  readonly echo: AnswerHeaders;
  readonly question: z.output<typeof Question>;
}

async function answerMessage(parts: DecisionParts, caller: Caller, { who, echo, question }: Asked): Promise<void> {
  const { message, token, mapping, server, subject_claim: subjectClaim } = question;
  const mapped = mcpRequest({ method: message.method, params: message.params ?? {}, token, mapping, server, subjectClaim });
  const rpc = (code: number, text: string) => ({ error: { jsonrpc: "2.0", id: message.id ?? null, error: { code, message: text } } });
  const say = (body: object): void => caller.json(200, echo, JSON.stringify(body));
  if (mapped.kind === "pass") return say({ decision: true, context: { pass_through: true } });
  if (mapped.kind === "denied" || mapped.kind === "mapping-error") return say({ decision: false, ...rpc(codes[mapped.kind], mapped.message) });
  const verdicts = await itemVerdicts(parts, who, mapped);
  const written = await Promise.all(verdicts.map((verdict) => recorded(parts, verdict)));
  const failed = written.find((each) => "refusal" in each);
  if (failed !== undefined) return answerError(caller, failed, echo);
  const refusal = verdicts.find((each) => each.refusal !== undefined)?.refusal;
  const evaluations = written.flatMap((each, at) => decisionsOf(parts, each, verdicts[at]));
  const warning = mapped.warning === undefined ? {} : { context: { warning: mapped.warning } };
  const error = refusal === undefined ? {} : rpc(codes.denied, `Access denied: ${refusal.message}`);
  return say({ decision: refusal === undefined && verdicts.length > 0, ...warning, evaluations, ...error });
}

function decisionsOf(parts: DecisionParts, written: Recorded, verdict: Verdict | undefined): readonly object[] {
  return "id" in written && verdict !== undefined ? [told(parts, written.id, verdict)] : [];
}
