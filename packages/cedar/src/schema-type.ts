/** A type of values with every name resolved. Types that are declared once are shared, so a schema is a graph, not a tree. */
export type ValueType =
  | { readonly kind: "bool" | "long" | "string" }
  | { readonly kind: "set"; readonly element: ValueType }
  | RecordType
  | { readonly kind: "entity"; readonly entityType: string }
  | { readonly kind: "extension"; readonly name: ExtensionName };

export interface RecordType {
  readonly kind: "record";
  readonly attributes: ReadonlyMap<string, AttributeType>;
}

export interface AttributeType {
  readonly type: ValueType;
  readonly required: boolean;
}

export const extensionNames = ["ipaddr", "decimal", "datetime", "duration"] as const;
export type ExtensionName = (typeof extensionNames)[number];

export function isExtensionName(name: string): name is ExtensionName {
  return extensionNames.some((each) => each === name);
}
