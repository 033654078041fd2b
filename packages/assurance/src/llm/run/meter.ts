import type { Chat, ChatReply } from "../client/chat.ts";
import type { Budget } from "./execute.ts";

export interface MeteredChat {
  readonly chat: Chat;
  readonly asked: () => number;
}

const unasked: ChatReply = { text: "", calls: [], usage: null, status: null, defect: "aborted", wallMs: 0 };

/** One budget over several models that a check asks, such as a judge beside the model under test: what lies beyond it is not asked. */
export class Meter {
  readonly #budget: Budget;
  readonly #now: () => number;
  readonly #started: number;
  #queries = 0;
  #promptTokens = 0;
  #completionTokens = 0;

  constructor(budget: Budget = {}, now: () => number = () => performance.now()) {
    this.#budget = budget;
    this.#now = now;
    this.#started = now();
  }

  of(chat: Chat): MeteredChat {
    let asked = 0;
    return {
      asked: () => asked,
      chat: async (request) => {
        if (this.#spent()) return unasked;
        this.#queries += 1;
        asked += 1;
        const reply = await chat(request);
        this.#promptTokens += reply.usage?.promptTokens ?? 0;
        this.#completionTokens += reply.usage?.completionTokens ?? 0;
        return reply;
      },
    };
  }

  #spent(): boolean {
    const { queriesMax = Infinity, tokensMax = Infinity, moneyMax = Infinity, timeMsMax = Infinity, price = { prompt: 0, completion: 0 } } = this.#budget;
    const money = (this.#promptTokens * price.prompt + this.#completionTokens * price.completion) / 1e6;
    return this.#queries >= queriesMax || this.#promptTokens + this.#completionTokens >= tokensMax || money >= moneyMax || this.#now() - this.#started >= timeMsMax;
  }
}
