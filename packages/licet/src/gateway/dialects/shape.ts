/**
 * Shapes of JSON, read where they stand: nothing is copied, and a value that fits costs one walk. Written and named like
 * the schemas of zod, which the tests compare them with; zod copies what it reads, and a call cannot afford that.
 */
export interface Shape<T> {
  /** Why the value does not fit; undefined when it does. */
  fault(value: unknown): Fault | undefined;
  /** The values of a shape that has only some; used to tell kinds apart. */
  readonly values?: readonly unknown[];
  readonly mayLack?: boolean;
  /** For the type only. */
  readonly type?: T;
}

export interface Fault {
  readonly kind: "unknown-field" | "unknown-kind" | "unfit";
  readonly message: string;
  readonly path: readonly (string | number)[];
}

export type output<S> = S extends Shape<infer T> ? T : never;

interface Absent {
  readonly mayLack: true;
}

function unfit(message: string): Fault {
  return { kind: "unfit", message, path: [] };
}

function below(step: string | number, fault: Fault): Fault {
  return { ...fault, path: [step, ...fault.path] };
}

export class Refined<T> implements Shape<T> {
  declare readonly type?: T;
  readonly #faultOf: (value: unknown) => Fault | undefined;
  readonly values: readonly unknown[];

  constructor(faultOf: (value: unknown) => Fault | undefined, values: readonly unknown[] = []) {
    this.#faultOf = faultOf;
    this.values = values;
  }

  fault(value: unknown): Fault | undefined {
    return this.#faultOf(value);
  }

  optional(): Refined<T | undefined> & Absent {
    return Object.assign(new Refined<T | undefined>((value) => (value === undefined ? undefined : this.fault(value)), [...this.values, undefined]), { mayLack: true as const });
  }

  nullish(): Refined<T | null | undefined> & Absent {
    return Object.assign(new Refined<T | null | undefined>((value) => (value === undefined || value === null ? undefined : this.fault(value))), { mayLack: true as const });
  }

  /** Fits only where the text, list or number is not smaller. */
  min(least: number): Refined<T> {
    return this.#sized((size) => size >= least, `must not be less than ${least}`);
  }

  /** Fits only where the text, list or record is not longer. */
  max(most: number): Refined<T> {
    return this.#sized((size) => size <= most, `must not be more than ${most}`);
  }

  regex(pattern: RegExp, message: string): Refined<T> {
    return new Refined((value) => this.fault(value) ?? (typeof value === "string" && pattern.test(value) ? undefined : unfit(message)));
  }

  #sized(fits: (size: number) => boolean, message: string): Refined<T> {
    return new Refined((value) => this.fault(value) ?? (fits(sizeOf(value)) ? undefined : unfit(message)));
  }
}

function sizeOf(value: unknown): number {
  if (typeof value === "number") return value;
  if (typeof value === "string" || Array.isArray(value)) return value.length;
  return isObject(value) ? Object.keys(value).length : 0;
}

function when<T>(fits: (value: unknown) => boolean, message: string): Refined<T> {
  const fault = unfit(message);
  return new Refined((value) => (fits(value) ? undefined : fault));
}

export function string(): Refined<string> {
  return when((value) => typeof value === "string", "must be a text");
}

export function number(): Refined<number> {
  // `1e999` is JSON, and read as infinity: written again it would be null, which nobody sent.
  return when(Number.isFinite, "must be a number");
}

export function int(): Refined<number> {
  return when(Number.isSafeInteger, "must be a whole number");
}

export function boolean(): Refined<boolean> {
  return when((value) => typeof value === "boolean", "must be true or false");
}

export function unknown(): Refined<unknown> {
  return new Refined(() => undefined);
}

export function never(): Refined<never> {
  return when(() => false, "must not be there");
}

export function custom<T>(fits: (value: unknown) => boolean, message: string): Refined<T> {
  return when(fits, message);
}

export function url({ protocol }: { readonly protocol: RegExp }): Refined<string> {
  return when((value) => typeof value === "string" && protocol.test(URL.parse(value)?.protocol.slice(0, -1) ?? ""), "must be an address");
}

export function literal<const T extends string | number>(only: T): Refined<T> {
  const fault = unfit(`must be \`${only}\``);
  return new Refined((value) => (value === only ? undefined : fault), [only]);
}

interface Listed {
  readonly options: readonly string[];
}

function oneOf<const T extends string>(options: readonly T[]): Refined<T> & Listed {
  const known: ReadonlySet<unknown> = new Set(options);
  const fault = unfit(`must be one of ${options.join(", ")}`);
  return Object.assign(new Refined<T>((value) => (known.has(value) ? undefined : fault), options), { options });
}
export { oneOf as enum };

export function array<T>(shape: Shape<T>): Refined<T[]> {
  return new Refined((value) => {
    if (!Array.isArray(value)) return unfit("must be a list");
    for (let at = 0; at < value.length; at++) {
      const fault = shape.fault(value[at]);
      if (fault !== undefined) return below(at, fault);
    }
    return undefined;
  });
}

export function record<T>(keys: Shape<string>, shape: Shape<T>): Refined<Record<string, T>> {
  return new Refined((value) => {
    if (!isObject(value)) return unfit("must be an object");
    for (const [key, child] of Object.entries(value)) {
      const fault = keys.fault(key) ?? shape.fault(child);
      if (fault !== undefined) return below(key, fault);
    }
    return undefined;
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

type Fields = Readonly<Record<string, Shape<unknown>>>;
type Plain<T> = { [K in keyof T]: T[K] };
type ObjectOf<F extends Fields> = Plain<
  { [K in keyof F as F[K] extends Absent ? never : K]: output<F[K]> } & { [K in keyof F as F[K] extends Absent ? K : never]?: output<F[K]> }
>;

interface Fielded {
  readonly fields: Fields;
}

/** An object of these fields and no other. */
export function strictObject<F extends Fields>(fields: F): Refined<ObjectOf<F>> & Fielded {
  return object(fields, (key) => ({ kind: "unknown-field", message: "is not a field that the gateway checks", path: [key] }));
}

/** An object with these fields; others are let through as they are. */
export function looseObject<F extends Fields>(fields: F): Refined<ObjectOf<F> & Readonly<Record<string, unknown>>> & Fielded {
  return object(fields, () => undefined);
}

function object<T>(fields: Fields, other: (key: string) => Fault | undefined): Refined<T> & Fielded {
  const known = new Map(Object.entries(fields));
  const required = [...known].flatMap(([key, shape]) => (shape.mayLack === true ? [] : [key]));
  const faultOf = (value: unknown): Fault | undefined => {
    if (!isObject(value)) return unfit("must be an object");
    for (const key of Object.keys(value)) {
      const shape = known.get(key);
      const fault = shape === undefined ? other(key) : shape.fault(value[key]);
      if (fault !== undefined) return shape === undefined ? fault : below(key, fault);
    }
    const lacking = required.find((key) => !Object.hasOwn(value, key));
    return lacking === undefined ? undefined : below(lacking, unfit("must be there"));
  };
  return Object.assign(new Refined<T>(faultOf), { fields });
}

/** Objects of several kinds, told apart by one field. */
export function discriminatedUnion<const S extends readonly (Shape<unknown> & Fielded)[]>(key: string, shapes: S): Refined<output<S[number]>> {
  const kinds = new Map<unknown, Shape<unknown>>(shapes.flatMap((shape) => (shape.fields[key]?.values ?? []).map((value) => [value, shape] as const)));
  return new Refined((value) => {
    if (!isObject(value)) return unfit("must be an object");
    const shape = kinds.get(Object.hasOwn(value, key) ? value[key] : undefined);
    return shape === undefined ? { kind: key === "type" ? "unknown-kind" : "unfit", message: "is not of a kind that the gateway checks", path: [key] } : shape.fault(value);
  });
}

/** The first that fits; of several that do not, the one that got furthest says why. */
export function union<const S extends readonly Shape<unknown>[]>(shapes: S): Refined<output<S[number]>> {
  return new Refined((value) => {
    let furthest: Fault | undefined;
    for (const shape of shapes) {
      const fault = shape.fault(value);
      if (fault === undefined) return undefined;
      if (furthest === undefined || fault.path.length > furthest.path.length) furthest = fault;
    }
    return furthest;
  });
}
