import { LicetError } from "../base/errors.ts";

/** One event of a stream (WHATWG HTML, section 9.2.6), its data lines joined. Ids, retries and comments are dropped. */
export interface SseEvent {
  readonly event: string;
  readonly data: string;
}

export interface SseParser {
  /** The events that these bytes complete. Throws `upstream_too_large` when one event outgrows the bound. */
  push(chunk: Uint8Array): readonly SseEvent[];
  /** True when the bytes so far end inside an event, which is then lost, as the standard says. */
  readonly partial: boolean;
}

export const eventCharactersMax = 1024 * 1024;

/** Reads any chunking: characters, line ends (CR, LF, CRLF) and events may be split anywhere. */
export function sseParser(charactersMax: number = eventCharactersMax): SseParser {
  const decoder = new TextDecoder();
  /** The line not ended yet, in pieces, so that many small chunks cost no more than one large. */
  let pieces: string[] = [];
  let held = 0;
  let afterCr = false;
  let event = "";
  let data: string[] = [];

  const dispatch = (): readonly SseEvent[] => {
    const complete = data.length === 0 ? [] : [{ event, data: data.join("\n") }];
    event = "";
    data = [];
    held = 0;
    return complete;
  };

  const endLine = (rest: string): readonly SseEvent[] => {
    pieces.push(rest);
    const line = pieces.join("");
    pieces = [];
    if (line === "") {
      return dispatch();
    }
    const field = parseLine(line);
    if (field.name === "data") {
      data.push(field.value);
    } else if (field.name === "event") {
      event = field.value;
    }
    return [];
  };

  const take = (text: string): readonly SseEvent[] => {
    const events: SseEvent[] = [];
    let from = afterCr && text.startsWith("\n") ? 1 : 0;
    if (text !== "") {
      afterCr = false;
    }
    const ends = /\r\n|\r|\n/gu;
    ends.lastIndex = from;
    for (let end = ends.exec(text); end !== null; end = ends.exec(text)) {
      held += end.index - from;
      guard(held);
      events.push(...endLine(text.slice(from, end.index)));
      from = ends.lastIndex;
      afterCr = end[0] === "\r" && from === text.length;
    }
    if (from < text.length) {
      pieces.push(text.slice(from));
      held += text.length - from;
      guard(held);
    }
    return events;
  };

  const guard = (characters: number) => {
    if (characters > charactersMax) {
      throw new LicetError("upstream_too_large", { message: "one event of the stream is larger than the limit" });
    }
  };

  return {
    push: (chunk) => take(decoder.decode(chunk, { stream: true })),
    get partial() {
      return pieces.length > 0 || data.length > 0;
    },
  };
}

function parseLine(line: string): { readonly name: string; readonly value: string } {
  const colon = line.indexOf(":");
  if (colon < 0) {
    return { name: line, value: "" };
  }
  const value = line.slice(colon + 1);
  return { name: line.slice(0, colon), value: value.startsWith(" ") ? value.slice(1) : value };
}
