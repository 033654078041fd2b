import { shown } from "../refusal.ts";

/** Datatypes of the protocol that have a JSON form. */
export const datatypes = ["BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64", "BYTES"] as const;
export type Datatype = (typeof datatypes)[number];

export type Scalar = string | number | boolean;
/** As it came: flat in row-major order, or nested as the shape says. */
export type TensorData = readonly (Scalar | TensorData)[];

/** A tensor that was read whole: its data fit its shape and datatype, element by element. */
export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: Datatype;
  readonly parameters?: Parameters;
  readonly data: TensorData;
}

export type Parameters = Readonly<Record<string, Scalar>>;

/** What is wrong, and where. */
export interface Wrong {
  readonly code: "tensor_invalid" | "request_unreadable" | "field_unsupported" | "binary_data_unsupported";
  readonly param: string;
  readonly message: string;
}

export type Read<T> = { readonly value: T } | { readonly wrong: Wrong };

export const tensorsMax = 256;
const rankMax = 16;
export const nameCharactersMax = 256;
const parametersMax = 64;
const parameterCharactersMax = 4096;

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function wrong(code: Wrong["code"], param: string, message: string): { readonly wrong: Wrong } {
  return { wrong: { code, param, message: `\`${shown(param)}\` ${message}` } };
}

export function isName(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= nameCharactersMax;
}

/** Undefined where the object has no other members than these. */
export function unknownMember(value: Readonly<Record<string, unknown>>, known: readonly string[]): string | undefined {
  return Object.keys(value).find((key) => !known.includes(key));
}

function isDatatype(value: unknown): value is Datatype {
  return datatypes.some((each) => each === value);
}

function isScalar(value: unknown): value is Scalar {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

/** Members of the protocol's extensions that move tensors past the JSON. */
const binaryMembers: ReadonlySet<string> = new Set(["binary_data", "binary_data_size", "binary_data_output", "shared_memory_region", "shared_memory_byte_size", "shared_memory_offset"]);

export function readParameters(value: unknown, at: string): Read<Parameters | undefined> {
  if (value === undefined) return { value: undefined };
  if (!isRecord(value)) return wrong("request_unreadable", at, "is not an object");
  const entries = Object.entries(value);
  if (entries.length > parametersMax) return wrong("request_unreadable", at, `has more than ${parametersMax} members`);
  const read: [string, Scalar][] = [];
  for (const [key, each] of entries) {
    if (binaryMembers.has(key)) return wrong("binary_data_unsupported", `${at}.${key}`, "moves tensor data past the JSON");
    if (!isScalar(each) || String(each).length > parameterCharactersMax) return wrong("request_unreadable", `${at}.${key}`, "is not a string, number or boolean within the limits");
    read.push([key, each]);
  }
  return { value: Object.fromEntries(read) };
}

/** Elements of a shape; undefined for what is no shape. */
function elementsOf(shape: readonly unknown[]): number | undefined {
  const product = shape.reduce<number>((sum, dim) => (typeof dim === "number" && Number.isSafeInteger(dim) && dim >= 0 ? sum * dim : Number.NaN), 1);
  return Number.isSafeInteger(product) && shape.length <= rankMax ? product : undefined;
}

/** Reads one tensor with its data. `at` is its place, as `inputs[0]`. */
export function readTensor(value: unknown, at: string, loose = false): Read<Tensor> {
  if (!isRecord(value)) return wrong("request_unreadable", at, "is not an object");
  const odd = loose ? undefined : unknownMember(value, ["name", "shape", "datatype", "parameters", "data"]);
  if (odd !== undefined) return wrong("field_unsupported", `${at}.${odd}`, "is not a field that the gateway checks");
  const { name, data } = value;
  if (!isName(name)) return wrong("request_unreadable", `${at}.name`, `is not a name of at most ${nameCharactersMax} characters`);
  const form = readForm(value, at);
  if ("wrong" in form) return form;
  const parameters = readParameters(value["parameters"], `${at}.parameters`);
  if ("wrong" in parameters) return parameters;
  if (!Array.isArray(data)) return wrong("tensor_invalid", `${at}.data`, "is not a list");
  const problem = dataProblem(data, form.value);
  if (problem !== undefined) return wrong("tensor_invalid", `${at}.data`, problem);
  const plain: TensorData = data;
  return { value: { name, shape: form.value.dims, datatype: form.value.datatype, ...(parameters.value !== undefined && { parameters: parameters.value }), data: plain } };
}

function readForm({ shape, datatype }: Readonly<Record<string, unknown>>, at: string): Read<Form> {
  const elements = Array.isArray(shape) ? elementsOf(shape) : undefined;
  if (!Array.isArray(shape) || elements === undefined) return wrong("tensor_invalid", `${at}.shape`, `is not a list of at most ${rankMax} whole numbers`);
  if (!isDatatype(datatype)) return wrong("tensor_invalid", `${at}.datatype`, `is none of ${datatypes.join(", ")}`);
  const dims: readonly number[] = shape;
  return { value: { dims, elements, datatype } };
}

interface Form {
  readonly dims: readonly number[];
  readonly elements: number;
  readonly datatype: Datatype;
}

function dataProblem(data: readonly unknown[], { dims, elements, datatype }: Form): string | undefined {
  const check = checks[datatype];
  if (!data.some((each) => Array.isArray(each))) {
    if (data.length !== elements && !(elements === 0 && data.length === 0)) return `has ${data.length} elements, and its shape has ${elements}`;
    return data.every(check) ? undefined : `has an element that is no ${datatype}${exactness[datatype] ?? ""}`;
  }
  return nestedProblem(data, 0, { dims, datatype });
}

/** Nested data must have the shape at every level: a list that is longer somewhere and shorter elsewhere is another tensor. */
function nestedProblem(data: readonly unknown[], level: number, form: Pick<Form, "dims" | "datatype">): string | undefined {
  const { dims, datatype } = form;
  if (data.length !== dims[level]) return `has ${data.length} elements at level ${level + 1}, and its shape has ${dims[level] ?? 0}`;
  if (level === dims.length - 1) return data.every(checks[datatype]) ? undefined : `has an element that is no ${datatype}${exactness[datatype] ?? ""}`;
  for (const each of data) {
    const problem = Array.isArray(each) ? nestedProblem(each, level + 1, form) : `is nested in some places and not in others`;
    if (problem !== undefined) return problem;
  }
  return undefined;
}

type Check = (value: unknown) => boolean;

function whole(min: number, max: number): Check {
  return (value) => typeof value === "number" && Number.isInteger(value) && value >= min && value <= max;
}

function finite(max: number): Check {
  return (value) => typeof value === "number" && Number.isFinite(value) && Math.abs(value) <= max;
}

/** Whole numbers of 64 bits only as far as JSON readers agree on them; floating-point numbers only as far as they stay finite. */
const checks: Readonly<Record<Datatype, Check>> = {
  BOOL: (value) => typeof value === "boolean",
  UINT8: whole(0, 0xff),
  UINT16: whole(0, 0xff_ff),
  UINT32: whole(0, 0xff_ff_ff_ff),
  UINT64: whole(0, Number.MAX_SAFE_INTEGER),
  INT8: whole(-0x80, 0x7f),
  INT16: whole(-0x80_00, 0x7f_ff),
  INT32: whole(-0x80_00_00_00, 0x7f_ff_ff_ff),
  INT64: whole(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  FP16: finite(65_504),
  FP32: finite(3.402_823_466_385_288_6e38),
  FP64: finite(Number.MAX_VALUE),
  BYTES: (value) => typeof value === "string",
};

const beyondExact = " that JSON carries exactly (up to 2^53)";
const exactness: Readonly<Partial<Record<Datatype, string>>> = { INT64: beyondExact, UINT64: beyondExact };

/** The strings of a tensor in their order; none for numbers. */
export function stringsOf({ datatype, data }: Tensor): readonly string[] {
  return datatype === "BYTES" ? flat(data).filter((each) => typeof each === "string") : [];
}

function flat(data: TensorData): readonly Scalar[] {
  return data.flatMap((each) => (Array.isArray(each) ? flat(each) : isScalar(each) ? [each] : []));
}

/** What a record says of a tensor: never its data. */
export function described({ name, datatype, shape }: Tensor): { readonly name: string; readonly datatype: string; readonly shape: readonly number[] } {
  return { name, datatype, shape };
}
