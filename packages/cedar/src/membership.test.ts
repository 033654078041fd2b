import { describe, expect, test } from "vitest";
import { byLicet, byWasm, permitWhen, world } from "./wasm-fixture.ts";

const entity = (type: string, id: string) => ({ Value: { __entity: { type, id } } });
const principal = { Var: "principal" };
const resource = { Var: "resource" };
const team = { ".": { left: principal, attr: "team" } };
const open = (name: string) => ({ ".": { left: { Var: "context" }, attr: name } });
const isIn = (left: unknown, right: unknown) => ({ in: { left, right } });
const strangers = [1, 2, 3, 4].map((index) => entity("Team", `stranger ${index}`));

/** What is on the right may be known when the policy is compiled, or only with the request. */
describe("`in` is what it is in cedar-wasm:", () => {
  const conditions: Readonly<Record<string, unknown>> = {
    "a parent": isIn(principal, entity("Team", "blue")),
    "an ancestor": isIn(principal, entity("Team", "all")),
    "no ancestor": isIn(principal, entity("Team", "red")),
    "the entity itself": isIn(principal, principal),
    "the entity itself, which nobody has given": isIn(entity("X", "y"), entity("X", "y")),
    "below instead of above": isIn(entity("Team", "all"), principal),
    "an ancestor among constants": isIn(principal, { Set: [entity("Team", "red"), entity("Team", "all")] }),
    "none among constants": isIn(principal, { Set: [entity("Team", "red")] }),
    "the entity itself among constants": isIn(principal, { Set: [entity("User", "ann")] }),
    "an empty set": isIn(principal, { Set: [] }),
    "an ancestor in a set of the request": isIn(principal, { Set: [resource, team] }),
    "an ancestor in a set larger than its ancestors": isIn(principal, { Set: [...strangers, team] }),
    "none in a set larger than its ancestors": isIn(principal, { Set: [...strangers, resource] }),
    "none in a set of the request": isIn(principal, { Set: [resource] }),
    "the entity itself in a set of the request": isIn(principal, { Set: [principal, resource] }),
    "an entity without ancestors in a set": isIn(entity("X", "y"), { Set: [resource, team] }),
    "a set with a long": isIn(principal, { Set: [team, open("one")] }),
    "a set with a record": isIn(principal, { Set: [team, open("nested")] }),
    "a set with a record before an entity": isIn(principal, { Set: [open("nested"), team] }),
    "a set with nothing but a record": isIn(principal, { Set: [open("nested")] }),
    "a set with nothing but a long": isIn(principal, { Set: [open("one")] }),
    "a set of the request with others than entities": isIn(principal, open("list")),
    "a long": isIn(principal, open("one")),
    "a text": isIn(principal, open("text")),
    "a record": isIn(principal, open("nested")),
    "a constant that is no entity": isIn(principal, { Value: 1 }),
    "a long on the left": isIn(open("one"), principal),
    "a set on the left": isIn({ Set: [principal] }, principal),
    "a constant long on the left": isIn({ Value: 1 }, principal),
    "an entity of the request": isIn(open("who"), team),
  };
  test.each(Object.keys(conditions))("%s", (name) => {
    for (const body of [conditions[name], { "!": { arg: conditions[name] } }]) {
      const policies = { staticPolicies: { p: permitWhen(body) } };
      expect(byLicet({ ...world, policies })).toBe(byWasm({ ...world, policies }));
    }
  });
});
