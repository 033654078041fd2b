import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface MetricsListener {
  /** Where a scraper asks, as `http://127.0.0.1:9464/metrics`. */
  readonly url: string;
  close(): Promise<void>;
}

export interface MetricsOptions {
  /** 0 picks a free one. */
  readonly port: number;
  readonly scrape: () => Promise<{ readonly type: string; readonly body: string }>;
}

const host = "127.0.0.1";
const requestMs = 10_000;
const connectionsMax = 16;

/**
 * GET /metrics for a scraper on this machine: names of systems and numbers of calls are nobody else's business, and a
 * scraper has no session. Only loopback; a `Host` that is not loopback is a web page's trick, and is refused.
 */
export async function serveMetrics({ port, scrape }: MetricsOptions): Promise<MetricsListener> {
  const server = createServer({ headersTimeout: requestMs, requestTimeout: requestMs, maxHeaderSize: 8192 }, (request, response) => {
    const answer = (status: number, type: string, body: string): void => {
      response.writeHead(status, { "content-type": type, "content-length": String(Buffer.byteLength(body)), "cache-control": "no-store", "x-content-type-options": "nosniff" });
      response.end(request.method === "HEAD" ? undefined : body);
    };
    request.resume();
    const name = (request.headers.host ?? "").replace(/:\d+$/u, "");
    if (!["127.0.0.1", "localhost", "[::1]"].includes(name)) return answer(403, "text/plain; charset=utf-8", "this listener answers this machine only\n");
    if (!["GET", "HEAD"].includes(request.method ?? "") || request.url?.split("?", 1)[0] !== "/metrics") return answer(404, "text/plain; charset=utf-8", "GET /metrics\n");
    void scrape().then(
      ({ type, body }) => answer(200, type, body),
      () => answer(500, "text/plain; charset=utf-8", "the metrics could not be read\n"),
    );
  });
  server.maxConnections = connectionsMax;
  const at = await new Promise<AddressInfo | string | null>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve(server.address()));
  });
  const bound = typeof at === "object" && at !== null ? at.port : port;
  return {
    url: `http://${host}:${bound}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
