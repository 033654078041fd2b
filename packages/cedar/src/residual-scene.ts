import type { EntityStore } from "./entities.ts";
import type { ExprJson } from "./json.ts";
import { formatExpr } from "./format.ts";
import type { Part, PartialRecord } from "./residual-part.ts";
import { isActionType } from "./schema-names.ts";
import { UnknownTree, type UnknownPath } from "./residual-unknown.ts";
import { EntityUid, Fields, RecordValue, type ReadonlyFields, type Value } from "./values.ts";

/** Principal or resource: named, or of a type, or wholly open. */
export type Party = EntityUid | { readonly type: string | undefined };

/** Everything that partial evaluation looks at. */
export interface Scene {
  readonly principal: Party;
  readonly action: EntityUid;
  readonly resource: Party;
  readonly context: PartialRecord;
  readonly store: EntityStore;
  /** What is not known of entities, by key. */
  readonly trees: ReadonlyMap<string, UnknownTree>;
  readonly absentAreUnknown: boolean;
  /** Completions fit the schema that the policies were validated against: operands then have the right types. */
  readonly typed: boolean;
  /** Texts of accesses that a `has` to the left has made sure of. */
  readonly assumed: ReadonlySet<string>;
  /** What was evaluated already; explaining asks for every part of a policy several times. */
  readonly memo: WeakMap<ExprJson, Part>;
}

export const noFields: ReadonlyFields = new Fields();
const wholeTree = new UnknownTree();
wholeTree.rest = true;

/** What is unknown of an entity, or undefined if all of it is known. */
export function treeOf(scene: Pick<Scene, "store" | "trees" | "absentAreUnknown">, key: string): UnknownTree | undefined {
  // Actions and what they are in come with the policies, not with what is asked about.
  const mayAppear = scene.absentAreUnknown && !isActionType(key.slice(0, key.indexOf("\0"))) && scene.store.find(key) === undefined;
  return mayAppear ? wholeTree : scene.trees.get(key);
}

/** Whether tags and further ancestors of the entity are unknown. */
export function isOpenEntity(tree: UnknownTree | undefined): boolean {
  return tree !== undefined && (tree.rest || tree.own !== "known");
}

/** The attributes of an entity with what is unknown of them. */
export function entityRecord(scene: Scene, key: string, tree: UnknownTree): PartialRecord {
  return { tree, fields: tree.own === "known" ? (scene.store.find(key)?.attrs ?? noFields) : noFields };
}

export type FieldState =
  | { readonly state: "value"; readonly value: Value }
  | { readonly state: "absent" }
  | { readonly state: "open"; readonly present: boolean }
  | { readonly state: "record"; readonly record: PartialRecord };

export function fieldState({ fields, tree }: PartialRecord, name: string): FieldState {
  const given = fields[name];
  const below = tree.below.get(name);
  if (below === undefined || below.isKnown) return given === undefined ? missing(tree) : { state: "value", value: given };
  if (below.own !== "known") return { state: "open", present: below.own === "present" };
  return given instanceof RecordValue ? { state: "record", record: { fields: given.fields, tree: below } } : { state: "open", present: false };
}

function missing(tree: UnknownTree): FieldState {
  return tree.rest || tree.own !== "known" ? { state: "open", present: false } : { state: "absent" };
}

/** The text under which an access is remembered as sure to succeed. */
export function accessText(left: ExprJson, attr: string): string {
  return formatExpr({ ".": { left, attr } });
}

interface Roots {
  readonly principal: Party;
  readonly resource: Party;
  readonly context: ReadonlyFields;
  readonly store: EntityStore;
}

export interface Trees {
  readonly context: UnknownTree;
  readonly entities: ReadonlyMap<string, UnknownTree>;
}

/** Sorts the unknown paths by what they belong to; a path that leads through an entity goes on in that entity. */
export function plantTrees(paths: readonly UnknownPath[], roots: Roots): Trees {
  const entities = new Map<string, UnknownTree>();
  const context = new UnknownTree();
  for (const path of paths) plant(path, { ...roots, entities, tree: context });
  return { context, entities };
}

interface Garden extends Roots {
  readonly entities: Map<string, UnknownTree>;
  readonly tree: UnknownTree;
}

function plant({ of, path, form }: UnknownPath, garden: Garden): void {
  if (of === "context") return grow(garden.tree, garden.context, { path, form, garden });
  const uid = of === "principal" || of === "resource" ? garden[of] : of;
  // Of a party without a name everything is unknown as it is.
  if (uid instanceof EntityUid) growEntity(uid, { path, form, garden });
}

interface Growth {
  readonly path: readonly string[];
  readonly form: UnknownPath["form"];
  readonly garden: Garden;
}

function growEntity(uid: EntityUid, growth: Growth): void {
  const tree = growth.garden.entities.get(uid.key) ?? new UnknownTree();
  growth.garden.entities.set(uid.key, tree);
  grow(tree, growth.garden.store.find(uid.key)?.attrs ?? noFields, growth);
}

function grow(from: UnknownTree, given: ReadonlyFields, growth: Growth): void {
  let tree = from;
  let fields = given;
  for (const [index, name] of growth.path.entries()) {
    const value = fields[name];
    if (value instanceof EntityUid && (index < growth.path.length - 1 || growth.form === "rest")) return growEntity(value, { ...growth, path: growth.path.slice(index + 1) });
    tree = tree.step(name);
    fields = value instanceof RecordValue ? value.fields : noFields;
  }
  close(tree, growth.form);
}

function close(tree: UnknownTree, form: UnknownPath["form"]): void {
  if (form === "rest") tree.rest = true;
  // "Perhaps not there" is the weaker statement, so it stands.
  else if (tree.own !== "optional") tree.own = form;
}
