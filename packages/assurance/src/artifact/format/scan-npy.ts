import { elementType } from "../element-type.ts";
import type { Layer } from "../layer.ts";
import type { ElementType } from "../pickle/value.ts";
import { looksLikePickle, scanPickle } from "../pickle/scan-pickle.ts";
import { ByteReader, Damaged, sliceSource } from "../source.ts";
import { type Literal, parseLiteral } from "../text/python-literal.ts";

const headerBytesMax = 1 << 20;
const fieldsMax = 10_000;

/** NumPy's format 1.0 to 3.0. Source: NumPy enhancement proposal 1 and `numpy.lib.format`. */
export function scanNpy(layer: Layer): void {
  layer.format = "npy";
  const reader = new ByteReader(layer.source, 6);
  const version = reader.byte();
  reader.skip(1);
  if (version < 1 || version > 3) throw new Damaged(`version ${version} does not exist`, 6);
  const length = version === 1 ? reader.u16() : reader.u32();
  if (length > headerBytesMax) throw new Damaged("the header is longer than any real one", reader.at);
  const header = parseLiteral(Buffer.from(reader.take(length)).toString("utf8"));
  const { element, count } = typeAndCount(header);
  const start = reader.at;
  layer.claims.claim(0, start, "npy header");
  if (element.holdsObjects) {
    objects(layer, start);
    return;
  }
  const end = start + count * element.itemBytes;
  if (end !== layer.source.size) throw new Damaged(`the shape asks for ${count * element.itemBytes} bytes and ${layer.source.size - start} are there`, start);
  layer.claims.claim(start, end, "elements");
}

/** An array of objects is a pickle behind the header, and is judged as one. */
function objects(layer: Layer, start: number): void {
  layer.report("npy.object", "the array holds Python objects: it is read only where pickles are allowed", start);
  const inner = layer.inner("objects", sliceSource(layer.source, start, layer.source.size));
  if (!looksLikePickle(inner.source)) throw new Damaged("the objects are no pickle", start);
  scanPickle(inner);
  layer.claims.claim(start, layer.source.size, "pickle");
}

function typeAndCount(header: Literal | undefined): { readonly element: ElementType; readonly count: number } {
  const named = (key: string): Literal | undefined => (header?.kind === "dict" ? header.entries.find(([name]) => name.kind === "text" && name.text === key)?.[1] : undefined);
  const shape = named("shape");
  const descr = named("descr");
  if (header?.kind !== "dict" || header.entries.length !== 3 || named("fortran_order")?.kind !== "name" || shape?.kind !== "tuple" || descr === undefined) throw new Damaged("the header is not descr, fortran_order and shape", 8);
  const sides = shape.items.map((side) => (side.kind === "number" ? side.number : Number.NaN));
  const count = sides.reduce((product, side) => product * side, 1);
  if (sides.some((side) => !Number.isSafeInteger(side) || side < 0) || !Number.isSafeInteger(count)) throw new Damaged("the shape is no list of counts", 8);
  return { element: elementOf(descr), count };
}

function repeats(shape: Literal | undefined): number {
  const sides = shape === undefined ? [] : shape.kind === "tuple" ? shape.items : [shape];
  const times = sides.reduce((product, side) => product * (side.kind === "number" ? side.number : Number.NaN), 1);
  if (!Number.isSafeInteger(times) || times < 0) throw new Damaged("a field has no shape", 8);
  return times;
}

/** A type string, or fields `(name, type)` or `(name, type, shape)`. */
function elementOf(descr: Literal, depth = 0): ElementType {
  if (descr.kind === "text") {
    const element = elementType(descr.text);
    if (element !== undefined) return element;
  }
  if (descr.kind !== "list" || depth > 8 || descr.items.length > fieldsMax) throw new Damaged("the type of the elements is unknown", 8);
  let itemBytes = 0;
  let holdsObjects = false;
  for (const field of descr.items) {
    const [, type, shape] = field.kind === "tuple" ? field.items : [];
    if (type === undefined) throw new Damaged("a field has no type", 8);
    const inner = elementOf(type, depth + 1);
    const times = repeats(shape);
    itemBytes += inner.itemBytes * times;
    holdsObjects ||= inner.holdsObjects;
  }
  return { itemBytes, holdsObjects };
}
