import { LicetError } from "@licet/contract";
import { stringify } from "yaml";
import type { Bundle } from "../policy/bundle-form.ts";
import type { EntityUid, PolicyRequest } from "../policy/request.ts";
import { entityName } from "../policy/scenario-path.ts";

export interface ScaffoldFile {
  readonly path: string;
  readonly text: string;
}

interface LicetPack {
  readonly name: string;
  readonly kind: "baseline" | "team";
  readonly systems: readonly string[];
  readonly bundle: Bundle;
}

/** A pack with one rule of the run time and scenarios around a call that the installation's policies allow. */
export function licetPack({ name, kind, systems, bundle }: LicetPack): readonly ScaffoldFile[] {
  const manifest = { v: 1, name, title: "Say in one line what this pack is about", description: "Say why its rules exist and whom to ask about them.", kind, topic: "runtime", ...(kind === "team" ? { systems } : {}) };
  return [
    { path: "pack.yaml", text: yaml(manifest) },
    { path: "rules.cedar", text: rule(name) },
    { path: "tests/rules.yaml", text: yaml(scenarios(name, { base: allowedCall(bundle), system: kind === "team" ? systems[0] : undefined })) },
  ];
}

function yaml(value: unknown): string {
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 120 });
}

function rule(name: string): string {
  return `// An example: replace it with your rule. People read title, remedy and turn when it refuses them.
@id("${name}.no-special-data")
@requirement("data_outside_boundary")
@title("no special-category data in calls to models")
@remedy("take the data out of the call")
@turn("technical-owner")
@severity("high")
forbid (
  principal,
  action == Licet::Action::"callModel",
  resource
)
when { context.dataClasses.contains("special") };
`;
}

/** A real request, taken from the golden decisions: whatever the installation's policies ask for, it has. */
function allowedCall(bundle: Bundle): PolicyRequest {
  const found = bundle.golden.find(({ request, decision }) => decision === "allow" && request.action.id === "callModel");
  if (found === undefined) throw new LicetError("policy_files_missing", { message: "no scenario of the installation allows a call of a model" });
  return found.request;
}

interface Around {
  readonly base: PolicyRequest;
  readonly system: string | undefined;
}

function scenarios(name: string, { base, system }: Around): object {
  const workload = `entities.${entityName(base.principal)}.attrs`;
  const special = { "context.dataClasses": ["special"], [`${workload}.boundary`]: ["special"] };
  const elsewhere = { name: "another system's call is not this pack's business", base: "call", set: { ...special, [`${workload}.system`]: `not-${system ?? ""}`.slice(0, 63) }, expect: { decision: "allow" } };
  return {
    v: 1,
    fixtures: { call: fixture(base, system) },
    scenarios: [
      { name: "a call without special-category data is allowed", base: "call", expect: { decision: "allow" } },
      { name: "a call with special-category data is refused, inside the boundary too", base: "call", set: special, expect: { decision: "deny", reasons: [`${name}.no-special-data`] } },
      ...(system === undefined ? [] : [elsewhere]),
    ],
  };
}

function fixture(base: PolicyRequest, system: string | undefined): object {
  const named = ({ type, id }: EntityUid) => (/["\\]/u.test(id) ? { type, id } : entityName({ type, id }));
  const entities = base.entities.map(({ uid, attrs, parents, tags }) => ({
    uid: named(uid),
    attrs: system !== undefined && entityName(uid) === entityName(base.principal) ? { ...attrs, system } : attrs,
    ...(parents.length === 0 ? {} : { parents: parents.map(named) }),
    ...(tags === undefined ? {} : { tags }),
  }));
  return { principal: named(base.principal), action: named(base.action), resource: named(base.resource), context: base.context, entities };
}

/** A pack of an application: types and actions of its own, which no policy of Licet speaks about. */
export function applicationPack(name: string): readonly ScaffoldFile[] {
  const namespace = namespaceOf(name);
  const manifest = { v: 1, name, title: "Say in one line which application this is for", description: "Say who asks and what is decided.", kind: "application" };
  return [
    { path: "pack.yaml", text: yaml(manifest) },
    { path: "application.cedarschema", text: applicationSchema(namespace) },
    { path: "rules.cedar", text: applicationRules(name, namespace) },
    { path: "tests/rules.yaml", text: yaml(applicationScenarios(name, namespace)) },
  ];
}

/** `web-shop` becomes `WebShop`. */
function namespaceOf(name: string): string {
  const words = name.split("-").map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`).join("");
  return /^[A-Z]/u.test(words) && words !== "Licet" ? words : `App${words}`;
}

function applicationSchema(namespace: string): string {
  return `// An example: replace it with who asks, about what, and to do what.
namespace ${namespace} {
  entity User;
  entity Document {
    owner: User,
    locked: Bool
  };
  action read, delete appliesTo { principal: User, resource: Document, context: {} };
}
`;
}

function applicationRules(name: string, namespace: string): string {
  return `// Nothing is allowed but what a policy permits.
@id("${name}.owner")
@title("owners read and delete what is theirs")
permit (
  principal,
  action in [${namespace}::Action::"read", ${namespace}::Action::"delete"],
  resource
)
when { resource has owner && resource.owner == principal };

@id("${name}.locked")
@requirement("what is locked stays")
@remedy("unlock the document first")
@turn("its owner")
forbid (
  principal,
  action == ${namespace}::Action::"delete",
  resource
)
unless { resource has locked && !resource.locked };
`;
}

function applicationScenarios(name: string, namespace: string): object {
  const user = `${namespace}::User::"ada"`;
  const document = `${namespace}::Document::"plan"`;
  const deletion = {
    principal: user,
    action: `${namespace}::Action::"delete"`,
    resource: document,
    entities: [{ uid: user }, { uid: `${namespace}::User::"bob"` }, { uid: document, attrs: { owner: { __entity: { type: `${namespace}::User`, id: "ada" } }, locked: false } }],
  };
  return {
    v: 1,
    fixtures: { deletion },
    scenarios: [
      { name: "an owner deletes what is theirs", base: "deletion", expect: { decision: "allow", reasons: [`${name}.owner`] } },
      { name: "somebody else deletes nothing", base: "deletion", set: { principal: `${namespace}::User::"bob"` }, expect: { decision: "deny", reasons: [] } },
      { name: "nobody deletes what is locked", base: "deletion", set: { [`entities.${document}.attrs.locked`]: true }, expect: { decision: "deny", reasons: [`${name}.locked`] } },
    ],
  };
}
