import { AccessDecisionBody, GatewayContentBody, GatewayDecisionBody, GatewayOutcomeBody, type Shipped } from "@licet/contract";
import { LicetError } from "../base/errors.ts";
import type { Draft, EntryDefinition, JsonObject, Recorder } from "../ledger/recorder.ts";
import { upcast } from "../ledger/registry.ts";
import { alreadyTaken, saveShipment, shipments, type GatewayRow, type Reader } from "./store.ts";
import type { RecordsRequest, ShippedEntry } from "./wire.ts";

export interface IntakeDeps {
  readonly recorder: Pick<Recorder, "append" | "settle" | "now">;
  readonly read: Reader;
  readonly operational: Reader;
  /** Of the kinds that gateways record. */
  readonly definitions: readonly EntryDefinition[];
  /** More of a gateway's log is in the record. */
  readonly onTaken?: (gateway: Pick<GatewayRow, "space" | "id">) => Promise<void>;
}

/** What a gateway may add to the record, and how it reads: nothing that governs. */
const kinds = {
  "gateway.decision": { class: "runtime", body: GatewayDecisionBody, id: (body: JsonObject) => body["id"] },
  "access.decision": { class: "runtime", body: AccessDecisionBody, id: (body: JsonObject) => body["id"] },
  "gateway.outcome": { class: "runtime", body: GatewayOutcomeBody, id: (body: JsonObject) => body["decision"] },
  "gateway.content": { class: "content", body: GatewayContentBody, id: (body: JsonObject) => body["id"] },
} as const;
type Kind = keyof typeof kinds;

function isKind(kind: string): kind is Kind {
  return Object.hasOwn(kinds, kind);
}

interface Taking {
  readonly draft: Draft;
  readonly kind: Kind;
  readonly id: string;
}

/**
 * Takes over what gateways recorded. INVARIANT: each of a gateway's entries becomes one entry here, also where the answer
 * to it was lost or this process died in between: up to the kept number nothing is taken again, and beyond it what the
 * record already has is left out.
 */
export class Intake {
  readonly #deps: IntakeDeps;
  readonly #definitions: ReadonlyMap<string, EntryDefinition>;
  /** Logs of which the last batch ended well in this process: beyond their number there is nothing in the record. */
  readonly #certain = new Set<string>();
  readonly #running = new Map<string, Promise<unknown>>();

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
    this.#definitions = new Map(deps.definitions.map((definition) => [definition.kind, definition]));
  }

  /** The number that each shard of the gateway's log goes on with. */
  async taken({ space, id }: Pick<GatewayRow, "space" | "id">): Promise<Readonly<Record<string, number>>> {
    const rows = await shipments(this.#deps.read, space, id);
    return Object.fromEntries(rows.map(({ log, next_index }) => [log, next_index]));
  }

  /** Answers the number to go on with. One batch of a gateway at a time. Throws `gateway_request_invalid`. */
  async take(gateway: GatewayRow, request: RecordsRequest): Promise<number> {
    const before = this.#running.get(gateway.id) ?? Promise.resolve();
    const next = before.catch(() => undefined).then(() => this.#take(gateway, request));
    this.#running.set(gateway.id, next);
    try {
      return await next;
    } finally {
      if (this.#running.get(gateway.id) === next) this.#running.delete(gateway.id);
    }
  }

  async #take(gateway: GatewayRow, { log, entries }: RecordsRequest): Promise<number> {
    const expected = (await this.taken(gateway))[log] ?? 0;
    const [first] = entries;
    if (first === undefined || first.index > expected) return expected;
    const fresh = entries.filter(({ index }) => index >= expected);
    if (!entries.every(({ index }, at) => index === first.index + at)) throw invalid("the entries do not follow each other");
    const takings = fresh.flatMap((each) => this.#taking(gateway, log, each));
    await this.#append(log, gateway, takings);
    const next = fresh.at(-1)?.index ?? expected - 1;
    await saveShipment(this.#deps.operational, { space: gateway.space, gateway: gateway.id, log, next_index: next + 1, seen_at: this.#deps.recorder.now() });
    await this.#deps.onTaken?.(gateway);
    return next + 1;
  }

  async #append(log: string, gateway: GatewayRow, takings: readonly Taking[]): Promise<void> {
    const certain = this.#certain.delete(log);
    const missing = certain ? takings : await this.#missing(gateway.space, takings);
    // A decision stands before its outcome, which ends a row that must be there.
    const isLater = ({ kind }: Taking): boolean => kind === "gateway.outcome";
    for (const part of [missing.filter((each) => !isLater(each)), missing.filter(isLater)]) {
      const appended = await Promise.allSettled(part.map(({ draft }) => this.#deps.recorder.append(draft)));
      const failed = appended.find((each) => each.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    }
    this.#certain.add(log);
  }

  async #missing(space: string, takings: readonly Taking[]): Promise<readonly Taking[]> {
    await this.#deps.recorder.settle();
    const there = await alreadyTaken(this.#deps.read, space, takings.map(({ id }) => id));
    const known = (kind: Kind): ReadonlySet<string> => (kind === "gateway.outcome" ? there.outcomes : kind === "gateway.content" ? there.contents : there.decisions);
    return takings.filter(({ kind, id }) => !known(kind).has(id));
  }

  #taking(gateway: GatewayRow, log: string, { index, leaf, entry }: ShippedEntry): readonly Taking[] {
    if (entry === null) return [];
    const { kind } = entry;
    const definition = this.#definitions.get(kind);
    if (!isKind(kind) || definition === undefined || entry.class !== kinds[kind].class) throw invalid(`a gateway does not record \`${kind}\``);
    refuseForeign(gateway, entry);
    if (entry.v > definition.v) throw invalid(`the gateway records version ${entry.v} of \`${kind}\`, and this version of Licet knows ${definition.v}`);
    const shipped: Shipped = { gateway: gateway.id, log, index, leaf, time: entry.time };
    const draft = draftOf(entry);
    const { body: current } = upcast(definition, { ...draft, id: "", v: entry.v, time: entry.time });
    const body = { ...current, shipped: { ...shipped } };
    const id = kinds[kind].id(body);
    if (!kinds[kind].body.safeParse(body).success || typeof id !== "string") throw invalid(`an entry \`${kind}\` does not read as one`);
    return [{ kind, id, draft: { ...draft, body } }];
  }
}

/** INVARIANT: a gateway records for its own space, and the names of its runs begin with its id: no other's numbers can be used up. */
function refuseForeign({ id, space }: GatewayRow, entry: NonNullable<ShippedEntry["entry"]>): void {
  if (entry.space !== space) throw invalid(`the gateway is of the space \`${space}\``);
  const numbered = entry.gateway?.startsWith(`${id}:`) === true && entry.seq !== undefined;
  const unnumbered = entry.kind === "gateway.content" && entry.gateway === undefined && entry.seq === undefined;
  if (!numbered && !unnumbered) throw invalid("the entry is numbered by another gateway");
}

function draftOf(entry: NonNullable<ShippedEntry["entry"]>): Draft {
  const { kind, space, actor, system, subject, gateway, seq, body } = entry;
  return { kind, space, actor, subject, class: entry.class, body, ...(system === undefined ? {} : { system }), ...(gateway === undefined ? {} : { gateway }), ...(seq === undefined ? {} : { seq }) };
}

function invalid(message: string): LicetError {
  return new LicetError("gateway_request_invalid", { message });
}
