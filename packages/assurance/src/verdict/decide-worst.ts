import type { Bounds } from "../stats/proportion.ts";
import { compared, type Limit, type Outcome } from "./outcome.ts";
import { withheld } from "./settle.ts";

/** One of several figures with the bounds that serve its verdict. */
export interface Judged extends Bounds {
  readonly estimate: number;
}

/**
 * The bounds of one of `size` figures: the one that serves a pass is not corrected, for all must hold (intersection-union
 * test); the one that serves a fail is corrected by Bonferroni, for one is enough.
 */
export function boundsOfMany({ lower, upper }: Ends, { op, alpha }: Limit, size: number): Bounds {
  const corrected = alpha / size;
  return op === "<=" ? { lower: lower(corrected), upper: upper(alpha) } : { lower: lower(alpha), upper: upper(corrected) };
}

/** Both bounds of a figure, each by itself for an error rate. */
export interface Ends {
  readonly lower: (alpha: number) => number;
  readonly upper: (alpha: number) => number;
}

export function endsOf(bounds: (alpha: number) => Bounds): Ends {
  return { lower: (alpha) => bounds(alpha).lower, upper: (alpha) => bounds(alpha).upper };
}

export interface Worst {
  readonly method: string;
  /** Why there is no pass, whatever these figures say: of another one nothing is known. It can keep nobody from failing. */
  readonly open?: string | undefined;
  readonly required: () => number | undefined;
}

/** Several figures against one limit: the worst of each bound decides. */
export function decideWorst(figures: readonly Judged[], limit: Limit, { method, open, required }: Worst): Outcome {
  const worst = limit.op === "<=" ? Math.max : Math.min;
  const of = (key: keyof Judged) => figures.map((figure) => figure[key]).reduce((a, b) => worst(a, b));
  const outcome = compared({ method, estimate: of("estimate"), bounds: { lower: of("lower"), upper: of("upper") }, limit }, required);
  return open === undefined || outcome.verdict === "fail" ? outcome : withheld(outcome, open);
}
