/**
 * The JSON forms of Cedar 4.13, as cedar-wasm and the `cedar` command line write and read them.
 * A long outside ±(2^53 − 1) is a `bigint` here: a JavaScript number would already have been rounded.
 */

/** Names one entity: its type with namespace (`Photos::User`) and its id. */
export interface TypeAndId {
  readonly type: string;
  readonly id: string;
}

/** An entity's name, plain or marked as one. */
export type EntityUidJson = TypeAndId | { readonly __entity: TypeAndId };

/** A call of an extension's constructor, such as `{ fn: "decimal", arg: "1.5" }`. */
export type FnAndArgs =
  | { readonly fn: string; readonly arg: CedarValueJson }
  | { readonly fn: string; readonly args: readonly CedarValueJson[] };

/** A value: boolean, long, string, set, record, and by their marks entity and extension value. */
export type CedarValueJson =
  | boolean
  | number
  | bigint
  | string
  | readonly CedarValueJson[]
  | { readonly __entity: TypeAndId }
  | { readonly __extn: FnAndArgs }
  | { readonly [name: string]: CedarValueJson };

/** The context of a request: a record's attributes. */
export type ContextJson = { readonly [name: string]: CedarValueJson };

/** One entity with its attributes, direct parents and tags. */
export interface EntityJson {
  readonly uid: EntityUidJson;
  readonly attrs: { readonly [name: string]: CedarValueJson };
  readonly parents: readonly EntityUidJson[];
  readonly tags?: { readonly [name: string]: CedarValueJson };
}

/** Who asks to do what, on which resource, in which circumstances. */
export interface RequestJson {
  readonly principal: EntityUidJson;
  readonly action: EntityUidJson;
  readonly resource: EntityUidJson;
  readonly context: ContextJson;
}

export type Effect = "permit" | "forbid";
export type Var = "principal" | "action" | "resource" | "context";
export type PatternElem = "Wildcard" | { readonly Literal: string };

export interface UnaryJson {
  readonly arg: ExprJson;
}
export interface BinaryJson {
  readonly left: ExprJson;
  readonly right: ExprJson;
}

export type BinaryOperator =
  | "=="
  | "!="
  | "in"
  | "<"
  | "<="
  | ">"
  | ">="
  | "&&"
  | "||"
  | "+"
  | "-"
  | "*"
  | "contains"
  | "containsAll"
  | "containsAny"
  | "getTag"
  | "hasTag";

/** Every form an expression takes but a call of an extension function. */
export type ExprFormJson =
  | { readonly Value: CedarValueJson }
  | { readonly Var: Var }
  | { readonly Slot: string }
  | { readonly "!": UnaryJson }
  | { readonly neg: UnaryJson }
  | { readonly isEmpty: UnaryJson }
  | { readonly [Operator in BinaryOperator]: { readonly [_ in Operator]: BinaryJson } }[BinaryOperator]
  | { readonly ".": { readonly left: ExprJson; readonly attr: string } }
  | { readonly has: { readonly left: ExprJson; readonly attr: string | readonly string[] } }
  | { readonly like: { readonly left: ExprJson; readonly pattern: readonly PatternElem[] } }
  | { readonly is: { readonly left: ExprJson; readonly entity_type: string; readonly in?: ExprJson } }
  | { readonly "if-then-else": { readonly if: ExprJson; readonly then: ExprJson; readonly else: ExprJson } }
  | { readonly Set: readonly ExprJson[] }
  | { readonly Record: { readonly [name: string]: ExprJson } };

/** An extension function with its arguments; of a method the first is the receiver. */
export type ExtFuncCallJson = { readonly [name: string]: readonly ExprJson[] };

export type ExprJson = ExprFormJson | ExtFuncCallJson;

export type ReferenceJson = { readonly entity: EntityUidJson } | { readonly slot: string };

/** What a policy says of principal or resource in its head. */
export type ScopeJson =
  | { readonly op: "All" }
  | ({ readonly op: "==" } & ReferenceJson)
  | ({ readonly op: "in" } & ReferenceJson)
  | { readonly op: "is"; readonly entity_type: string; readonly in?: ReferenceJson };

/** What a policy says of the action in its head. */
export type ActionScopeJson =
  | { readonly op: "All" }
  | { readonly op: "=="; readonly entity: EntityUidJson }
  | { readonly op: "in"; readonly entity: EntityUidJson }
  | { readonly op: "in"; readonly entities: readonly EntityUidJson[] };

export interface ClauseJson {
  readonly kind: "when" | "unless";
  readonly body: ExprJson;
}

/** A policy or, with slots in its scopes, a template. */
export interface PolicyJson {
  readonly effect: Effect;
  readonly principal: ScopeJson;
  readonly action: ActionScopeJson;
  readonly resource: ScopeJson;
  readonly conditions: readonly ClauseJson[];
  readonly annotations?: { readonly [name: string]: string | null };
}

export interface TemplateLinkJson {
  readonly templateId: string;
  readonly newId: string;
  readonly values: { readonly [slot: string]: EntityUidJson };
}

/** Policies, templates and links by id. */
export interface PolicySetJson {
  readonly staticPolicies?: { readonly [id: string]: PolicyJson };
  readonly templates?: { readonly [id: string]: PolicyJson };
  readonly templateLinks?: readonly TemplateLinkJson[];
}

export type TypeJson =
  | { readonly type: "Set"; readonly element: TypeJson }
  | ({ readonly type: "Record" } & RecordTypeJson)
  | { readonly type: "Entity"; readonly name: string }
  | { readonly type: "EntityOrCommon"; readonly name: string }
  | { readonly type: "Extension"; readonly name: string }
  | { readonly type: string };

export type AttributeTypeJson = TypeJson & { readonly required?: boolean };

export interface RecordTypeJson {
  readonly attributes: { readonly [name: string]: AttributeTypeJson };
  readonly additionalAttributes?: boolean;
}

export type EntityTypeJson = (
  | { readonly memberOfTypes?: readonly string[]; readonly shape?: TypeJson; readonly tags?: TypeJson }
  | { readonly enum: readonly string[] }
) & { readonly annotations?: { readonly [name: string]: string | null } };

export interface ActionTypeJson {
  readonly attributes?: { readonly [name: string]: CedarValueJson };
  readonly appliesTo?: {
    readonly principalTypes: readonly string[];
    readonly resourceTypes: readonly string[];
    readonly context?: TypeJson;
  };
  readonly memberOf?: readonly { readonly id: string; readonly type?: string }[];
  readonly annotations?: { readonly [name: string]: string | null };
}

export interface NamespaceJson {
  readonly commonTypes?: { readonly [name: string]: TypeJson };
  readonly entityTypes: { readonly [name: string]: EntityTypeJson };
  readonly actions: { readonly [name: string]: ActionTypeJson };
  readonly annotations?: { readonly [name: string]: string | null };
}

/** A schema by namespace; the empty name is the namespace without one. */
export type SchemaJson = { readonly [namespace: string]: NamespaceJson };
