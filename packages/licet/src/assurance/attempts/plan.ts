import { attemptAlpha, componentsOf, configurationDigest, definitionOf, knownBefore, partsOf } from "@licet/assurance";
import { alphaMax, type AssuranceCheck, type Producer, type ReleaseBundle, type ReservedAttempt, type SettledCheck } from "@licet/contract";
import { digestOf } from "@licet/evidence";
import { releaseOf, type ReleaseComponent } from "../../inventory/release.ts";
import type { Reader } from "../store.ts";
import { attemptsOn, type PastAttempt } from "./store.ts";

export interface PlanRequest {
  readonly space: string;
  readonly system: string;
  readonly bundle: ReleaseBundle;
  /** Ids in the manifest. */
  readonly checks: readonly string[];
  readonly producer: Producer;
  readonly ticket: string;
  readonly seed: string;
}

export interface Plan {
  /** To run, in the order in which they were asked for. */
  readonly attempts: readonly ReservedAttempt[];
  readonly settled: readonly SettledCheck[];
}

type Asked = Pick<ReservedAttempt, "check" | "kind" | "version" | "subject" | "data" | "configuration" | "reads">;

/**
 * Which attempt each check of a new ticket is. A subject's attempts by one kind of check are counted over all releases, producers
 * and names, whatever became of them; each ticket and each data set in it is one. INVARIANT: runs inside the transaction that
 * enters the ticket, so that no two tickets take the same place.
 */
export async function planAttempts(tx: Reader, request: PlanRequest): Promise<Plan> {
  const declared = request.bundle.manifest.assurance?.checks ?? [];
  const alpha = request.bundle.manifest.assurance?.alpha ?? alphaMax;
  const components = releaseOf(request.bundle).components;
  // What the gate demands takes the earlier place, and with it more of the alpha.
  const wanted = declared.filter(({ id }) => request.checks.includes(id)).toSorted((a, b) => Number(a.advisory === true) - Number(b.advisory === true));
  const lines = new Map<string, Line>();
  const attempts: ReservedAttempt[] = [];
  const settled: SettledCheck[] = [];
  for (const check of wanted) {
    const asked = askedOf(check, components);
    const key = JSON.stringify([asked.subject, asked.kind, asked.version]);
    const line = lines.get(key) ?? new Line(await attemptsOn(tx, request.space, { system: request.system, ...asked }), request);
    lines.set(key, line);
    const place = line.place(asked, alpha);
    if ("result" in place) settled.push({ check: check.id, result: place.result });
    else attempts.push(place);
  }
  return { attempts: ordered(attempts, request.checks), settled: ordered(settled, request.checks) };
}

function ordered<T extends { readonly check: string }>(items: readonly T[], ids: readonly string[]): readonly T[] {
  return items.toSorted((a, b) => ids.indexOf(a.check) - ids.indexOf(b.check));
}

/** What a declared check is about, by content. */
export function askedOf(check: AssuranceCheck, components: readonly ReleaseComponent[]): Asked {
  const parts = partsOf(check);
  const found = componentsOf(check).map((name) => named(components, name));
  // What is only known by its name may answer otherwise tomorrow.
  const seen = found.every((each) => each !== undefined && (each.kind !== "model" || each.addressedBy === "content"));
  const data = parts.data.map((name) => named(components, name)?.digest ?? digestOf(name));
  const subject = subjectDigest(parts, components);
  return {
    check: check.id,
    kind: check.check,
    version: definitionOf(check.check)?.version ?? "unknown",
    subject,
    data: knownBefore(check) && seen ? together(data, subject) : null,
    configuration: configurationDigest(check),
    reads: parts.data.flatMap((name) => {
      const component = named(components, name);
      return component?.kind === "dataset" ? [component.digest] : [];
    }),
  };
}

function subjectDigest({ subject, prompt }: ReturnType<typeof partsOf>, components: readonly ReleaseComponent[]): string {
  if (subject === "released") return digestOf(components.filter(({ kind }) => kind !== "dataset").map(({ kind, name, digest }) => [kind, name, digest]));
  const digests = subject.map((name) => named(components, name)?.digest ?? digestOf(name));
  if (prompt === undefined) return together(digests, "");
  // A language model is what its instructions make of it.
  const prompts = components.filter((each) => each.kind === "prompt" && (typeof prompt !== "string" || each.name === prompt));
  return digestOf([...digests, ...prompts.map(({ digest }) => digest)]);
}

/** One digest of several; of one file its own, so that people can look it up. */
function together(digests: readonly string[], none: string): string {
  const [only] = digests;
  if (only === undefined) return none;
  return digests.length === 1 ? only : digestOf(digests);
}

/** A model before a data set of the same name: a second file under a subject's name does not make it another subject. */
function named(components: readonly ReleaseComponent[], name: string): ReleaseComponent | undefined {
  return components.find((each) => each.name === name && each.kind === "model") ?? components.find((each) => each.name === name && each.kind === "dataset");
}

/** Whose word weighs more: nobody who weighs less makes a result again. */
const weight: Readonly<Record<string, number>> = { self: 0, ci: 1, licet: 2 };

/** The attempts on one subject by one kind of check. */
class Line {
  readonly #past: readonly PastAttempt[];
  readonly #request: PlanRequest;
  /** Data that this ticket brings, in the order in which they were asked for. */
  readonly #fresh: string[] = [];

  constructor(past: readonly PastAttempt[], request: PlanRequest) {
    this.#past = past;
    this.#request = request;
  }

  place(asked: Asked, alpha: number): ReservedAttempt | { readonly result: string } {
    const { producer, ticket, seed } = this.#request;
    const standing = this.#standing(asked);
    if (standing !== undefined && weighs(standing.producer) >= weighs(producer)) return { result: standing.id };
    if (standing !== undefined) {
      const { index, previous, seed: same, drawnAs } = standing.attempt;
      return { ...asked, index, alpha: standing.attempt.alpha, previous: [...previous], seed: same, drawnAs, repeats: standing.id };
    }
    const data = asked.data ?? `unknown/${asked.check}`;
    if (!this.#fresh.includes(data)) this.#fresh.push(data);
    const inTicket = this.#fresh.indexOf(data);
    const previous = [...this.#spent(asked.configuration), ...Array.from({ length: inTicket }, () => ticket)];
    return { ...asked, index: previous.length + 1, alpha: attemptAlpha(previous.length + 1, alpha), previous, seed, drawnAs: asked.check, repeats: null };
  }

  /** The verdict on the same data in the same configuration: of several that agree, whose producer weighs most. */
  #standing({ data, configuration }: Asked): { readonly id: string; readonly producer: string; readonly attempt: PastAttempt } | undefined {
    if (data === null) return undefined;
    const made = this.#past.flatMap((attempt) => {
      const { result, producer, stands } = attempt;
      const same = attempt.data === data && attempt.configuration === configuration;
      return same && stands && result !== undefined ? [{ id: result, producer, attempt }] : [];
    });
    // Of several attempts the first: what came later was tried because it had not come back, or was disputed.
    return made.toSorted((a, b) => weighs(b.producer) - weighs(a.producer))[0];
  }

  /** One for each attempt before: its result in this configuration, else any result of it, else its ticket. */
  #spent(configuration: string): readonly string[] {
    const groups = new Map<string, PastAttempt[]>();
    for (const attempt of this.#past.filter(({ repeats }) => repeats === null)) {
      const group = JSON.stringify([attempt.ticket, attempt.data ?? `unknown/${attempt.check}`]);
      groups.set(group, [...(groups.get(group) ?? []), attempt]);
    }
    return [...groups.values()].map((group) => {
      const ended = group.filter(({ result }) => result !== undefined);
      const best = ended.find((each) => each.configuration === configuration) ?? ended[0];
      return best?.result ?? group[0]?.ticket ?? "";
    });
  }
}

function weighs(producer: string): number {
  return weight[producer] ?? 0;
}
