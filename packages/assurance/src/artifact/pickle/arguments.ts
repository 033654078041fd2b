import { elementType } from "../element-type.ts";
import { type Global, type Instance, type Value, bytesValue, describe, integerIn, integersIn, isConstant, itemsMax, textIn } from "./value.ts";

/** Judges a call that the allow-list knows: the value that it gives, or why its arguments are not the usual ones. */
export type ArgumentCheck = (args: readonly Value[], callable: Global) => Value | string;

const latin1 = new Set(["latin1", "latin-1", "iso-8859-1"]);
const arrayClasses = new Set(["numpy ndarray", "numpy matrix", "numpy.matrixlib.defmatrix matrix", "numpy recarray", "numpy.rec recarray", "numpy.core.records recarray", "numpy.ma.core MaskedArray", "numpy.ma MaskedArray"]);
const ufuncModules = new Set(["numpy", "numpy.core._multiarray_umath", "numpy._core._multiarray_umath", "scipy.special", "scipy.special._ufuncs"]);
const generators = new Set(["MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"]);
const tensorDoors = new Set(["_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_qtensor"]);
const reconstructedElementsMax = 16;
const depthMax = 20;

function keyOf(value: Value | undefined): string {
  return value?.kind === "global" ? `${value.module} ${value.name}` : "";
}

function instance(of: string): Instance {
  return { kind: "instance", of };
}

function made(callable: Global): Instance {
  return instance(`${callable.module} ${callable.name}`);
}

function constructible(value: Value | undefined): value is Global {
  return value?.kind === "global" && (value.role === "class" || value.role === "instance" || value.role === "checked");
}

/** True for values that hold no callable: constants, objects, and containers of these. */
function isPlain(value: Value, depth = 0): boolean {
  if (depth > depthMax || value.kind === "top") return false;
  if (value.kind === "global") return value.role === "value" && /^(?:torch|numpy)(?:$|\.)/u.test(value.module);
  if (value.kind === "dict") return value.special === undefined && arePlain(value.entries.flat(), depth + 1);
  return "items" in value ? arePlain(value.items, depth + 1) : true;
}

/** A container that reached its bound was not remembered whole. */
function arePlain(values: readonly Value[], depth: number): boolean {
  return values.length < itemsMax && values.every((value) => isPlain(value, depth));
}

function smallShape(value: Value | undefined): boolean {
  const shape = integersIn(value);
  return shape !== undefined && shape.every((side) => side >= 0) && shape.reduce((product, side) => product * side, 1) <= reconstructedElementsMax;
}

function isArrayClass(value: Value | undefined): boolean {
  return arrayClasses.has(keyOf(value).replace("numpy._core.", "numpy.core."));
}

function dtype(args: readonly Value[], callable: Global): Value | string {
  const [first] = args;
  const made = instance(`${callable.module} ${callable.name}`);
  if (args.length === 0 || args.length > 4) return "a data type needs one to four arguments";
  if (!args.slice(1).every((arg) => arg.kind === "constant" || arg.kind === "dict")) return "flags of a data type must be constants";
  if (first?.kind === "global") return first.role === "value" && /^(?:numpy|builtins|__builtin__)/u.test(first.module) ? made : `a data type cannot be made of ${describe(first)}`;
  const element = elementType(textIn(first) ?? "");
  if (element === undefined) return "this is no data type of NumPy";
  made.element = element;
  return made;
}

function reconstruct(args: readonly Value[]): Value | string {
  const [subtype, shape, code] = args;
  if (args.length !== 3 || !isArrayClass(subtype)) return `arrays are rebuilt as arrays, not as ${describe(subtype)}`;
  if (!smallShape(shape)) return "arrays are rebuilt empty";
  return isConstant(code, "bytes") || isConstant(code, "str") ? instance("numpy ndarray") : "the type code must be a byte";
}

function maskedReconstruct(args: readonly Value[]): Value | string {
  const [subtype, base, shape, code] = args;
  if (args.length !== 4 || !isArrayClass(subtype) || !isArrayClass(base) || !smallShape(shape)) return "masked arrays are rebuilt empty from arrays";
  return isConstant(code, "bytes") || isConstant(code, "str") ? instance("numpy.ma.core MaskedArray") : "the type code must be a byte";
}

function isDtype(value: Value | undefined): boolean {
  return value?.kind === "instance" && /^numpy(?:\.dtypes)? (?:dtype|StringDType)$/u.test(value.of);
}

function scalar(args: readonly Value[]): Value | string {
  const [type, data] = args;
  if (!isDtype(type) || args.length > 2) return "a scalar is made of a data type and bytes";
  return data === undefined || isPlain(data) ? instance("numpy generic") : "a scalar is made of bytes";
}

function frombuffer(args: readonly Value[]): Value | string {
  const [data, type, shape, order] = args;
  const buffer = isConstant(data, "bytes") || (data?.kind === "instance" && data.of === "numpy ndarray");
  if (args.length !== 4 || !buffer || !isDtype(type) || integersIn(shape) === undefined) return "an array is made of bytes, a data type and a shape";
  return ["C", "F", "A"].includes(textIn(order) ?? "") ? instance("numpy ndarray") : "the order must be C or F";
}

function ufunc(args: readonly Value[], callable: Global): Value | string {
  const [module, name] = args.map(textIn);
  if (args.length !== 2 || !ufuncModules.has(module ?? "") || !/^[a-z][a-z0-9_]{0,30}$/u.test(name ?? "")) return "only element-wise functions of NumPy and SciPy are looked up by name";
  return instance(`${callable.module} ufunc`);
}

function generator(args: readonly Value[], callable: Global): Value | string {
  const good = args.every((arg) => arg.kind === "constant" || arg.kind === "instance" || (arg.kind === "global" && (generators.has(arg.name) || arg.name === "__bit_generator_ctor") && arg.module.startsWith("numpy.random.")));
  const names = args.map(textIn).filter((name) => name !== undefined);
  return good && names.every((name) => generators.has(name)) ? made(callable) : "a random generator is made from the name of one of NumPy's";
}

function encoded(args: readonly Value[]): Value | string {
  const [text, codec] = args;
  const good = args.length === 2 && isConstant(text, "str") && latin1.has(textIn(codec) ?? "");
  return good ? bytesValue : "only latin-1 is used to write bytes";
}

function reconstructor(args: readonly Value[]): Value | string {
  const [type, base, state] = args;
  if (args.length !== 3 || !constructible(type)) return `objects are not rebuilt from ${describe(type)}`;
  const builtin = base?.kind === "global" && ["builtins", "__builtin__"].includes(base.module) && base.role !== "refused";
  return builtin && state !== undefined && isPlain(state) ? made(type) : "the base of a rebuilt object must be a built-in type with a plain state";
}

function firstClass(args: readonly Value[]): Value | string {
  const [type] = args;
  if (!constructible(type) || type.role === "checked") return `${describe(type)} is not a class that may be made here`;
  return made(type);
}

function newIndex(args: readonly Value[]): Value | string {
  const [type, parts] = args;
  const index = type?.kind === "global" && /^pandas\.core\.indexes\.\w+$/u.test(type.module) && type.role === "class";
  return index && args.length === 2 && parts?.kind === "dict" ? made(type) : "an index is rebuilt from a class of pandas and its parts";
}

function defaultdict(args: readonly Value[], callable: Global): Value | string {
  const [factory] = args;
  const type = factory?.kind === "global" && ["builtins", "__builtin__", "collections"].includes(factory.module) && factory.role !== "refused";
  const plain = factory === undefined || isConstant(factory, "none") || type;
  return plain && args.slice(1).every((arg) => isPlain(arg)) ? made(callable) : `${describe(factory)} would be called for every missing key`;
}

function sequence(args: readonly Value[], callable: Global): Value | string {
  const good = args.every((arg) => arg.kind === "tuple" || arg.kind === "list" || arg.kind === "set" || arg.kind === "dict" || arg.kind === "constant");
  if (!good || args.length > 2) return "a container is made from a container";
  if (callable.name === "list" && args.length === 0) return { kind: "list", items: [] };
  if (callable.name === "dict" && args.length === 0) return { kind: "dict", entries: [] };
  return made(callable);
}

function makeSet(args: readonly Value[], callable: Global): Value | string {
  const given = sequence(args, callable);
  return typeof given === "string" ? given : callable.name === "set" ? { kind: "set", items: [] } : given;
}

function mapping(args: readonly Value[], callable: Global): Value | string {
  return args.length <= 1 && args.every((arg) => arg.kind === "list" || arg.kind === "dict" || arg.kind === "tuple" || (arg.kind === "instance" && arg.of.startsWith("collections "))) ? made(callable) : "a mapping is made from pairs";
}

function bytesLike(args: readonly Value[]): Value | string {
  const [data, codec] = args;
  const good = data === undefined || isConstant(data, "bytes") || data.kind === "list" || (isConstant(data, "str") && latin1.has(textIn(codec) ?? ""));
  return good && args.length <= 2 ? bytesValue : "bytes are made from bytes";
}

function constants(args: readonly Value[], callable: Global): Value | string {
  return args.every((arg) => arg.kind === "constant" || arg.kind === "tuple") && args.every((arg) => isPlain(arg)) ? made(callable) : "only constants are passed here";
}

function plain(args: readonly Value[], callable: Global): Value | string {
  return args.every((arg) => isPlain(arg)) ? made(callable) : "only data are passed here, nothing that can be called";
}

function zone(args: readonly Value[], callable: Global): Value | string {
  const [name] = args;
  const good = /^[A-Za-z0-9_+-]+(?:\/[A-Za-z0-9_+-]+)*$/u.test(textIn(name) ?? "");
  return good && args.every((arg) => arg.kind === "constant") ? made(callable) : "a time zone is named by letters";
}

function rebuildTensor(args: readonly Value[], callable: Global): Value | string {
  const [storage, offset] = args;
  const view = storage?.kind === "storage" || (storage?.kind === "instance" && storage.of.startsWith("torch"));
  if (!view || integerIn(offset) === undefined) return "a tensor is a view of a storage";
  return args.slice(2).every((arg) => isPlain(arg) || emptyHooks(arg)) ? instance("torch Tensor") : `${callable.name} is given something other than sizes`;
}

/** Backward hooks: written as an empty ordered dictionary. */
function emptyHooks(value: Value): boolean {
  return value.kind === "instance" && value.of === "collections OrderedDict";
}

function rebuildParameter(args: readonly Value[]): Value | string {
  const [data] = args;
  const tensor = data?.kind === "instance" && data.of.startsWith("torch");
  return tensor && args.slice(1).every((arg) => isPlain(arg)) ? instance("torch Parameter") : "a parameter is made of a tensor";
}

function isTorchName(value: Value | undefined): boolean {
  return value?.kind === "global" && value.role !== "refused" && value.module.startsWith("torch");
}

function rebuildFromType(args: readonly Value[]): Value | string {
  const [door, type, inner, state] = args;
  if (door?.kind !== "global" || door.module !== "torch._utils" || !tensorDoors.has(door.name)) return `${describe(door)} would be called`;
  if (!isTorchName(type) || inner?.kind !== "tuple" || args.length !== 4) return "a tensor is rebuilt as a class of torch";
  const rebuilt = rebuildTensor(inner.items, door);
  return typeof rebuilt === "string" || (state !== undefined && isPlain(state)) ? rebuilt : "the state of a tensor must be plain";
}

/** Checks by the name that the allow-list gives them. */
export const checks: Readonly<Record<string, ArgumentCheck>> = {
  dtype, reconstruct, maskedReconstruct, scalar, frombuffer, ufunc, generator, latin1: encoded, reconstructor, firstClass, newIndex,
  defaultdict, sequence, set: makeSet, mapping, bytesLike, constants, plain, zone, rebuildTensor, rebuildParameter, rebuildFromType,
};
