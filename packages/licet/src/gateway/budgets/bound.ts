import type { ModelPrices } from "@licet/contract";
import type { ModelView } from "../snapshot.ts";

/** Above every instruction that a provider puts around tools and messages by itself (Anthropic: up to some 700 tokens for tools). */
const hiddenTokensMax = 1024;
/** Above what any model takes for one picture, however small it is sent (gpt-4o-mini: 48,169 for the largest). */
const imageTokensMax = 50_000;
const largest = 1_000_000_000;

interface Needing {
  readonly needs?: readonly { readonly permission: string }[] | undefined;
}

/** What a call needs, by the names of the dialects. */
interface Needing {
  readonly needs?: readonly { readonly permission: string }[] | undefined;
}

/** Bring no tokens of their own. */
const plain = /^(?:store|background|prompt-cache-24h|speed|inference-geo|service-tier)(?::|$)/u;
const image = /^image(?:-url)?(?::|$)/u;
/** The provider adds what it holds or opens itself, within one run of the model. */
const added = /^(?:file|file-url|audio|conversation|previous-response|prompt|beta|context-management|compaction)(?::|$)/u;
/** The provider charges more than the price that is known. */
const surcharged = /^(?:speed:fast|inference-geo|service-tier)(?::|$)/u;

/**
 * The most tokens that a prompt of so many bytes on the wire can have. A token of text stands for a byte at least (byte
 * pair encodings have no shorter ones), and JSON's own signs outnumber the marks between messages. Pictures are taken
 * at their largest. Infinity where the provider adds what it holds itself (files, conversations): then the model's own
 * limit is the bound.
 */
export function promptTokensAtMost({ bytes, needs = [] }: Needing & { readonly bytes: number }): number {
  const images = needs.filter(({ permission }) => image.test(permission)).length;
  return needs.some(({ permission }) => added.test(permission)) ? Infinity : bytes + hiddenTokensMax + images * imageTokensMax;
}

/** Tools that the provider runs by itself call the model again and again; so may all that is not known here. */
function endless({ needs = [] }: Needing): boolean {
  return needs.some(({ permission }) => ![plain, image, added].some((kind) => kind.test(permission)));
}

/** Whether the call costs more than the list says, by how much nobody knows. */
export function costsMore({ needs = [] }: Needing): boolean {
  return needs.some(({ permission }) => surcharged.test(permission));
}

export interface Bound {
  readonly prompt: number | undefined;
  readonly answer: number | undefined;
}

export interface Bounding extends Needing {
  readonly model: Pick<ModelView, "bounds">;
  readonly known: ModelPrices | undefined;
  readonly promptTokensAtMost: number;
  /** Of all answers together. */
  readonly answerTokensMax: number | undefined;
  readonly choices: number;
}

/** What one call can use at most: as it says, else as its release declares, else as its model can; undefined where nothing says so. */
export function bound({ model, known, promptTokensAtMost: prompt, answerTokensMax, choices, needs }: Bounding): Bound {
  if (endless({ needs })) return { prompt: undefined, answer: undefined };
  const perAnswer = declared(model) ?? known?.answerTokensMax;
  return {
    prompt: within(Math.min(prompt, known?.promptTokensMax ?? Infinity)),
    answer: within(answerTokensMax ?? (perAnswer === undefined ? Infinity : perAnswer * choices)),
  };
}

function declared({ bounds }: Pick<ModelView, "bounds">): number | undefined {
  const most = Math.min(bounds["max_tokens"]?.max ?? Infinity, bounds["max_completion_tokens"]?.max ?? Infinity);
  return Number.isFinite(most) ? Math.max(0, Math.floor(most)) : undefined;
}

/** A whole number that sums stay exact with. */
function within(tokens: number): number | undefined {
  return tokens >= 0 && tokens <= largest ? Math.ceil(tokens) : undefined;
}
