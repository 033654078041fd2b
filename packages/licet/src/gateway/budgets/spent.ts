import { isRecord } from "@licet/evidence";
import { dayFrom } from "./utc-day.ts";

/** What a system spent on one UTC day, in one currency or in none. */
export interface SpentDay {
  readonly space: string;
  readonly system: string;
  readonly day: number;
  readonly tokens: number;
  readonly micros: number;
  readonly currency: string | null;
}

export interface SpendingEntry {
  readonly kind: string;
  readonly space: string;
  readonly system?: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * What one entry of the log changes. A decision that allowed spends all that it reserved, until its outcome says what it
 * came to: so what was in flight when a process died stays spent. Entries of earlier versions, which have no amounts,
 * change nothing.
 */
export function spentBy({ kind, space, system, body }: SpendingEntry): readonly SpentDay[] {
  if (system === undefined) return [];
  const amount = amountOf(kind, body);
  return amount === undefined ? [] : [{ space, system, ...amount }];
}

type Change = Omit<SpentDay, "space" | "system">;

function amountOf(kind: string, body: SpendingEntry["body"]): Change | undefined {
  if (kind === "gateway.decision") return body["decision"] === "allow" ? read(body["budget"]) : undefined;
  return kind === "gateway.outcome" ? ended(body["cost"]) : undefined;
}

function ended(cost: unknown): Change | undefined {
  const spent = read(cost);
  const reserved = isRecord(cost) ? cost["reserved"] : undefined;
  if (spent === undefined || !isRecord(reserved)) return undefined;
  return { ...spent, tokens: spent.tokens - count(reserved["tokens"]), micros: spent.micros - count(reserved["costMicros"]) };
}

function read(value: unknown): Change | undefined {
  if (!isRecord(value) || typeof value["day"] !== "string") return undefined;
  const { currency } = value;
  return { day: dayFrom(value["day"]), tokens: count(value["tokens"]), micros: count(value["costMicros"]), currency: typeof currency === "string" ? currency : null };
}

function count(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

/** What a gateway process sent of its log: the run of it that recorded the entry. */
export function runOf({ gateway, body }: Pick<SpendingEntry, "body"> & { readonly gateway?: string | undefined }): string | undefined {
  return body["shipped"] === undefined ? undefined : gateway;
}

/** Sums by system, day and currency, so that a batch of entries changes few rows. */
export function summed(changes: readonly SpentDay[]): readonly SpentDay[] {
  const sums = new Map<string, SpentDay>();
  for (const change of changes) {
    const key = JSON.stringify([change.space, change.system, change.day, change.currency]);
    const before = sums.get(key);
    sums.set(key, before === undefined ? change : { ...before, tokens: before.tokens + change.tokens, micros: before.micros + change.micros });
  }
  return [...sums.values()];
}
