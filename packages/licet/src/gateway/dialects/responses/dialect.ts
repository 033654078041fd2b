import { refusalBody } from "../../answer.ts";
import type { Dialect } from "../../dialect.ts";
import { readAnswer } from "./answer.ts";
import { errorEvent } from "./error.ts";
import { parseResponses } from "./request.ts";
import { streamReader } from "./stream.ts";

/** OpenAI Responses over HTTP, whole and streamed. */
export const responses: Dialect = {
  name: "openai.responses",
  path: "/openai/v1/responses",
  provider: "openai",
  upstreamPath: "/responses",
  parse: (body, header) => parseResponses(responses, body, header),
  answer: readAnswer,
  stream: streamReader,
  errorBody: refusalBody,
  errorEvent,
};
