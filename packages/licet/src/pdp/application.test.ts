import type { PackSource } from "@licet/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CedarEntity, PolicyRequest } from "../policy/request.ts";
import { applicationsOf } from "./application-fixture.ts";
import { applicationPolicies } from "./application.ts";
import { closureEntitiesMax } from "./data.ts";
import { readObligations } from "../policy/obligation-form.ts";
import type { Evaluation } from "./protocol.ts";

const authzen = { types: {}, actions: {}, actionProperties: {}, context: {} };
const pack: PackSource = {
  name: "graph",
  manifest: {
    v: 1,
    name: "graph",
    title: "A graph",
    description: "Everything reaches everything.",
    kind: "application",
    authzen: { ...authzen, namespace: "Graph", types: { node: { entity: "Node", unknown: "ask", properties: { mark: {}, next: { entity: "Node" } } } }, context: { via: { entity: "Node" } } },
  },
  schema: `namespace Graph { entity Node in [Node] { next?: Node, mark?: Long } tags Node; action go appliesTo { principal: Node, resource: Node, context: { via?: Node } }; }`,
  policies: [
    {
      path: "graph.cedar",
      text: `
@id("graph.up") permit (principal, action == Graph::Action::"go", resource) when { principal in resource };
@id("graph.mark") permit (principal, action == Graph::Action::"go", resource) when { principal has next && principal.next has mark && resource has mark && principal.next.mark == resource.mark };
@id("graph.far") permit (principal, action == Graph::Action::"go", resource) when { resource has next && resource.next has next && resource.next.next has next && resource.next.next.next == principal };
@id("graph.literal") permit (principal, action == Graph::Action::"go", resource) when { Graph::Node::"3" has next && Graph::Node::"3".next in principal };
@id("graph.via") permit (principal, action == Graph::Action::"go", resource) when { context has via && context.via has next && context.via.next in resource };
@id("graph.tag") forbid (principal, action == Graph::Action::"go", resource) when { resource.hasTag("no") && resource.getTag("no") has mark && resource.getTag("no").mark == 1 };`,
    },
  ],
  scenarios: [],
};

const size = 8;
const node = fc.nat(size - 1);
const ref = (id: number) => ({ __entity: { type: "Graph::Node", id: String(id) } });
const drawn = fc.record({ id: node, parents: fc.array(node, { maxLength: 2 }), next: fc.option(node), mark: fc.option(fc.nat(2)), no: fc.option(node) });
/** Parents have larger ids, so that there is no cycle. */
const graph = fc.uniqueArray(drawn, { selector: ({ id }) => id, maxLength: size }).map((nodes) =>
  nodes.map(({ id, parents, next, mark, no }): CedarEntity => ({
    uid: { type: "Graph::Node", id: String(id) },
    attrs: { ...(next !== null && { next: ref(next) }), ...(mark !== null && { mark }) },
    parents: parents.filter((parent) => parent > id).map((parent) => ({ type: "Graph::Node", id: String(parent) })),
    ...(no !== null && { tags: { no: ref(no) } }),
  })),
);
const given = fc.record({ mark: fc.option(fc.nat(2), { nil: undefined }), next: fc.option(node.map(String), { nil: undefined }) });
const question = fc.record({ from: node, to: node, one: given, other: given, via: fc.option(node.map(String), { nil: undefined }) });

function evaluation({ from, to, one, other, via }: { readonly from: number; readonly to: number; readonly one: object; readonly other: object; readonly via: string | undefined }): Evaluation {
  return { subject: { type: "node", id: String(from), properties: { ...one } }, action: { name: "go" }, resource: { type: "node", id: String(to), properties: { ...other } }, context: via === undefined ? {} : { via } };
}

describe("what a decision stands on", () => {
  test("its record holds every entity that a policy can come to: decided again from it alone, it comes out the same", () => {
    fc.assert(
      fc.property(graph, fc.array(question, { minLength: 1, maxLength: 8 }), (entities, questions) => {
        const applications = applicationsOf([pack], entities);
        for (const each of questions) {
          const { cedar, refusal, reasons } = applications.conclude(evaluation(each), { now: 0, approved: false });
          const request = cedar as unknown as PolicyRequest;
          const whole = new Map([...entities, ...request.entities].map((entity) => [entity.uid.id, entity]));
          const again = applications.parts.decider.decide(request);
          const onAll = applications.parts.decider.decide({ ...request, entities: [...whole.values()] });
          expect([again.decision, onAll.decision]).toEqual([refusal === undefined ? "allow" : "deny", refusal === undefined ? "allow" : "deny"]);
          expect(again.reasons.map(({ policy }) => policy)).toEqual(reasons.map(({ policy }) => policy));
        }
      }),
      { numRuns: 150 },
    );
  });

  test("no attribute that the data holds is ever the caller's", () => {
    fc.assert(
      fc.property(graph, question, (entities, asked) => {
        const { cedar } = applicationsOf([pack], entities).conclude(evaluation(asked), { now: 0, approved: false });
        for (const entity of (cedar as unknown as PolicyRequest).entities) {
          const known = entities.find(({ uid }) => uid.id === entity.uid.id);
          expect({ ...entity.attrs, ...known?.attrs }).toEqual(entity.attrs);
          expect(entity.parents).toEqual(known?.parents ?? []);
        }
      }),
      { numRuns: 150 },
    );
  });

  test("what hangs together beyond the bound denies", () => {
    const chain = Array.from({ length: closureEntitiesMax + 2 }, (_, at): CedarEntity => ({ uid: { type: "Graph::Node", id: String(at) }, attrs: { next: ref(at + 1) }, parents: [] }));
    const ask = (entities: readonly CedarEntity[]) => applicationsOf([pack], entities).conclude(evaluation({ from: 0, to: 0, one: {}, other: {}, via: undefined }), { now: 0, approved: false }).refusal;
    expect(ask(chain)?.code).toBe("query_invalid");
    expect(ask(chain.slice(0, 20))).toBeUndefined();
  });

  test("an entity that no longer fits the schema denies only what comes to it", () => {
    const entities: CedarEntity[] = [
      { uid: { type: "Graph::Node", id: "0" }, attrs: { mark: "high" }, parents: [] },
      { uid: { type: "Graph::Node", id: "1" }, attrs: {}, parents: [] },
    ];
    const applications = applicationsOf([pack], entities);
    const ask = (at: number) => applications.conclude(evaluation({ from: at, to: at, one: {}, other: {}, via: undefined }), { now: 0, approved: false }).refusal?.code;
    expect([ask(0), ask(1)]).toEqual(["policy_errored", undefined]);
  });
});

describe("a pack speaks for its own namespace alone", () => {
  const policies = applicationsOf([pack], []).parts.policies;
  const bundle = (namespace: string) => ({ schemaJson: {}, packs: ["graph", "thief"].map((name) => ({ name, title: name, description: name, kind: "application" as const, digest: "", scenarios: 0, covered: [], authzen: { ...authzen, namespace: name === "graph" ? "Graph" : namespace } })), policies: [policyFor("graph", "Graph"), policyFor("thief", "Thief")] });
  const policyFor = (name: string, namespace: string) => ({ id: `${name}.p`, pack: name, effect: "permit" as const, text: "", json: { effect: "permit" as const, principal: { op: "All" as const }, resource: { op: "All" as const }, conditions: [], action: { op: "==" as const, entity: { type: `${namespace}::Action`, id: "go" } } }, annotations: {}, mode: "enforce" as const });

  test("one that maps requests into another's, or into Licet's, is not read at all", () => {
    expect(policies.packs.map(({ name }) => name)).toEqual(["graph"]);
    const read = (namespace: string) => applicationPolicies(bundle(namespace)).packs.map(({ name }) => name);
    expect(read("Thief")).toEqual(["graph", "thief"]);
    for (const namespace of ["Graph", "Licet", "Nobody"]) expect(read(namespace)).toEqual(["graph"]);
  });
});

describe("the annotation @obligation", () => {
  test.each([
    ["{type: step-up, properties: {acr_value: 'urn:x', amr_values: [mfa]}}", 1],
    ['{"type":"custom","properties":{"action":"watermark"}}', 1],
    ["[{type: notification, properties: {to: a, body: b}}, {type: session_termination, properties: {subject: $subject.id}}]", 2],
    ["{type: custom}", 1],
  ])("%s is read", (text, count) => {
    expect(readObligations(text)).toHaveLength(count);
  });

  test.each(["", "watermark", "{type: dance}", "{type: step-up}", "{type: notification, properties: {to: a}}", "{type: custom, more: 1}", "{type: step-up, properties: {acr_value: 7}}", "{type: [", `[${"{type: custom},".repeat(11)}]`])("%s is none", (text) => {
    expect(readObligations(text)).toBeUndefined();
  });
});
