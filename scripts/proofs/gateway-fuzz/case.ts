import { dialects } from "../../../packages/licet/src/gateway/dialects/all.ts";
import { digestText } from "../../../packages/licet/src/gateway/json.ts";
import type { DeploymentView } from "../../../packages/licet/src/gateway/snapshot.ts";
import { toolDigest } from "../../../packages/licet/src/inventory/release.ts";
import type { LoggedEntry } from "../../../packages/licet/src/ledger/recorder.ts";
import { credential, deployment, sha256, start } from "../../../test/unit/support/governed.ts";
import { answers } from "./answers.ts";
import { Chance } from "./chance.ts";
import { mutatedBytes, mutatedList, mutatedValue } from "./mutate.ts";
import { newPlant, rulings, type Plant, type Ruling } from "./plants.ts";
import { requests } from "./requests.ts";
import { eventsOf, jsonValues, lanesOf, parsed, readings, stands } from "./seen.ts";
import { streams, written, type Event } from "./streams.ts";
import { calledIn, knownPower, knownTools, saysNamesInParts, undeclaredIn } from "./tools.ts";
import { Garden, grown, plantIn, plantOver, type Text } from "./tree.ts";
import type { ProviderAnswer, Seen, World } from "./ways.ts";

export interface CaseResult {
  readonly figures: Readonly<Record<string, number>>;
  readonly losses: readonly string[];
}

interface Surface {
  readonly name: string;
  readonly path: string;
  readonly kind: "openai" | "anthropic" | "oip";
}

const paths: Readonly<Record<string, string>> = { chat: "openai.chat", responses: "openai.responses", messages: "anthropic.messages", count: "anthropic.count-tokens", embeddings: "openai.embeddings" };
const surfaces: readonly Surface[] = [
  ...Object.entries(paths).map(([name, dialect]) => {
    const { path = "", provider = "openai" } = dialects.find((each) => each.name === dialect) ?? {};
    return { name, path, kind: provider };
  }),
  { name: "oip", path: "/oip/v2/models/chat/infer", kind: "oip" },
];
/** Where most of the code is, most of the cases are. */
const weighted = ["chat", "chat", "responses", "responses", "responses", "messages", "messages", "messages", "count", "embeddings", "oip"];

const marks = ["markone", "marktwo", "markthree"];

interface Planted extends Plant {
  readonly mark: string;
  /** `free`: in a text that may be rewritten. */
  readonly where: Text["kind"] | "split";
}

/** One to three plants, or none. */
function planted(garden: Garden, ruling: Ruling, probability: number): readonly Planted[] {
  const { chance } = garden;
  if (!chance.maybe(probability)) return [];
  return chance.some(1, 3, (at): Planted[] => {
    const group = garden.groups.length > 0 && chance.maybe(0.25) ? chance.one(garden.groups) : undefined;
    const mark = marks[at] ?? "mark";
    const plant = newPlant(chance, ruling, group !== undefined);
    if (group !== undefined) {
      plantOver(chance, group, plant.written);
      return [{ ...plant, mark, where: "split" }];
    }
    const text = garden.texts.length === 0 ? undefined : chance.one(garden.texts);
    return text !== undefined && plantIn(chance, text, { mark, written: plant.written }) ? [{ ...plant, mark, where: text.kind }] : [];
  }).flat();
}

/** The release declares what the call says: whether it does is asked elsewhere. */
function declared(surface: Surface, body: Buffer): Partial<DeploymentView> {
  const base = { name: "chat", provider: "simulator", model: "sim-1", bounds: {} };
  const read = dialects.find(({ path }) => path === surface.path)?.parse(body, () => undefined);
  if (read === undefined || "refusal" in read) return { models: [{ ...base, permissions: ["parameter:note"] }], prompts: [] };
  const { needs, instructions, tools, responseFormat } = read.call;
  return {
    models: [{ ...base, permissions: [...needs.map(({ permission }) => permission), knownPower], ...(responseFormat !== undefined && { responseFormat }) }],
    prompts: instructions.map(({ role, text }, at) => ({ name: `prompt-${at}`, role, digest: digestText(text) })),
    tools: [...tools.map((tool) => ({ name: tool.name, digest: toolDigest(tool) })), ...knownTools.map((name) => ({ name, digest: `sha256:${sha256(name)}` }))],
  };
}

const permit = async () => ({ decision: "allow" as const, reasons: [{ policy: "test.permit" }], errors: [] });

/** What an answer may call, by the names that readers of answers give it. */
function callable(surface: Surface, body: Buffer): ReadonlySet<string> {
  return new Set([...(declared(surface, body).tools ?? []).map(({ name }) => name), "web_search_call"]);
}

function stand(world: World, surface: Surface, ruling: Ruling, { body, mode }: { readonly body: Buffer; readonly mode: "none" | "digest" | "redacted" }): void {
  const view = deployment({ ...declared(surface, body), boundary: { classes: ruling.boundary, regions: ["eu"] } });
  const modes = { public: mode, internal: mode, confidential: mode, personal: mode, special: mode };
  world.stand({
    credentials: [{ id: "cred_1", space: "main", digest: sha256(credential), expiresAt: start + 86_400_000, revokedAt: null, deployment: view }],
    spaces: [
      {
        space: "main",
        holds: [],
        providers: [{ id: "simulator", kind: surface.kind, baseUrl: "http://127.0.0.1:9/v1", region: "eu", vendor: "test", keyRef: "main/simulator", allow: ["loopback"] }],
        detection: ruling.detection,
        contentModes: modes,
        policyBundle: { digest: `sha256:${"b".repeat(64)}`, decide: permit },
      },
    ],
  });
}

interface Case {
  readonly chance: Chance;
  readonly surface: Surface;
  readonly ruling: Ruling;
  readonly body: Buffer;
  readonly plants: readonly Planted[];
  /** Whether the request is as the surface takes it. */
  readonly valid: boolean;
  readonly streamed: boolean;
}

function newCase(chance: Chance): Case {
  const surface = surfaces.find(({ name }) => name === chance.one(weighted)) ?? chance.one(surfaces);
  const ruling = chance.one(rulings);
  const garden = new Garden(chance);
  const tree = requests[surface.name]?.(garden) ?? {};
  const plants = planted(garden, ruling, 0.6);
  const value = grown(tree);
  const way = chance.below(10);
  const bytes = Buffer.from(JSON.stringify(way === 0 ? mutatedValue(chance, value, plants[0]?.value ?? "word") : value));
  const body = way === 1 ? mutatedBytes(chance, bytes) : bytes;
  const streamed = (value as { readonly stream?: unknown }).stream === true;
  const given = { chance, surface, ruling, body, plants, valid: way > 1, streamed };
  return surface.name === "oip" && chance.maybe(0.1) ? elsewhere(given) : given;
}

/** The same request to a model that nobody declared, by a name that says something. */
function elsewhere(given: Case): Case {
  const plant = newPlant(given.chance, given.ruling, true);
  const path = given.surface.path.replace("/chat/", `/${encodeURIComponent(plant.value)}/`);
  return { ...given, surface: { ...given.surface, path }, plants: [...given.plants, { ...plant, mark: "", where: "name" }], valid: false };
}

/** What a provider will have said, with what is known of it. */
interface Said {
  readonly answer: ProviderAnswer;
  readonly plants: readonly Planted[];
  /** Placeholders that it repeats, with what they stand for. */
  readonly echoes: readonly (readonly [placeholder: string, value: string])[];
  /** The answer is whole and as the surface's providers write it. */
  readonly valid: boolean;
  /** What the caller may expect, value by value, where nothing is found and no text is cut. */
  readonly values: readonly unknown[];
  /** Names of tools in it that the release does not have. */
  readonly undeclared: readonly string[];
  /** Bytes hold the event that ends a stream. */
  readonly complete: boolean;
}

const placeholder = /\[[a-z0-9-]+_\d+_[a-z]{10}\]/u;

/** Placeholders in the request that the provider has, by the word that stands before each. */
function echoesIn(request: string, plants: readonly Planted[]): Said["echoes"] {
  const all = readings(request);
  return plants.flatMap(({ mark, value, writing, action, where }) => {
    if (action !== "redact" || writing !== "plain" || where === "name") return [];
    const near = new RegExp(`${mark}[\\s"(<]{1,4}(${placeholder.source})`, "u");
    const found = all.map((text) => near.exec(text)?.[1]).find((each) => each !== undefined);
    return found === undefined ? [] : [[found, value] as const];
  });
}

function say(given: Case, request: string): Said {
  const { chance, surface, ruling, streamed } = given;
  const garden = new Garden(chance);
  const stream = streamed ? streams[surface.name]?.(garden) : undefined;
  const streaming = stream !== undefined;
  const tree = streaming ? {} : (answers[surface.name]?.(garden) ?? {});
  const plants = planted(garden, ruling, 0.5);
  const echoes = repeated(garden, echoesIn(request, given.plants));
  const back = (text: string) => echoes.reduce((said, [mark, value]) => said.replaceAll(mark, value), text);
  const made = streaming ? streamAnswer(chance, stream((text) => text), plants) : { ...wholeAnswer(chance, grown(tree), plants), values: [grown(tree, back)] };
  const { answer, whole } = sent(chance, made.bytes, { "content-type": contentTypes[Number(streaming)] ?? "", "x-request-id": requestId(chance, plants) });
  return {
    answer,
    plants,
    echoes,
    valid: made.valid && whole,
    values: streaming && echoes.length > 0 ? [] : made.values,
    undeclared: [...calledIn(made.values, "together")].filter((name) => !callable(surface, given.body).has(name)),
    complete: made.complete && whole,
  };
}

/** As it travels: whole, or with a status or an end of another kind. */
function sent(chance: Chance, bytes: Buffer, headers: ProviderAnswer["headers"]): { readonly answer: ProviderAnswer; readonly whole: boolean } {
  const status = chance.maybe(0.03) ? chance.one([400, 401, 429, 500, 503, 302, 204]) : 200;
  const cutShort = chance.maybe(0.06);
  const chunks = chunked(chance, cutShort ? bytes.subarray(0, chance.below(bytes.length)) : bytes);
  return { answer: { status, headers, chunks, ending: chance.maybe(cutShort ? 0.5 : 0) ? "reset" : "end" }, whole: status === 200 && !cutShort };
}

const contentTypes = ["application/json", "text/event-stream"];

/** Puts placeholders of the request into texts of the answer that may be rewritten. */
function repeated({ chance, texts }: Garden, echoes: Said["echoes"]): Said["echoes"] {
  const free = texts.filter(({ kind }) => kind === "free");
  return free.length === 0 ? [] : echoes.filter(([mark]) => plantIn(chance, chance.one(free), { mark: "so", written: mark }));
}

/** Headers are read by callers too. */
function requestId(chance: Chance, [plant]: readonly Planted[]): string {
  return plant !== undefined && chance.maybe(0.05) && /^[!-~]+$/u.test(plant.written) ? plant.written : "req_1";
}

type Made = { readonly bytes: Buffer; readonly valid: boolean; readonly complete: boolean; readonly values: readonly unknown[] };

function wholeAnswer(chance: Chance, value: ReturnType<typeof grown>, plants: readonly Planted[]): Made {
  const way = chance.below(8);
  const bytes = Buffer.from(JSON.stringify(way === 0 ? mutatedValue(chance, value, plants[0]?.value ?? "word") : value));
  return { bytes: way === 1 ? mutatedBytes(chance, bytes) : bytes, valid: way > 1, complete: true, values: [value] };
}

function streamAnswer(chance: Chance, events: readonly Event[], plants: readonly Planted[]): Made {
  const way = chance.below(12);
  const word = plants[0]?.value ?? "word";
  const spaced = chance.maybe(0.1) ? 1 : undefined;
  const listed = way === 0 ? mutatedList(chance, events) : events;
  const said = listed.map(({ name, value, data, last }) => ({ name, last, value: data === undefined ? grown(value) : null, data: data ?? "" }));
  const changed = way === 1 ? said.map((each) => (each.data === "" && chance.maybe(2 / said.length) ? { ...each, value: mutatedValue(chance, each.value, word) } : each)) : said;
  const strange = way === 2 ? changed.toSpliced(chance.below(changed.length), 0, { name: "response.surprise", last: undefined, value: { type: "response.surprise", delta: word }, data: "" }) : changed;
  const bytes = written(chance, strange.map(({ name, value, data }) => ({ name, data: data === "" ? JSON.stringify(value, null, spaced) : data })));
  const complete = strange.some(({ last }) => last === true) && way !== 3;
  return { bytes: way === 3 ? mutatedBytes(chance, bytes) : bytes, valid: way > 3, complete, values: strange.map(({ value }) => value) };
}

function chunked(chance: Chance, bytes: Buffer): readonly Buffer[] {
  const way = chance.below(4);
  if (way === 0) return [bytes];
  const size = way === 1 ? 1 + chance.below(3) : way === 2 ? 64 : 4096;
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + chance.below(size);
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return chunks;
}

/** Draws one case, carries it through the gateway and looks at everything that left. */
export async function fuzzCase(world: World, seed: number): Promise<CaseResult> {
  const chance = new Chance(seed);
  const given = newCase(chance);
  stand(world, given.surface, given.ruling, { body: given.body, mode: chance.one(["digest", "digest", "none", "redacted"]) });
  const before = { undecided: world.undecided, failures: world.failures.length };
  let said: Said | undefined;
  const answer = (request: string): ProviderAnswer => (said = say(given, request)).answer;
  const bySocket = chance.maybe(0.02);
  const slowly = chance.maybe(0.1);
  try {
    const seen = await (bySocket ? world.sockets : world.direct)({ path: given.surface.path, anthropic: given.surface.kind === "anthropic", body: given.body, answer, slow: () => slowly && chance.maybe(0.5) });
    if (seen.status === 0) return { figures: {}, losses: [] };
    const losses = [
      ...judged(given, said, seen),
      ...logged(given, { said, seen, entries: world.entries }),
      ...(world.undecided > before.undecided ? ["the provider was asked before the decision was in the log"] : []),
      ...world.failures.slice(before.failures).map((failure) => `the gateway failed: ${String(failure)}`),
    ];
    return { figures: figuresOf(given, { said, seen, bySocket }), losses: losses.map((loss) => `case ${seed}, ${given.surface.name}${given.streamed ? " stream" : ""}, ${given.ruling.name}: ${loss}`) };
  } catch (error) {
    return { figures: {}, losses: [`case ${seed}, ${given.surface.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`] };
  }
}

function figuresOf(given: Case, { said, seen, bySocket }: { readonly said: Said | undefined; readonly seen: Seen; readonly bySocket: boolean }): Readonly<Record<string, number>> {
  const one = (yes: boolean) => (yes ? 1 : 0);
  return {
    sockets: one(bySocket),
    planted: given.plants.length + (said?.plants.length ?? 0),
    asked: seen.sent.length,
    streams: one(said !== undefined && given.streamed),
    refusedRequests: one(said === undefined),
    brokenStreams: one(seen.ending === "broken"),
    completed: one(said?.valid === true && seen.status === 200 && seen.ending === "clean"),
    restored: said?.echoes.length ?? 0,
    undeclaredTools: one(said?.valid === true && said.undeclared.length > 0),
  };
}

const describe = ({ kind, value, written: said, writing, action, where }: Planted): string => `${kind} (${action}, ${writing}, ${where}) \`${value}\`${said === value ? "" : ` as \`${said}\``}`;

/** Each promise that this exchange broke, in words. */
function judged(given: Case, said: Said | undefined, seen: Seen): readonly string[] {
  const apart = !given.valid || said?.valid === false;
  const out = seen.sent.flatMap(readings);
  const back = [...readings(seen.body), seen.headers];
  const stopped = (plants: readonly Planted[]) => plants.filter(({ action }) => action !== "flag");
  const asked = given.plants.map(({ value }) => value);
  return [
    ...stopped(given.plants).filter((plant) => (given.valid || plant.where !== "split") && stands(out, plant, !given.valid)).map((plant) => `the provider was sent ${describe(plant)}`),
    ...stopped(said?.plants ?? []).filter((plant) => !asked.includes(plant.value) && (said?.valid === true || plant.where !== "split") && stands(back, plant, apart)).map((plant) => `the caller was sent ${describe(plant)}`),
    ...undeclaredIn(seen.body, callable(given.surface, given.body)).map((name) => `the caller was told to call the undeclared tool \`${name}\``),
    ...(said === undefined ? overBlocked(given, seen) : carried(given, said, seen)),
  ];
}

/** A request in which there is nothing to stop goes on. */
function overBlocked(given: Case, seen: Seen): readonly string[] {
  const harmless = given.valid && given.plants.every(({ action, where }) => action === "flag" || (where === "free" && (action === "redact" || action === "mask")));
  return harmless && !isOverBound(seen) ? [`a request with nothing to stop was answered with ${seen.status}: ${seen.body.slice(0, 300)}`] : [];
}

/** What is drawn may be longer than a field or an answer may be. */
function isOverBound({ body }: Seen): boolean {
  return /must not be (?:more|longer) than|"code":"(?:upstream_too_large|body_too_large)"/u.test(body);
}

function carried(given: Case, said: Said, seen: Seen): readonly string[] {
  const broken = looksWhole(given, seen) && !said.complete && !ends(seen.body) ? ["a broken stream was ended as if it were whole"] : [];
  if (!said.valid || !given.valid || said.plants.some(({ action }) => action !== "flag")) return broken;
  if (isOverBound(seen)) return broken;
  if (said.undeclared.length > 0) return [...broken, ...uncalled(said, seen)];
  if (seen.status !== 200 || seen.ending !== "clean") return [...broken, `an answer with nothing to stop came as ${seen.status}, ${seen.ending}: ${seen.body.slice(-300)}`];
  return [...broken, ...restored(said, seen), ...unchanged(given, said, seen)];
}

function looksWhole({ streamed }: Case, { status, ending }: Seen): boolean {
  return streamed && status === 200 && ending === "clean";
}

function uncalled({ undeclared }: Said, { status, ending, body }: Seen): readonly string[] {
  return body.includes('"tool_undeclared"') ? [] : [`an answer that calls \`${undeclared.join(", ")}\` came as ${status}, ${ending}: ${body.slice(-300)}`];
}

/** Whether the last event that arrived is one that ends an answer. */
function ends(body: string): boolean {
  const last = eventsOf(body).at(-1);
  return last !== undefined && (last.data === "[DONE]" || /"type":"(?:response\.completed|response\.incomplete|message_stop)"/u.test(last.data));
}

function restored({ echoes }: Said, seen: Seen): readonly string[] {
  const all = readings(seen.body);
  const lanes = [...lanesOf(jsonValues(seen.body)).values()];
  return echoes.flatMap(([mark, value]) => [
    ...(all.some((text) => text.includes(value)) ? [] : [`\`${value}\` was taken out of the request and did not come back`]),
    ...(lanes.some((text) => text.includes(mark)) ? [`the placeholder \`${mark}\` reached the caller`] : []),
  ]);
}

/** What was passed on says what the provider said. */
function unchanged(given: Case, said: Said, seen: Seen): readonly string[] {
  const values = given.streamed ? eventsOf(seen.body).map(({ data }) => parsed(data) ?? null) : [parsed(seen.body)];
  // A name that comes in parts goes on as one.
  if (said.values.length === 0 || saysNamesInParts(said.values)) return [];
  const wants = /"include_usage":true/u.test(given.body.toString("utf8"));
  const expected = said.values.flatMap((value) => {
    const { usage: _, ...bare } = (value ?? {}) as Readonly<Record<string, unknown>>;
    const count = given.surface.name === "chat" && given.streamed && !wants && Array.isArray(bare["choices"]) && bare["choices"].length === 0;
    if (count) return [];
    return given.surface.name === "oip" ? [{ ...(value as object), model_name: "chat" }] : [value];
  });
  const [one, other] = [JSON.stringify(expected.map(sorted)), JSON.stringify(values.map(sorted))];
  if (one === other) return [];
  let at = 0;
  while (one.charAt(at) === other.charAt(at)) at++;
  return [`the answer was changed: \`${one.slice(Math.max(0, at - 80), at + 80)}\` into \`${other.slice(Math.max(0, at - 80), at + 80)}\``];
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, child]) => [key, sorted(child)]));
}

/** What the log says of it: a decision for the call, an outcome for what was sent, and no planted value anywhere. */
function logged(given: Case, { said, seen, entries }: { readonly said: Said | undefined; readonly seen: Seen; readonly entries: readonly LoggedEntry[] }): readonly string[] {
  const of = (kind: string) => entries.filter((entry) => entry.kind === kind);
  const allows = of("gateway.decision").filter(({ body }) => body["decision"] === "allow").length;
  const words = readings(JSON.stringify(entries.map(({ body }) => body)));
  const kept = [...given.plants, ...(said?.plants ?? [])].filter((plant) => plant.writing === "plain" && stands(words, plant, true));
  return [
    ...(of("gateway.decision").length === 0 ? ["no decision was recorded"] : []),
    ...(allows !== seen.sent.length || of("gateway.outcome").length !== seen.sent.length ? [`${seen.sent.length} requests were sent by ${allows} decisions to allow and ended in ${of("gateway.outcome").length} outcomes`] : []),
    ...kept.map((plant) => `the log holds ${describe(plant)}`),
  ];
}
