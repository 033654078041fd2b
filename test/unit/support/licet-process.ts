import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

const examples = join(import.meta.dirname, "../../../examples");
const program = join(import.meta.dirname, "../../../packages/licet/src/cli/main.ts");

/** A copy of an example whose assurance section holds these checks. */
export function projectWith(example: "helpdesk-assistant" | "tumour-classifier", checks: readonly object[], edit: (manifest: string) => string = (manifest) => manifest): string {
  const folder = mkdtempSync(join(tmpdir(), "licet-check-"));
  cpSync(join(examples, example), folder, { recursive: true });
  const file = join(folder, "licet.yaml");
  const manifest = edit(readFileSync(file, "utf8").replace(/^assurance:\n(?:(?:[ #].*)?\n)*/mu, ""));
  writeFileSync(file, `${manifest}\nassurance: ${JSON.stringify({ checks })}\n`);
  return folder;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** The program as people run it, from the source; its cache is its own. */
export function runLicet(args: readonly string[], cache: string): Running {
  const child = spawn(process.execPath, ["--conditions=source", program, ...args], { env: { ...process.env, XDG_CACHE_HOME: cache, NO_COLOR: "1" }, stdio: ["ignore", "pipe", "pipe"] });
  const texts = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (texts.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (texts.stderr += text));
  return { child, ended: new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal, ...texts }))) };
}

export function newCache(): string {
  return mkdtempSync(join(tmpdir(), "licet-cache-"));
}

export interface ModelServer extends AsyncDisposable {
  readonly url: string;
  /** Digests of questions that were answered, in order. */
  readonly answered: readonly string[];
  /** Called with the number of answers so far, after each. */
  onAnswer: ((answers: number) => void) | undefined;
  model: string;
}

/** A model whose answer depends on the question alone. */
export async function startModel(): Promise<ModelServer> {
  const answered: string[] = [];
  const state: { onAnswer: ModelServer["onAnswer"]; model: string } = { onAnswer: undefined, model: "m-1" };
  const server = createServer((request, response) => {
    if (request.method !== "POST") {
      response.writeHead(404).end();
      return;
    }
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const digest = createHash("sha256").update(Buffer.concat(pieces)).digest("hex");
      const body = JSON.stringify({ model: state.model, choices: [{ finish_reason: "stop", message: { role: "assistant", content: `No. ${digest.slice(0, 4)}` } }], usage: { prompt_tokens: 7, completion_tokens: 3 } });
      setTimeout(() => {
        response.setHeader("content-type", "application/json");
        response.end(body, () => {
          answered.push(digest);
          state.onAnswer?.(answered.length);
        });
      }, 5);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    answered,
    get onAnswer() {
      return state.onAnswer;
    },
    set onAnswer(act) {
      state.onAnswer = act;
    },
    get model() {
      return state.model;
    },
    set model(name) {
      state.model = name;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A report without what only the clock says. */
export function withoutClock(json: string): string {
  return json.replaceAll(/"wallMs": [\d.]+/gu, '"wallMs": 0').replaceAll(/"(?:started|finished)At": "[^"]*"/gu, '"at": ""');
}
