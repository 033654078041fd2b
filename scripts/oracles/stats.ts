import { bonferroni, clopperPearson, decide, holm, newcombe, wilson, zeroEventTrials, type Bounds } from "../../packages/assurance/src/index.ts";
import { json, type OracleOptions, type Tally } from "./tally.ts";

type Pair = readonly [number, number];

interface Expected {
  readonly proportions: readonly (Record<"k" | "n" | "confidence" | "clopper_pearson_one_sided_lower" | "clopper_pearson_one_sided_upper" | "wilson_one_sided_lower" | "wilson_one_sided_upper", number> & Record<"wilson" | "clopper_pearson", Pair>)[];
  readonly two_proportions: readonly (Record<"k1" | "n1" | "k2" | "n2", number> & Record<"newcombe_0.9" | "newcombe_0.95", Pair>)[];
  readonly zero_failure_sample_size: readonly Record<"max_rate" | "confidence" | "n", number>[];
  readonly gate_verdicts_max_rate: readonly (Record<"k" | "n" | "max_rate" | "alpha" | "upper" | "lower", number> & { readonly verdict: string })[];
  readonly multiple_testing: readonly ({ readonly p: readonly number[] } & Record<"holm" | "bonferroni", { readonly adjusted: readonly number[] }>)[];
}

export function compareStats(tally: Tally, options: OracleOptions): void {
  const expected = json(options, "stats/expected.json") as Expected;
  const both = (name: string, bounds: Bounds, pair: Pair) => {
    tally.near(`${name} lower`, bounds.lower, pair[0]);
    tally.near(`${name} upper`, bounds.upper, pair[1]);
  };
  for (const row of expected.proportions) {
    const { k, n } = row;
    const alpha = 1 - row.confidence;
    const at = `${k} of ${n} at ${row.confidence}`;
    both(`clopper-pearson ${at}`, clopperPearson(k, n, alpha / 2), row.clopper_pearson);
    both(`wilson ${at}`, wilson(k, n, alpha / 2), row.wilson);
    both(`one-sided clopper-pearson ${at}`, clopperPearson(k, n, alpha), [row.clopper_pearson_one_sided_lower, row.clopper_pearson_one_sided_upper]);
    both(`one-sided wilson ${at}`, wilson(k, n, alpha), [row.wilson_one_sided_lower, row.wilson_one_sided_upper]);
  }
  for (const row of expected.two_proportions) {
    const [first, second] = [{ events: row.k1, n: row.n1 }, { events: row.k2, n: row.n2 }];
    both("newcombe 0.9", newcombe(first, second, 0.05), row["newcombe_0.9"]);
    both("newcombe 0.95", newcombe(first, second, 0.025), row["newcombe_0.95"]);
  }
  for (const row of expected.zero_failure_sample_size) tally.same(`zero failures ${row.max_rate}`, zeroEventTrials(row.max_rate, 1 - row.confidence), row.n);
  for (const row of expected.gate_verdicts_max_rate) {
    const limit = { op: "<=", value: row.max_rate, alpha: row.alpha, source: "oracle" } as const;
    const outcome = decide({ kind: "rate", events: row.k, n: row.n, degenerate: null }, limit, { attempted: row.n, assessed: row.n, unassessed: 0 });
    tally.same(`gate ${row.k} of ${row.n} <= ${row.max_rate}`, outcome.verdict, row.verdict);
    both(`gate ${row.k} of ${row.n}`, clopperPearson(row.k, row.n, row.alpha), [row.lower, row.upper]);
  }
  for (const row of expected.multiple_testing) {
    for (const [index, value] of holm(row.p).entries()) tally.near("holm", value, row.holm.adjusted[index]);
    for (const [index, value] of bonferroni(row.p).entries()) tally.near("bonferroni", value, row.bonferroni.adjusted[index]);
  }
}
