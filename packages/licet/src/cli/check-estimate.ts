import { openSuite, type LanguageTargets, type RunSuiteOptions } from "@licet/assurance";
import type { AssuranceCheck, AssuranceSection } from "@licet/contract";
import type { ModelPrice } from "./check-prices.ts";

type ChatMessages = Parameters<NonNullable<ReturnType<LanguageTargets["open"]>>["chat"]>[0]["messages"];

/** What a check will ask at most, found by asking nobody. */
export interface Estimate {
  readonly check: string;
  readonly queries: number;
  readonly promptTokens: number;
  /** As many as the answers may have. */
  readonly answerTokens: number;
  /** By currency; models without a known price are in `unpriced`. */
  readonly money: number;
  readonly currency: string | null;
  readonly unpriced: readonly string[];
}

interface Asked {
  queries: number;
  promptTokens: number;
  answerTokens: number;
}

/** A rule of thumb for texts in Latin letters; the bound of the answer is the larger part by far. */
const charactersAToken = 4;

interface Estimating {
  readonly plan: Pick<RunSuiteOptions, "seed" | "planned">;
  readonly prices: Readonly<Record<string, ModelPrice>>;
  /** What says how much is asked, where that stands in a file. Default: none. */
  readonly files?: Pick<RunSuiteOptions, "root" | "resolve">;
}

const nothing: Required<Estimating>["files"] = { root: ".", resolve: () => undefined };

/** Runs the checks that ask models against one that answers at once, and counts. Nothing is sent. */
export async function estimateChecks({ checks }: AssuranceSection, targets: LanguageTargets, { plan, prices, files = nothing }: Estimating): Promise<readonly Estimate[]> {
  const estimates: Estimate[] = [];
  for (const check of checks.filter(asksModel)) {
    const asked = new Map<string, Asked>();
    await using suite = openSuite({ ...files, ...plan, release: null, now: () => 0, language: counting(targets, asked) });
    await suite.run(whole(check));
    estimates.push(estimateOf(check.id, asked, prices));
  }
  return estimates;
}

export function asksModel(check: AssuranceCheck): boolean {
  return check.check.startsWith("llm.") && "model" in check;
}

/** A sequential run may end early; what it takes at most is what is promised. */
function whole(check: AssuranceCheck): AssuranceCheck {
  if (!("sequential" in check)) return check;
  const { sequential: _, ...rest } = check;
  return rest;
}

function counting(targets: LanguageTargets, asked: Map<string, Asked>): LanguageTargets {
  return {
    system: (prompt) => targets.system(prompt),
    open: (model) => {
      const target = targets.open(model);
      if (target === undefined) return undefined;
      const count = asked.get(model) ?? { queries: 0, promptTokens: 0, answerTokens: 0 };
      asked.set(model, count);
      return {
        ...target,
        chat: async ({ messages, tools, tokensMax }) => {
          count.queries += 1;
          count.promptTokens += Math.ceil((messages.reduce((sum, { text }) => sum + text.length, 0) + JSON.stringify(tools ?? []).length) / charactersAToken);
          count.answerTokens += tokensMax;
          return { text: answerTo(messages), calls: [], usage: { promptTokens: 0, completionTokens: 0 }, status: 200, defect: undefined, wallMs: 0 };
        },
      };
    },
  };
}

/** A judge's question has to be answered, or the run would end early: the word for none stands in it. */
function answerTo([first]: ChatMessages): string {
  return /(\S+) if not[,.]/u.exec(first?.text ?? "")?.[1] ?? "Understood.";
}

function estimateOf(check: string, asked: ReadonlyMap<string, Asked>, prices: Readonly<Record<string, ModelPrice>>): Estimate {
  const all = [...asked];
  const sum = (of: keyof Asked) => all.reduce((total, [, count]) => total + count[of], 0);
  const priced = all.flatMap(([model, count]) => (prices[model] === undefined ? [] : [{ price: prices[model], count }]));
  return {
    check,
    queries: sum("queries"),
    promptTokens: sum("promptTokens"),
    answerTokens: sum("answerTokens"),
    money: priced.reduce((total, { price, count }) => total + (count.promptTokens * price.prompt + count.answerTokens * price.completion) / 1e6, 0),
    currency: priced[0]?.price.currency ?? null,
    unpriced: all.flatMap(([model]) => (prices[model] === undefined ? [model] : [])),
  };
}
