import type { ColumnSink } from "./stored-column.ts";

type WriteText = (bytes: Uint8Array, sink: ColumnSink) => string | undefined;

/** Puts bytes of UTF-8 into a column. Values of a dictionary are one array each however often they stand in the column: each is decoded once. */
export function textDecoder(fieldCharsMax: number): WriteText {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const known = new WeakMap<Uint8Array, string>();
  return (bytes, sink) => {
    let text = known.get(bytes);
    if (text === undefined) {
      try {
        text = decoder.decode(bytes);
      } catch {
        return "holds bytes that are no UTF-8";
      }
      if (text.length > fieldCharsMax) return `holds a text of more than ${fieldCharsMax} characters`;
      if (text.includes("\0")) return "holds a text with a zero byte";
      known.set(bytes, text);
    }
    sink.addText(text);
    return undefined;
  };
}
