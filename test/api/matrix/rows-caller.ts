import { expect } from "vitest";
import { raw, until, type Got } from "./caller.ts";
import type { Row, Run } from "./measure.ts";

function head({ request }: Run, more: readonly string[] = [], length?: number): string {
  const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`);
  return [`POST ${request.path} HTTP/1.1`, "host: gateway", ...headers, ...(length === undefined ? [] : [`content-length: ${length}`]), ...more, "", ""].join("\r\n");
}

async function leaves(run: Run, when: (calling: ReturnType<Run["ask"]>) => Promise<unknown>): Promise<Got> {
  const calling = run.ask();
  await when(calling);
  calling.leave();
  const got = await calling.got;
  const { entries } = run.place;
  await until(() => entries.at(-1)?.kind === "gateway.outcome", "the outcome is written");
  return got;
}

/** The gateway lets the provider go when its caller has gone. */
async function letGo({ place: { provider }, from }: Run): Promise<void> {
  await until(() => provider.aborted - from.aborted === provider.received.length - from.received, "the provider is let go");
}

/** What the caller does wrong. */
export const callerRows: readonly Row[] = [
  { title: "body that is not JSON", body: "{\"model\":", expect: "400 `request_unreadable`" },
  { title: "empty body", body: "", expect: "400 `request_unreadable`" },
  { title: "body that is not UTF-8", body: Buffer.from([0x7b, 0xff, 0x7d]), expect: "400 `request_unreadable`" },
  { title: "body that nests too deep", body: `${"[".repeat(5000)}${"]".repeat(5000)}`, expect: "400 `request_unreadable`" },
  { title: "another content type", headers: { "content-type": "text/plain" }, expect: "400 `request_unreadable`" },
  { title: "compressed body", headers: { "content-encoding": "gzip" }, expect: "400 `request_unreadable`" },
  { title: "body over the limit, as it says", bounds: "small", body: JSON.stringify({ x: "x".repeat(10_000) }), expect: "413 `body_too_large`" },
  {
    title: "body over the limit, in chunks that say nothing",
    bounds: "small",
    calling: (run) => raw(run.origin, `${head(run, ["transfer-encoding: chunked"])}2000\r\n${"x".repeat(8192)}\r\n0\r\n\r\n`),
    expect: "413 `body_too_large`",
  },
  { title: "headers over the limit", headers: { "x-long": "x".repeat(20_000) }, expect: "400 `request_unreadable`" },
  { title: "length and chunks at once (request smuggling)", calling: (run) => raw(run.origin, `${head(run, ["transfer-encoding: chunked"], 5)}0\r\n\r\n`), expect: "400 `request_unreadable`" },
  { title: "two lengths (request smuggling)", calling: (run) => raw(run.origin, `${head(run, ["content-length: 6"], 5)}{"a":1}`), expect: "400 `request_unreadable`" },
  { title: "slow loris: headers that never end", formless: true, bounds: "hasty", calling: (run) => raw(run.origin, head(run).slice(0, -4)), expect: "400 `request_unreadable`" },
  { title: "slow loris: a body that never ends", bounds: "hasty", calling: (run) => raw(run.origin, `${head(run, [], 500)}{"model":`), expect: "400 `request_unreadable`" },
  {
    title: "goes before the decision is written",
    before: ({ place }) => void (place.disk.delayMs = 60),
    calling: (run) => leaves(run, () => until(() => run.place.gateways.patient.inFlight === 1, "the call is in flight")),
    after: async (run) => {
      run.place.disk.delayMs = 0;
      await letGo(run);
    },
    expect: "caller gone: never sent",
  },
  {
    title: "goes while the provider thinks",
    fault: { kind: "silence" },
    calling: (run) => leaves(run, () => until(() => run.place.provider.received.length > run.from.received, "the provider is asked")),
    after: letGo,
    expect: "caller gone: provider aborted",
  },
  {
    title: "goes in the middle of the answer",
    on: ({ stream }) => stream,
    fault: { kind: "half", next: "silence" },
    calling: (run) => leaves(run, ({ begun }) => begun),
    after: letGo,
    expect: "caller gone: provider aborted",
  },
  {
    title: "slow reader: takes nothing of a long answer",
    on: ({ stream }) => stream,
    bounds: "hasty",
    fault: { kind: "flood", bytes: 30_000_000 },
    calling: async (run) => {
      const got = raw(run.origin, head(run, [], Buffer.byteLength(run.request.body)) + String(run.request.body), { reads: false, waitMs: 2500 });
      await until(() => run.place.entries.at(-1)?.kind === "gateway.outcome", "the outcome is written");
      return got;
    },
    after: async (run) => {
      expect(run.place.entries.at(-1)?.body).toMatchObject({ finish: "failed", code: "upstream_timeout", partial: true });
      await letGo(run);
    },
    expect: "connection closed",
  },
];
