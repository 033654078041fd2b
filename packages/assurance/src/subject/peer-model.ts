import { pathToFileURL } from "node:url";
import { LicetError } from "@licet/contract";
import type { Input } from "../onnx/model-inputs.ts";
import { type PeerPlan, peerPlan } from "../onnx/peer-plan.ts";
import type { PeerRuntime } from "../onnx/peer-runtime.ts";
import { failed, plainClasses } from "./subject.ts";

/** A model in ONNX Runtime. Belongs into the process that `isolated-process.ts` starts. */
export interface PeerModel {
  readonly width: number | undefined;
  score(features: Float32Array, rows: number): Promise<{ readonly rows: number; readonly columns: number; readonly classes: readonly string[]; readonly scores: Float32Array }>;
}

interface Session {
  run(feeds: Readonly<Record<string, unknown>>, outputs: readonly string[]): Promise<Readonly<Record<string, unknown>>>;
}

/** As much of the interface of ONNX Runtime for JavaScript as is used here. */
interface Runtime {
  readonly env: { logLevel?: string; readonly wasm?: { numThreads?: number } };
  readonly InferenceSession: { create(bytes: Uint8Array, options: object): Promise<Session> };
  readonly Tensor: new (type: string, data: Float32Array | Int32Array | BigInt64Array, dims: readonly number[]) => unknown;
}

/** Scores in one call of the session: what it makes in between is no business of the length of a table. */
const batchRowsMax = 1024;
const wordsMax = 300;

/** Throws what `peerPlan` throws, and `subject_failed` where ONNX Runtime does not take the model. */
export async function loadPeerModel(bytes: Uint8Array, peer: PeerRuntime): Promise<PeerModel> {
  const plan = peerPlan(bytes);
  const runtime = await runtimeOf(peer);
  // One thread: with several its sums come in another order from run to run.
  const options = { executionProviders: [peer.name === "onnxruntime-web" ? "wasm" : "cpu"], intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: "sequential" };
  const session = await runtime.InferenceSession.create(plan.bytes, options).catch((error: unknown) => {
    throw failed(`ONNX Runtime does not take it (${wordsOf(error)})`);
  });
  return {
    width: plan.width,
    score: async (features, rows) => {
      const width = rows === 0 ? (plan.width ?? 0) : features.length / rows;
      if (width !== (plan.width ?? width)) throw new LicetError("model_input_mismatch", { message: `the model takes ${plan.width} features and the rows have ${width}: name the columns under \`features\`` });
      const parts: Float32Array[] = [];
      let columns = 1;
      for (let start = 0; start === 0 || start < rows; start += batchRowsMax) {
        const count = Math.min(batchRowsMax, rows - start);
        const scored = await scoredBy({ runtime, session, plan }, features.subarray(start * width, (start + count) * width), count);
        columns = count === 0 ? columns : scored.length / count;
        parts.push(scored);
      }
      const scores = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
      parts.reduce((at, part) => (scores.set(part, at), at + part.length), 0);
      return { rows, columns, classes: plainClasses(columns), scores };
    },
  };
}

async function runtimeOf({ name, module }: PeerRuntime): Promise<Runtime> {
  const loaded: unknown = await import(pathToFileURL(module).href);
  const runtime = [loaded, memberOf(loaded, "default")].find(isRuntime);
  if (runtime === undefined) throw failed(`${name} is not the ONNX Runtime that is known here`);
  runtime.env.logLevel = "fatal";
  if (runtime.env.wasm !== undefined) runtime.env.wasm.numThreads = 1;
  return runtime;
}

function isRuntime(value: unknown): value is Runtime {
  return typeof memberOf(memberOf(value, "InferenceSession"), "create") === "function" && typeof memberOf(value, "Tensor") === "function" && typeof memberOf(value, "env") === "object";
}

function memberOf(value: unknown, name: string): unknown {
  return (typeof value === "object" || typeof value === "function") && value !== null ? Reflect.get(value, name) : undefined;
}

interface Running {
  readonly runtime: Runtime;
  readonly session: Session;
  readonly plan: PeerPlan;
}

async function scoredBy({ runtime, session, plan }: Running, features: Float32Array, rows: number): Promise<Float32Array> {
  const columns = rows === 0 ? (plan.width ?? 0) : features.length / rows;
  const feeds: Record<string, unknown> = {};
  let from = 0;
  for (const input of plan.inputs) {
    const width = input.width ?? columns;
    const cells = Float32Array.from({ length: rows * width }, (_, at) => features[Math.floor(at / width) * columns + from + (at % width)] ?? Number.NaN);
    feeds[input.name] = tensorOf(runtime, input, { cells, dims: [rows, width] });
    from += width;
  }
  const answer = await session.run(feeds, [plan.output]).catch((error: unknown) => {
    throw failed(`ONNX Runtime cannot run it (${wordsOf(error)})`);
  });
  const data = memberOf(answer[plan.output], "data");
  if (!(data instanceof Float32Array || data instanceof Float64Array) || (rows > 0 && data.length % rows !== 0)) throw failed("ONNX Runtime gives no table of scores");
  const scores = Float32Array.from(data);
  // A number that is none has no integer: such a row was another one there.
  if (plan.inputs.some(({ kind }) => kind === "int")) for (let row = 0; row < rows; row += 1) if (features.subarray(row * columns, (row + 1) * columns).some((value) => !Number.isFinite(value))) scores.fill(Number.NaN, (row * scores.length) / rows, ((row + 1) * scores.length) / rows);
  return scores;
}

function tensorOf({ Tensor }: Runtime, { kind, bits }: Input, { cells, dims }: { readonly cells: Float32Array; readonly dims: readonly number[] }): unknown {
  if (kind === "float") return new Tensor("float32", cells, dims);
  if (bits === 32) return new Tensor("int32", Int32Array.from(cells, Math.trunc), dims);
  return new Tensor("int64", BigInt64Array.from(cells, (value) => BigInt(Number.isFinite(value) ? Math.trunc(value) : 0)), dims);
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, wordsMax) : "for no stated reason";
}
