import { canonicalize } from "@licet/evidence";
import { LicetError } from "@licet/contract";
import type { Bundle, GoldenDecision } from "./bundle-form.ts";
import type { PolicyDecision } from "./decide.ts";
import type { PolicyRequest } from "./request.ts";
import { outcomeOf, type Outcome } from "./scenario-outcome.ts";

/** Bounds of what a bundle carries for its own proof. */
export const goldenMax = 1000;
export const goldenBytesMax = 2 * 1024 * 1024;

/** What cedar-wasm answered to each request, for whoever loads the bundle later. Each request stands once. */
export function goldenDecisions(judged: readonly { readonly request: PolicyRequest; readonly outcome: Outcome }[]): readonly GoldenDecision[] {
  const seen = new Set<string>();
  const golden: GoldenDecision[] = [];
  let bytes = 0;
  for (const { request, outcome } of judged) {
    const text = canonicalize(request);
    if (seen.has(text)) continue;
    seen.add(text);
    bytes += text.length;
    if (golden.length >= goldenMax || bytes > goldenBytesMax) break;
    golden.push({ request, ...goldenOutcome(outcome) });
  }
  return golden;
}

function goldenOutcome({ decision, reasons, errors, warnings, shadowed }: Outcome): Omit<GoldenDecision, "request"> {
  const advisory = [...warnings, ...shadowed];
  return { decision, reasons, errors: [...new Set(errors)], ...(advisory.length > 0 && { advisory }) };
}

/** Decides every golden request again; throws `policy_golden` at the first that comes out differently. */
export function replayGolden({ golden }: Pick<Bundle, "golden">, decider: { decide(request: PolicyRequest): PolicyDecision }): void {
  for (const [index, { request, ...expected }] of golden.entries()) {
    const came = goldenOutcome(outcomeOf(decider.decide(request)));
    if (sameOutcome(came, expected)) continue;
    throw new LicetError("policy_golden", { message: `golden decision ${index} comes out as ${canonicalize(came)} and was published as ${canonicalize(expected)}` });
  }
}

function sameOutcome(a: Omit<GoldenDecision, "request">, b: Omit<GoldenDecision, "request">): boolean {
  return a.decision === b.decision && sameList(a.reasons, b.reasons) && sameList(a.errors, b.errors) && sameList(a.advisory ?? [], b.advisory ?? []);
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each, index) => each === b[index]);
}
