import type { ChatRequest } from "./message.ts";
import type { IdentifiedCall } from "./message.ts";
import type { Usage } from "../reply.ts";

/** How an answer ended, in the words that both dialects share. `unfinished`: nothing said that it did. */
export type Finish = "stop" | "length" | "content_filter" | "unfinished";

/** What has been read of an answer so far. */
export interface Reading {
  readonly text: string;
  readonly calls: readonly IdentifiedCall[];
  readonly finish: Finish;
  readonly usage: Usage | null;
  /** The name under which the model answered; undefined where it says none. */
  readonly model?: string | undefined;
}

/** Reads an answer piece by piece. `event` returns false when the data is not of the dialect. */
export interface StreamReader {
  event(data: string): boolean;
  reading(): Reading;
  /** The end was announced: what is missing afterwards is not missing. */
  readonly ended: boolean;
}

export interface BodyOptions {
  readonly model: string;
  readonly stream: boolean;
  readonly tokensField?: "max_tokens" | "max_completion_tokens";
}

export interface Dialect {
  readonly path: string;
  headers(credential: string | undefined): Readonly<Record<string, string>>;
  body(request: ChatRequest, options: BodyOptions): Readonly<Record<string, unknown>>;
  /** Undefined when the value is no answer of the dialect. */
  answer(value: unknown): Reading | undefined;
  stream(): StreamReader;
}
