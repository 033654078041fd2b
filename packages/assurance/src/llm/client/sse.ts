const eventCharsMax = 1024 * 1024;

/**
 * Data of the events of a stream (WHATWG HTML, 9.2.6), joined lines, whatever the chunks. Comments, names, ids and retries are dropped.
 * Throws a RangeError when one event outgrows its bound. An event without its closing empty line is dropped, as the standard says.
 */
export async function* sseData(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let data: string[] = [];
  let held = 0;
  for await (const line of linesOf(body)) {
    if (line === "") {
      if (data.length > 0) yield data.join("\n");
      data = [];
      held = 0;
      continue;
    }
    const value = /^data:? ?(.*)$/su.exec(line);
    if (value === null || !/^data(?::|$)/u.test(line)) continue;
    data.push(value[1] ?? "");
    held += line.length;
    if (held > eventCharsMax) throw new RangeError("an event of the stream is too large");
  }
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    if (rest.length > eventCharsMax) throw new RangeError("a line of the stream is too large");
    // A carriage return at the very end may be half of a line end: it waits for the next chunk.
    const held = rest.endsWith("\r") ? 1 : 0;
    const lines = rest.slice(0, rest.length - held).split(/\r\n|\r|\n/u);
    rest = `${lines.pop() ?? ""}${held === 1 ? "\r" : ""}`;
    yield* lines;
  }
}
