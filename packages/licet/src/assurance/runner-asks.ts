import type { ReleaseBundle, RunnerBudget } from "@licet/contract";
import { z } from "zod";

const bodyCharactersMax = 4 * 1024 * 1024;
const text = z.string().max(bodyCharactersMax);

/** What the runner's worker asks of the process around it: it has no network and no keys. */
export const RunnerAsk = z.discriminatedUnion("kind", [
  /** A question to a declared model, as its provider takes it. */
  z.object({ kind: z.literal("model"), id: z.int(), model: z.string(), body: text }),
  /** A call through the gateway, with what the provider is to answer. */
  z.object({ kind: z.literal("defence"), id: z.int(), model: z.string(), body: text, answer: z.object({ status: z.int(), contentType: z.string(), body: text }) }),
]);
export type RunnerAsk = z.infer<typeof RunnerAsk>;

export const RunnerAnswer = z.object({ status: z.int(), contentType: z.string(), retryAfter: z.string().optional(), body: z.string() });
export type RunnerAnswer = z.infer<typeof RunnerAnswer>;

/** `failed`: nobody answered, for the reason of this code. */
export const RunnerReply = z.object({ id: z.int(), answer: RunnerAnswer.optional(), failed: z.string().optional() });
export type RunnerReply = z.infer<typeof RunnerReply>;

/** What one run has answered. */
export interface RunnerAsks {
  /** Throws a LicetError where the question may not leave, or the provider does not answer. */
  readonly ask: (model: string, body: string) => Promise<RunnerAnswer>;
  /** One call through the gateway's own pipeline, whose provider answers so: nothing leaves. */
  readonly replay: (model: string, body: string, answer: RunnerAnswer) => Promise<RunnerAnswer>;
}

/** What a run of one release may ask, by what is registered and published in its space. */
export interface UnderTest {
  /** Declared models whose provider is registered, with the protocol that it speaks. */
  readonly models: ReadonlyMap<string, { readonly dialect: "openai" | "anthropic"; readonly model: string }>;
  /** What decides in a replay, in sentences. */
  readonly notes: readonly string[];
  /** The questions of one ticket, within what it may spend. Each is durable in the log before it leaves, and its answer before it is used. */
  readonly questions: (run: { readonly ticket: string; readonly budget: RunnerBudget }) => RunnerAsks["ask"];
  readonly replay: RunnerAsks["replay"];
  readonly close: () => Promise<void>;
}

export interface TestedRelease {
  readonly space: string;
  readonly system: string;
  readonly bundle: ReleaseBundle;
}

/** Made where the gateway is wired, above this folder. */
export type OpenUnderTest = (release: TestedRelease) => Promise<UnderTest>;

/** Far above every budget: a worker that asks without end is not served. */
const asksMax = 20_000_000;

/** Answers a worker's questions; owned by one run. Of more questions than a run may have none is answered. */
export function answering(asks: RunnerAsks | undefined): (message: unknown) => Promise<RunnerReply | undefined> {
  let asked = 0;
  return async (message) => {
    const ask = RunnerAsk.safeParse(message).data;
    if (ask === undefined) return undefined;
    asked += 1;
    const { id } = ask;
    if (asks === undefined || asked > asksMax) return { id, failed: "endpoint_unknown" };
    try {
      return { id, answer: ask.kind === "model" ? await asks.ask(ask.model, ask.body) : await asks.replay(ask.model, ask.body, ask.answer) };
    } catch (error) {
      return { id, failed: codeOf(error) };
    }
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "internal";
}
