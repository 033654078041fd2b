/**
 * Asks the assistant one question through Licet, with the official OpenAI client: only its base URL and key differ from
 * any other program.
 *
 * HELPDESK_PROMPT names another file than prompts/system.md, as of a working copy.
 *
 *   LICET_OPENAI_URL=http://127.0.0.1:4401/openai/v1 LICET_CREDENTIAL=… node ask.ts [--stream] "My printer does not print"
 */
import { readFile } from "node:fs/promises";
import OpenAI, { APIConnectionError, APIError } from "openai";

const model = "chat";
const answerTokensMax = 400;
const answerMs = 60_000;

export type Print = (text: string) => void;

/** Returns the process exit code: 0 answered, 1 refused or failed, 2 not set up. */
export async function main(args: readonly string[], env: NodeJS.ProcessEnv, print: Print): Promise<number> {
  const question = args.filter((arg) => arg !== "--stream").join(" ");
  const baseURL = env["LICET_OPENAI_URL"] ?? "";
  const apiKey = env["LICET_CREDENTIAL"] ?? "";
  if (question === "" || baseURL === "" || apiKey === "") {
    print("usage: LICET_OPENAI_URL=… LICET_CREDENTIAL=… ask.ts [--stream] QUESTION\n");
    return 2;
  }
  const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: answerMs });
  try {
    await (args.includes("--stream") ? streamed(client, question, print) : whole(client, question, print));
    return 0;
  } catch (error) {
    print(failure(error));
    return 1;
  }
}

/** The prompt goes out byte for byte as it stands in the file: the release declares its digest. */
async function request(question: string) {
  const prompt = await readFile(process.env["HELPDESK_PROMPT"] ?? new URL("prompts/system.md", import.meta.url), "utf8");
  const messages = [
    { role: "system" as const, content: prompt },
    { role: "user" as const, content: question },
  ];
  return { model, messages, temperature: 0.2, max_tokens: answerTokensMax };
}

async function whole(client: OpenAI, question: string, print: Print): Promise<void> {
  const { data, response } = await client.chat.completions.create(await request(question)).withResponse();
  print(`${data.choices[0]?.message.content ?? ""}\n`);
  print(`decision: ${response.headers.get("x-licet-decision") ?? "none"}\n`);
}

async function streamed(client: OpenAI, question: string, print: Print): Promise<void> {
  const asked = { ...(await request(question)), stream: true as const };
  const { data, response } = await client.chat.completions.create(asked).withResponse();
  for await (const chunk of data) {
    print(chunk.choices[0]?.delta.content ?? "");
  }
  print(`\ndecision: ${response.headers.get("x-licet-decision") ?? "none"}\n`);
}

/** What Licet says beside the code: which policy, what to do, and the id to look the decision up by. */
function failure(error: unknown): string {
  if (error instanceof APIConnectionError) {
    return "\nnot answered: Licet cannot be reached; start it, or set LICET_OPENAI_URL to its data plane\n";
  }
  if (!(error instanceof APIError)) {
    return `\nnot answered: ${error instanceof Error ? error.message : "unknown failure"}\n`;
  }
  const body = record(error.error);
  const licet = record(body["licet"]);
  const lines = [
    `refused: ${text(body["code"]) ?? error.status ?? "unknown"}`,
    `why: ${text(body["message"]) ?? error.message}`,
    `policy: ${text(licet["policy"]) ?? "none"}`,
    `remedy: ${text(licet["remedy"]) ?? "look the decision up in Licet"}`,
    `decision: ${text(licet["decision"]) ?? "none"}`,
  ];
  return `\n${lines.join("\n")}\n`;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

if (import.meta.main) {
  process.exitCode = await main(process.argv.slice(2), process.env, (part) => process.stdout.write(part));
}
