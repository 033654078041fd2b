/**
 * Scores tumour measurements with the ONNX model of this folder, and asks Licet before every batch.
 * Without a clear yes nothing is scored and nothing is written.
 *
 *   LICET_DATA_URL=http://127.0.0.1:4101 LICET_CREDENTIAL=… node predict.ts data/test.csv predictions.csv
 */
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { loadModel, numericColumn, readTable, type Model, type Table } from "@licet/assurance";

const batchRows = 100;
const answerSecondsMax = 10;
const target = "target";

interface Settings {
  readonly dataUrl: string;
  readonly credential: string;
  /** The system, or its deployment, as Licet knows it. */
  readonly workload: string;
}

type Permission = { readonly allowed: true; readonly decision: string } | { readonly allowed: false; readonly decision: string; readonly reason: string; readonly remedy: string };

/** Scores `input` into `output`. Returns the process exit code: 0 done, 1 refused, 2 not set up. */
export async function main(args: readonly string[], env: NodeJS.ProcessEnv, print: (line: string) => void): Promise<number> {
  const [input, output] = args;
  const dataUrl = env["LICET_DATA_URL"] ?? "";
  const credential = env["LICET_CREDENTIAL"] ?? "";
  if (input === undefined || output === undefined || dataUrl === "" || credential === "") {
    print("usage: LICET_DATA_URL=… LICET_CREDENTIAL=… predict.ts INPUT.csv OUTPUT.csv");
    return 2;
  }
  const settings = { dataUrl, credential, workload: env["LICET_WORKLOAD"] ?? "tumour-classifier" };
  const bytes = await readFile(fileURLToPath(new URL("model/tumour.onnx", import.meta.url)));
  const model = loadModel(bytes);
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  const table = readTable(await readFile(input));
  const columns = table.columns.filter((name) => name !== target).map((name) => numericColumn(table, name));
  const lines = ["row,benign_probability,proposal"];
  for (let start = 0; start < table.rows; start += batchRows) {
    const permission = await ask(settings, digest);
    if (!permission.allowed) {
      print(`refused to score from row ${start + 1}: ${permission.reason}`);
      print(`decision: ${permission.decision}`);
      print(`remedy: ${permission.remedy}`);
      return 1;
    }
    print(`rows ${start + 1} to ${Math.min(start + batchRows, table.rows)} allowed by decision ${permission.decision}`);
    lines.push(...score(model, columns, start, Math.min(start + batchRows, table.rows)));
  }
  await writeFile(output, `${lines.join("\n")}\n`);
  print(summary(table, lines));
  return 0;
}

function score(model: Model, columns: readonly Float64Array[], start: number, end: number): string[] {
  const features = Float32Array.from({ length: (end - start) * columns.length }, (_, index) => {
    const row = start + Math.floor(index / columns.length);
    return columns[index % columns.length]?.[row] ?? Number.NaN;
  });
  const { scores, classes } = model.score(features, end - start);
  return Array.from({ length: end - start }, (_, row) => {
    const benign = scores[row * classes.length + 1] ?? Number.NaN;
    const readable = columns.every((values) => Number.isFinite(values[start + row]));
    if (!readable) return `${start + row + 1},,no proposal: a measurement is missing`;
    return `${start + row + 1},${benign},${benign >= 0.5 ? "benign" : "malignant"}`;
  });
}

/** OpenID AuthZEN 1.0 evaluation. Only `decision: true` in a 200 answer is a yes; everything else is a no. */
async function ask(settings: Settings, digest: string): Promise<Permission> {
  const no = (reason: string, remedy: string, decision = "none") => ({ allowed: false, decision, reason, remedy }) as const;
  try {
    const response = await fetch(new URL("/access/v1/evaluation", settings.dataUrl), {
      method: "POST",
      redirect: "error",
      signal: AbortSignal.timeout(answerSecondsMax * 1000),
      headers: { authorization: `Bearer ${settings.credential}`, "content-type": "application/json" },
      body: JSON.stringify({
        subject: { type: "workload", id: settings.workload },
        action: { name: "score" },
        resource: { type: "model", id: "tumour-gbm", properties: { digest } },
      }),
    });
    const body: unknown = JSON.parse(await response.text());
    const answer = record(body);
    const context = record(answer["context"]);
    const decision = text(context["id"]) ?? response.headers.get("x-licet-decision") ?? "none";
    if (response.status === 200 && answer["decision"] === true) return { allowed: true, decision };
    // A refusal of the API itself is a text, with its code in a header.
    const code = text(context["code"]) ?? response.headers.get("x-licet-code") ?? undefined;
    const reason = [code, text(context["message"]) ?? text(body)].filter((part) => part !== undefined).join(": ");
    return no(reason || `Licet answered ${response.status} without a yes`, text(context["remedy"]) ?? "look the decision up in Licet", decision);
  } catch (error) {
    // Only the kind of failure: the message may quote the credential or the answer.
    const kind = error instanceof Error ? error.name : "unknown";
    return no(`no usable answer from Licet (${kind})`, "start Licet, or set LICET_DATA_URL to its data plane");
  }
}

function summary(table: Table, lines: readonly string[]): string {
  const count = (word: string) => lines.filter((line) => line.endsWith(`,${word}`)).length;
  return `${table.rows} rows: ${count("benign")} proposed benign, ${count("malignant")} proposed malignant`;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2), process.env, (line) => console.log(line));
