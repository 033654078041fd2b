import type Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { detectionOf } from "../../packages/licet/src/gateway/detect/rules.ts";
import { failureOf } from "./client-checks.ts";
import { clientsRelease, startGatewayPlace, weather, type GatewayPlace } from "./gateway-place.ts";

let place: GatewayPlace;

const redacting = detectionOf([{ pack: "test", section: { actions: [{ of: "email", action: "redact" }] } }]);
const address = "alice@example.com";
const words = `Please write to ${address} and to nobody else, today.`;

beforeAll(async () => {
  place = await startGatewayPlace();
});

afterAll(() => place[Symbol.asyncDispose]());

beforeEach(() => {
  place.provider.behaviour = { echo: true };
  place.stand(clientsRelease({ boundary: { classes: ["public", "internal", "personal"], regions: ["eu"] } }), redacting);
});

const asked = { model: "gpt-sim", input: words } as const;
const claude = { model: "claude-sim", max_tokens: 100, messages: [{ role: "user" as const, content: words }] };

async function streamedResponse(): Promise<readonly string[]> {
  const said: { deltas: string; whole: string[] } = { deltas: "", whole: [] };
  for await (const event of await place.through.openai.responses.create({ ...asked, stream: true })) {
    if (event.type === "response.output_text.delta") said.deltas += event.delta;
    if (event.type === "response.output_text.done") said.whole.push(event.text);
    if (event.type === "response.completed") said.whole.push(JSON.stringify(event.response.output));
  }
  return [said.deltas, ...said.whole];
}

const textOf = ({ content }: Anthropic.Message) => content.map((block) => (block.type === "text" ? block.text : "")).join("");

describe("what is taken out of a call is not at the provider, and stands in the answer to the same caller", () => {
  test.each<[string, () => Promise<readonly string[]>]>([
    ["a response", async () => [(await place.through.openai.responses.create(asked)).output_text]],
    ["a streamed response, in the deltas and in every whole copy", streamedResponse],
    ["a message", async () => [textOf(await place.through.anthropic.messages.create(claude))]],
    ["a streamed message", async () => [textOf(await place.through.anthropic.messages.stream(claude).finalMessage())]],
  ])("%s", async (_, call) => {
    const said = await call();
    expect(said.length).toBeGreaterThan(0);
    for (const text of said) expect(text).toContain(words);
    const sent = JSON.stringify(place.provider.received.at(-1)?.body);
    expect(sent).not.toContain(address);
    expect(sent).toMatch(/\[email_1_[a-z]{10}\]/u);
  });

  test("in the arguments of a tool, whole and in pieces", async () => {
    const tools = [{ type: "function" as const, strict: false, ...weather }];
    const response = await place.through.openai.responses.stream({ ...asked, tools }).finalResponse();
    expect(response.output.map((item) => item.type === "function_call" && JSON.parse(item.arguments))).toEqual([{ city: words }]);
    const { name, description, parameters } = weather;
    const message = await place.through.anthropic.messages.stream({ ...claude, tools: [{ name, description, input_schema: { ...parameters, required: [...parameters.required] } }] }).finalMessage();
    expect(message.content.map((block) => block.type === "tool_use" && block.input)).toEqual([{ city: words }]);
    expect(JSON.stringify(place.provider.received.slice(-2))).not.toContain(address);
  });
});

describe("signed thinking is never changed", () => {
  const ask = (stream: boolean) => (stream ? place.through.anthropic.messages.stream(claude).finalMessage() : place.through.anthropic.messages.create(claude));

  test.each([true, false])("what stands for the words stays in it, and only there, streamed or not: %s", async (stream) => {
    place.provider.behaviour = { echo: true, thinking: "" };
    const [thought, said] = (await ask(stream)).content;
    expect(thought).toMatchObject({ type: "thinking", thinking: expect.stringMatching(/^Please write to \[email_1_[a-z]{10}\] and/u), signature: "c2lnbmF0dXJl" });
    expect(said).toMatchObject({ type: "text", text: words });
  });

  test.each([true, false])("what would have to be taken out of it blocks, streamed or not: %s", async (stream) => {
    place.provider.behaviour = { text: "Fine.", thinking: "I remember bob@example.org well." };
    expect(await failureOf(ask(stream))).toMatchObject({ errorCode: "answer_outside_boundary" });
  });
});
