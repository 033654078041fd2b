import { describe, expect, test } from "vitest";
import { packOf } from "./bundle-fixture.ts";
import { composeBundle } from "./compose.ts";
import { deciderOn } from "./decide.ts";
import { wasmEngine } from "./wasm-engine.ts";

const schema = `namespace Licet { entity U { n?: Long }; entity R; action any; action read, write in [any] appliesTo { principal: U, resource: R, context: {} }; }`;
const rules = `@id("own.all") permit (principal is Licet::U, action in Licet::Action::"any", resource);
@id("own.read") forbid (principal, action == Licet::Action::"read", resource) unless { principal has n && principal.n == 1 };`;
const scenarios = `v: 1
fixtures:
  read: { principal: 'Licet::U::"u"', action: 'Licet::Action::"read"', resource: 'Licet::R::"r"', entities: [{ uid: 'Licet::U::"u"', attrs: { n: 1 } }] }
scenarios:
  - { name: one reads, base: read, expect: { decision: allow, reasons: [own.all] } }
  - { name: another does not, base: read, set: { entities.Licet::U::u.attrs.n: 2 }, expect: { decision: deny, reasons: [own.read] } }
  - { name: another writes, base: read, set: { action: 'Licet::Action::"write"', entities.Licet::U::u.attrs.n: 2 }, expect: { decision: allow, reasons: [own.all] } }
`;
const source = { schema, builtin: [packOf({ name: "own", kind: "builtin" }, rules, { scenarios })] };
const known = composeBundle({ ...source, packs: [] }).bundle;
const forged = { ...known, golden: known.golden.map((each) => ({ ...each, decision: "deny" as const, reasons: [] })) };
const base = (head: string) => packOf({ name: "base", kind: "baseline" }, `@id("base.x") forbid (principal, ${head}, resource) unless { principal has n && principal.n != 2 };`);
const heads = ['action == Licet::Action::"read"', 'action == Licet::Action::"write"', 'action in [Licet::Action::"write"]', 'action in Licet::Action::"any"', "action"];

describe("what the installation's own bundle has proven", () => {
  test.each(heads)("is reused where nothing speaks of the action, and the bundle is the same byte by byte: %s", (head) => {
    expect(composeBundle({ ...source, packs: [base(head)] }, { known })).toEqual(composeBundle({ ...source, packs: [base(head)] }));
  });

  test("is asked of cedar-wasm again for every action that a new policy speaks of, and @licet/cedar judges what was reused", () => {
    for (const head of heads.slice(3)) expect(composeBundle({ ...source, packs: [base(head)] }, { known: forged }).bundle.golden.map(({ decision }) => decision)).toEqual(["allow", "deny", "deny"]);
    for (const head of heads.slice(0, 3)) expect(() => composeBundle({ ...source, packs: [base(head)] }, { known: forged })).toThrow(/golden decision/u);
  });

  test("counts for nothing under other types, and for a policy whose text changed", () => {
    const wider = { ...source, schema: schema.replace("n?: Long", "n?: Long, m?: Long") };
    expect(composeBundle({ ...wider, packs: [] }, { known: forged }).bundle.golden).toEqual(known.golden);
    const other = { ...source, builtin: [packOf({ name: "own", kind: "builtin" }, rules.replaceAll("principal.n == 1", "principal.n < 2").replaceAll("own.all\") permit (", "own.all\") permit  ("), { scenarios })] };
    expect(composeBundle({ ...other, packs: [] }, { known: forged }).bundle.golden).toEqual(known.golden);
  });
});

test("cedar-wasm is asked with the policies of the action alone, and every head that lets it in is among them", () => {
  for (const head of heads) {
    const { bundle } = composeBundle({ ...source, packs: [base(head)] }, { tested: false });
    const judge = deciderOn(bundle, wasmEngine(bundle));
    const decided = known.golden.map(({ request }) => judge.decide(request).reasons.map(({ policy }) => policy).join());
    const ofWrite = head.includes("read") ? "own.all" : "base.x";
    expect(decided).toEqual(["own.all", head.includes("write") ? "own.read" : "base.x,own.read", ofWrite]);
  }
});
