import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { pathToFileURL } from "node:url";
import { bodiesOf, key, openPlace } from "./place.ts";
import { call, type Got } from "./caller.ts";
import { surfaces } from "./surfaces.ts";

/**
 * Run in a process that may open few files: takes every descriptor that is left, asks, gives them back, asks again. Says in one
 * line of JSON what came of it, and whether every request that the provider got had its decision.
 */
async function fewFiles(): Promise<object> {
  const [surface] = surfaces;
  if (surface === undefined) throw new Error("no surface");
  await using place = await openPlace(surface);
  const ask = (): Promise<Got> => call({ origin: place.origins.patient, path: surface.path, headers: { authorization: `Bearer ${key}`, "content-type": "application/json" }, body: JSON.stringify(surface.body("hello")) }).got;
  const before = (await ask()).status;
  // This connection is there before descriptors run out: the gateway reads its call, and cannot get one to its provider.
  const { hostname, port } = new URL(place.origins.patient);
  const held = connect(Number(port), hostname);
  await once(held, "connect");
  await new Promise((resolve) => setTimeout(resolve, 100));
  const taken = await takeAll(place.origins.patient);
  place.clock.advance(500);
  place.stand({ provider: { baseUrl: `${place.provider.origin}/v1/` } });
  const without = statusOf(await said(held, surface.path, JSON.stringify(surface.body("hello"))));
  for (const socket of taken) socket.destroy();
  held.destroy();
  await new Promise((resolve) => setTimeout(resolve, 200));
  place.stand();
  const after = (await ask()).status;
  const decisions = bodiesOf(place.entries, "gateway.decision").filter(({ decision }) => decision === "allow");
  const outcomes = bodiesOf(place.entries, "gateway.outcome");
  const governed = place.provider.received.every(({ logSize }, at) => place.entries.filter(({ kind, index, body }) => kind === "gateway.decision" && body["decision"] === "allow" && index < logSize).length > at);
  return { before, without, after, taken: taken.length, received: place.provider.received.length, allowed: decisions.length, outcomes: outcomes.length, governed, healthy: place.installation.recorder.healthy(), failures: place.failures.map(String) };
}

/** Connections to the gateway itself, each of which costs two descriptors of this process, until there are none. */
async function takeAll(origin: string): Promise<readonly Socket[]> {
  const { hostname, port } = new URL(origin);
  const sockets: Socket[] = [];
  for (let failed = false; !failed; ) {
    const socket = connect(Number(port), hostname);
    socket.on("error", () => undefined);
    failed = await Promise.race([once(socket, "connect").then(() => false, () => true), once(socket, "close").then(() => true)]);
    if (!failed) sockets.push(socket);
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  return sockets;
}

function said(socket: Socket, path: string, body: string): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("utf8");
      if (text.includes("}}") || text.endsWith("}")) resolve(text);
    });
    socket.on("close", () => resolve(text));
    socket.write(`POST ${path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  });
}

function statusOf(text: string): string {
  const code = /"code":"(\w+)"/u.exec(text)?.[1];
  const status = /^HTTP\/1\.1 (\d{3})/u.exec(text)?.[1] ?? "connection closed";
  return code === undefined ? status : `${status} \`${code}\``;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.stdout.write(`${JSON.stringify(await fewFiles())}\n`);
}
