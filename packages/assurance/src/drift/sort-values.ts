/** Below this the built-in sort is as fast. */
const radixFrom = 4096;
const digits = 2048;
/** Where the eleven, eleven and nine upper bits begin, lowest first. */
const shifts = [1, 12, 23] as const;
const movesPerValueMax = 4;

/**
 * Sorts finite numbers in place, rising. Large arrays by radix on their upper 31 bits and insertion for the rest,
 * about three times as fast as the built-in sort; an array on which insertion would be slow goes to the built-in sort.
 */
export function sortValues(values: Float64Array): Float64Array {
  if (values.length < radixFrom) return values.sort();
  const words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
  const counts = countDigits(words);
  let source: Uint32Array = words;
  let target: Uint32Array = new Uint32Array(words.length);
  for (let pass = 0; pass < shifts.length; pass += 1) {
    const starts = counts.subarray(pass * digits, (pass + 1) * digits);
    if (!toStarts(starts, values.length)) continue;
    distribute(source, target, { starts, shift: shifts[pass] ?? 23 });
    [source, target] = [target, source];
  }
  if (source !== words) words.set(source);
  return finish(values);
}

/** The upper word of a number as one whose order is that of the numbers: negative ones run backwards. */
function countDigits(words: Uint32Array): Uint32Array {
  const counts = new Uint32Array(3 * digits);
  for (let at = 1; at < words.length; at += 2) {
    const key = ordered(words[at] ?? 0);
    const low = (key >>> 1) & (digits - 1);
    const middle = digits + ((key >>> 12) & (digits - 1));
    const high = 2 * digits + (key >>> 23);
    counts[low] = (counts[low] ?? 0) + 1;
    counts[middle] = (counts[middle] ?? 0) + 1;
    counts[high] = (counts[high] ?? 0) + 1;
  }
  return counts;
}

function ordered(word: number): number {
  return (word ^ ((word | 0) >> 31 | 0x80000000)) >>> 0;
}

/** Counts become first places; false when all values share one digit and nothing has to move. */
function toStarts(counts: Uint32Array, size: number): boolean {
  let sum = 0;
  for (let digit = 0; digit < counts.length; digit += 1) {
    const count = counts[digit] ?? 0;
    if (count === size) return false;
    counts[digit] = sum;
    sum += count;
  }
  return true;
}

function distribute(source: Uint32Array, target: Uint32Array, { starts, shift }: { starts: Uint32Array; shift: number }): void {
  for (let at = 0; at < source.length; at += 2) {
    const high = source[at + 1] ?? 0;
    const digit = (ordered(high) >>> shift) & (digits - 1);
    const place = starts[digit] ?? 0;
    starts[digit] = place + 1;
    target[2 * place] = source[at] ?? 0;
    target[2 * place + 1] = high;
  }
}

function finish(values: Float64Array): Float64Array {
  let left = movesPerValueMax * values.length;
  for (let index = 1; index < values.length; index += 1) {
    const value = values[index] ?? 0;
    let place = index;
    while (place > 0 && (values[place - 1] ?? 0) > value) {
      values[place] = values[place - 1] ?? 0;
      place -= 1;
      left -= 1;
    }
    values[place] = value;
    if (left < 0) return values.sort();
  }
  return values;
}
