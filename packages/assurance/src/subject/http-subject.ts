import { callEndpoint, endpointDefaults, type EndpointOptions, inBatches } from "./endpoint.ts";
import type { Rows, Scores } from "./probe.ts";
import { classesOf, failed, plainAddress, QueryBudget, slice, type Subject } from "./subject.ts";
import { VersionPin } from "./version-pin.ts";

/** How rows become a request of some HTTP interface, and its answer becomes scores. Places are JSON pointers (RFC 6901). */
export interface HttpMapping {
  readonly url: string;
  /** The request without its rows. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Where the list of rows goes; its parent must be in `body`. */
  readonly rowsAt: string;
  /** Names of the features in order: each row becomes an object. Without them it is a list of numbers. */
  readonly features?: readonly string[] | undefined;
  /** Where the answer holds one entry per row. */
  readonly scoresAt: string;
  /** Members of an entry that hold the scores, in the order of the classes. Without them an entry is a number or a list. */
  readonly scoreNames?: readonly string[] | undefined;
  /** Where the answer names the version that answered; without it a change of version cannot be seen. */
  readonly versionAt?: string | undefined;
  /** Labels of the scores in their order. */
  readonly classes?: readonly string[] | undefined;
  /** That must answer, where it is known. */
  readonly version?: string | undefined;
}

export interface HttpSubjectOptions extends HttpMapping, Partial<EndpointOptions> {
  readonly id: string;
  /** Its name, for the record. */
  readonly model?: string;
  readonly queriesMax?: number;
}

/** Any HTTP interface that takes and gives JSON, by a declared mapping. All answers are hostile. */
export function httpSubject(given: HttpSubjectOptions): Subject {
  const options = { ...endpointDefaults, ...given };
  const budget = new QueryBudget(given.queriesMax);
  const pin = new VersionPin(given.version);
  const pressure = { until: 0, waitedMs: 0 };
  let first: Rows | undefined;
  const score = async (part: Rows) => {
    const answer = await callEndpoint({ url: given.url, body: requestFor(given, part), options, pressure });
    if (answer.kind !== "answer") return answer;
    if (given.versionAt !== undefined) pin.check(versionText(at(answer.body, given.versionAt)));
    return { ...answer, scores: scoresFrom(given, answer.body, part.rows) };
  };
  return {
    kind: "http",
    id: given.id,
    digest: null,
    width: given.features?.length,
    budget,
    classes: (columns) => classesOf(given.classes, columns),
    scores: async (rows) => {
      budget.take(rows.rows);
      if (rows.rows > 0) first ??= slice(rows, 0, 1);
      return inBatches(rows, options, score);
    },
    settle: async () => {
      // Asked once more, so that a version that came after the last row is seen.
      if (given.versionAt !== undefined && first !== undefined) await inBatches(first, options, score);
    },
    served: () => ({ url: plainAddress(given.url), model: given.model ?? given.id, version: pin.version, metadata: null, weights: "unseen" }),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function versionText(found: unknown): string | undefined {
  if (found === undefined || found === null) return undefined;
  return typeof found === "string" ? found : JSON.stringify(found);
}

function requestFor(mapping: HttpMapping, rows: Rows): unknown {
  const list = Array.from({ length: rows.rows }, (_, row) => {
    const values = [...rows.data.subarray(row * rows.columns, (row + 1) * rows.columns)];
    return mapping.features === undefined ? values : Object.fromEntries(mapping.features.map((name, index) => [name, values[index] ?? null]));
  });
  const keys = pointer(mapping.rowsAt);
  const place = (value: unknown, depth: number): unknown => {
    const key = keys[depth];
    if (key === undefined) return list;
    return { ...(isRecord(value) ? value : {}), [key]: place(isRecord(value) ? value[key] : undefined, depth + 1) };
  };
  return place(mapping.body, 0);
}

function scoresFrom(mapping: HttpMapping, body: unknown, rows: number): Scores {
  const entries = at(body, mapping.scoresAt);
  if (!Array.isArray(entries) || entries.length !== rows) throw failed(`its answer does not hold one entry per row at \`${mapping.scoresAt}\``);
  const lists = entries.map((entry: unknown) => numbersOf(entry, mapping.scoreNames));
  const columns = lists[0]?.length ?? 0;
  if (lists.some((list) => list.length !== columns)) throw failed("its answer holds entries of different length");
  return { rows, columns, scores: Float64Array.from(lists.flat()) };
}

function numbersOf(entry: unknown, names: readonly string[] | undefined): readonly number[] {
  const values: readonly unknown[] = names !== undefined && isRecord(entry) ? names.map((name) => entry[name]) : Array.isArray(entry) ? entry : [entry];
  return values.map((value) => (typeof value === "number" && Number.isFinite(value) ? value : Number.NaN));
}

const depthMax = 32;

function pointer(text: string): readonly string[] {
  const keys = text === "" ? [] : text.split("/").slice(1).map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (keys.length > depthMax || (text !== "" && !text.startsWith("/"))) throw failed(`\`${text.slice(0, 100)}\` is no JSON pointer`);
  return keys;
}

function at(value: unknown, text: string): unknown {
  let found = value;
  for (const key of pointer(text)) {
    if (Array.isArray(found)) found = found[Number(key)];
    else found = isRecord(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  }
  return found;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
