import type { AssuranceCheck, CheckBasis, CheckResult } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { z } from "zod";
import type { Components } from "../suite/component.ts";
import { type Limit, type Outcome, silent } from "../verdict/outcome.ts";
import { hollowness } from "./hollow.ts";
import type { CaseCount, CheckDefinition, DeclaredLimit, Measured, RunContext } from "./definition.ts";

/** What a check of its own kind of figures measured. */
export interface MeasuredStatistics<S> extends Omit<Measured, "measurement"> {
  readonly figures: S;
  readonly counts: CheckResult["counts"];
  readonly notes: readonly string[];
  /** Rows or prompts sent to a model. Default: none. */
  readonly queries?: number;
  /** The figures rest on true answers, and all of those are the same. */
  readonly oneClass?: boolean | undefined;
}

/** A check whose verdict follows from figures of its own form, which nobody else has. */
export interface StatisticsCheck<C extends AssuranceCheck, S> {
  readonly check: C["check"];
  readonly version: string;
  readonly op: DeclaredLimit["op"];
  /** True where it draws nothing: another seed gives the same figures. */
  readonly exact?: true;
  /** True where it depends on more than files and seed: never remembered from an earlier run. */
  readonly fresh?: true;
  readonly unit: string | ((check: C) => string);
  /** The form of its figures, with a bound on every list: a record is hostile until it has been through this. */
  readonly figures: z.ZodType<S>;
  limitValue(check: C): number;
  components(check: C): readonly string[];
  /** How many cases of the kind that `requiredN` speaks of there are. Default: nobody can say. */
  readonly cases?: (figures: S) => readonly CaseCount[];
  measure(check: C, components: Components, context: RunContext): Promise<MeasuredStatistics<S>>;
  readonly decide: (figures: S, limit: Limit) => Outcome;
}

export function statisticsCheck<C extends AssuranceCheck, S>({ figures: form, unit, cases, decide, ...check }: StatisticsCheck<C, S>): CheckDefinition<C> {
  const read = (basis: CheckBasis) => (basis.kind === "statistics" && basis.of === check.check ? form.safeParse(basis.figures).data : undefined);
  return {
    ...check,
    bases: ["statistics"],
    mismatch: (basis) => mismatch(check.check, form, basis),
    cases: (basis) => {
      const figures = read(basis);
      return figures === undefined ? [] : (cases?.(figures) ?? []);
    },
    decide: (basis, limit) => {
      const figures = read(basis);
      return figures === undefined ? silent("tool_error") : decide(figures, limit);
    },
    measure: async (declared, components, context) => {
      const { figures, counts, notes, queries = 0, oneClass, ...measured } = await check.measure(declared, components, context);
      const limit = { op: check.op, value: check.limitValue(declared) };
      const rest = { counts, unit: typeof unit === "string" ? unit : unit(declared), limit, queries };
      const hollow = hollowness({ figures, counts, inputs: measured.inputs, oneClass });
      if (hollow !== undefined && (hollow.always || decide(figures, { ...limit, alpha: context.alpha, source: "manifest" }).verdict === "pass")) {
        return { ...measured, measurement: { ...rest, basis: { kind: "none", reason: hollow.reason }, notes: [hollow.note] } };
      }
      // Only what survives its own form is recorded: whoever derives the verdict again reads the same.
      const plain: unknown = parseJson(JSON.stringify(form.parse(figures)));
      const basis: CheckBasis = { kind: "statistics", of: check.check, figures: z.record(z.string(), z.unknown()).parse(plain) };
      return { ...measured, measurement: { ...rest, basis, notes } };
    },
  };
}

function mismatch(check: string, form: z.ZodType, basis: CheckBasis): string | undefined {
  if (basis.kind !== "statistics" || basis.of !== check) return `\`${check}\` is derived from its own figures`;
  return form.safeParse(basis.figures).success ? undefined : `the figures do not have the form of \`${check}\``;
}
