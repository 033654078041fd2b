/** A schema as it was written: names are not resolved yet. */
export interface DeclaredSchema {
  /** By full name. */
  readonly commonTypes: ReadonlyMap<string, DeclaredCommonType>;
  /** By full name. */
  readonly entityTypes: ReadonlyMap<string, DeclaredEntityType>;
  readonly actions: readonly DeclaredAction[];
}

/** The namespace resolves names; `at` is where it stands, for refusals. */
export interface Placed {
  readonly namespace: string;
  readonly at: string;
}

export interface DeclaredCommonType extends Placed {
  readonly type: DeclaredType;
}

export type DeclaredEntityType = EnumeratedEntityType | StandardEntityType;

export interface EnumeratedEntityType extends Placed {
  readonly kind: "enumerated";
  readonly ids: readonly string[];
}

export interface StandardEntityType extends Placed {
  readonly kind: "standard";
  readonly memberOfTypes: readonly string[];
  readonly shape: DeclaredType;
  readonly tags: DeclaredType | undefined;
}

export interface DeclaredAction extends Placed {
  readonly type: string;
  readonly id: string;
  readonly memberOf: readonly { readonly type: string; readonly id: string }[];
  readonly principalTypes: readonly string[];
  readonly resourceTypes: readonly string[];
  readonly context: DeclaredType;
}

export type DeclaredType =
  | { readonly kind: "bool" | "long" | "string" }
  | { readonly kind: "set"; readonly element: DeclaredType }
  | { readonly kind: "record"; readonly attributes: ReadonlyMap<string, DeclaredAttribute> }
  | { readonly kind: "extension"; readonly name: string; readonly at: string }
  /** Names an entity type, a common type, or whichever of the two is found first. */
  | { readonly kind: "reference"; readonly to: "entity" | "common" | "either"; readonly name: string; readonly at: string };

export interface DeclaredAttribute {
  readonly type: DeclaredType;
  readonly required: boolean;
}

export const emptyRecord: DeclaredType = { kind: "record", attributes: new Map() };
