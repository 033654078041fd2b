/** Writes small ONNX files, so that tests can state a model instead of shipping one. Not part of the product. */

export interface Message {
  readonly input: string;
  readonly width: number;
  readonly output: string;
  readonly second?: string;
  /** The output is a list of maps from integers to floats, as ZipMap makes them. */
  readonly maps?: boolean;
  /** Weights that lie in a file of this path. */
  readonly initializer?: { readonly name: string; readonly external: string };
  readonly nodes: readonly Uint8Array[];
}

export interface NodeText {
  readonly op: string;
  readonly ml?: boolean;
  readonly in: readonly string[];
  readonly out: readonly string[];
  readonly int?: Readonly<Record<string, number>>;
  readonly float?: Readonly<Record<string, number>>;
  readonly text?: Readonly<Record<string, string>>;
  readonly floats?: Readonly<Record<string, readonly number[]>>;
  readonly ints?: Readonly<Record<string, readonly number[]>>;
  readonly texts?: Readonly<Record<string, readonly string[]>>;
}

export function modelBytes(message: Message): Uint8Array {
  const port = (name: string, dims: Uint8Array) => join(bytes(1, name), bytes(2, bytes(1, join(number(1, 1), bytes(2, dims)))));
  const open = bytes(1, bytes(2, "N"));
  const floats = bytes(1, number(1, 1));
  const maps = bytes(4, bytes(1, bytes(5, join(number(1, 7), bytes(2, floats)))));
  const outputs = [message.output, ...(message.second === undefined ? [] : [message.second])];
  const graph = join(
    ...message.nodes.map((node) => bytes(1, node)),
    bytes(11, port(message.input, join(open, bytes(1, number(1, message.width))))),
    ...outputs.map((name) => bytes(12, join(bytes(1, name), bytes(2, message.maps === true ? maps : floats)))),
    ...(message.initializer === undefined ? [] : [bytes(5, externalTensor(message.initializer))]),
  );
  return join(number(1, 8), bytes(7, graph), bytes(8, join(bytes(1, ""), number(2, 15))), bytes(8, join(bytes(1, "ai.onnx.ml"), number(2, 3))));
}

function externalTensor({ name, external }: { readonly name: string; readonly external: string }): Uint8Array {
  return join(number(1, 1), number(2, 1), bytes(8, name), bytes(13, join(bytes(1, "location"), bytes(2, external))), number(14, 1));
}

export function nodeOf(node: NodeText): Uint8Array {
  const attributes = [
    ...Object.entries(node.int ?? {}).map(([name, value]) => join(bytes(1, name), number(3, value), number(20, 2))),
    ...Object.entries(node.float ?? {}).map(([name, value]) => join(bytes(1, name), varint(2 * 8 + 5), floatBytes([value]), number(20, 1))),
    ...Object.entries(node.text ?? {}).map(([name, value]) => join(bytes(1, name), bytes(4, value), number(20, 3))),
    ...Object.entries(node.floats ?? {}).map(([name, values]) => join(bytes(1, name), bytes(7, floatBytes(values)), number(20, 6))),
    ...Object.entries(node.ints ?? {}).map(([name, values]) => join(bytes(1, name), ...values.map((value) => number(8, value)), number(20, 7))),
    ...Object.entries(node.texts ?? {}).map(([name, values]) => join(bytes(1, name), ...values.map((value) => bytes(9, value)), number(20, 8))),
  ];
  return join(
    ...node.in.map((name) => bytes(1, name)),
    ...node.out.map((name) => bytes(2, name)),
    bytes(4, node.op),
    ...(node.ml === true ? [bytes(7, "ai.onnx.ml")] : []),
    ...attributes.map((attribute) => bytes(5, attribute)),
  );
}

function floatBytes(values: readonly number[]): Uint8Array {
  const buffer = new DataView(new ArrayBuffer(values.length * 4));
  for (const [index, value] of values.entries()) buffer.setFloat32(index * 4, value, true);
  return new Uint8Array(buffer.buffer);
}

function number(field: number, value: number): Uint8Array {
  return join(varint(field * 8), varint(value));
}

function bytes(field: number, content: Uint8Array | string): Uint8Array {
  const raw = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return join(varint(field * 8 + 2), varint(raw.length), raw);
}

function varint(value: number): Uint8Array {
  const out: number[] = [];
  let rest = value;
  do {
    out.push((rest % 128) + (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Uint8Array.from(out);
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
