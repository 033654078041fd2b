import { errorInfo } from "@licet/contract";
import type { Diagnostic } from "../inventory/diagnostic.ts";
import type { Decider } from "./decide.ts";
import { outcomeOf, type Outcome } from "./scenario-outcome.ts";
import type { Scenario, ScenarioExpectation } from "./scenario-file.ts";

export { openScenarios, readScenarios, type OpenedScenarios, type Scenario, type ScenarioExpectation } from "./scenario-file.ts";

export interface ScenarioResult {
  readonly scenario: Scenario;
  readonly came: Outcome;
  /** Empty exactly when the scenario passed; each a sentence. */
  readonly differences: readonly string[];
}

/** Asks the decider what each scenario asks. Never throws: what goes wrong in a decision stands in its errors. */
export function runScenarios(decider: Pick<Decider, "decide">, scenarios: readonly Scenario[]): readonly ScenarioResult[] {
  return scenarios.map((scenario) => {
    const decision = decider.decide(scenario.request);
    const came = outcomeOf(decision);
    const broken = [...decision.errors, ...decision.advisoryErrors].map(({ policy, message }) => `\`${policy}\` could not be evaluated: ${message}`);
    // A policy that is only tried out errs unseen otherwise.
    const unseen = decision.advisoryErrors.length > 0 && came.errors.length === 0 ? broken : [];
    return { scenario, came, differences: [...differences(scenario.expect, came, broken), ...unseen] };
  });
}

function differences(expected: ScenarioExpectation, came: Outcome, broken: readonly string[]): readonly string[] {
  const decision = expected.decision === came.decision ? [] : [`expected ${expected.decision}, came ${came.decision}${came.reasons.length === 0 ? " (no policy applied)" : ` by ${list(came.reasons)}`}`];
  const errors = compared("errors", expected.errors ?? [], came.errors);
  return [
    ...decision,
    ...(expected.reasons === undefined ? [] : compared("reasons", expected.reasons, came.reasons)),
    ...(expected.warnings === undefined ? [] : compared("warnings", expected.warnings, came.warnings)),
    ...(expected.shadowed === undefined ? [] : compared("shadowed", expected.shadowed, came.shadowed)),
    ...errors,
    ...(errors.length === 0 ? [] : broken),
  ];
}

function compared(what: string, expected: readonly string[], came: readonly string[]): readonly string[] {
  const missing = expected.filter((id) => !came.includes(id));
  const extra = came.filter((id) => !expected.includes(id));
  return [
    ...(missing.length === 0 ? [] : [`${what}: ${list(missing)} expected, did not come`]),
    ...(extra.length === 0 ? [] : [`${what}: ${list(extra)} came, not expected`]),
  ];
}

function list(ids: readonly string[]): string {
  return ids.map((id) => `\`${id}\``).join(", ");
}

/** A failed scenario as a compiler would name it. */
export function scenarioDiagnostic({ scenario, differences: found }: ScenarioResult): Diagnostic {
  const { why, fix } = errorInfo("scenario_failed");
  const { file, line, column, name } = scenario;
  return { code: "scenario_failed", severity: "error", file, line, column, endLine: line, endColumn: column + name.length, pointer: "", message: `\`${name}\`: ${found.join("; ")}`, why, fix };
}
