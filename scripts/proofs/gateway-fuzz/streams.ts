import { block, item, response, usage } from "./answers.ts";
import type { Chance } from "./chance.ts";
import { nameParts, toolName } from "./tools.ts";
import { grown, type Garden, type Tree } from "./tree.ts";

/** One event, its texts still trees. A piece of a text is cut out once everything is planted. */
export interface Event {
  readonly name: string;
  readonly value: Tree;
  /** Written as it stands. */
  readonly data?: string;
  readonly last?: boolean;
}

/** Answers in events; called once everything is planted, cuts the texts into pieces. */
export type Streamed = (told: (text: string) => string) => readonly Event[];

export const streams: Readonly<Record<string, (garden: Garden) => Streamed>> = { chat, responses, messages };

function pieces(chance: Chance, text: Tree, told: (text: string) => string): readonly string[] {
  const said = grown(text, told);
  return chance.cut(typeof said === "string" ? said : JSON.stringify(said));
}

function chat(garden: Garden): Streamed {
  const { chance } = garden;
  const head = { id: garden.name("chatcmpl"), object: "chat.completion.chunk", created: 1, model: garden.name("sim") };
  const chunk = (index: number, delta: Tree, finish: Tree = null): Event => ({ name: "", value: { ...head, choices: [{ index, delta, finish_reason: finish }] } });
  const keys = () => chance.some(1, 3, () => chance.one(["content", "content", "refusal", "reasoning_content", "tool_calls", "x_vendor_words"]));
  // Of one choice a key has one text, but for tools.
  const lanes = chance.some(1, 2, (index) =>
    keys().filter((key, at, all) => key === "tool_calls" || all.indexOf(key) === at).map((key, at) => {
      const text = key === "tool_calls" ? garden.json() : garden.text();
      const name = toolName(garden);
      const delta = (piece: string): Tree => (key === "tool_calls" ? { tool_calls: [{ index: at, function: { arguments: piece } }] } : { [key]: piece });
      const calls = (part: string, first: boolean): Tree => ({ tool_calls: [{ index: at, ...(first && { id: `call_${at}`, type: "function" }), function: { name: part, arguments: "" } }] });
      return { index, text, delta, named: key === "tool_calls" ? { name, calls, late: chance.maybe(0.1) } : undefined };
    }),
  );
  return (told) => {
    const deltas = lanes.flat().map(({ index, text, delta, named }) => {
      const said = pieces(chance, text, told).map((piece) => chunk(index, delta(piece)));
      if (named === undefined) return said;
      const name = grown(named.name, told);
      const head = nameParts(chance, typeof name === "string" ? name : "").map((part, at) => chunk(index, named.calls(part, at === 0)));
      return named.late ? [...said, ...head] : [...head, ...said];
    });
    const ends = lanes.map((_, index) => chunk(index, {}, "stop"));
    const count: Event = { name: "", value: { ...head, choices: [], usage } };
    return [...lanes.map((_, index) => chunk(index, { role: "assistant", content: "" })), ...chance.interleave(deltas), ...ends, ...(chance.maybe(0.7) ? [count] : []), { name: "", value: null, data: "[DONE]", last: true }];
  };
}

function responses(garden: Garden): Streamed {
  const { chance } = garden;
  const id = garden.name("resp");
  const items = chance.some(1, 3, (at) => item(garden, at));
  return (told) => {
    const event = (type: string, more: { readonly [key: string]: Tree }): Event => ({ name: chance.maybe(0.9) ? type : "", value: { type, ...more } });
    const outputs = items.map(({ begun, done, lanes }, at) => {
      const place = { output_index: at };
      const texts = lanes.flatMap((lane) => {
        const where = { ...place, item_id: `item_${at}`, ...lane.at };
        const kind = lane.event.includes("summary") ? "response.reasoning_summary_part" : "response.content_part";
        const parts = lane.part === undefined ? [] : [lane.part(""), lane.part(lane.text)];
        const cut = pieces(chance, lane.text, told).map((delta) => event(`${lane.event}.delta`, { ...where, delta, ...(chance.maybe(0.1) && { obfuscation: "xk" }) }));
        const added = parts.slice(0, 1).map((part) => event(`${kind}.added`, { ...where, part }));
        const ended = parts.slice(1).map((part) => event(`${kind}.done`, { ...where, part }));
        return [...added, ...cut, event(`${lane.event}.done`, { ...where, [lane.whole]: lane.text }), ...ended];
      });
      return [event("response.output_item.added", { ...place, item: begun }), ...texts, event("response.output_item.done", { ...place, item: done })];
    });
    const begun = response(id, [], "in_progress");
    const ended = event("response.completed", { response: response(id, items.map(({ done }) => done)) });
    return [event("response.created", { response: begun }), event("response.in_progress", { response: begun }), ...(chance.maybe(0.7) ? outputs.flat() : chance.interleave(outputs)), { ...ended, last: true }];
  };
}

function messages(garden: Garden): Streamed {
  const { chance } = garden;
  const head = { id: garden.name("msg"), type: "message", role: "assistant", model: "sim-1", content: [], stop_reason: null, stop_sequence: null, usage: { input_tokens: 12, output_tokens: 1 } };
  const blocks = chance.some(1, 3, (at) => block(garden, at));
  for (const [at, { texts: [text] }] of blocks.entries()) {
    const next = blocks[at + 1]?.texts[0];
    if (text !== undefined && next !== undefined) garden.groups.push([text, next]);
  }
  return (told) => {
    const event = (type: string, more: { readonly [key: string]: Tree } = {}): Event => ({ name: type, value: { type, ...more } });
    const said = blocks.map(({ begun, lanes }, index) => [
      event("content_block_start", { index, content_block: begun }),
      ...lanes.flatMap(([type, key, text]) => pieces(chance, text, told).map((piece) => event("content_block_delta", { index, delta: { type, [key]: piece } }))),
      event("content_block_stop", { index }),
    ]);
    const middle = chance.maybe(0.8) || blocks.some(({ texts }) => texts.length > 0) ? said.flat() : chance.interleave(said);
    return [event("message_start", { message: head }), ...(chance.maybe(0.3) ? [event("ping")] : []), ...middle, event("message_delta", { delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 5 } }), { ...event("message_stop"), last: true }];
  };
}

/** The bytes of events, in any form that the standard takes. */
export function written(chance: Chance, events: readonly { readonly name: string; readonly data: string }[]): Buffer {
  const end = chance.maybe(0.6) ? "\n" : chance.one(["\r\n", "\r", "\n"]);
  const space = chance.maybe(0.8) ? " " : "";
  const noisy = chance.maybe(0.2);
  const noise = (): string => (noisy && chance.maybe(0.3) ? chance.one([`: keep alive${end}${end}`, `id: 7${end}`, `retry: 100${end}`, `data${end}`.slice(0, 0), `: AKIA-less${end}`]) : "");
  const text = events.map(({ name, data }) => `${noise()}${name === "" ? "" : `event:${space}${name}${end}`}${data.split("\n").map((line) => `data:${space}${line}${end}`).join("")}${end}`).join("");
  return Buffer.from(chance.maybe(0.05) ? `\uFEFF${text}` : text);
}
