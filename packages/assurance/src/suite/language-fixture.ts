import type { CheckResult } from "@licet/contract";
import { checkResult } from "../../../../test/unit/support/run-check.ts";
import type { LanguageTargets } from "../checks/language-targets.ts";
import type { ChatReply } from "../llm/client/chat.ts";
import type { ChatRequest } from "../llm/client/message.ts";

/** Of the endpoint that `answering` declares. */
export const endpointDigest = `sha256:${"1".repeat(64)}`;

export type Said = string | { readonly text: string; readonly usage: ChatReply["usage"] };

/** One model, `chat`, that answers so. */
export function answering(answer: (request: ChatRequest) => Said): LanguageTargets {
  const reply = (said: Said): ChatReply => ({ calls: [], status: 200, defect: undefined, wallMs: 1, ...(typeof said === "string" ? { text: said, usage: { promptTokens: 40, completionTokens: 10 } } : said) });
  return {
    open: (model) => (model === "chat" ? { chat: async (request) => reply(answer(request)), digest: endpointDigest } : undefined),
    system: () => ({ prompt: "You answer questions of our staff." }),
  };
}

/** The result of one check of `chat`, over files of these contents. */
export function asked(check: object, language: LanguageTargets | undefined, files: Readonly<Record<string, string>> = {}): Promise<CheckResult> {
  return checkResult({ model: "chat", ...check }, files, "s", language === undefined ? {} : { language });
}
