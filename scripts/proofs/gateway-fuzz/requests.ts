import type { Chance } from "./chance.ts";
import type { Garden, Tree } from "./tree.ts";

const maybe = (chance: Chance, probability: number, make: () => Tree): Tree => (chance.maybe(probability) ? make() : undefined);

/** Requests that each surface takes, with texts everywhere that its schema has any. */
export const requests: Readonly<Record<string, (garden: Garden) => Tree>> = { chat, responses, messages, count, embeddings, oip };

function chat(garden: Garden): Tree {
  const { chance } = garden;
  const content = () => (chance.maybe(0.5) ? garden.text() : garden.parts((text) => ({ type: "text", text })));
  const turn = (at: number): Tree =>
    chance.one<() => Tree>([
      () => ({ role: "user", content: content(), name: maybe(chance, 0.1, () => garden.name("jo")) }),
      () => ({ role: "assistant", content: content(), refusal: maybe(chance, 0.1, () => garden.text()) }),
      () => ({ role: "assistant", content: null, tool_calls: chance.some(1, 2, () => ({ id: `call_${at}`, type: "function", function: { name: garden.name("tool"), arguments: garden.json() } })) }),
      () => ({ role: "tool", content: content(), tool_call_id: garden.name("call") }),
    ])();
  return {
    model: "chat",
    messages: [...(chance.maybe(0.4) ? [{ role: chance.one(["system", "developer"]), content: content() }] : []), ...chance.some(1, 4, turn)],
    stream: chance.maybe(0.6),
    stream_options: maybe(chance, 0.3, () => ({ include_usage: chance.maybe(0.5) })),
    tools: maybe(chance, 0.3, () => chance.some(1, 2, (at) => ({ type: "function", function: { name: `tool_${at}`, description: garden.text("fixed"), parameters: garden.schema() } }))),
    temperature: 0.5,
    metadata: maybe(chance, 0.1, () => ({ topic: garden.text("fixed", false) })),
    user: maybe(chance, 0.1, () => garden.name("user")),
    stop: maybe(chance, 0.1, () => garden.text()),
    n: maybe(chance, 0.1, () => 2),
  };
}

function responses(garden: Garden): Tree {
  const { chance } = garden;
  const parts = (type: string) => garden.parts((text) => ({ type, text }));
  const item = (at: number): Tree =>
    chance.one<() => Tree>([
      () => ({ type: "message", role: "user", content: chance.maybe(0.5) ? garden.text() : parts("input_text") }),
      () => ({ role: "assistant", content: parts("output_text") }),
      () => ({ type: "function_call", call_id: `c${at}`, name: garden.name("tool"), arguments: garden.json() }),
      () => ({ type: "function_call_output", call_id: `c${at}`, output: chance.maybe(0.5) ? garden.text() : parts("input_text") }),
      () => ({ type: "custom_tool_call", call_id: `c${at}`, name: "shout", input: garden.text() }),
      () => ({ type: "reasoning", id: `rs_${at}`, summary: garden.parts((text) => ({ type: "summary_text", text })) }),
    ])();
  return {
    model: "chat",
    input: chance.maybe(0.2) ? garden.text() : chance.some(1, 4, item),
    instructions: maybe(chance, 0.3, () => garden.text()),
    stream: chance.maybe(0.6),
    tools: maybe(chance, 0.3, () => [{ type: "function", name: "tool_1", description: garden.text("fixed"), parameters: garden.schema() }]),
    metadata: maybe(chance, 0.1, () => ({ topic: garden.text("free", false) })),
    max_output_tokens: maybe(chance, 0.2, () => 100),
    safety_identifier: maybe(chance, 0.1, () => garden.name("user")),
  };
}

function counted(garden: Garden): { readonly [key: string]: Tree } {
  const { chance } = garden;
  const texts = () => garden.parts((text) => ({ type: "text", text }));
  const content = () => (chance.maybe(0.4) ? garden.text() : texts());
  const turn = (at: number): Tree =>
    chance.one<() => Tree>([
      () => ({ role: "user", content: content() }),
      () => ({ role: "assistant", content: [...(chance.maybe(0.3) ? [{ type: "thinking", thinking: garden.text("fixed"), signature: "c2ln" }] : []), ...texts()] }),
      () => ({ role: "assistant", content: [{ type: "tool_use", id: `t${at}`, name: garden.name("tool"), input: garden.value(2) }] }),
      () => ({ role: "user", content: [{ type: "tool_result", tool_use_id: `t${at}`, content: content() }] }),
      () => ({ role: "user", content: [{ type: "document", source: { type: "text", media_type: "text/plain", data: garden.text("fixed") }, title: garden.text() }] }),
      () => ({ role: "user", content: [{ type: "search_result", source: "a shelf", title: garden.text(), content: texts() }] }),
    ])();
  return {
    model: "chat",
    messages: chance.some(1, 4, turn),
    system: maybe(chance, 0.3, content),
    tools: maybe(chance, 0.3, () => [{ name: "tool_1", description: garden.text("fixed"), input_schema: garden.schema() }]),
  };
}

function messages(garden: Garden): Tree {
  const { chance } = garden;
  return { ...counted(garden), max_tokens: 64, stream: chance.maybe(0.6), metadata: maybe(chance, 0.1, () => ({ user_id: garden.name("user") })), stop_sequences: maybe(chance, 0.1, () => [garden.text()]) };
}

function count(garden: Garden): Tree {
  return counted(garden);
}

function embeddings(garden: Garden): Tree {
  const { chance } = garden;
  return { model: "chat", input: chance.maybe(0.4) ? garden.text() : chance.some(1, 5, () => garden.text()), user: maybe(chance, 0.1, () => garden.name("user")) };
}

function oip(garden: Garden): Tree {
  const { chance } = garden;
  const bytes = (at: number): Tree => {
    const data = garden.parts((text) => text);
    return { name: `notes_${at}`, shape: [data.length], datatype: "BYTES", data, parameters: maybe(chance, 0.1, () => ({ note: garden.text("fixed", false) })) };
  };
  return {
    id: maybe(chance, 0.2, () => garden.name("r")),
    parameters: maybe(chance, 0.2, () => ({ note: garden.text("fixed", false) })),
    inputs: [{ name: "x", shape: [1, 2], datatype: "FP32", data: [0.5, 2] }, ...chance.some(0, 2, bytes)],
  };
}
