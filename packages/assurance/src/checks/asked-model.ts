import { LicetError } from "@licet/contract";
import type { Chat, ChatReply } from "../llm/client/chat.ts";
import { stale } from "../subject/version-pin.ts";
import type { RunContext } from "./definition.ts";

/** A model of a provider, as it was found when it was asked first. */
export interface AskedModel {
  readonly chat: Chat;
  readonly digest: string;
  /** To be called after its last answer. Throws `subject_stale` where it answered under another name than before. */
  readonly unchanged: () => void;
}

const unasked: ChatReply = { text: "", calls: [], usage: null, status: null, defect: "aborted", wallMs: 0 };

/**
 * The declared model, whose answers name what answers: providers put the snapshot into it. Once another name answers,
 * nothing more is asked, for what was asked before says nothing of it.
 */
export function askedModel(model: string, { language }: RunContext): AskedModel {
  const target = language?.open(model);
  if (target === undefined) throw new LicetError("endpoint_unknown", { message: `nobody said where \`${model}\` answers: run \`licet check\` with --endpoint`, at: { component: model } });
  const named = new Set<string>();
  return {
    digest: target.digest,
    chat: async (request) => {
      if (named.size > 1) return unasked;
      const reply = await target.chat(request);
      if (reply.model !== undefined) named.add(reply.model);
      return reply;
    },
    unchanged: () => {
      const [first = "", other] = named;
      if (other !== undefined) throw stale(`\`${first.slice(0, 100)}\` answered, and then \`${other.slice(0, 100)}\``);
    },
  };
}
