/**
 * The few forms of protobuf's wire format that Envoy's authorization messages use. Unknown fields are skipped, as
 * protobuf demands; what is no message is undefined, and never a partial one.
 */

/** One field as it stands on the wire: bytes of length-delimited fields, the number of varints. */
export interface WireField {
  readonly field: number;
  readonly bytes?: Uint8Array;
  readonly number?: number;
}

export const fieldsMax = 10_000;

/** The fields of a message in order, or undefined where the bytes are none. */
export function readFields(message: Uint8Array): readonly WireField[] | undefined {
  const fields: WireField[] = [];
  let at = 0;
  while (at < message.length) {
    const tag = varint(message, at);
    if (tag === undefined || fields.length >= fieldsMax) return undefined;
    const read = value(message, tag.next, tag.value % 8);
    if (read === undefined || tag.value < 8) return undefined;
    fields.push({ field: Math.floor(tag.value / 8), ...read.value });
    at = read.next;
  }
  return fields;
}

type Content = Omit<WireField, "field">;

const fixedBytes: Readonly<Record<number, number | undefined>> = { 1: 8, 5: 4 };

function value(message: Uint8Array, at: number, wireType: number): { readonly value: Content; readonly next: number } | undefined {
  if (wireType === 0) {
    const read = varint(message, at);
    return read && { value: { number: read.value }, next: read.next };
  }
  const length = wireType === 2 ? varint(message, at) : undefined;
  const size = fixedBytes[wireType] ?? length?.value;
  const start = length?.next ?? at;
  if (size === undefined || start + size > message.length) return undefined;
  return { value: wireType === 2 ? { bytes: message.subarray(start, start + size) } : {}, next: start + size };
}

const varintBytesMax = 10;

/** Numbers beyond 2^53 lose precision: none that is looked at is so large. */
function varint(message: Uint8Array, start: number): { readonly value: number; readonly next: number } | undefined {
  let value = 0;
  for (let i = 0; i < varintBytesMax; i++) {
    const byte = message[start + i];
    if (byte === undefined) return undefined;
    value += (byte % 128) * 2 ** (7 * i);
    if (byte < 128) return { value, next: start + i + 1 };
  }
  return undefined;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

export function textOf(bytes: Uint8Array | undefined): string | undefined {
  try {
    return bytes === undefined ? undefined : utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** A field's last value stands, as protobuf has it. */
export function lastBytes(fields: readonly WireField[], field: number): Uint8Array | undefined {
  return fields.findLast((each) => each.field === field && each.bytes !== undefined)?.bytes;
}

export function allBytes(fields: readonly WireField[], field: number): readonly Uint8Array[] {
  return fields.flatMap((each) => (each.field === field && each.bytes !== undefined ? [each.bytes] : []));
}

/** A length-delimited field: a text or a message. */
export function delimited(field: number, content: string | Uint8Array): Uint8Array {
  const bytes = typeof content === "string" ? Buffer.from(content, "utf8") : content;
  return Buffer.concat([varintBytes(field * 8 + 2), varintBytes(bytes.length), bytes]);
}

export function numeric(field: number, value: number): Uint8Array {
  return Buffer.concat([varintBytes(field * 8), varintBytes(value)]);
}

function varintBytes(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}
