import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface ScriptedListener {
  /** Up to and including the version, as a provider is registered with it. */
  readonly baseUrl: string;
  close(): Promise<void>;
}

export interface ScriptedListenerOptions {
  /** 0 picks a free one. */
  readonly port: number;
  readonly answer: (body: string) => { readonly status: number; readonly contentType: string; readonly body: string };
}

const host = "127.0.0.1";
const requestMs = 10_000;
const bodyBytesMax = 1024 * 1024;
const connectionsMax = 64;

/** POST /v1/chat/completions of a provider that is a script. Only loopback: it answers whoever asks. */
export async function serveScript({ port, answer }: ScriptedListenerOptions): Promise<ScriptedListener> {
  const server = createServer({ headersTimeout: requestMs, requestTimeout: requestMs, maxHeaderSize: 16_384 }, (request, response) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const say = (status: number, contentType: string, body: string): void => {
      response.writeHead(status, { "content-type": contentType, "content-length": String(Buffer.byteLength(body)) });
      response.end(body);
    };
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bodyBytesMax) request.destroy();
      else chunks.push(chunk);
    });
    request.on("end", () => {
      if (request.method !== "POST" || request.url?.split("?", 1)[0] !== "/v1/chat/completions") return say(404, "text/plain; charset=utf-8", "POST /v1/chat/completions\n");
      const { status, contentType, body } = answer(Buffer.concat(chunks).toString("utf8"));
      say(status, contentType, body);
    });
  });
  server.maxConnections = connectionsMax;
  const at = await new Promise<AddressInfo | string | null>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve(server.address()));
  });
  const bound = typeof at === "object" && at !== null ? at.port : port;
  return {
    baseUrl: `http://${host}:${bound}/v1`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
