import { SourceUnreachable, type LogSource } from "./log-source.ts";

export interface HttpOptions {
  /** One request; the default is 30,000. */
  readonly timeoutMs?: number;
  /** Requests for one file before it counts as unreachable; the default is 3. */
  readonly attempts?: number;
}

const timeoutMsDefault = 30_000;
const attemptsDefault = 3;
const pauseMs = 250;

/** A log over HTTP, in Node and browsers. Follows no redirects, and reads no more of an answer than it was asked to. */
export function logAtUrl(url: string, { timeoutMs = timeoutMsDefault, attempts = attemptsDefault }: HttpOptions = {}): LogSource {
  const prefix = url.endsWith("/") ? url : `${url}/`;
  return {
    async read(path, bytesMax) {
      for (let attempt = 1; ; attempt += 1) {
        const answer = await ask(`${prefix}${path}`, bytesMax, timeoutMs);
        if (answer.said) return answer.bytes;
        if (!answer.again || attempt >= attempts) throw new SourceUnreachable(`\`${prefix}${path}\` cannot be read: ${answer.why}`);
        await new Promise((resolve) => setTimeout(resolve, pauseMs * attempt));
      }
    },
  };
}

type Answer = { readonly said: true; readonly bytes: Uint8Array | undefined } | { readonly said: false; readonly again: boolean; readonly why: string };

async function ask(url: string, bytesMax: number, timeoutMs: number): Promise<Answer> {
  try {
    const response = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(timeoutMs), credentials: "omit", cache: "no-store" });
    if (response.status === 200) return { said: true, bytes: await readAtMost(response, bytesMax) };
    await response.body?.cancel();
    if (response.status === 404 || response.status === 410) return { said: true, bytes: undefined };
    return { said: false, again: response.status === 429 || response.status >= 500, why: `the server answered ${response.status}` };
  } catch (error) {
    return { said: false, again: true, why: reasonOf(error) };
  }
}

/** What `fetch` says itself is only that it failed. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "the request failed";
  return error.cause instanceof Error && error.cause.message !== "" ? error.cause.message : error.message;
}

async function readAtMost(response: Response, bytesMax: number): Promise<Uint8Array | undefined> {
  if (response.body === null) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.length;
    if (size > bytesMax) {
      await reader.cancel();
      return undefined;
    }
    chunks.push(part.value);
  }
  return joined(chunks, size);
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
