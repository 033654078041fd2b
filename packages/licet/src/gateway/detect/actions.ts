import { detectionActions, type DetectionAction, type DetectionRule, type FindingClass } from "@licet/contract";

/** What an organisation declared, for everybody and, on top, for the systems of its team packs. */
export interface DeclaredActions {
  readonly everybody: readonly DetectionRule[];
  readonly teams: readonly DetectionRule[];
}

/** What is done where nobody has declared anything, beside what the boundary asks. */
const defaultActions: Readonly<Record<string, DetectionAction>> = { secret: "block", attack: "flag", canary: "block", "invisible-text": "block" };

export type ActionOf = (type: string, boundary: readonly string[]) => DetectionAction;

/**
 * A type counts before its class, and of several packs the strictest. What lies outside the boundary is blocked unless
 * the organisation takes it out in another way; a team can only make it stricter.
 */
export function actionsOf({ everybody, teams }: DeclaredActions, classes: ReadonlyMap<string, FindingClass>): ActionOf {
  const own = byName(everybody);
  const team = byName(teams);
  const isBoundary = (kind: FindingClass) => kind !== "secret" && kind !== "attack";
  return (type, boundary) => {
    const kind = classes.get(type) ?? "attack";
    const declared = own.get(type) ?? own.get(kind);
    const outside = isBoundary(kind) && !boundary.includes(kind);
    const base = outside ? (declared === undefined || declared === "flag" ? "block" : declared) : (declared ?? defaultActions[type] ?? defaultActions[kind] ?? "flag");
    return [team.get(type), team.get(kind)].reduce<DetectionAction>((strict, each) => stricter(strict, each), base);
  };
}

function byName(rules: readonly DetectionRule[]): ReadonlyMap<string, DetectionAction> {
  const found = new Map<string, DetectionAction>();
  for (const { of, action } of rules) found.set(of, stricter(action, found.get(of)));
  return found;
}

export function stricter(one: DetectionAction, other: DetectionAction | undefined): DetectionAction {
  return other !== undefined && detectionActions.indexOf(other) > detectionActions.indexOf(one) ? other : one;
}
