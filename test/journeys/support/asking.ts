import { readFileSync } from "node:fs";
import { join } from "node:path";
import OpenAI, { APIError } from "openai";

export interface Refused {
  readonly status: number | undefined;
  readonly code: string;
  readonly policy: string;
  readonly remedy: string;
  readonly decision: string;
}

export interface Answered {
  readonly text: string;
  readonly decision: string;
}

export type Asked = { readonly kind: "answered"; readonly answer: Answered } | { readonly kind: "refused"; readonly refused: Refused };

export interface Asking {
  readonly dataUrl: string;
  readonly credential: string;
  /** The working copy whose prompt is sent. */
  readonly folder: string;
  readonly question?: string;
  readonly model?: string;
}

export function openai({ dataUrl, credential }: Pick<Asking, "dataUrl" | "credential">): OpenAI {
  return new OpenAI({ baseURL: `${dataUrl}/openai/v1`, apiKey: credential, maxRetries: 0, timeout: 20_000 });
}

export function request({ folder, question, model }: Pick<Asking, "folder" | "question" | "model">) {
  return {
    model: model ?? "chat",
    messages: [
      { role: "system" as const, content: readFileSync(join(folder, "prompts/system.md"), "utf8") },
      { role: "user" as const, content: question ?? "The printer is out of paper" },
    ],
    temperature: 0.2,
    max_tokens: 400,
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** What the official client makes of a refusal. */
export function refusedBy(error: unknown): Refused {
  if (!(error instanceof APIError)) throw error;
  const body = (error.error ?? {}) as { readonly licet?: Readonly<Record<string, unknown>> };
  const licet = body.licet ?? {};
  return { status: error.status, code: textOf(error.code), policy: textOf(licet["policy"]), remedy: textOf(licet["remedy"]), decision: textOf(licet["decision"]) };
}

/** One call with the official client; a refusal is an answer too. */
export async function ask(asking: Asking): Promise<Asked> {
  try {
    const { data, response } = await openai(asking).chat.completions.create(request(asking)).withResponse();
    return { kind: "answered", answer: { text: data.choices[0]?.message.content ?? "", decision: response.headers.get("x-licet-decision") ?? "" } };
  } catch (error) {
    return { kind: "refused", refused: refusedBy(error) };
  }
}

const surfaces = {
  stream: { path: "/openai/v1/chat/completions", body: (asking: Asking): object => ({ ...request(asking), stream: true }) },
  responses: { path: "/openai/v1/responses", body: (asking: Asking): object => responsesRequest(asking) },
  messages: { path: "/anthropic/v1/messages", body: ({ question = "hello" }: Asking): object => ({ model: "chat", max_tokens: 100, messages: [{ role: "user", content: question }] }) },
} as const;

function responsesRequest(asking: Asking): object {
  const { model, messages: [system, user], temperature } = request(asking);
  return { model, instructions: system?.content, input: user?.content, temperature, max_output_tokens: 400, stream: true };
}

/** The decision of one call on another surface: known as soon as the answer begins, which is then read until it ends or breaks off. */
export async function decisionOn(surface: keyof typeof surfaces, asking: Asking): Promise<string> {
  const { path, body } = surfaces[surface];
  const headers = { authorization: `Bearer ${asking.credential}`, "content-type": "application/json" };
  const response = await fetch(asking.dataUrl + path, { method: "POST", headers, body: JSON.stringify(body(asking)) });
  await response.text().catch(() => "");
  return response.headers.get("x-licet-decision") ?? "";
}

/** The gateway follows the record within a second; a caller who comes sooner asks again. */
export async function untilAnswered(asking: Asking, withinMs = 30_000): Promise<Answered> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const asked = await ask(asking);
    if (asked.kind === "answered") return asked.answer;
    if (performance.now() > deadline) throw new Error(`not answered: ${asked.refused.code}`);
  }
}
