import { EvaluationError, failType } from "./errors.ts";
import type { Var } from "./json.ts";
import type { Evaluate, Query, Test } from "./query.ts";
import type { Value } from "./values.ts";

/**
 * A compiled expression. What the request cannot change is computed when the policy is compiled:
 * a constant, or an error that every evaluation that comes to the expression meets.
 */
export type Compiled =
  | { readonly kind: "constant"; readonly value: Value; readonly run: Evaluate }
  | { readonly kind: "failing"; readonly run: () => never }
  | { readonly kind: "dynamic"; readonly run: Evaluate; readonly boolean: false; readonly variable?: Var }
  /** A result, where there is one, that needs no check; `all` are the tests of which it is the conjunction, in order. */
  | { readonly kind: "dynamic"; readonly run: Test; readonly boolean: true; readonly all?: readonly Test[] };

export function constant(value: Value): Compiled {
  return { kind: "constant", value, run: () => value };
}

export function failing(run: () => never): Compiled {
  return { kind: "failing", run };
}

export function dynamic(run: Evaluate): Compiled {
  return { kind: "dynamic", run, boolean: false };
}

export function test(run: Test): Compiled {
  return { kind: "dynamic", run, boolean: true };
}

/** At least two tests that are made in order, until one does not hold. One call for a few of them, instead of one for each pair. */
export function conjunctionOf(all: readonly Test[]): Compiled {
  return { kind: "dynamic", run: every(all), boolean: true, all };
}

function every(tests: readonly Test[]): Test {
  const [first = always, second = always, third, fourth, ...others] = tests;
  if (third === undefined) return (query) => first(query) && second(query);
  if (fourth === undefined) return (query) => first(query) && second(query) && third(query);
  if (others.length === 0) return (query) => first(query) && second(query) && third(query) && fourth(query);
  const rest = every([fourth, ...others]);
  return (query) => first(query) && second(query) && third(query) && rest(query);
}

const always: Test = () => true;

/** Computes now; an evaluation error becomes an expression that fails when it is reached. */
export function compute(make: () => Value): Compiled {
  try {
    return constant(make());
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    return failing(() => {
      throw error;
    });
  }
}

export function asBoolean(value: Value): boolean {
  return value === true || value === false ? value : failType("bool");
}

/** The expression as a condition: a result that is no boolean is an error. */
export function condition(compiled: Compiled): Compiled {
  if (compiled.kind === "constant") return compute(() => asBoolean(compiled.value));
  if (compiled.kind === "failing" || compiled.boolean) return compiled;
  const { run } = compiled;
  return test((query) => asBoolean(run(query)));
}

/** What `condition` gave, to be asked. */
export function testOf(condition: Compiled): Test {
  if (condition.kind === "failing" || (condition.kind === "dynamic" && condition.boolean)) return condition.run;
  const { run } = condition;
  return (query) => run(query) === true;
}

/** An operator of one argument that depends on nothing else. */
export function unary<Result extends Value>(operator: (value: Value) => Result, make: (run: (query: Query) => Result) => Compiled, arg: Compiled): Compiled {
  if (arg.kind === "failing") return arg;
  if (arg.kind === "constant") return compute(() => operator(arg.value));
  const { run } = arg;
  return make((query) => operator(run(query)));
}

/** An operator of two arguments that depends on nothing else. Both are always evaluated, so if one fails, so does the whole. */
export function binary<Result extends Value>(
  operator: (left: Value, right: Value) => Result,
  make: (run: (query: Query) => Result) => Compiled,
  operands: readonly [Compiled, Compiled],
): Compiled {
  const [left, right] = operands;
  if (left.kind === "failing") return left;
  if (right.kind === "failing") return right;
  if (left.kind === "constant" && right.kind === "constant") return compute(() => operator(left.value, right.value));
  const runLeft = left.run;
  if (right.kind === "constant") {
    const { value } = right;
    return make((query) => operator(runLeft(query), value));
  }
  const runRight = right.run;
  return make((query) => operator(runLeft(query), runRight(query)));
}

