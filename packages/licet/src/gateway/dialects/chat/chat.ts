import { refusalBody, refusalEvent } from "../../answer.ts";
import type { Dialect } from "../../dialect.ts";
import { readAnswer, readChatStream } from "./answer.ts";
import { parseChat } from "./request.ts";

/** OpenAI's chat completions, as OpenAI, Azure, vLLM, Ollama, Mistral and many others speak it. */
export const chatDialect: Dialect = {
  name: "openai.chat",
  path: "/openai/v1/chat/completions",
  provider: "openai",
  upstreamPath: "/chat/completions",
  parse: (body) => parseChat(chatDialect, body),
  answer: readAnswer,
  stream: readChatStream,
  errorBody: refusalBody,
  errorEvent: refusalEvent,
};
