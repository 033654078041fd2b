import type { IncomingMessage, ServerResponse } from "node:http";
import { attackCheckIds, type AssuranceCheck, taskCheckIds } from "@licet/contract";
import { json } from "../../../../test/unit/support/oip-model.ts";
import type { SendResponse } from "../llm/client/send.ts";

/** Checks of language models with the widest limits, against models that lie or die. */
export const languageChecks: readonly (Readonly<Record<string, unknown>> & { readonly check: AssuranceCheck["check"] })[] = [
  ...[...attackCheckIds, ...taskCheckIds].map((check) => ({ check })),
  { check: "llm.bias.counterfactual", max: 0.5 },
  { check: "llm.consistency", max: 0.5 },
  { check: "llm.cost", tokens: 100_000_000 },
  { check: "llm.harm", behaviours: "behaviours", judge: "judge", labelled: "labelled", max: 0.5 },
  { check: "llm.defence.replay" },
];

/** Answers of an HTTP endpoint that is no language model, or not any longer. */
export const languageFaults: Readonly<Record<string, () => Promise<SendResponse>>> = {
  "nobody listens": () => Promise.reject(new Error("connect ECONNREFUSED")),
  "500": async () => answer("oops", { status: 500 }),
  "a page of a proxy": async () => answer("<html>sign in</html>", { contentType: "text/html" }),
  "no JSON": async () => answer("{"),
  "an empty body": async () => answer(""),
  "JSON of something else": async () => answer('{"ok":true}'),
  "a list instead of an answer": async () => answer("[[[[]]]]"),
  "no choices": async () => answer('{"choices":[]}'),
  "text that is a number": async () => answer('{"choices":[{"message":{"content":42},"finish_reason":"stop"}]}'),
  "nothing said": async () => answer('{"choices":[{"message":{"role":"assistant","content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":-5,"completion_tokens":1e308}}'),
  "an answer that was cut off": async () => answer('{"choices":[{"message":{"role":"assistant","content":"I"},"finish_reason":"length"}]}'),
  "a filter in between": async () => answer('{"choices":[{"message":{"role":"assistant","content":"no"},"finish_reason":"content_filter"}]}'),
  "a connection that breaks": async () => ({ ...answer(""), body: breaking() }),
};

function answer(text: string, { status = 200, contentType = "application/json" } = {}): SendResponse {
  return { status, contentType, retryAfter: undefined, body: (async function* () { yield Buffer.from(text); })() };
}

async function* breaking(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('{"choices":[');
  throw new Error("socket hang up");
}

type Infer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** Two features in, the first one out: the honest answer, and what may be wrong with it. */
export function scored(body: string, change: (scores: readonly number[]) => readonly unknown[] = (scores) => scores): Readonly<Record<string, unknown>> {
  const { id, inputs: [{ shape: [rows], data }] } = JSON.parse(body);
  const scores: readonly number[] = Array.from({ length: rows }, (_, row) => data[row * 2]);
  const said = change(scores);
  return { id, model_name: "risk-net", model_version: "7", outputs: [{ name: "y", datatype: "FP32", shape: [said.length, 1], data: said }] };
}

const lying = (change: Parameters<typeof scored>[1]): Infer => (_, response, body) => json(response, 200, scored(body, change));

/** A served model that answers with something else than a score for each row, and one that stops answering. */
export const servedFaults: Readonly<Record<string, () => Infer>> = {
  "no numbers": () => lying((scores) => scores.map(() => null)),
  "words": () => lying((scores) => scores.map(() => "high")),
  "one row too few": () => lying((scores) => scores.slice(1)),
  "one row too many": () => lying((scores) => [...scores, 0.5]),
  "no rows at all": () => lying(() => []),
  "a page of a proxy": () => (_, response) => {
    response.writeHead(200, { "content-type": "text/html" });
    response.end("<html>sign in</html>");
  },
  "no outputs": () => (_, response) => json(response, 200, { outputs: [] }),
  "the answer to another question": () => (_, response, body) => json(response, 200, { ...scored(body), id: "another" }),
  "brackets without an end": () => (_, response) => json(response, 200, "[".repeat(100_000)),
  "500": () => (_, response) => json(response, 500, {}),
  "a connection that breaks": () => (request) => void request.socket.destroy(),
  "the end after the first answer": () => {
    let calls = 0;
    return (request, response, body) => ((calls += 1) > 1 ? void request.socket.destroy() : json(response, 200, scored(body)));
  },
};

/** What takes its time: tried on a few checks only. */
export const slowFaults: typeof servedFaults = {
  "429": () => (_, response) => json(response, 429, {}),
  "an answer that never comes": () => () => undefined,
};
