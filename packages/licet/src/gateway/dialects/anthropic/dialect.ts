import type { Dialect } from "../../dialect.ts";
import { readCount, readMessage } from "./answer.ts";
import { errorBody, errorEvent } from "./error.ts";
import { parseCount, parseMessages } from "./request.ts";
import { streamReader } from "./stream.ts";

/** Anthropic Messages, whole and streamed. */
export const messages: Dialect = {
  name: "anthropic.messages",
  path: "/anthropic/v1/messages",
  provider: "anthropic",
  upstreamPath: "/messages",
  parse: (body, header) => parseMessages(messages, body, header),
  answer: readMessage,
  stream: streamReader,
  errorBody,
  errorEvent,
};

/** How many tokens a message would have: the same words leave, so the same rules hold. */
export const countTokens: Dialect = {
  name: "anthropic.count-tokens",
  path: "/anthropic/v1/messages/count_tokens",
  provider: "anthropic",
  upstreamPath: "/messages/count_tokens",
  promptless: true,
  parse: (body, header) => parseCount(countTokens, body, header),
  answer: readCount,
  errorBody,
  errorEvent,
};
