import { Server, ServerCredentials, status, type sendUnaryData, type ServerUnaryCall, type ServiceDefinition } from "@grpc/grpc-js";
import { LicetError } from "../base/errors.ts";
import type { Inbound } from "../gateway/answer.ts";
import { refuse } from "../gateway/refusal.ts";
import { checkMethod, readCheckRequest, writeCheckResponse, type CheckRequest } from "./envoy-messages.ts";
import { proxyAnswer } from "./ext-authz.ts";
import type { DecisionParts } from "./parts.ts";

export interface ExtAuthzOptions {
  readonly parts: DecisionParts;
  readonly host: string;
  readonly port: number;
  /** Failures that no caller may see in full. */
  readonly onFailure: (error: unknown) => void;
}

export interface ExtAuthz {
  /** Where it listens, as `127.0.0.1:9001`. */
  readonly address: string;
  /** Takes no more questions and ends once those that run are answered. */
  close(): Promise<void>;
}

const messageBytesMax = 262_144;

const service: ServiceDefinition = {
  check: {
    path: checkMethod,
    requestStream: false,
    responseStream: false,
    requestSerialize: (bytes: Uint8Array) => Buffer.from(bytes),
    requestDeserialize: (bytes: Buffer) => new Uint8Array(bytes),
    responseSerialize: (bytes: Uint8Array) => Buffer.from(bytes),
    responseDeserialize: (bytes: Buffer) => new Uint8Array(bytes),
  },
};

/** Envoy's `envoy.service.auth.v3.Authorization` on a listener of its own, plain text: bind it to loopback only. */
export async function startExtAuthz({ parts, host, port, onFailure }: ExtAuthzOptions): Promise<ExtAuthz> {
  const server = new Server({ "grpc.max_receive_message_length": messageBytesMax, "grpc.max_concurrent_streams": 1024 });
  server.addService(service, {
    check: (call: ServerUnaryCall<Uint8Array, Uint8Array>, answer: sendUnaryData<Uint8Array>) => {
      check(parts, call.request, call.getPeer()).then(
        (bytes) => answer(null, bytes),
        (error: unknown) => {
          onFailure(error);
          // An error of the service is a denial wherever Envoy is not told to let failures through.
          answer({ code: status.INTERNAL, details: "internal" });
        },
      );
    },
  });
  const bound = await bind(server, `${host}:${port}`);
  return { address: `${host}:${bound}`, close: () => ended(server) };
}

function bind(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else reject(new LicetError("port_taken", { message: `\`${address}\` cannot be listened on`, cause: error }));
    });
  });
}

const graceMs = 2000;

function ended(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, graceMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

async function check(parts: DecisionParts, bytes: Uint8Array, peer: string): Promise<Uint8Array> {
  const request = readCheckRequest(bytes);
  if (request === undefined) {
    const { status: code, code: name, message } = refuse("query_invalid", { message: "this is no CheckRequest", status: 403 });
    return writeCheckResponse({ allowed: false, status: code, headers: { "x-licet-code": name }, body: JSON.stringify({ error: { code: name, message } }) });
  }
  // Only the operator's own configuration says which model it is: a header would be the client's word.
  const { extensions } = request;
  const answer = await proxyAnswer(parts, inboundOf(request, peer), { model: extensions.get("licet.model"), action: extensions.get("licet.action"), digest: extensions.get("licet.model_digest") });
  return writeCheckResponse({ allowed: answer.refusal === undefined, ...answer });
}

function inboundOf({ id, method, path, headers }: CheckRequest, peer: string): Inbound {
  return {
    method,
    path,
    authorization: headers.get("authorization"),
    requestId: id,
    header: (name) => headers.get(name),
    address: peer.replace(/:\d+$/u, ""),
    body: () => Promise.resolve({ bytes: new Uint8Array() }),
  };
}
