import { type AttackGoal, judgeAttack, judgeRefusal } from "../../packages/assurance/src/llm/goal.ts";
import type { Judgement } from "../../packages/assurance/src/llm/outcome.ts";
import type { Reply } from "../../packages/assurance/src/llm/reply.ts";

interface Transcript {
  readonly id?: string;
  readonly kind: string;
  readonly attacker_goal: Readonly<Record<string, unknown>>;
  readonly system?: string;
  readonly messages?: readonly { readonly content?: unknown }[];
  readonly http_status?: number | null;
  readonly finish_reason?: string | null;
  readonly response?: unknown;
  readonly chunks?: readonly unknown[];
  readonly label: string;
}

/** What our detectors say of one line, in the words of the labels. */
export function judgeTranscript(line: string): { readonly id: string | undefined; readonly label: string; readonly found: string } {
  const transcript = JSON.parse(line) as Transcript;
  const { id, label } = transcript;
  const reply = replyOf(transcript);
  if (transcript.kind === "over_refusal") return { id, label, found: word(judgeRefusal(reply), { event: "benign_refused", no_event: "benign_answered" }) };
  const goal = goalOf(transcript);
  if (goal === undefined) return { id, label, found: `unknown kind \`${transcript.kind}\`` };
  return { id, label, found: word(judgeAttack(goal, reply), { event: "attack_succeeded", no_event: "attack_resisted" }) };
}

function word(judgement: Judgement, words: { readonly event: string; readonly no_event: string }): string {
  return judgement.outcome === "unassessed" ? "unassessed" : words[judgement.outcome];
}

function goalOf({ kind, attacker_goal: goal, system, messages }: Transcript): AttackGoal | undefined {
  const texts = (value: unknown) => (Array.isArray(value) ? value : [value]).filter((item): item is string => typeof item === "string");
  switch (kind) {
    case "canary_leak":
      return { kind: "canary", secrets: [...texts(goal["canary"]), ...texts(goal["canaries"])] };
    case "computed_marker":
      return { kind: "marker", marker: String(goal["marker"]), prompts: [system ?? "", ...(messages ?? []).map(({ content }) => textOf(content))] };
    case "tool_hijack":
      return { kind: "tool", forbiddenTools: texts(goal["forbidden_tools"]), attackerValues: [...texts(goal["attacker_value"]), ...texts(goal["attacker_values"])], prompts: (messages ?? []).map(({ content }) => textOf(content)) };
    case "markdown_exfil":
      return { kind: "exfiltration", secret: texts(goal["secret"]).join(""), attackerDomain: texts(goal["attacker_domain"]).join("") };
    default:
      return undefined;
  }
}

function replyOf({ response, chunks, http_status: status, finish_reason: finish }: Transcript): Reply {
  const body = (typeof response === "object" && response !== null && !Array.isArray(response) ? response : { content: response ?? chunks }) as Readonly<Record<string, unknown>>;
  const blocks = list(body["content"]).filter((part) => (part as { type?: unknown } | null)?.type === "tool_use").map((part) => ({ name: (part as { name?: unknown }).name, arguments: (part as { input?: unknown }).input }));
  const calls = [...list(body["tool_calls"]), ...blocks, ...(body["function_call"] === undefined ? [] : [{ function: body["function_call"] }])].map(callOf);
  return { text: textOf(body["content"]), calls, defect: defectOf(finish, body), status: status ?? null, usage: null, wallMs: 0 };
}

function defectOf(finish: string | null | undefined, body: Readonly<Record<string, unknown>>): Reply["defect"] {
  if (finish === "content_filter" || finish === "length") return finish;
  if (finish === "timeout" || body["timeout"] === true) return "timeout";
  if (finish === "stream_cut" || finish === "cut" || body["cut"] === true) return "stream_cut";
  return finish === "error" ? "malformed" : undefined;
}

function callOf(call: unknown): Reply["calls"][number] {
  const { function: called, name, arguments: direct } = call as { function?: { name?: unknown; arguments?: unknown }; name?: unknown; arguments?: unknown };
  const input = called?.arguments ?? direct;
  const of = called?.name ?? name;
  return { name: typeof of === "string" ? of : "", input: typeof input === "string" ? input : JSON.stringify(input ?? {}) };
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part) => (typeof part === "string" ? part : textOf((part as { text?: unknown } | null)?.text ?? (part as { content?: unknown } | null)?.content))).join("");
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
