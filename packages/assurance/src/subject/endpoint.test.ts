import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { LicetError } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { callEndpoint, endpointDefaults, inBatches } from "./endpoint.ts";
import { rowsOf } from "./probe.ts";

async function started(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer((request, response) => void request.resume().on("end", () => answer(request, response)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: () => {
      server.closeAllConnections();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
}

const options = { ...endpointDefaults, callMsMax: 20_000, attemptsMax: 2 };
const call = (url: string, more = {}) => callEndpoint({ url, body: { rows: 1 }, options: { ...options, ...more } });
const codeOf = (error: unknown) => (error instanceof LicetError ? error.code : String(error));

describe("an answer", () => {
  test("that drips is a timeout, however much of it has come", async () => {
    await using server = await started((_request, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write(" "), 20);
      response.on("close", () => clearInterval(drip));
    });
    expect(await call(server.url, { callMsMax: 400 })).toEqual({ kind: "timeout" });
  });

  test("that stops in its middle, or breaks, is a failure", async () => {
    await using server = await started((request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write('{"outputs": [');
      setTimeout(() => request.socket.destroy(), 20);
    });
    expect(await call(server.url)).toEqual({ kind: "failed", reason: "the connection broke" });
  });

  test("that is huge is not taken, packed or not", async () => {
    const mebibyte = Buffer.alloc(1024 * 1024, 0x20);
    const bomb = gzipSync(Buffer.concat(Array.from({ length: 65 }, () => mebibyte)));
    await using packed = await started((_request, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(bomb));
    await expect(call(packed.url)).rejects.toThrow("more than 67108864 bytes");
    let sent = 0;
    await using open = await started((_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write(mebibyte)) sent += 1;
      };
      response.on("drain", more);
      more();
    });
    await expect(call(open.url)).rejects.toThrow("more than 67108864 bytes");
    expect(sent).toBeLessThan(200);
  });

  test("elsewhere is not looked for", async () => {
    let asked = 0;
    await using other = await started((_request, response) => {
      asked += 1;
      response.end("{}");
    });
    await using server = await started((_request, response) => response.writeHead(307, { location: other.url }).end());
    expect([await call(server.url), asked]).toEqual([{ kind: "failed", reason: "the connection broke" }, 0]);
  });
});

describe("a pause", () => {
  test("is taken as seconds or as a date, and never longer than the bound", async () => {
    for (const [asked, least, most] of [["0.3", 300, 20_000], [new Date(Date.now() + 86_400_000).toUTCString(), 20_000, 20_000], ["31536000", 20_000, 20_000], ["soon", 200, 200]] as const) {
      await using server = await started((_request, response) => response.writeHead(503, { "retry-after": asked }).end());
      const pressure = { until: 0, waitedMs: 0 };
      const begun = Date.now();
      // The pause itself is not waited for: it stands in what everybody waits for.
      void callEndpoint({ url: server.url, options: { ...options, attemptsMax: 2 }, pressure }).catch(() => undefined);
      while (pressure.until === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      expect(pressure.until - begun).toBeGreaterThanOrEqual(least);
      expect(pressure.waitedMs).toBeLessThanOrEqual(most);
      pressure.until = 0;
    }
  });

  test("after pause is not taken for ever: an endpoint that only asks for time does not answer", async () => {
    await using server = await started((_request, response) => response.writeHead(429, { "retry-after": "20" }).end());
    const asked = callEndpoint({ url: server.url, options, pressure: { until: 0, waitedMs: 290_000 } });
    expect(await asked).toEqual({ kind: "failed", reason: "it asked to wait for more than 300 seconds in all" });
  });
});

describe("batches", () => {
  const rows = rowsOf(1, new Float32Array(1000));
  const bounds = { ...options, batchRowsMax: 1, inFlightMax: 4 };
  const answered = (count: number) => ({ kind: "answer", body: {}, scores: { rows: count, columns: 1, scores: new Float64Array(count).fill(0.5) } }) as const;

  test("are given up when more of them fail than could be missing, and what is left has no score", async () => {
    let asked = 0;
    const scores = await inBatches(rows, bounds, async (part) => {
      asked += 1;
      return asked % 2 === 0 ? { kind: "timeout" } : answered(part.rows);
    });
    expect(asked).toBeLessThan(120);
    expect([scores.rows, scores.scores.filter((value) => Number.isNaN(value)).length]).toEqual([1000, 1000 - Math.ceil(asked / 2)]);
  });

  test("of which none is answered are not all tried, and of which few fail are", async () => {
    let asked = 0;
    await expect(inBatches(rows, bounds, async () => ({ kind: "timeout", asked: (asked += 1) }) as const)).rejects.toSatisfy((error) => codeOf(error) === "subject_timeout");
    expect(asked).toBeLessThan(16);
    asked = 0;
    const scores = await inBatches(rows, bounds, async (part) => ((asked += 1) % 25 === 0 ? { kind: "timeout" } : answered(part.rows)));
    expect([asked, scores.scores.filter((value) => Number.isNaN(value)).length]).toEqual([1000, 40]);
  });

  test("are not begun when the time of the run is up", async () => {
    let asked = 0;
    const late = inBatches(rows, { ...bounds, endsAt: performance.now() + 60 }, async (part) => {
      asked += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
      return answered(part.rows);
    });
    await expect(late).rejects.toSatisfy((error) => codeOf(error) === "query_budget_spent");
    expect(asked).toBeLessThan(100);
  });
});
