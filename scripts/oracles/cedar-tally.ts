import { isUnreadable } from "./cedar-wasm.ts";
import { printable, summary, type Outcome } from "./cedar-compare.ts";

export type Area = "corpus" | "random" | "domain" | "requests" | "special";

/** Everything that is needed to see one difference again. */
export interface Mismatch {
  readonly area: Area;
  readonly what: string;
  readonly ours: string;
  readonly wasm: string;
  readonly input: unknown;
}

const mismatchesKept = 20;

/** Counts agreements of one area and keeps the first differences. */
export class CedarTally {
  readonly area: Area;
  matched = 0;
  total = 0;
  /** By what both said, so that a run that tests nothing can be seen. */
  readonly outcomes = new Map<string, number>();
  readonly mismatches: Mismatch[] = [];

  constructor(area: Area) {
    this.area = area;
  }

  outcome(what: string, { ours, wasm, input }: { readonly ours: Outcome; readonly wasm: Outcome; readonly input: () => unknown }): boolean {
    if (wasm.kind === "refused" && isUnreadable(wasm.message) && ours.kind !== "crashed") return true;
    const said = wasm.kind === "answer" ? `${wasm.decision}${wasm.errors.length > 0 ? " with errors" : ""}` : wasm.kind;
    const why = (outcome: Outcome) => (outcome.kind === "refused" ? `refused: ${outcome.message}` : summary(outcome));
    return this.same(what, { ours: summary(ours), wasm: summary(wasm), said, input, told: [why(ours), why(wasm)] });
  }

  same(what: string, pair: { readonly ours: string; readonly wasm: string; readonly said: string; readonly input: () => unknown; readonly told?: readonly [string, string] }): boolean {
    this.total += 1;
    this.outcomes.set(pair.said, (this.outcomes.get(pair.said) ?? 0) + 1);
    if (pair.ours === pair.wasm) {
      this.matched += 1;
      return true;
    }
    const [ours, wasm] = pair.told ?? [pair.ours, pair.wasm];
    if (this.mismatches.length < mismatchesKept) this.mismatches.push({ area: this.area, what, ours, wasm, input: printable(pair.input()) });
    return false;
  }

  describe(): string {
    const outcomes = [...this.outcomes].map(([said, count]) => `${said} ${count}`).toSorted((left, right) => left.localeCompare(right));
    return `${this.area}: ${this.matched} of ${this.total} the same (${outcomes.join(", ")})`;
  }
}
