import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Send, SendRequest, SendResponse } from "@licet/assurance";
import { isRecord, parseJson } from "@licet/evidence";
import { z } from "zod";

/** What one check was answered by one model; `version` is what the server says of the model beside its answers. */
export interface AnswersOf {
  readonly file: string;
  /** Everything that makes another question of the same words: the subject's digest, the endpoint, what the check draws from. */
  readonly scope: readonly string[];
  readonly version: () => Promise<string>;
}

const Head = z.object({ v: z.literal(1), version: z.string() });
const Line = z.object({ key: z.string(), status: z.int(), contentType: z.string(), body: z.string() });
type Kept = z.infer<typeof Line>;

const answerBytesMax = 1024 * 1024;
const fileBytesMax = 256 * 1024 * 1024;
const ageMsMax = 7 * 24 * 60 * 60 * 1000;

/**
 * Answers of a check that was broken off, so that nobody pays for a question twice. A question is known by its body and by how often
 * the same was asked before. Each answer is one line, written whole before it is judged: what a killed run leaves is the lines
 * before. Only answers are kept: what timed out or was refused is asked again.
 */
export class KeptAnswers {
  readonly #of: AnswersOf;
  readonly #asked = new Map<string, number>();
  #known: ReadonlyMap<string, Kept> = new Map();
  #opened: Promise<void> | undefined;
  #bytes = 0;
  #replayed: string | undefined;
  #live: string | undefined;
  #changed = false;

  constructor(of: AnswersOf) {
    this.#of = of;
  }

  /** True once the model answered under another name than before. Then the file is gone. */
  get changed(): boolean {
    return this.#changed;
  }

  through(send: Send): Send {
    return async (request) => {
      await (this.#opened ??= this.#open());
      const key = this.#key(request);
      const known = this.#known.get(key);
      if (known !== undefined) {
        this.#replayed ??= modelIn(known.body);
        this.#compare();
        return responseOf(known);
      }
      const response = await send(request);
      if (response.status < 200 || response.status >= 300) return response;
      const body = await textOf(response.body);
      this.#keep({ key, status: response.status, contentType: response.contentType, body });
      return responseOf({ ...response, body });
    };
  }

  async #open(): Promise<void> {
    const version = await this.#of.version();
    const { file } = this.#of;
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const found = readKept(file);
    if (found?.version === version) {
      this.#known = new Map(found.lines.map((line) => [line.key, line]));
      this.#bytes = statSync(file).size;
      // What a killed run left unfinished would swallow the next line.
      appendFileSync(file, "\n");
      return;
    }
    writeFileSync(file, `${JSON.stringify({ v: 1, version })}\n`, { mode: 0o600 });
  }

  #key({ body }: SendRequest): string {
    const digest = createHash("sha256").update(JSON.stringify(this.#of.scope)).update("\0").update(body).digest("hex");
    const before = this.#asked.get(digest) ?? 0;
    this.#asked.set(digest, before + 1);
    return `${digest}/${before}`;
  }

  #keep(line: Kept): void {
    this.#live ??= modelIn(line.body);
    this.#compare();
    const text = `${JSON.stringify(line)}\n`;
    if (this.#changed || text.length > answerBytesMax || this.#bytes + text.length > fileBytesMax) return;
    this.#bytes += text.length;
    try {
      appendFileSync(this.#of.file, text);
    } catch {
      // The run goes on without: it only has to ask again if it is broken off.
    }
  }

  #compare(): void {
    if (this.#changed || this.#replayed === undefined || this.#live === undefined || this.#replayed === this.#live) return;
    this.#changed = true;
    rmSync(this.#of.file, { force: true });
  }
}

/** What lies on the disk is read as if a stranger had put it there. */
function readKept(file: string): { readonly version: string; readonly lines: readonly Kept[] } | undefined {
  if (!existsSync(file)) return undefined;
  const { size, mtimeMs } = statSync(file);
  if (size > fileBytesMax || Date.now() - mtimeMs > ageMsMax) return undefined;
  const [first = "", ...rest] = readFileSync(file, "utf8").split("\n");
  const head = Head.safeParse(jsonOf(first)).data;
  if (head === undefined) return undefined;
  return { version: head.version, lines: rest.flatMap((text) => Line.safeParse(jsonOf(text)).data ?? []) };
}

function jsonOf(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** The name under which a model answered; providers put the snapshot into it. */
function modelIn(body: string): string | undefined {
  const value = jsonOf(body);
  return isRecord(value) && typeof value["model"] === "string" ? value["model"] : undefined;
}

function responseOf({ status, contentType, body }: Pick<Kept, "status" | "contentType" | "body">): SendResponse {
  return { status, contentType, retryAfter: undefined, body: one(new TextEncoder().encode(body)) };
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Throws when the connection ends before the answer does: then nothing is kept. */
async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.byteLength;
    if (bytes > bodyBytesMax) throw new RangeError("the answer is too large");
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

/** A little above what the client takes, so that it is the client who refuses. */
const bodyBytesMax = 5 * 1024 * 1024;

const versionMsMax = 5000;
const versionBytesMax = 64 * 1024;

/** What the server says of the model before it is asked anything: `GET /models/NAME`, which OpenAI's and Anthropic's protocol both have. */
export async function modelVersion({ baseUrl, model, headers }: { readonly baseUrl: string; readonly model: string; readonly headers: Readonly<Record<string, string>> }): Promise<string> {
  try {
    const response = await fetch(`${baseUrl.replace(/\/+$/u, "")}/models/${encodeURIComponent(model)}`, { headers, redirect: "manual", signal: AbortSignal.timeout(versionMsMax) });
    const bytes = Buffer.from(await response.arrayBuffer());
    return response.status === 200 && bytes.length <= versionBytesMax ? createHash("sha256").update(bytes).digest("hex") : "unknown";
  } catch {
    return "unknown";
  }
}
