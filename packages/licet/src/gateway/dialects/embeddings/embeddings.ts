import { refusalBody, refusalEvent } from "../../answer.ts";
import type { AnswerShape, Dialect, ModelCall, Need, ParsedCall, Usage } from "../../dialect.ts";
import { readBody } from "../reading.ts";
import * as z from "../shape.ts";
import type { JsonObject } from "../../../ledger/entry.ts";
import { asRead, countAt, listAt, objectAt, wireObject } from "../wire.ts";

/** Bounds of one request (OpenAI API reference: 2,048 inputs). */
const inputsMax = 2048;
const tokensMax = 300_000;
const nameCharactersMax = 256;

const name = z.string().min(1).max(nameCharactersMax);
const token = z.int().min(0);

const EmbeddingsRequest = z.strictObject({
  model: name,
  input: z.union([z.string(), z.array(z.string()).min(1).max(inputsMax), z.array(token).min(1).max(tokensMax), z.array(z.array(token).min(1).max(tokensMax)).min(1).max(inputsMax)]),
  encoding_format: z.enum(["float", "base64"]).optional(),
  dimensions: z.int().min(1).max(100_000).optional(),
  user: name.optional(),
});
type EmbeddingsRequest = z.output<typeof EmbeddingsRequest>;

/** OpenAI's embeddings: texts in, numbers out. */
export const embeddings: Dialect = {
  name: "openai.embeddings",
  path: "/openai/v1/embeddings",
  provider: "openai",
  upstreamPath: "/embeddings",
  promptless: true,
  parse: parseEmbeddings,
  answer: readAnswer,
  errorBody: refusalBody,
  errorEvent: refusalEvent,
};

function parseEmbeddings(body: Uint8Array): ParsedCall {
  const read = readBody(EmbeddingsRequest, body);
  return "refusal" in read ? read : { call: embeddingsCall(read.request, body.length) };
}

function embeddingsCall(request: EmbeddingsRequest, bytes: number): ModelCall {
  const { model, input, user } = request;
  return {
    dialect: embeddings,
    model,
    stream: false,
    bytes,
    user,
    request: asRead(request),
    isFixed: (path) => path[0] !== "input",
    instructions: [],
    tools: [],
    responseFormat: undefined,
    parameters: {},
    needs: needsOf(input),
    answerTokensMax: 0,
    messages: textsOf(input).map((content) => ({ role: "input", content })),
    upstreamExtras: {},
    upstreamHeaders: {},
  };
}

function textsOf(input: EmbeddingsRequest["input"]): readonly string[] {
  return typeof input === "string" ? [input] : input.filter((each) => typeof each === "string");
}

/** Numbers of tokens are words that no detector reads. */
function needsOf(input: EmbeddingsRequest["input"]): readonly Need[] {
  return typeof input === "string" || typeof input[0] === "string" ? [] : [{ permission: "tokens", param: "input" }];
}

const base64 = /^[A-Za-z0-9+/]*={0,2}$/u;

/** Rows of numbers, or of their bytes in base64: everything else in the place of an embedding could be text. */
function readAnswer(value: unknown): AnswerShape | undefined {
  const answer = wireObject(value);
  if (answer === undefined || !Array.isArray(answer["data"])) return undefined;
  const rows = listAt(answer, "data").map((row) => wireObject(row));
  return rows.every((row) => row !== undefined && isEmbedding(row)) ? { value: answer, isFixed: () => true, usage: readUsage(answer), finishReasons: [], place: (path) => path.join(".") } : undefined;
}

function isEmbedding(row: JsonObject): boolean {
  const { embedding } = row;
  return typeof embedding === "string" ? base64.test(embedding) : Array.isArray(embedding) && embedding.every((each) => typeof each === "number");
}

function readUsage(answer: JsonObject): Usage | null {
  const usage = objectAt(answer, "usage");
  const prompt = countAt(usage, "prompt_tokens");
  return prompt === undefined ? null : { prompt, completion: 0, total: countAt(usage, "total_tokens") ?? prompt };
}
