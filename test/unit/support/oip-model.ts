import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type ModelAnswer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** A small server of the protocol, real as a socket is: it adds the numbers of its input and echoes its words. */
export interface OipModel extends AsyncDisposable {
  readonly baseUrl: string;
  readonly received: { readonly path: string; readonly headers: IncomingMessage["headers"]; readonly body: string }[];
  metadata: object | number;
  infer: ModelAnswer;
  aborted: number;
}

export const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
};

export const echo: ModelAnswer = (_request, response, body) => {
  const { id, inputs } = JSON.parse(body);
  json(response, 200, { model_name: "risk-net", model_version: "7", ...(id === undefined ? {} : { id }), outputs: inputs.map((each: { data: unknown[] }) => ({ ...each, name: "y" })) });
};

export async function startOipModel(): Promise<OipModel> {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString("utf8")));
    request.on("end", () => {
      model.received.push({ path: `${request.method} ${request.url}`, headers: request.headers, body });
      response.on("close", () => (model.aborted += response.writableFinished ? 0 : 1));
      if (request.method === "POST") return model.infer(request, response, body);
      if (request.url?.endsWith("/ready")) return json(response, 200, {});
      return typeof model.metadata === "number" ? json(response, model.metadata, {}) : json(response, 200, model.metadata);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const model: OipModel = {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2`,
    received: [],
    metadata: { name: "risk-net", platform: "onnxruntime_onnx", inputs: [{ name: "x", datatype: "FP32", shape: [-1, 2] }], outputs: [] },
    infer: echo,
    aborted: 0,
    [Symbol.asyncDispose]: () => {
      server.closeAllConnections();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
  return model;
}
