/** Below this many values comparing is faster than counting digits. */
const countingFrom = 512;
const digitBits = 16;
const digits = 1 << digitBits;

/** Row numbers in the order of their values, smallest first; equal values keep their rows' order. Values must be numbers. */
export function orderOf(values: Float64Array): Uint32Array {
  const order = Uint32Array.from({ length: values.length }, (_, row) => row);
  if (values.length < countingFrom) return order.sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0) || a - b);
  const keys = sortableBits(values);
  return [0, 1, 2, 3].reduce<Uint32Array>((sorted, digit) => byDigit(sorted, keys, digit), order);
}

/**
 * Two 32-bit words per value (low, high), whose unsigned order is that of the numbers: negative numbers have all bits
 * turned, the others their sign bit. -0 counts as 0.
 */
function sortableBits(values: Float64Array): Uint32Array {
  const normal = values.map((value) => value + 0);
  const words = new Uint32Array(normal.buffer, normal.byteOffset, 2 * normal.length);
  for (let index = 1; index < words.length; index += 2) {
    const high = words[index] ?? 0;
    if (high >>> 31 === 1) {
      words[index] = ~high;
      words[index - 1] = ~(words[index - 1] ?? 0);
    } else words[index] = high | 0x80_00_00_00;
  }
  return words;
}

/** One stable pass of a radix sort over the 16 bits at `digit`, lowest first. */
function byDigit(order: Uint32Array, keys: Uint32Array, digit: number): Uint32Array {
  const word = digit >> 1;
  const shift = (digit & 1) * digitBits;
  const starts = new Uint32Array(digits + 1);
  for (let row = 0; row < order.length; row += 1) {
    const next = (((keys[2 * row + word] ?? 0) >>> shift) & (digits - 1)) + 1;
    starts[next] = (starts[next] ?? 0) + 1;
  }
  if (starts.includes(order.length)) return order;
  for (let value = 1; value <= digits; value += 1) starts[value] = (starts[value] ?? 0) + (starts[value - 1] ?? 0);
  const sorted = new Uint32Array(order.length);
  for (let place = 0; place < order.length; place += 1) {
    const row = order[place] ?? 0;
    const value = ((keys[2 * row + word] ?? 0) >>> shift) & (digits - 1);
    const at = starts[value] ?? 0;
    sorted[at] = row;
    starts[value] = at + 1;
  }
  return sorted;
}
