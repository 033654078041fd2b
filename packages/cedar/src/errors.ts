export type CedarErrorCode = "policy_invalid" | "schema_invalid" | "entity_invalid" | "request_invalid" | "value_invalid";

/** What was given is not what Cedar accepts: `at` is the path to the place, such as `staticPolicies.p1.conditions[0].body`. */
export class CedarError extends Error {
  override readonly name = "CedarError";
  readonly code: CedarErrorCode;
  readonly at: string;

  constructor(code: CedarErrorCode, at: string, message: string) {
    const place = shortened(at);
    super(place === "" ? message : `${place}: ${message}`);
    this.code = code;
    this.at = place;
  }
}

const atLengthMax = 300;

/** A path is as deep and its names as long as whoever wrote the input wants: begin and end tell enough. */
function shortened(at: string): string {
  if (at.length <= atLengthMax) return at;
  const half = atLengthMax / 2 - 1;
  return `${at.slice(0, half)}…${at.slice(-half)}`;
}

/**
 * A policy's evaluation failed; Cedar then skips the policy.
 * Internal: instances are made once (by module or by compiled expression) and thrown again, as taking a stack costs more than a decision.
 * Their messages hold no request data, so that an answer can be logged.
 */
export class EvaluationError extends Error {
  override readonly name = "EvaluationError";
}

/** A thrower whose error is made at its first use and thrown again from then on. */
export function thrower(message: string): () => never {
  let error: EvaluationError | undefined;
  return () => {
    error ??= new EvaluationError(message);
    throw error;
  };
}

const typeThrowers = new Map<string, () => never>();

/** Throws that a value is not of the type an operator asks for. `expected` comes from our own code, so the table stays small. */
export function failType(expected: string): never {
  let fail = typeThrowers.get(expected);
  if (fail === undefined) {
    fail = thrower(`type error: expected ${expected}`);
    typeThrowers.set(expected, fail);
  }
  return fail();
}
