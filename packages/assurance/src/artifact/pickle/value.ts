/** What a NumPy data type is about, as far as reading raw arrays needs it. */
export interface ElementType {
  readonly itemBytes: number;
  readonly holdsObjects: boolean;
}

export interface Constant {
  readonly kind: "constant";
  readonly type: "none" | "bool" | "int" | "float" | "str" | "bytes";
  /** Absent for long texts and for bytes: nothing that matters has such a name. */
  readonly text?: string;
  readonly number?: number;
}

export interface Global {
  readonly kind: "global";
  readonly module: string;
  readonly name: string;
  /** `checked`: callable when its arguments are those that the library writes. */
  readonly role: "refused" | "value" | "instance" | "class" | "checked";
}

/** An object that an allowed constructor gave back. The interpreter owns `element` and `entries`. */
export interface Instance {
  readonly kind: "instance";
  /** Module and name of its class, joined by a space. */
  readonly of: string;
  element?: ElementType;
}

export interface Storage {
  readonly kind: "storage";
  readonly key: string;
}

export interface Items {
  readonly kind: "list" | "set";
  readonly items: Value[];
}

export interface Dict {
  readonly kind: "dict";
  readonly entries: (readonly [Value, Value])[];
  /** First key with two underscores on both sides, or one that is not a plain value. */
  special?: string;
}

/** `top`: nothing is known, because something before it was refused. */
export type Value = Constant | Global | Instance | Storage | Items | Dict | { readonly kind: "tuple"; readonly items: readonly Value[] } | { readonly kind: "top" };

export const top: Value = { kind: "top" };
export const noneValue: Constant = { kind: "constant", type: "none" };
export const trueValue: Constant = { kind: "constant", type: "bool", number: 1 };
export const falseValue: Constant = { kind: "constant", type: "bool", number: 0 };
export const bytesValue: Constant = { kind: "constant", type: "bytes" };
export const floatValue: Constant = { kind: "constant", type: "float" };
const longText: Constant = { kind: "constant", type: "str" };
const smallIntegers: readonly Constant[] = Array.from({ length: 256 }, (_, number) => ({ kind: "constant", type: "int", number }));

/** Names of modules, attributes and state keys are shorter. */
export const textCharactersMax = 400;
/** Elements of one container that are remembered; checks look only at containers that are smaller. */
export const itemsMax = 65_536;

export function integerValue(number: number): Constant {
  return smallIntegers[number] ?? { kind: "constant", type: "int", number };
}

export function textValue(text: string): Constant {
  return text.length > textCharactersMax ? longText : { kind: "constant", type: "str", text };
}

export function tupleValue(items: readonly Value[]): Value {
  return { kind: "tuple", items };
}

export function textIn(value: Value | undefined): string | undefined {
  return value?.kind === "constant" && value.type === "str" ? value.text : undefined;
}

export function integerIn(value: Value | undefined): number | undefined {
  return value?.kind === "constant" && value.type === "int" ? value.number : undefined;
}

/** Integers of a tuple, or undefined when anything else is in it. */
export function integersIn(value: Value | undefined): readonly number[] | undefined {
  if (value?.kind !== "tuple") return undefined;
  const integers = value.items.map(integerIn);
  return integers.every((item) => item !== undefined) ? integers : undefined;
}

export function isConstant(value: Value | undefined, type: Constant["type"]): boolean {
  return value?.kind === "constant" && value.type === type;
}

/** For messages: what a value is, in a few words. */
export function describe(value: Value | undefined): string {
  if (value === undefined) return "nothing";
  if (value.kind === "global") return `\`${value.module}.${value.name}\``;
  if (value.kind === "instance") return `an object of \`${value.of.replace(" ", ".")}\``;
  if (value.kind === "constant") return value.type === "none" ? "None" : `a ${value.type}`;
  return value.kind === "top" ? "something unknown" : `a ${value.kind}`;
}
