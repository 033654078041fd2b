import { PackAuthzen, type MappedType } from "@licet/contract";
import type { Bundle } from "../policy/bundle-form.ts";
import type { CedarEntity, EntityUid, PolicyRequest } from "../policy/request.ts";
import { unspokenFor } from "../policy/spoken-for.ts";
import { references, uidKey, type ApplicationData } from "./data.ts";
import { obligationsByPolicy, type ObligationsByPolicy } from "./obligations.ts";
import type { Evaluation } from "./protocol.ts";
import { schemaActions, schemaEntityTypes, type SchemaAction } from "./schema-actions.ts";
import { suppliedValues, type Supplied } from "./supplied.ts";

/** One application pack as the decision API reads it. */
export interface ApplicationPack {
  readonly name: string;
  readonly authzen: PackAuthzen;
  readonly actions: readonly SchemaAction[];
  readonly entityTypes: readonly string[];
}

/** What a space's bundle says of applications. Made once for each bundle. */
export interface ApplicationPolicies {
  readonly packs: readonly ApplicationPack[];
  /** Entities that policies name themselves, which are in the question whoever asks. */
  readonly literals: readonly EntityUid[];
  /** Of every policy of the bundle, an application's or Licet's own. */
  readonly obligations: ObligationsByPolicy;
  /** Of policies whose remedy is an approval: the template that access requests name. */
  readonly approvals: ReadonlyMap<string, string>;
}

export function applicationPolicies(bundle: Pick<Bundle, "packs" | "policies" | "schemaJson">): ApplicationPolicies {
  const packs = bundle.packs.flatMap((pack): readonly ApplicationPack[] => {
    const authzen = PackAuthzen.safeParse(pack.authzen);
    if (pack.kind !== "application" || !authzen.success) return [];
    const { namespace } = authzen.data;
    if (unspokenFor(pack.name, namespace, bundle.policies) !== undefined) return [];
    return [{ name: pack.name, authzen: authzen.data, actions: schemaActions(bundle.schemaJson, namespace), entityTypes: schemaEntityTypes(bundle.schemaJson, namespace) }];
  });
  const names = new Set(packs.map(({ name }) => name));
  const own = bundle.policies.filter((policy) => names.has(policy.pack));
  return {
    packs,
    literals: [...new Map(own.flatMap((policy) => references(policy.json)).map((uid) => [uidKey(uid), uid])).values()],
    obligations: obligationsByPolicy(bundle.policies),
    approvals: new Map(own.flatMap(({ id, annotations: { approval } }) => (approval === undefined ? [] : [[id, approval] as const]))),
  };
}

export type Unknown = "subject" | "resource" | "action";

export interface MappedRequest {
  readonly request: Omit<PolicyRequest, "entities">;
  /** Principal and resource where the data does not hold them; undefined where a caller adds to one that it holds. */
  readonly beside: readonly CedarEntity[] | undefined;
  /** Every entity that the policies can come to, so that anybody can decide again; undefined where that is too much. */
  entities(): readonly CedarEntity[] | undefined;
}

export type Mapped =
  | MappedRequest
  | { readonly unknown: Unknown }
  | { readonly invalid: string };

export interface Circumstances {
  readonly now: number;
  /** Whether an approval covers exactly this question. */
  readonly approved: boolean;
}

export interface Chosen {
  readonly pack: ApplicationPack;
  readonly subject: MappedType;
  readonly resource: MappedType;
}

/** The packs whose mapping knows both types, in the bundle's order. */
export function packsFor(packs: readonly ApplicationPack[], subjectType: string, resourceType: string): readonly Chosen[] {
  return packs.flatMap((pack) => {
    const subject = typeNamed(pack, subjectType);
    const resource = typeNamed(pack, resourceType);
    return subject === undefined || resource === undefined ? [] : [{ pack, subject, resource }];
  });
}

export function typeNamed({ authzen }: ApplicationPack, type: string): MappedType | undefined {
  return Object.hasOwn(authzen.types, type) ? authzen.types[type] : undefined;
}

export function cedarType({ authzen }: ApplicationPack, { entity }: MappedType): string {
  return `${authzen.namespace}::${entity}`;
}

/** The schema's action that an AuthZEN name means for these types. */
export function actionNamed({ pack, subject, resource }: Chosen, name: string): SchemaAction | undefined {
  const { actions } = pack.authzen;
  const id = Object.hasOwn(actions, name) ? actions[name] : name;
  return applicable({ pack, subject, resource }).find((action) => action.id === id);
}

export function applicable({ pack, subject, resource }: Chosen): readonly SchemaAction[] {
  const principal = cedarType(pack, subject);
  const object = cedarType(pack, resource);
  return pack.actions.filter((action) => action.principals.includes(principal) && action.resources.includes(object));
}

/** The AuthZEN name of a schema's action. */
export function actionName({ authzen }: ApplicationPack, { id }: SchemaAction): string {
  return Object.entries(authzen.actions).find(([, cedar]) => cedar === id)?.[0] ?? id;
}

/**
 * The Cedar request of an AuthZEN one. INVARIANT: of an entity that the data holds every attribute is the data's; a
 * caller's value only fills what the data does not say, and only where the pack lets it.
 */
export function mapped({ packs, literals }: ApplicationPolicies, data: ApplicationData, asking: { readonly asked: Evaluation; readonly at: Circumstances }): Mapped {
  const { asked } = asking;
  const found = chosenFor(packs, asked);
  if ("unknown" in found) return found;
  const subject = side(data, found, "subject", asked);
  if (!("uid" in subject)) return subject;
  const resource = side(data, found, "resource", asked);
  if (!("uid" in resource)) return resource;
  const context = contextOf(found, found.action, asking);
  if ("invalid" in context) return context;
  const own = [...ownEntities(data, [subject, resource]).values()];
  const differing = own.filter((entity) => data.find(entity.uid) !== entity);
  return {
    request: { principal: subject.uid, action: { type: `${found.pack.authzen.namespace}::Action`, id: found.action.id }, resource: resource.uid, context: context.attrs },
    beside: differing.some(({ uid }) => data.find(uid) !== undefined) ? undefined : differing,
    entities: () => around(data, own, [subject.uid, resource.uid, ...literals, ...references(context.attrs)]),
  };
}

/** The first pack that knows both types and the action between them. */
function chosenFor(packs: readonly ApplicationPack[], { subject, action, resource }: Evaluation): (Chosen & { readonly action: SchemaAction }) | { readonly unknown: Unknown } {
  const candidates = packsFor(packs, subject.type, resource.type);
  for (const candidate of candidates) {
    const found = actionNamed(candidate, action.name);
    if (found !== undefined) return { ...candidate, action: found };
  }
  if (candidates.length > 0) return { unknown: "action" };
  return { unknown: packs.some((pack) => typeNamed(pack, subject.type)) ? "resource" : "subject" };
}

interface Side {
  readonly uid: EntityUid;
  readonly supplied: Readonly<Record<string, unknown>>;
}

function side(data: ApplicationData, chosen: Chosen, which: "subject" | "resource", asked: Evaluation): Side | { readonly unknown: Unknown } | { readonly invalid: string } {
  const type = chosen[which];
  const named = asked[which];
  const uid = { type: cedarType(chosen.pack, type), id: named.id };
  if (type.unknown === "deny" && data.find(uid) === undefined) return { unknown: which };
  const supplied = suppliedValues({ sources: type.properties, object: named, under: "properties.", namespace: chosen.pack.authzen.namespace });
  return "invalid" in supplied ? { invalid: `${which}: ${supplied.invalid}` } : { uid, supplied: supplied.attrs };
}

function contextOf({ pack }: Chosen, action: SchemaAction, { asked, at }: { readonly asked: Evaluation; readonly at: Circumstances }): Supplied {
  const { authzen } = pack;
  const given = suppliedValues({ sources: authzen.context, object: asked.context ?? {}, under: "", namespace: authzen.namespace });
  if ("invalid" in given) return { invalid: `context: ${given.invalid}` };
  const properties = suppliedValues({ sources: authzen.actionProperties, object: asked.action, under: "properties.", namespace: authzen.namespace });
  if ("invalid" in properties) return { invalid: `action: ${properties.invalid}` };
  const own = {
    ...(authzen.now !== undefined && { [authzen.now]: { __extn: { fn: "datetime", arg: new Date(at.now - (at.now % 1000)).toISOString() } } }),
    ...(authzen.approved !== undefined && { [authzen.approved]: at.approved }),
  };
  // What the server knows itself is last: no caller's value stands in its place.
  const all = Object.entries({ ...given.attrs, ...properties.attrs, ...own });
  return { attrs: Object.fromEntries(all.filter(([name]) => action.context?.has(name) ?? true)) };
}

/** Principal and resource, as the data and the caller describe them. */
function ownEntities(data: ApplicationData, sides: readonly Side[]): ReadonlyMap<string, CedarEntity> {
  const found = new Map<string, CedarEntity>();
  for (const { uid, supplied } of sides) {
    const key = uidKey(uid);
    const known = found.get(key) ?? data.find(uid) ?? { uid, attrs: {}, parents: [] };
    const adds = Object.keys(supplied).some((name) => !Object.hasOwn(known.attrs, name));
    found.set(key, adds ? { ...known, attrs: { ...supplied, ...known.attrs } } : known);
  }
  return found;
}

/** These first, then everything that hangs on them and on what is named: all that a policy can come to. */
function around(data: ApplicationData, own: readonly CedarEntity[], named: readonly EntityUid[]): readonly CedarEntity[] | undefined {
  const found = new Map(own.map((entity) => [uidKey(entity.uid), entity]));
  for (const uid of [...named, ...own.flatMap(({ attrs }) => references(attrs))]) {
    const reached = data.reached(uid);
    if (reached === undefined) return undefined;
    for (const entity of reached) if (!found.has(uidKey(entity.uid))) found.set(uidKey(entity.uid), entity);
  }
  return [...found.values()];
}
