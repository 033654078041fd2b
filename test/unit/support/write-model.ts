/** Writes small ONNX files, so that tests can state a model instead of shipping one. Not part of the product. */

export interface Message {
  readonly input: string;
  readonly width: number;
  readonly output: string;
  readonly second?: string;
  readonly nodes: readonly Uint8Array[];
}

export interface NodeText {
  readonly op: string;
  readonly ml?: boolean;
  readonly in: readonly string[];
  readonly out: readonly string[];
  readonly int?: Readonly<Record<string, number>>;
  readonly text?: Readonly<Record<string, string>>;
  readonly floats?: Readonly<Record<string, readonly number[]>>;
  readonly ints?: Readonly<Record<string, readonly number[]>>;
  readonly texts?: Readonly<Record<string, readonly string[]>>;
}

export function modelBytes(message: Message): Uint8Array {
  const port = (name: string, dims: Uint8Array) => join(bytes(1, name), bytes(2, bytes(1, join(number(1, 1), bytes(2, dims)))));
  const open = bytes(1, bytes(2, "N"));
  const outputs = [message.output, ...(message.second === undefined ? [] : [message.second])];
  const graph = join(
    ...message.nodes.map((node) => bytes(1, node)),
    bytes(11, port(message.input, join(open, bytes(1, number(1, message.width))))),
    ...outputs.map((name) => bytes(12, port(name, open))),
  );
  return join(number(1, 8), bytes(7, graph), bytes(8, join(bytes(1, ""), number(2, 15))), bytes(8, join(bytes(1, "ai.onnx.ml"), number(2, 3))));
}

export function nodeOf(node: NodeText): Uint8Array {
  const attributes = [
    ...Object.entries(node.int ?? {}).map(([name, value]) => join(bytes(1, name), number(3, value))),
    ...Object.entries(node.text ?? {}).map(([name, value]) => join(bytes(1, name), bytes(4, value))),
    ...Object.entries(node.floats ?? {}).map(([name, values]) => join(bytes(1, name), bytes(7, floatBytes(values)))),
    ...Object.entries(node.ints ?? {}).map(([name, values]) => join(bytes(1, name), ...values.map((value) => number(8, value)))),
    ...Object.entries(node.texts ?? {}).map(([name, values]) => join(bytes(1, name), ...values.map((value) => bytes(9, value)))),
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
