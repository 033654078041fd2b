import { Agent, request } from "node:http";
import { z } from "zod";

/**
 * Callers in a process of their own, so that they do not keep the control plane of a test from its work. Each calls again
 * as long as it is told that another try may help. Writes one line: how many ended with which code.
 */
const Crowd = z.strictObject({ urls: z.array(z.url()).min(1), credential: z.string(), count: z.int(), body: z.string(), triesMax: z.int() });

const crowd = Crowd.parse(JSON.parse(process.argv[2] ?? "{}"));
const agent = new Agent({ keepAlive: true, maxSockets: 1000 });

interface Sent {
  readonly end: string;
  readonly again: boolean;
}

function send(url: string): Promise<Sent> {
  return new Promise((resolve) => {
    const sent = request(`${url}/openai/v1/chat/completions`, { method: "POST", agent, headers: { authorization: `Bearer ${crowd.credential}`, "content-type": "application/json" } }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => {
        const code = /"code":"(\w+)"/u.exec(text)?.[1] ?? String(response.statusCode);
        const soon = response.statusCode === 429 && Number(response.headers["retry-after"]) <= 1;
        resolve({ end: code, again: soon || code === "snapshot_stale" });
      });
      response.on("error", () => resolve({ end: "gone", again: false }));
    });
    sent.on("error", () => resolve({ end: "gone", again: false }));
    sent.end(crowd.body);
  });
}

async function caller(n: number): Promise<string> {
  const url = crowd.urls[n % crowd.urls.length] ?? "";
  let last: Sent = { end: "none", again: true };
  for (let tries = 0; last.again && tries < crowd.triesMax; tries++) {
    if (tries > 0) await new Promise((resolve) => setTimeout(resolve, 250 + 500 * Math.random()));
    last = await send(url);
  }
  return last.end;
}

const ends: Record<string, number> = {};
for (const end of await Promise.all(Array.from({ length: crowd.count }, (_, n) => caller(n)))) ends[end] = (ends[end] ?? 0) + 1;
process.stdout.write(`${JSON.stringify(ends)}\n`, () => process.exit(0));
