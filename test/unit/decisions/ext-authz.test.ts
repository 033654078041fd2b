import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer as createSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { credentials, loadPackageDefinition, Metadata, type Client, type GrpcObject, type ServiceClientConstructor } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { gatewayEntries } from "@licet/contract";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { credential, startGoverned, withoutAto, type Governed } from "../support/governed.ts";
import { readCheckRequest } from "../../../packages/licet/src/pdp/envoy-messages.ts";
import { startExtAuthz, type ExtAuthz } from "../../../packages/licet/src/pdp/ext-authz-grpc.ts";
import { decisionApi } from "../../../packages/licet/src/pdp/mount.ts";
import type { DecisionParts } from "../../../packages/licet/src/pdp/parts.ts";

let governed: Governed;
let parts: DecisionParts | undefined;

beforeEach(async () => {
  governed = await startGoverned({ mount: decisionApi({ onMounted: (made) => void (parts = made) }) });
});
afterEach(async () => {
  await governed[Symbol.asyncDispose]();
});

function recorded() {
  return gatewayEntries["access.decision"].body.parse(governed.bodies("access.decision").at(-1));
}

describe("over HTTP", () => {
  const ask = (headers: Record<string, string>, path = "/ext-authz/v1/chat/completions", method = "GET") =>
    fetch(governed.origin + path, { method, headers: { authorization: `Bearer ${credential}`, ...headers } });

  test.each(["GET", "POST", "DELETE"])("a %s passes with 200 once the decision is in the log", async (method) => {
    const response = await ask({ "x-licet-model": "chat" }, undefined, method);
    expect([response.status, response.headers.get("x-licet-decision")]).toEqual([200, recorded().id]);
    expect(recorded()).toMatchObject({ decision: "allow", action: "callModel", model: "chat", deployment: "dep_helpdesk", cedar: { action: { id: "callModel" }, resource: { id: "simulator/chat" } } });
  });

  test.each([
    ["model_undeclared", 403, { "x-licet-model": "other" }],
    ["query_invalid", 403, {}],
    ["action_unsupported", 403, { "x-licet-model": "chat", "x-licet-action": "train" }],
    ["release_mismatch", 403, { "x-licet-model": "chat", "x-licet-action": "score", "x-licet-model-digest": `sha256:${"0".repeat(64)}` }],
    ["credential_invalid", 401, { "x-licet-model": "chat", authorization: "Bearer nobody" }],
  ])("%s is answered %i with code, decision and remedy", async (code, status, headers) => {
    const response = await ask(headers);
    const body = (await response.json()) as { error: { code: string; licet: { decision: string; remedy: string } } };
    expect([response.status, response.headers.get("x-licet-code"), body.error.code]).toEqual([status, code, code]);
    expect(response.headers.get("x-licet-decision")).toBe(body.error.licet.decision);
    expect(recorded()).toMatchObject({ id: body.error.licet.decision, decision: "deny", code });
    expect(body.error.licet.remedy).not.toBe("");
  });

  test("what stands against the deployment is 403; a stale snapshot and a log that takes nothing pass nothing", async () => {
    governed.stand({ deployment: withoutAto() });
    expect((await ask({ "x-licet-model": "chat" })).headers.get("x-licet-code")).toBe("ato_missing");
    governed.stand();
    governed.ledger.broken = true;
    expect((await ask({ "x-licet-model": "chat" })).status).toBe(503);
    governed.ledger.broken = false;
    governed.clock.advance(1000);
    expect((await ask({ "x-licet-model": "chat" })).status).toBe(503);
  });
});

const protos = join(import.meta.dirname, "../../../node_modules/@grpc/grpc-js-xds/deps");
const envoyIsHere = existsSync(join(protos, "envoy-api/envoy/service/auth/v3/external_auth.proto"));
const includes = ["envoy-api", "xds", "googleapis", "protoc-gen-validate"].map((folder) => join(protos, folder));

interface CheckReply {
  readonly status: { readonly code: number };
  readonly http_response: "denied_response" | "ok_response";
  readonly denied_response?: { readonly status: { readonly code: string }; readonly body: string; readonly headers: readonly { readonly header: { readonly key: string; readonly value: string }; readonly append_action: string }[] };
  readonly ok_response?: { readonly headers: readonly { readonly header: { readonly key: string; readonly value: string } }[] };
}

describe.skipIf(!envoyIsHere)("over gRPC, asked by a client of Envoy's own protocol files (needs @grpc/grpc-js-xds)", () => {
  let authz: ExtAuthz;
  let client: Client;
  const definition = envoyIsHere ? loadSync("envoy/service/auth/v3/external_auth.proto", { includeDirs: includes, keepCase: true, enums: String, oneofs: true, defaults: true }) : {};

  beforeEach(async () => {
    if (parts === undefined) throw new Error("not mounted");
    authz = await startExtAuthz({ parts, host: "127.0.0.1", port: 0, onFailure: (error) => governed.failures.push(error) });
    const root = loadPackageDefinition(definition);
    const service = ["envoy", "service", "auth", "v3", "Authorization"].reduce<unknown>((at, name) => (at as GrpcObject)[name], root) as ServiceClientConstructor;
    client = new service(authz.address, credentials.createInsecure());
  });
  afterEach(async () => {
    client.close();
    await authz.close();
  });

  function check(attributes: object): Promise<CheckReply> {
    return new Promise((resolve, reject) => {
      const call = (client as unknown as Record<string, (request: object, metadata: Metadata, done: (error: Error | null, reply: CheckReply) => void) => void>)["Check"];
      call?.call(client, { attributes }, new Metadata(), (error, reply) => (error === null ? resolve(reply) : reject(error)));
    });
  }

  const http = (headers: Record<string, string>) => ({ id: "1", method: "POST", path: "/v1/chat/completions?x=1", host: "models.internal", scheme: "https", protocol: "HTTP/2", size: "12", headers });
  const bearer = { authorization: `Bearer ${credential}`, "x-other": "1" };
  const peer = { address: { socket_address: { address: "10.0.0.7", port_value: 4711 } }, principal: "spiffe://a/b", labels: { a: "b" } };
  const extensions = (model: string, action = "callModel") => ({ "licet.model": model, "licet.action": action });

  test("an allowed call is OK, with the decision for upstream and client, and is in the log before", async () => {
    const reply = await check({ source: peer, destination: peer, request: { time: { seconds: 1, nanos: 2 }, http: http(bearer) }, context_extensions: extensions("chat"), metadata_context: {} });
    expect([reply.status.code, reply.http_response]).toEqual([0, "ok_response"]);
    expect(reply.ok_response?.headers).toEqual([expect.objectContaining({ header: expect.objectContaining({ key: "x-licet-decision", value: recorded().id }) })]);
    expect(recorded()).toMatchObject({ decision: "allow", action: "callModel", model: "chat" });
  });

  test("headers may come as a list, with raw values", async () => {
    const headers = [{ key: "Authorization", raw_value: Buffer.from(`Bearer ${credential}`) }];
    const reply = await check({ request: { http: { method: "POST", path: "/", header_map: { headers } } }, context_extensions: extensions("chat") });
    expect(reply.status.code).toBe(0);
  });

  test.each([
    ["model_undeclared", [7, "denied_response", "Forbidden"], bearer, extensions("other")],
    ["credential_invalid", [16, "denied_response", "Unauthorized"], { authorization: "Bearer nobody" }, extensions("chat")],
    ["query_invalid", [7, "denied_response", "Forbidden"], { ...bearer, "x-licet-model": "chat" }, {}],
  ])("%s is denied with %j, our code and the decision's id", async (code, statuses, headers, context_extensions) => {
    const reply = await check({ request: { http: http(headers) }, context_extensions });
    expect([reply.status.code, reply.http_response, reply.denied_response?.status.code]).toEqual(statuses);
    const told = Object.fromEntries((reply.denied_response?.headers ?? []).map(({ header, append_action }) => [header.key, [header.value, append_action]]));
    expect(told).toMatchObject({ "x-licet-code": [code, "OVERWRITE_IF_EXISTS_OR_ADD"], "x-licet-decision": [recorded().id, "OVERWRITE_IF_EXISTS_OR_ADD"] });
    expect(JSON.parse(reply.denied_response?.body ?? "")).toMatchObject({ error: { code, licet: { decision: recorded().id } } });
  });

  test("a log that takes nothing is 503, and no request at all is denied", async () => {
    governed.ledger.broken = true;
    const reply = await check({ request: { http: http(bearer) }, context_extensions: extensions("chat") });
    expect([reply.status.code, reply.denied_response?.status.code]).toEqual([14, "ServiceUnavailable"]);
    expect((await check({})).http_response).toBe("denied_response");
    expect(governed.failures).toEqual([]);
  });

  test("what Envoy writes is what we read, whatever stands in it", () => {
    const method = (definition["envoy.service.auth.v3.Authorization"] as unknown as { Check: { requestSerialize: (value: object) => Buffer } }).Check;
    const word = fc.string({ unit: "grapheme", maxLength: 40 });
    const words = fc.dictionary(word, word, { maxKeys: 5 });
    fc.assert(
      fc.property(fc.record({ path: word, verb: word, headers: words, extensions: words, raw: fc.uint8Array() }), ({ path, verb, headers, extensions, raw }) => {
        const bytes = method.requestSerialize({ attributes: { source: peer, request: { time: { seconds: 5 }, http: { ...http(headers), path, method: verb, raw_body: raw } }, context_extensions: extensions } });
        const read = readCheckRequest(bytes);
        expect(read).toMatchObject({ path, method: verb });
        expect(Object.fromEntries(read?.extensions ?? [])).toEqual({ ...extensions });
        for (const name of Object.keys(headers)) expect(read?.headers.has(name.toLowerCase())).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

test("bytes that are no message are never read as one, and never throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const read = readCheckRequest(bytes);
      expect(read === undefined || read.headers instanceof Map).toBe(true);
    }),
    { numRuns: 2000 },
  );
  expect(readCheckRequest(Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f))).toBeUndefined();
});

function nginxPath(): string | undefined {
  try {
    return execFileSync("which", ["nginx"], { encoding: "utf8" }).trim();
  } catch {
    return ["/usr/sbin/nginx"].find((path) => existsSync(path));
  }
}

const nginx = nginxPath();

describe.skipIf(nginx === undefined)("behind nginx's auth_request (needs nginx)", () => {
  async function freePort(): Promise<number> {
    const probe = createSocket();
    await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    return port;
  }

  function configuration(folder: string, { port, upstream }: { readonly port: number; readonly upstream: number }): string {
    return `
daemon off; pid ${folder}/nginx.pid; error_log stderr error; worker_processes 1;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  server {
    listen 127.0.0.1:${port};
    location / {
      auth_request /licet;
      auth_request_set $licet_decision $upstream_http_x_licet_decision;
      auth_request_set $licet_code $upstream_http_x_licet_code;
      add_header x-licet-decision $licet_decision always;
      add_header x-licet-code $licet_code always;
      proxy_pass http://127.0.0.1:${upstream};
    }
    location = /licet {
      internal;
      proxy_pass ${governed.origin}/ext-authz/;
      proxy_pass_request_body off;
      proxy_set_header content-length "";
      proxy_set_header x-licet-model chat;
      proxy_set_header x-licet-action callModel;
    }
  }
}`;
  }

  async function up(port: number): Promise<void> {
    for (let n = 0; n < 100; n++) {
      const answered = await fetch(`http://127.0.0.1:${port}/`).then(() => true, () => false);
      if (answered) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  test("only what is allowed reaches the model, and the client is told code and decision", async () => {
    let reached = 0;
    const model = createServer((_request, response) => {
      reached++;
      response.end("an answer");
    });
    await new Promise<void>((resolve) => model.listen(0, "127.0.0.1", resolve));
    const folder = mkdtempSync(join(tmpdir(), "licet-nginx-"));
    const port = await freePort();
    writeFileSync(join(folder, "nginx.conf"), configuration(folder, { port, upstream: (model.address() as AddressInfo).port }));
    const child: ChildProcess = spawn(nginx ?? "nginx", ["-c", join(folder, "nginx.conf"), "-p", folder, "-e", "stderr"], { stdio: "ignore" });
    try {
      await up(port);
      const call = (authorization: string) => fetch(`http://127.0.0.1:${port}/v1/chat/completions`, { method: "POST", headers: { authorization, "x-licet-model": "capped" }, body: "{}" });
      const allowed = await call(`Bearer ${credential}`);
      expect([allowed.status, await allowed.text(), allowed.headers.get("x-licet-decision")]).toEqual([200, "an answer", recorded().id]);
      expect(recorded().model).toBe("chat");
      governed.stand({ holds: [{ id: "h", scope: "all", reason: "exercise" }] });
      const held = await call(`Bearer ${credential}`);
      expect([held.status, held.headers.get("x-licet-code"), held.headers.get("x-licet-decision")]).toEqual([403, "held", recorded().id]);
      expect((await call("Bearer nobody")).status).toBe(401);
      governed.clock.advance(2000);
      expect((await call(`Bearer ${credential}`)).status).toBe(500);
      expect(reached).toBe(1);
    } finally {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
      await new Promise((resolve) => model.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
