import type { MessagePort } from "node:worker_threads";
import { openChat, type LanguageTargets, type Send } from "@licet/assurance";
import { z } from "zod";
import { RunnerBudget } from "@licet/contract";
import { LicetError } from "../base/errors.ts";
import { type RunnerAsk, type RunnerAnswer, RunnerReply } from "./runner-asks.ts";

/** What a run is told of language models. */
export const RunnerLanguage = z.object({
  /** By the names of the manifest: those whose provider is registered. */
  models: z.record(z.string(), z.object({ dialect: z.enum(["openai", "anthropic"]), model: z.string(), digest: z.string() })),
  prompts: z.array(z.object({ name: z.string(), text: z.string(), holes: z.array(z.string()) })),
  notes: z.array(z.string()),
  /** Milliseconds since the epoch after which no further question begins, so that the run ends with a report. */
  until: z.number(),
  budget: RunnerBudget,
});
export type RunnerLanguage = z.infer<typeof RunnerLanguage>;

type Unnumbered = RunnerAsk extends infer A ? (A extends RunnerAsk ? Omit<A, "id"> : never) : never;

/** Questions to the process around the worker, several at a time. */
export class AskPort {
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, (reply: RunnerReply) => void>();
  #next = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on("message", (message: unknown) => {
      const reply = RunnerReply.safeParse(message).data;
      if (reply === undefined) return;
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    });
    // Only a question that waits keeps the worker alive.
    port.unref();
  }

  async ask(asked: Unnumbered): Promise<RunnerAnswer> {
    const id = (this.#next += 1);
    this.#port.ref();
    const reply = await new Promise<RunnerReply>((resolve) => {
      this.#waiting.set(id, resolve);
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of a worker has no origin
      this.#port.postMessage({ ...asked, id });
    });
    if (this.#waiting.size === 0) this.#port.unref();
    if (reply.answer !== undefined) return reply.answer;
    throw new LicetError("unreachable", { message: `the model could not be asked: \`${reply.failed ?? "no answer"}\`` });
  }
}

/** Declared models, asked through the installation's own providers. */
export function runnerTargets(language: RunnerLanguage, port: AskPort, now: () => number): LanguageTargets {
  const { models, notes, until, budget: { queries, tokens } } = language;
  const known = new Map(Object.entries(models));
  return {
    open: (name) => {
      const model = known.get(name);
      if (model === undefined) return undefined;
      const { dialect, digest } = model;
      return { digest, chat: openChat({ dialect, baseUrl: nowhere, model: model.model }, { send: through((body) => port.ask({ kind: "model", model: name, body })) }) };
    },
    system: (prompt) => ({ prompt: promptOf(language, prompt)?.text ?? "" }),
    defence: (name, prompt) => {
      const model = known.get(name);
      if (model === undefined) return undefined;
      const declared = promptOf(language, prompt);
      const sendWith = (upstream: (body: string) => RunnerAnswer): Send => through((body) => port.ask({ kind: "defence", model: name, body, answer: upstream(body) }));
      return { digest: model.digest, notes, gateway: { baseUrl: nowhere, model: name, prompt: declared === undefined ? "" : emptied(declared), sendWith } };
    },
    get budget() {
      return { queriesMax: queries, tokensMax: tokens, timeMsMax: Math.max(0, until - now()) };
    },
  };
}

/** The worker dials nothing: the name stands in no zone. */
const nowhere = "http://runner.invalid/v1";

function through(ask: (body: string) => Promise<RunnerAnswer>): Send {
  return async ({ body, signal }) => {
    const { status, contentType, retryAfter, body: text } = await Promise.race([ask(body), aborted(signal)]);
    return { status, contentType, retryAfter, body: once(text) };
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const ended = () => reject(new Error("aborted"));
    if (signal.aborted) ended();
    else signal.addEventListener("abort", ended, { once: true });
  });
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

type Prompt = RunnerLanguage["prompts"][number];

function promptOf({ prompts }: RunnerLanguage, wanted: string | undefined): Prompt | undefined {
  const declared = prompts.filter(({ name }) => wanted === undefined || name === wanted);
  const [only, another] = declared;
  if (wanted !== undefined && only === undefined) throw new LicetError("component_undeclared", { message: `the manifest declares no system prompt \`${wanted}\``, at: { component: wanted } });
  if (another !== undefined) throw new LicetError("component_undeclared", { message: "the manifest declares several system prompts: name one in the check with `prompt`" });
  return only;
}

/** A template with nothing in its holes is one that the gateway takes for its own. */
function emptied({ text, holes }: Prompt): string {
  return holes.reduce((filled, hole) => filled.replaceAll(`{{${hole}}}`, ""), text);
}
