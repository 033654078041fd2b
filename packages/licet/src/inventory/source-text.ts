/** Where something stands: 1-based line and column in UTF-16 units, as editors and SARIF count. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A half-open range of offsets in the text. */
export type Range = readonly [start: number, end: number];

/** A text with its lines, so that ten thousand positions cost ten thousand look-ups and not as many scans. */
export interface SourceText {
  readonly text: string;
  readonly lines: readonly string[];
  positionAt(offset: number): Position;
}

export function sourceText(text: string): SourceText {
  const lines = text.split("\n");
  const starts: number[] = [];
  let next = 0;
  for (const line of lines) {
    starts.push(next);
    next += line.length + 1;
  }
  return { text, lines: lines.map((line) => line.replace(/\r$/u, "")), positionAt: (offset) => locate(starts, clamp(offset, text.length)) };
}

function clamp(offset: number, length: number): number {
  return Number.isFinite(offset) ? Math.min(Math.max(0, Math.trunc(offset)), length) : 0;
}

function locate(starts: readonly number[], offset: number): Position {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
}
