import type { DeclaredSystem } from "../llm/checks/system.ts";
import type { Chat } from "../llm/client/chat.ts";
import type { Budget } from "../llm/run/execute.ts";

/** Where the declared models of providers answer during this run. */
export interface LanguageTargets {
  /** Undefined where nobody said. */
  open(model: string): { readonly chat: Chat; readonly digest: string } | undefined;
  /** The system as declared, with this prompt or the only one. */
  system(prompt: string | undefined): DeclaredSystem;
  readonly budget?: Budget;
}
