/**
 * What a policy decision costs: `authorize` of @licet/cedar beside cedar-wasm's `statefulIsAuthorized` with a preparsed set, on the
 * installation's own policies and on 1,000 scoped ones; a decision over HTTP beside an empty handler of the same server.
 * The sides take turns, so that a busy machine slows all alike: compare ratios, not times. Run with --quick for less,
 * --memory for 10 million decisions. The last line of the output is one JSON object.
 */
import { preparsePolicySet, statefulIsAuthorized, type PolicySet as WasmPolicySet } from "@cedar-policy/cedar-wasm/nodejs";
import { authorize, compilePolicySet, compileSchema, entityStore, prepareRequest, type PolicySet, type Schema } from "@licet/cedar";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createDecider } from "../packages/licet/src/policy/decide.ts";
import { readBundle, bundleJson } from "../packages/licet/src/policy/bundle-read.ts";
import { digestOfBytes } from "@licet/evidence";
import { authzenRatio } from "./policy-authzen.ts";
import { pool, readWorld, renamed, seventeen, thousand, whole, worldBundle, type Asked, type Policies } from "./policy-world.ts";

const quick = process.argv.includes("--quick");
const rounds = quick ? 5 : 25;
const sliceMs = quick ? 100 : 400;
const spreadDecisions = quick ? 200_000 : 1_000_000;
/** No entity comes back within 1,000 decisions. */
const poolSize = 1001;

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const rounded = (value: number) => Number(value.toPrecision(4));

interface Side {
  readonly name: string;
  /** Decides the n-th question. */
  readonly decide: (index: number) => unknown;
  readonly micros: number[];
}

function side(name: string, decide: (index: number) => unknown): Side {
  return { name, decide, micros: [] };
}

/** Microseconds of this process's CPU: a machine that does other things as well would make wall time say nothing. */
function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Microseconds per decision of one slice, garbage collection included. */
function slice({ decide }: Side, burst: number): number {
  const begin = cpuMicros();
  let count = 0;
  for (; cpuMicros() - begin < sliceMs * 1000; count += burst) for (let i = 0; i < burst; i++) decide(count + i);
  return (cpuMicros() - begin) / count;
}

function takeTurns(sides: readonly (Side & { readonly burst: number })[]): void {
  for (let round = 0; round <= rounds; round++) {
    for (const each of sides) {
      const micros = slice(each, each.burst);
      // The first round only warms up.
      if (round > 0) each.micros.push(micros);
    }
  }
  for (const { name, micros } of sides) console.log(`${name.padEnd(26)}${median(micros).toFixed(2).padStart(10)} us`);
}

/** The median of what the rounds say, as both sides of one round saw the same machine. */
function ratio(slow: Side, fast: Side): number {
  return rounded(median(slow.micros.map((micros, round) => micros / (fast.micros[round] ?? Number.NaN))));
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index % list.length];
  if (found === undefined) throw new Error("nothing to ask");
  return found;
}

function wasmSide(id: string, policies: Policies): (asked: Asked) => { readonly decision: string; readonly reasons: readonly string[]; readonly errors: readonly string[] } {
  const parsed = preparsePolicySet(id, { staticPolicies: policies } as unknown as WasmPolicySet);
  if (parsed.type === "failure") throw new Error(parsed.errors.map((error) => error.message).join("; "));
  return ({ json }) => {
    const answer = statefulIsAuthorized({ ...json, preparsedPolicySetId: id } as unknown as Parameters<typeof statefulIsAuthorized>[0]);
    if (answer.type === "failure") throw new Error(answer.errors.map((error) => error.message).join("; "));
    const { decision, diagnostics } = answer.response;
    return { decision, reasons: diagnostics.reason.sort(), errors: diagnostics.errors.map(({ policyId }) => policyId).sort() };
  };
}

/** A bench of two things that answer differently would measure nothing. */
function checkSame(policies: PolicySet, wasm: ReturnType<typeof wasmSide>, questions: readonly Asked[]): { readonly allowed: number } {
  let allowed = 0;
  for (const asked of questions) {
    const ours = authorize(policies, asked.request, asked.store);
    const theirs = wasm(asked);
    const same = JSON.stringify([ours.decision, [...ours.reasons].sort(), ours.errors.map(({ policy }) => policy).sort()]) === JSON.stringify([theirs.decision, theirs.reasons, theirs.errors]);
    if (!same) throw new Error(`@licet/cedar and cedar-wasm differ: ${JSON.stringify(ours)} ${JSON.stringify(theirs)}`);
    if (ours.decision === "allow") allowed++;
  }
  return { allowed: rounded(allowed / questions.length) };
}

function percentiles(policies: PolicySet, questions: readonly Asked[]): { readonly medianMicros: number; readonly p99Micros: number; readonly p99VsMedian: number } {
  const count = spreadDecisions;
  const times = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    const { request, store } = at(questions, index);
    const begin = performance.now();
    authorize(policies, request, store);
    times[index] = performance.now() - begin;
  }
  times.sort();
  const micros = (part: number) => (times[Math.floor(count * part)] ?? Number.NaN) * 1000;
  return { medianMicros: rounded(micros(0.5)), p99Micros: rounded(micros(0.99)), p99VsMedian: rounded(micros(0.99) / micros(0.5)) };
}

function collectGarbage(): () => void {
  setFlagsFromString("--expose-gc");
  const gc: unknown = runInNewContext("gc");
  return typeof gc === "function" ? () => void gc() : () => undefined;
}

/** Every decision has entities of its own, made for it, whose names never come back: whatever remembers them, grows. */
function memory({ policies, schema }: { readonly policies: PolicySet; readonly schema: Schema }, questions: readonly Asked[], decisions: number): { readonly decisions: number; readonly heapBefore: number; readonly heapAfter: number; readonly rssBefore: number; readonly rssAfter: number; readonly growth: number } {
  const gc = collectGarbage();
  const run = (from: number, to: number) => {
    for (let index = from; index < to; index++) {
      const { json, own, request } = at(questions, index);
      const principal = { type: json.principal.type, id: `dep_${index}` };
      const store = entityStore(own.map((entity) => ("type" in entity.uid && entity.uid.type === principal.type ? { ...entity, uid: principal } : entity)), { schema });
      const { context } = request;
      authorize(policies, { ...prepareRequest({ ...json, principal, context: {} }), context }, store);
    }
    gc();
    return { heap: process.memoryUsage().heapUsed, rss: process.memoryUsage.rss() };
  };
  const warm = Math.min(100_000, decisions / 10);
  const before = run(0, warm);
  const after = run(warm, decisions);
  const megabytes = (bytes: number) => rounded(bytes / 1048576);
  return { decisions, heapBefore: megabytes(before.heap), heapAfter: megabytes(after.heap), rssBefore: megabytes(before.rss), rssAfter: megabytes(after.rss), growth: rounded(after.heap / before.heap) };
}

/** CPU of this thread: what compiles its code and collects its garbage beside it keeps nobody waiting. */
function threadMicros(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

function timed(work: () => void, times: number): number {
  return rounded(
    median(
      Array.from({ length: times }, () => {
        const begin = threadMicros();
        work();
        return (threadMicros() - begin) / 1000;
      }),
    ),
  );
}

/** From the JSON of a bundle of 1,000 policies, with 100 golden decisions, to a decider. */
function bundleLoad(world: ReturnType<typeof readWorld>, policies: Policies): { readonly bundleLoad1000Milliseconds: number; readonly compile1000Milliseconds: number; readonly firstLoadMilliseconds: number } {
  const listed = Object.entries(policies).map(([id, json]) => ({ id, pack: "bench", effect: json.effect, text: "", json, annotations: {}, mode: "enforce" as const }));
  const plain = { ...worldBundle(world), policies: listed };
  const decider = createDecider(plain);
  const golden = calls(world).slice(0, 100).map((request) => {
    const { decision, reasons, errors } = decider.decide(request);
    return { request, decision, reasons: reasons.map(({ policy }) => policy), errors: [...new Set(errors.map(({ policy }) => policy))] };
  });
  const json = bundleJson({ ...plain, golden });
  const digest = digestOfBytes(json);
  const begin = threadMicros();
  readBundle(json, digest);
  const firstLoadMilliseconds = rounded((threadMicros() - begin) / 1000);
  const set = JSON.stringify({ staticPolicies: policies });
  return {
    firstLoadMilliseconds,
    bundleLoad1000Milliseconds: timed(() => void readBundle(json, digest), quick ? 9 : 25),
    compile1000Milliseconds: timed(() => void compilePolicySet(JSON.parse(set) as Parameters<typeof compilePolicySet>[0]), quick ? 9 : 25),
  };
}

/** Model calls of the packs' scenarios. */
function calls({ requests }: ReturnType<typeof readWorld>) {
  return requests.filter(({ action }) => action.id === "callModel");
}

async function main(): Promise<void> {
  const world = readWorld();
  const sets = { seventeen: seventeen(world), thousand: thousand(world), whole: whole(world) };
  const ours = { seventeen: compilePolicySet({ staticPolicies: sets.seventeen }), thousand: compilePolicySet({ staticPolicies: sets.thousand }), whole: compilePolicySet({ staticPolicies: sets.whole }) };
  const questions = pool(world, calls(world), poolSize);
  const everything = pool(world, world.requests, poolSize);
  const schema = compileSchema(world.schemaJson);

  if (process.argv.includes("--memory")) {
    console.log(JSON.stringify({ bench: "policy", ratios: {}, figures: { memory: memory({ policies: ours.whole, schema }, questions, 10_000_000) } }));
    return;
  }

  const wasm = { seventeen: wasmSide("17", sets.seventeen), thousand: wasmSide("1000", sets.thousand), whole: wasmSide("whole", sets.whole) };
  const checked = { seventeen: checkSame(ours.seventeen, wasm.seventeen, questions.slice(0, 300)), thousand: checkSame(ours.thousand, wasm.thousand, questions.slice(0, 60)), whole: checkSame(ours.whole, wasm.whole, everything.slice(0, 300)) };

  const decider = createDecider(worldBundle(world));
  const raw = Array.from({ length: poolSize }, (_, index) => renamed(at(calls(world), index), index));
  const decideWith = (policies: PolicySet, list: readonly Asked[]) => (index: number) => {
    const { request, store } = at(list, index);
    return authorize(policies, request, store);
  };
  const ours17 = side("ours, 17 policies", decideWith(ours.seventeen, questions));
  const ours1000 = side("ours, 1,000 scoped", decideWith(ours.thousand, questions));
  const oursWhole = side("ours, all packs", decideWith(ours.whole, everything));
  const withEntities = side("ours, all, new entities", (index) => {
    const { own, request } = at(questions, index);
    return authorize(ours.whole, request, entityStore(own, { schema }));
  });
  const wholeDecision = side("ours, decide()", (index) => decider.decide(at(raw, index)));
  const wasm17 = side("cedar-wasm, 17 policies", (index) => wasm.seventeen(at(questions, index)));
  const wasm1000 = side("cedar-wasm, 1,000 scoped", (index) => wasm.thousand(at(questions, index)));
  const wasmWhole = side("cedar-wasm, all packs", (index) => wasm.whole(at(everything, index)));
  const fast = [ours17, ours1000, oursWhole, withEntities, wholeDecision].map((each) => ({ ...each, burst: 200 }));
  const slow = [wasm17, wasm1000, wasmWhole].map((each) => ({ ...each, burst: 5 }));
  takeTurns([...fast, ...slow]);

  const spread = percentiles(ours.seventeen, questions);
  const load = bundleLoad(world, sets.thousand);
  const flat = memory({ policies: ours.whole, schema }, questions, quick ? 100_000 : 1_000_000);
  const authzen = await authzenRatio({ quick });
  const micros = Object.fromEntries([...fast, ...slow].map(({ name, micros: each }) => [name, rounded(median(each))]));
  const ratios = {
    decisionVsCedarWasm17: ratio(wasm17, ours17),
    decisionVsCedarWasm1000: ratio(wasm1000, ours1000),
    decisionVsCedarWasmAll: ratio(wasmWhole, oursWhole),
    newEntitiesVsCedarWasm17: ratio(wasm17, withEntities),
    thousandVsSeventeen: ratio(ours1000, ours17),
    p99VsMedian: spread.p99VsMedian,
    memoryGrowth: flat.growth,
    authzenVsEmptyHandler: authzen.ratio,
  };
  console.log(JSON.stringify({ bench: "policy", ratios, figures: { micros, ...spread, ...load, policies: { all: world.policies.length }, allowed: checked, memory: flat, authzen } }));
}

await main();
