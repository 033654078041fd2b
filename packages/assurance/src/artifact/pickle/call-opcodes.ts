import { allowKey } from "./allow-list.ts";
import type { Opcode } from "./data-opcodes.ts";
import { readInlineArray } from "./inline-array.ts";
import { type Machine, textLineBytesMax } from "./machine.ts";
import { type Global, type Instance, type Value, describe, integerIn, isConstant, textIn, top, tupleValue } from "./value.ts";

const utf8 = new TextDecoder("utf-8");
const nameBytesMax = 1000;
/** What `torch.load` takes a persistent id for, with the bytes of one element. */
const storageBytes: Readonly<Record<string, number>> = {
  FloatStorage: 4, DoubleStorage: 8, HalfStorage: 2, BFloat16Storage: 2, LongStorage: 8, IntStorage: 4, ShortStorage: 2, CharStorage: 1, ByteStorage: 1, BoolStorage: 1,
  ComplexFloatStorage: 8, ComplexDoubleStorage: 16, QInt8Storage: 1, QUInt8Storage: 1, QInt32Storage: 4, QUInt4x2Storage: 1, QUInt2x4Storage: 1, UntypedStorage: 1,
};
const storageKey = /^[A-Za-z0-9_.-]{1,100}$/u;
/** State that Python's own classes keep under names with two underscores. */
const scriptModule = /^__torch__(?:\.\w+)*$/u;
const scriptName = /^\w+$/u;
const specialKeys = new Set(["__orig_class__"]);

/** Looks a name up as the unpickler would, and judges it: only exact names of the allow-list are imported. */
function lookUp(machine: Machine, module: string, name: string): Value {
  machine.imports += 1;
  if (machine.options.script === true && scriptModule.test(module) && scriptName.test(name)) return { kind: "global", module, name, role: "instance" };
  machine.options.sink.imports(module, name);
  const role = machine.options.roles.get(allowKey(module, name));
  if (role === undefined) {
    const dotted = name.includes(".");
    machine.report(dotted ? "pickle.import.dotted" : "pickle.import", `loading imports \`${module}.${name}\`, which is no part of the libraries that are allowed`);
    return { kind: "global", module, name, role: "refused" };
  }
  return { kind: "global", module, name, role: typeof role === "string" ? role : "checked" };
}

function globalLines(machine: Machine): Value {
  const module = utf8.decode(machine.reader.line(textLineBytesMax).subarray(0, nameBytesMax));
  const name = utf8.decode(machine.reader.line(textLineBytesMax).subarray(0, nameBytesMax));
  return lookUp(machine, module, name);
}

function stackGlobal(machine: Machine): void {
  const name = machine.pop();
  const module = machine.pop();
  const [moduleText, nameText] = [textIn(module), textIn(name)];
  if (moduleText !== undefined && nameText !== undefined) {
    machine.push(lookUp(machine, moduleText, nameText));
    return;
  }
  machine.imports += 1;
  machine.report("pickle.import.computed", `a name is imported that is not written as text but as ${describe(module)} and ${describe(name)}`);
  machine.push(top);
}

function extension(machine: Machine, code: number): void {
  machine.imports += 1;
  machine.report("pickle.extension", `extension code ${code} stands for a name that is not in the file`);
  machine.push(top);
}

interface Call {
  readonly callable: Value;
  readonly args: Value;
  /** `new`: only \`__new__\` runs. */
  readonly by: "call" | "new";
}

function call(machine: Machine, { callable, args, by }: Call): Value {
  machine.calls += 1;
  if (callable.kind === "top") return top;
  if (callable.kind !== "global") {
    machine.report("pickle.call.value", `loading would call ${describe(callable)}`);
    return top;
  }
  if (callable.role === "refused") {
    machine.report("pickle.call", `loading calls ${describe(callable)}`);
    return top;
  }
  if (args.kind !== "tuple") {
    machine.report("pickle.call.arguments", `${describe(callable)} is called with ${describe(args)} for its arguments`);
    return top;
  }
  return callAllowed(machine, callable, { args: args.items, by });
}

function callAllowed(machine: Machine, callable: Global, { args, by }: { readonly args: readonly Value[]; readonly by: Call["by"] }): Value {
  const role = machine.options.roles.get(allowKey(callable.module, callable.name));
  const of = allowKey(callable.module, callable.name);
  if (role === "class" || ((role === "instance" || isScript(machine, callable)) && by === "new")) return { kind: "instance", of };
  if (role === undefined || typeof role === "string") {
    machine.report("pickle.call", `loading calls ${describe(callable)}, which is known as a value only`);
    return top;
  }
  const result = role(args, callable);
  if (typeof result !== "string") return result;
  machine.report("pickle.call.arguments", `${describe(callable)}: ${result}`);
  return top;
}

function isScript(machine: Machine, callable: Global): boolean {
  return machine.options.script === true && callable.role === "instance" && scriptModule.test(callable.module);
}

function reduce(machine: Machine): void {
  const args = machine.pop();
  const callable = machine.pop();
  const rebuilt = throughNewObject(callable, args);
  machine.push(call(machine, rebuilt ?? { callable, args, by: "call" }));
}

/** `copyreg.__newobj__(cls, *args)` through REDUCE is NEWOBJ written otherwise. */
function throughNewObject(callable: Value, args: Value): Call | undefined {
  if (callable.kind !== "global" || allowKey(callable.module, callable.name) !== "copyreg __newobj__" || args.kind !== "tuple") return undefined;
  const [type, ...rest] = args.items;
  return type === undefined ? undefined : { callable: type, args: tupleValue(rest), by: "new" };
}

function newObject(machine: Machine, keywords: boolean): void {
  const named = keywords ? machine.pop() : undefined;
  const args = machine.pop();
  const callable = machine.pop();
  if (named !== undefined && (named.kind !== "dict" || named.special !== undefined)) machine.report("pickle.call.arguments", `${describe(callable)} is made with ${describe(named)} for its named arguments`);
  machine.push(call(machine, { callable, args, by: "new" }));
}

function instantiate(machine: Machine): void {
  const [callable, ...args] = machine.popMark();
  if (callable === undefined) throw machine.damaged("nothing is called");
  machine.push(call(machine, { callable, args: tupleValue(args), by: "call" }));
}

function build(machine: Machine): void {
  const state = machine.pop();
  const target = machine.peek();
  if (target.kind === "top") return;
  if (target.kind !== "instance") {
    machine.report("pickle.build", `attributes of ${describe(target)} are replaced while loading`);
    return;
  }
  judgeState(machine, target, state);
  if (target.of === "numpy dtype") describeType(machine, target, state);
  if (target.of !== "joblib.numpy_pickle NumpyArrayWrapper" || state.kind !== "dict") return;
  machine.stack.pop();
  if (!machine.options.inlineArrays) throw machine.damaged("raw bytes of an array follow where nobody reads them");
  machine.push(readInlineArray(machine, state));
}

/** INVARIANT: no state may plant what Python looks up on objects while loading, such as \`__setstate__\` or \`__class__\`. */
function judgeState(machine: Machine, target: Instance, state: Value): void {
  if (state.kind === "global" || state.kind === "top") machine.report("pickle.build", `${describe(target)} is given ${describe(state)} for its state`);
  const parts = state.kind === "tuple" && state.items.length === 2 ? state.items : [state];
  for (const part of parts) {
    if (part.kind === "dict" && part.special !== undefined && !specialKeys.has(part.special)) machine.report("pickle.build.key", `the state of ${describe(target)} sets \`${part.special}\``);
  }
}

/** Byte order, fields and flags of a data type: `(version, order, subarray, names, fields, size, alignment, flags)`. */
function describeType(machine: Machine, target: Instance, state: Value): void {
  if (state.kind !== "tuple" || state.items.length < 8) return;
  const [, , subarray, , fields, size, , flags] = state.items;
  const own = target.element ?? { itemBytes: 0, holdsObjects: false };
  const explicit = integerIn(size) ?? -1;
  const flagged = ((integerIn(flags) ?? 0) & 1) !== 0;
  const objects = flagged || own.holdsObjects || fieldsHoldObjects(fields);
  if (subarray?.kind === "tuple" && explicit < 0) throw machine.damaged("a data type of arrays has no size");
  target.element = { itemBytes: explicit >= 0 ? explicit : own.itemBytes, holdsObjects: objects };
}

function fieldsHoldObjects(fields: Value | undefined): boolean {
  return fields?.kind === "dict" && fields.entries.some(([, field]) => field.kind === "tuple" && field.items[0]?.kind === "instance" && field.items[0].element?.holdsObjects === true);
}

function persistent(machine: Machine, id: Value): void {
  const storage = machine.options.torch && id.kind === "tuple" ? storageOf(id.items) : undefined;
  if (storage === undefined) {
    machine.report("pickle.persistent", `a persistent id names ${describe(id)}, not a storage of a tensor`);
    machine.push(top);
    return;
  }
  machine.options.storage?.(storage.key, storage.bytes);
  machine.push({ kind: "storage", key: storage.key });
}

/** `("storage", type, key, location, elements)`, and a view in old files. */
function storageOf([kind, type, key, location, count]: readonly Value[]): { readonly key: string; readonly bytes: number } | undefined {
  const width = type?.kind === "global" && /^torch(?:\.storage|\.cuda)?$/u.test(type.module) ? storageBytes[type.name] : undefined;
  const name = textIn(key) ?? "";
  const elements = integerIn(count) ?? -1;
  const named = textIn(kind) === "storage" && storageKey.test(name) && !name.includes("..");
  return named && width !== undefined && elements >= 0 && isConstant(location, "str") ? { key: name, bytes: elements * width } : undefined;
}

const c = (letter: string): number => letter.codePointAt(0) ?? 0;

/** Opcodes that import, call, or change objects. */
export const callOpcodes: readonly (readonly [number, Opcode])[] = [
  [c("c"), (m) => m.push(globalLines(m))],
  [0x93, stackGlobal],
  [c("i"), (m) => {
    if (m.marks.length === 0) throw m.damaged("a mark is missing");
    const callable = globalLines(m);
    m.push(call(m, { callable, args: tupleValue(m.popMark()), by: "call" }));
  }],
  [c("o"), instantiate],
  [c("R"), reduce],
  [0x81, (m) => newObject(m, false)],
  [0x92, (m) => newObject(m, true)],
  [c("b"), build],
  [0x82, (m) => extension(m, m.reader.byte())],
  [0x83, (m) => extension(m, m.reader.u16())],
  [0x84, (m) => extension(m, m.reader.u32())],
  [c("P"), (m) => persistent(m, (m.reader.line(textLineBytesMax), top))],
  [c("Q"), (m) => persistent(m, m.pop())],
  [0x97, (m) => { m.report("pickle.buffers", "the pickle refers to buffers that are kept outside of it"); m.push({ kind: "constant", type: "bytes" }); }],
  [0x98, (m) => void m.peek()],
];
