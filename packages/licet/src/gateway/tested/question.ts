import { createHash } from "node:crypto";
import { RunnerAnswered, RunnerAsked, type RunnerBudget } from "@licet/contract";
import { isRecord, parseJson } from "@licet/evidence";
import type { RunnerAnswer, RunnerAsks } from "../../assurance/runner-asks.ts";
import type { Clock } from "../../base/clock.ts";
import { LicetError } from "../../base/errors.ts";
import { newId } from "../../base/ids.ts";
import { fetchOutbound, type Outbound } from "../../base/outbound.ts";
import type { PriceBook } from "../budgets/price-tables.ts";
import type { Usage } from "../dialect.ts";
import { usageOf } from "../dialects/anthropic/answer.ts";
import { readUsage } from "../dialects/chat/answer.ts";
import { wireObject } from "../dialects/wire.ts";
import { providerRefusal, registered } from "../judge.ts";
import { keyHeaders, protocolOf, type ProviderLines } from "../provider.ts";
import type { GatewayLedger } from "../record.ts";
import type { Refusal } from "../refusal.ts";
import type { ModelView, ProviderView, Snapshot, SnapshotSource } from "../snapshot.ts";
import { holdOn, vendorRefusal } from "../standing.ts";
import { QuestionBudget, type Reserved } from "./question-budget.ts";
import type { Tested } from "./tested-release.ts";

export interface Questioning {
  readonly snapshots: SnapshotSource;
  readonly providerKey: (space: string, provider: string) => Promise<string>;
  readonly clock: Clock;
  readonly ledger: GatewayLedger;
  readonly prices: PriceBook;
  readonly tested: Tested;
  readonly lines: ProviderLines;
}

const paths = { openai: "/chat/completions", anthropic: "/messages" } as const;
const anthropicVersion = "2023-06-01";
const bodyTokensMax = 1_000_000_000;

/**
 * The questions of one run. INVARIANT: that a question may leave is durable in the log before its first byte does, and what came of
 * it before its answer is used; it goes only to the registered address of a provider that no hold suspends, inside the declared
 * regions, with its own key, and within the run's budget. What is refused is entered too, once for each reason.
 */
export class Questions {
  readonly #parts: Questioning;
  readonly #ticket: string;
  readonly #budget: QuestionBudget;
  readonly #refused = new Set<string>();

  constructor(parts: Questioning, { ticket, budget }: { readonly ticket: string; readonly budget: RunnerBudget }) {
    this.#parts = parts;
    this.#ticket = ticket;
    this.#budget = new QuestionBudget(budget, parts.prices);
  }

  readonly ask: RunnerAsks["ask"] = async (name, body) => {
    const text = { model: name, body };
    try {
      return await this.#asked(text);
    } catch (error) {
      if (error instanceof Refused) await this.#enterRefusal(error, text);
      throw error instanceof Refused ? error.because : error;
    }
  };

  async #asked({ model: name, body }: { readonly model: string; readonly body: string }): Promise<RunnerAnswer> {
    const { lines, providerKey, tested: { credential }, clock } = this.#parts;
    const { model, provider } = await refusing(undefined, () => this.#allowed(name));
    const sent = sentBody(body, model);
    const about = { name, model, provider, sent };
    const ready = await refusing(about, async () => {
      const outbound = await lines.open(credential.space, provider);
      const key = await providerKey(credential.space, provider.id);
      const bytes = Buffer.byteLength(sent);
      return { outbound, key, reserved: this.#budget.reserve({ provider, model, bytes, answerTokensMax: answerBound(sent), at: clock.now() }) };
    });
    const question = await this.#enterAsked(about, ready.reserved);
    return this.#sent({ ...about, ...ready, question });
  }

  /** Whom the question would go to. Throws why it may not. */
  #allowed(name: string): { readonly model: ModelView; readonly provider: ProviderView } {
    const { snapshots, tested: { credential }, clock } = this.#parts;
    const standing = { snapshot: fresh(snapshots), credential, now: clock.now() };
    const model = credential.deployment.models.find((each) => each.name === name);
    const provider = registered(standing, model);
    if (model === undefined || provider === undefined) throw new LicetError("provider_unknown");
    const hold = holdOn(standing);
    if (hold !== undefined) throw new LicetError("held", { message: `a hold stops this system: ${hold.reason}` });
    refuse(vendorRefusal(standing, provider.vendor) ?? providerRefusal(credential.deployment, provider));
    return { model, provider };
  }

  async #sent(going: Going): Promise<RunnerAnswer> {
    const { question, outbound, reserved, name, provider } = going;
    const { lines, tested: { credential }, clock } = this.#parts;
    const began = clock.now();
    try {
      // A hold may have been placed while the question was being entered.
      this.#allowed(name);
    } catch (error) {
      reserved.release();
      await this.#enterAnswered({ ...nothing, question, code: codeOf(error), tokens: 0, ms: 0 });
      throw error;
    }
    const answer = await fetchOutbound(outbound, request(going)).catch(async (error: unknown) => {
      lines.forget(credential.space, provider);
      const { tokens, costMicros } = reserved.settle(null);
      await this.#enterAnswered({ ...nothing, question, code: codeOf(error), tokens, costMicros, ms: clock.now() - began });
      throw error;
    });
    const text = Buffer.from(answer.body).toString("utf8");
    const { tokens, costMicros } = reserved.settle(usageIn(text, { provider, status: answer.status }));
    await this.#enterAnswered({ question, status: answer.status, code: null, digest: digestOf(text), bytes: answer.body.length, tokens, costMicros, currency: reserved.currency, ms: Math.max(0, clock.now() - began) });
    const retryAfter = answer.headers["retry-after"];
    return { status: answer.status, contentType: String(answer.headers["content-type"] ?? ""), body: text, ...(typeof retryAfter === "string" && { retryAfter }) };
  }

  async #enterAsked(about: About, reserved: Reserved): Promise<string> {
    const { number, tokens, costMicros, currency } = reserved;
    try {
      return await this.#enter({ ...this.#askedBody(about), decision: "allow", code: null, number, reserved: { tokens, costMicros, currency } });
    } catch (cause) {
      reserved.release();
      throw new LicetError("evidence_unavailable", { cause });
    }
  }

  async #enterRefusal({ because, about }: Refused, { model, body }: { readonly model: string; readonly body: string }): Promise<void> {
    const code = codeOf(because);
    if (this.#refused.has(code)) return;
    this.#refused.add(code);
    const shown = about === undefined ? { ...this.#askedBody({ name: model, sent: body }) } : this.#askedBody(about);
    // Nothing leaves in any case: a log that takes no entries changes nothing about that.
    await this.#enter({ ...shown, decision: "deny", code, number: this.#budget.queries, reserved: null }).catch(() => undefined);
  }

  #askedBody({ name, model, provider, sent }: Partial<About> & Pick<About, "name" | "sent">): Omit<RunnerAsked, "id" | "decision" | "code" | "number" | "reserved"> {
    const { snapshots, tested: { credential } } = this.#parts;
    const snapshot = snapshots.current();
    return {
      ticket: this.#ticket,
      release: credential.deployment.release,
      model: name,
      upstreamModel: model?.model ?? null,
      provider: provider?.id ?? null,
      vendor: provider?.vendor ?? null,
      region: provider?.region ?? null,
      digest: digestOf(sent),
      bytes: Buffer.byteLength(sent),
      snapshot: snapshot === undefined ? null : { version: snapshot.version, builtAt: snapshot.builtAt, leaseUntil: snapshot.leaseUntil },
    };
  }

  async #enter(body: Omit<RunnerAsked, "id">): Promise<string> {
    const { ledger } = this.#parts;
    const id = newId("ask", ledger.now());
    await ledger.append(this.#draft("runner.asked", RunnerAsked.parse({ ...body, id })));
    return id;
  }

  /** Throws `evidence_unavailable`: then the answer is not used. */
  async #enterAnswered(body: Omit<RunnerAnswered, "ticket">): Promise<void> {
    try {
      await this.#parts.ledger.append(this.#draft("runner.answered", RunnerAnswered.parse({ ...body, ticket: this.#ticket })));
    } catch (cause) {
      throw new LicetError("evidence_unavailable", { cause });
    }
  }

  #draft(kind: "runner.asked" | "runner.answered", body: RunnerAsked | RunnerAnswered) {
    const { space, system } = this.#parts.tested.credential.deployment;
    return { kind, space, actor: "server", system, subject: `system:${system}`, class: "runtime" as const, body };
  }
}

interface About {
  readonly name: string;
  readonly model: ModelView;
  readonly provider: ProviderView;
  readonly sent: string;
}

interface Going extends About {
  readonly outbound: Outbound;
  readonly key: string;
  readonly reserved: Reserved;
  readonly question: string;
}

/** Nothing left, because of this. */
class Refused extends Error {
  readonly because: unknown;
  readonly about: About | undefined;

  constructor(because: unknown, about: About | undefined) {
    super("refused");
    this.because = because;
    this.about = about;
  }
}

async function refusing<T>(about: About | undefined, act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw new Refused(error, about);
  }
}

const nothing = { status: null, digest: null, bytes: 0, costMicros: null, currency: null } as const;

/** Without a standing that is fresh nothing is sent: a hold could have been missed. */
export function fresh(snapshots: SnapshotSource): Snapshot {
  const snapshot = snapshots.current();
  if (snapshot === undefined) throw new LicetError("snapshot_stale");
  return snapshot;
}

function refuse(refusal: Refusal | undefined): void {
  if (refusal !== undefined) throw new LicetError(refusal.code, { message: refusal.message });
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "internal";
}

function digestOf(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

function sentBody(body: string, model: ModelView): string {
  const value = parseJson(body);
  return JSON.stringify({ ...(isRecord(value) ? value : {}), model: model.model, stream: false });
}

/** One answer is asked for: the runner's own client writes the question. */
function answerBound(sent: string): number | undefined {
  const value = parseJson(sent);
  if (!isRecord(value)) return undefined;
  const said = value["max_completion_tokens"] ?? value["max_tokens"];
  return typeof said === "number" && Number.isInteger(said) && said >= 0 && said <= bodyTokensMax ? said : undefined;
}

/** A provider that answers with an error status says that it did nothing; one that says nothing may have done all. */
function usageIn(text: string, { provider, status }: { readonly provider: ProviderView; readonly status: number }): Usage | null {
  if (status >= 400) return { prompt: 0, completion: 0, total: 0 };
  try {
    const answer = wireObject(parseJson(text));
    const usage = answer?.["usage"];
    return protocolOf(provider) === "anthropic" ? usageOf(wireObject(usage)) : readUsage(usage);
  } catch {
    return null;
  }
}

function request({ provider, key, sent }: Going): Parameters<typeof fetchOutbound>[1] {
  const protocol = protocolOf(provider) === "anthropic" ? "anthropic" : "openai";
  const query = provider.apiVersion === undefined ? "" : `?api-version=${encodeURIComponent(provider.apiVersion)}`;
  return {
    method: "POST",
    path: `${paths[protocol]}${query}`,
    headers: { ...(protocol === "anthropic" && { "anthropic-version": anthropicVersion }), ...keyHeaders(key, provider), "content-type": "application/json", accept: "application/json", "accept-encoding": "identity" },
    body: sent,
  };
}
