import { raw, until } from "./caller.ts";
import type { Row, Run } from "./measure.ts";
import { releaseOf } from "./surfaces.ts";
import { grantedAto, start } from "../../unit/support/governed.ts";

const begun = (code: string, status: number): Row["expect"] => ({ json: `${status} \`${code}\``, stream: `stream broken off: \`${code}\`` });
const holds = [{ id: "hold_1", scope: "all" as const, reason: "drift" }];
/** The first half is with the caller, the rest never comes. */
const stalled = { kind: "half", next: "silence" } as const;

/** Once the answer has begun; of one that comes whole, once the provider was asked. */
function meanwhile(change: (run: Run) => void): Pick<Row, "fault" | "calling"> {
  return {
    fault: stalled,
    calling: async (run) => {
      const { provider } = run.place;
      const from = provider.received.length;
      const calling = run.ask();
      await until(() => provider.received.length === from + 1, "the provider is asked");
      if (run.column.stream) await calling.begun;
      change(run);
      return calling.got;
    },
  };
}

/** What goes wrong around the gateway itself, and what changes while a call is under way. */
export const gatewayRows: readonly Row[] = [
  { title: "hold while the answer comes", ...meanwhile(({ place }) => place.stand({ holds })), expect: begun("held", 403) },
  { title: "ATO suspended while the answer comes", ...meanwhile(({ place }) => place.stand({ release: releaseOf(place.surface, { ato: { ...grantedAto, state: "suspended" } }) })), expect: begun("ato_suspended", 403) },
  { title: "credential revoked while the answer comes", ...meanwhile(({ place }) => place.stand({ credential: { revokedAt: start } })), expect: begun("credential_invalid", 401) },
  { title: "snapshot lapses while the answer comes", ...meanwhile(({ place }) => place.clock.advance(1000)), expect: begun("snapshot_stale", 503) },
  {
    title: "hold while the decision is written",
    before: ({ place }) => void (place.disk.delayMs = 80),
    calling: async (run) => {
      const { place } = run;
      const calling = run.ask();
      await until(() => place.gateways.patient.inFlight === 1, "the call is in flight");
      place.stand({ holds });
      return calling.got;
    },
    after: ({ place }) => void (place.disk.delayMs = 0),
    expect: "403 `held`",
  },
  {
    title: "hold while the body comes",
    calling: async (run) => {
      const { place, request } = run;
      const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`);
      const text = String(request.body);
      const first = [`POST ${request.path} HTTP/1.1`, "host: gateway", ...headers, `content-length: ${Buffer.byteLength(text)}`, "", text.slice(0, 5)].join("\r\n");
      return raw(run.origin, first, {
        more: async () => {
          place.stand({ holds });
          return text.slice(5);
        },
      });
    },
    expect: "403 `held`",
  },
  {
    title: "snapshot lapses while the body comes",
    calling: async (run) => {
      const { place, request } = run;
      const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`);
      const text = String(request.body);
      const first = [`POST ${request.path} HTTP/1.1`, "host: gateway", ...headers, `content-length: ${Buffer.byteLength(text)}`, "", text.slice(0, 5)].join("\r\n");
      return raw(run.origin, first, {
        more: async () => {
          place.clock.advance(1000);
          return text.slice(5);
        },
      });
    },
    expect: "503 `snapshot_stale`",
  },
  {
    title: "as many calls in flight as it may carry",
    bounds: "small",
    fault: { kind: "silence" },
    calling: async (run) => {
      const { place } = run;
      const from = place.provider.received.length;
      const first = run.ask();
      await until(() => place.provider.received.length === from + 1, "the provider is asked");
      const got = await run.ask().got;
      place.gateways.small.cut({});
      await first.got;
      return got;
    },
    expect: "503 `gateway_busy`",
  },
  { title: "no heartbeat of the change feed", before: ({ place }) => place.clock.advance(1000), expect: "503 `snapshot_stale`" },
  {
    title: "database there: the lease is renewed",
    before: async ({ place }) => {
      place.clock.advance(900);
      await place.heartbeat("there");
      place.clock.advance(900);
    },
    expect: "200",
  },
  {
    title: "database gone: the lease is not renewed",
    before: async ({ place }) => {
      place.clock.advance(900);
      await place.heartbeat("gone");
      place.clock.advance(900);
    },
    expect: "503 `snapshot_stale`",
  },
  { title: "clock jumps an hour ahead", before: ({ place }) => place.clock.advance(3_600_000), expect: "503 `snapshot_stale`" },
  { title: "clock falls 3 seconds back, behind the lease", before: ({ place }) => place.clock.advance(-3000), after: ({ place }) => place.clock.advance(3000), expect: "503 `snapshot_stale`" },
  { title: "clock falls a minute behind the log", before: ({ place }) => place.clock.advance(-60_000), after: ({ place }) => place.clock.advance(60_000), expect: "503 `clock_regressed`" },
  { title: "log slow", before: ({ place }) => void (place.disk.delayMs = 60), after: ({ place }) => void (place.disk.delayMs = 0), expect: "200" },
  { title: "log behind: takes nothing more for now", logFails: true, before: ({ place }) => void (place.disk.behind = true), after: ({ place }) => void (place.disk.behind = false), expect: "503 `evidence_unavailable`" },
];

/** Last of all: the log does not get over it until the gateway is started again. */
export const fullRows: readonly Row[] = [
  { title: "disk full when the answer has come: no outcome, no end", logFails: true, before: ({ place }) => place.installation.recorder.settle(), arrived: ({ place }) => void (place.disk.full = true), expect: { json: "503 `evidence_unavailable`", stream: "stream broken off: `evidence_unavailable`" } },
  { title: "disk full: the call after", logFails: true, expect: "503 `evidence_unavailable`" },
];
