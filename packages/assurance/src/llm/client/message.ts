import type { ToolCall } from "../detect/tool-calls.ts";

/** One message of a conversation, in the words that both dialects share. */
export type Message =
  | { readonly role: "system" | "user"; readonly text: string }
  | { readonly role: "assistant"; readonly text: string; readonly calls?: readonly IdentifiedCall[] }
  | { readonly role: "tool"; readonly call: string; readonly text: string };

/** Calls of earlier turns need an id, so that results can name them. */
export interface IdentifiedCall extends ToolCall {
  readonly id: string;
}

export interface ToolDeclaration {
  readonly name: string;
  readonly description: string;
  /** JSON schema of the arguments. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface ChatRequest {
  readonly messages: readonly Message[];
  readonly tools?: readonly ToolDeclaration[];
  readonly tokensMax: number;
  readonly temperature?: number;
  /** Asked of servers that draw reproducibly; ignored by others. */
  readonly seed?: number;
}
