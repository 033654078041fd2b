import { expect, test } from "vitest";
import { CedarError, EvaluationError, failType, thrower } from "./errors.ts";

function thrown(fail: () => never): unknown {
  try {
    return fail();
  } catch (error) {
    return error;
  }
}

test("a place of 300 characters is told whole, of a longer one the begin and the end", () => {
  const whole = `${"a".repeat(150)}${"b".repeat(150)}`;
  expect(new CedarError("policy_invalid", whole, "wrong")).toMatchObject({ at: whole, message: `${whole}: wrong` });
  const long = `${"a".repeat(150)}x${"b".repeat(150)}`;
  const told = `${"a".repeat(149)}…${"b".repeat(149)}`;
  expect(new CedarError("policy_invalid", long, "wrong")).toMatchObject({ at: told, message: `${told}: wrong` });
});

test("errors are told by their names", () => {
  expect([new CedarError("value_invalid", "", "wrong").name, new EvaluationError("wrong").name]).toEqual(["CedarError", "EvaluationError"]);
});

test("an evaluation error is made once and thrown again, as telling where each came from would cost more than a decision", () => {
  const fail = thrower("wrong");
  expect(thrown(fail)).toBeInstanceOf(EvaluationError);
  expect(thrown(fail)).toBe(thrown(fail));
  // A type that nothing has asked for yet.
  const type = `type ${Math.random()}`;
  const first = thrown(() => failType(type));
  expect(first).toBeInstanceOf(EvaluationError);
  expect(first).toMatchObject({ message: `type error: expected ${type}` });
  expect(thrown(() => failType(type))).toBe(first);
});
