/**
 * How long `licet serve` of the built product takes from its first instruction to its first printed line and to a
 * healthy answer, on a new directory and on one that exists, against `node -e 0` between them. Each start is a process
 * of its own; rounds take turns, so that a busy machine slows all alike. Only ratios are compared across machines.
 * The last line of the output is one JSON object.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const quick = process.argv.includes("--quick");
const rounds = quick ? 3 : 10;
const secondsMax = 60;
const program = fileURLToPath(new URL("../packages/licet/bin/licet.js", import.meta.url));
const built = fileURLToPath(new URL("../packages/licet/dist/main.js", import.meta.url));

interface Start {
  readonly lineMs: number;
  readonly healthyMs: number;
  readonly cpuMs: number;
  readonly rssMb: number;
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const rounded = (value: number) => Math.round(value * 100) / 100;

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address() as AddressInfo;
      server.close(() => resolve(address.port));
    });
  });
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once("close", resolve));
}

async function empty(): Promise<number> {
  const begin = performance.now();
  await ended(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }));
  return performance.now() - begin;
}

function isHealthy(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request({ host: "127.0.0.1", port, path: "/api/health", agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    call.on("error", () => resolve(false));
    call.end();
  });
}

/** Processor time and memory as the system counts them; NaN where there is no /proc. */
function used(pid: number): { readonly cpuMs: number; readonly rssMb: number } {
  if (!existsSync(`/proc/${pid}/stat`)) return { cpuMs: Number.NaN, rssMb: Number.NaN };
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const rss = /VmRSS:\s+(\d+)/u.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return { cpuMs: (Number(fields[11]) + Number(fields[12])) * 10, rssMb: Number(rss) / 1024 };
}

async function serve(directory: string): Promise<Start> {
  const [port, dataPort] = [await freePort(), await freePort()];
  const args = ["serve", "--dir", join(directory, "data"), "--keys", join(directory, "keys"), "--port", String(port), "--data-port", String(dataPort)];
  const begin = performance.now();
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const end = ended(child);
  let lineMs = Number.NaN;
  let said = "";
  child.stdout.once("data", () => {
    lineMs = performance.now() - begin;
  });
  child.stderr.on("data", (data: Buffer) => {
    said += data.toString("utf8");
  });
  try {
    while (Number.isNaN(lineMs) || !(await isHealthy(port))) {
      if (child.exitCode !== null || performance.now() - begin > secondsMax * 1000) throw new Error(`the server did not start: ${said.slice(0, 500)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return { lineMs, healthyMs: performance.now() - begin, ...used(child.pid ?? 0) };
  } finally {
    child.kill("SIGTERM");
    await end;
  }
}

async function main(): Promise<void> {
  const nodes: number[] = [];
  const starts: { first: Start[]; second: Start[] } = { first: [], second: [] };
  await empty();
  for (let round = 0; round < rounds; round += 1) {
    const directory = mkdtempSync(join(tmpdir(), "licet-bench-start-"));
    try {
      nodes.push(await empty());
      starts.first.push(await serve(directory));
      nodes.push(await empty());
      starts.second.push(await serve(directory));
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
  const nodeMs = rounded(median(nodes));
  const middle = (all: readonly Start[]): Start => {
    const of = (key: keyof Start) => rounded(median(all.map((start) => start[key])));
    return { lineMs: of("lineMs"), healthyMs: of("healthyMs"), cpuMs: of("cpuMs"), rssMb: of("rssMb") };
  };
  const figures = { nodeMs, first: middle(starts.first), second: middle(starts.second) };
  for (const name of ["first", "second"] as const) console.log(name.padEnd(8), JSON.stringify(figures[name]));
  const ratios = { startVsNode: rounded(figures.second.healthyMs / nodeMs), firstStartVsNode: rounded(figures.first.healthyMs / nodeMs) };
  console.log(JSON.stringify({ bench: "start", ratios, figures: { ...figures, rounds, node: process.version } }));
}

if (existsSync(built)) {
  await main();
} else {
  console.error("the product is not built: run `npm run build` first");
  process.exitCode = 2;
}
