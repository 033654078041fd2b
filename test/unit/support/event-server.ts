import { createServer, type ServerResponse } from "node:http";

export type EventResponse = ServerResponse;

export interface EventServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Answers every request with a stream of events that the test writes. */
export async function startEventServer(onRequest: (body: string, response: EventResponse) => void): Promise<EventServer> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.flushHeaders();
      onRequest(Buffer.concat(chunks).toString("utf8"), response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
