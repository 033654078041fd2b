import type { Statement } from "@licet/evidence";
import type { Transaction } from "kysely";
import type { Tables } from "../db/tables.ts";
import { canonicalText } from "./canonical-text.ts";

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** How long a payload is kept, and with which key it goes: rules and approvals, calls at run time, what was said in them. */
export type RetentionClass = "governance" | "runtime" | "content";

export interface Draft {
  readonly kind: string;
  readonly space: string;
  /** A person's id, a deployment's id, or "server". */
  readonly actor: string;
  readonly system?: string;
  /** Whose key the payload is sealed under: "system:NAME", "person:ID" or "space". */
  readonly subject: string;
  readonly class: RetentionClass;
  /** Whoever appends it does not change it afterwards. */
  readonly body: JsonObject;
  readonly gateway?: string;
  readonly seq?: number;
}

export interface Entry extends Draft {
  readonly id: string;
  /** The version of the kind's body. */
  readonly v: number;
  /** Milliseconds since the Unix epoch, taken when the command began: a concurrent call may stand before it. */
  readonly time: number;
  /** The canonical JSON of the body, where it is at hand: it has been written once already. */
  readonly text?: string;
  /** The key-encryption key that its payload is sealed under; rows keep it so that an erasure finds them. */
  readonly kid?: string;
  /** Absent while the command that makes the entry is still inside its transaction. */
  readonly index?: number;
}

/** The body as its payload holds it. Rows keep this text, so that they are the same however the entry came to hand. */
export function bodyText({ text, body }: Pick<Entry, "text" | "body">): string {
  return text ?? canonicalText(body);
}

export type LoggedEntry = Entry & { readonly index: number };

export interface EntryDefinition {
  readonly kind: string;
  /** Current version of the body. */
  readonly v: number;
  /** Governance entries are applied in the transaction that makes them, runtime entries later in batches. */
  readonly mode: "governance" | "runtime";
  /**
   * INVARIANT: rows are a function of the entry and of the record tables, and of nothing else (no clock, no
   * randomness, no operational table), so that replaying the log gives the same rows. `entry.index` is absent the
   * first time: no row may depend on it. Nor may one depend on the order of the body's members, which a runtime entry
   * has only in its `bodyText`.
   */
  apply(tx: Transaction<Tables>, entry: Entry): Promise<void>;
  /**
   * Runtime kinds only: what `apply` would do for each in turn, in a few statements. Neighbours in the log whose
   * definitions share this function come together, in the log's order.
   */
  readonly applyMany?: (tx: Transaction<Tables>, entries: readonly LoggedEntry[]) => Promise<void>;
  /**
   * Runtime kinds only: of a body, what `apply` looks at beside the `bodyText`. A storm's entries wait for their rows in
   * memory, and a question to the policies is most of one.
   */
  readonly waiting?: (body: JsonObject) => JsonObject;
  /**
   * What the server says in an in-toto statement of its own when such an entry is made; the recorder signs it into
   * `body.statement`. A function of the entry alone.
   */
  readonly statement?: (entry: Entry) => Statement;
  /** Brings an older body to the current version. */
  upcast?(body: JsonObject, fromVersion: number): JsonObject;
}

/** Answer of a command's work: the one entry that it makes, or nothing to record. */
export type Work<T> =
  | { readonly entry: Draft; readonly value: T }
  | { readonly nothing: T };

export interface Committed<T> {
  readonly value: T;
  readonly entry?: LoggedEntry;
}
