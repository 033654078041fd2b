import { AtoPredicate } from "@licet/contract";
import { parseJson, verifyStatement, type SignerKey } from "@licet/evidence";

/** The row of an authorization to operate, as far as it is looked at: the statement is what counts. */
export interface AtoRow {
  readonly id: string;
  readonly space: string;
  readonly system: string;
  readonly statement: string;
}

/**
 * Authorizations as they were signed. INVARIANT: traffic stands on the signed statement alone; a row that was edited in
 * the database, or one without this installation's signature, authorises nothing.
 */
export class SignedAtos {
  readonly #keys: readonly SignerKey[];
  /** By the statement's text: a signature is checked once. Holds at most one reading for each row that was ever shown. */
  readonly #read = new Map<string, AtoPredicate | undefined>();

  constructor(keys: readonly SignerKey[]) {
    this.#keys = keys;
  }

  async read(row: AtoRow): Promise<AtoPredicate | undefined> {
    if (!this.#read.has(row.statement)) this.#read.set(row.statement, await this.#verify(row.statement));
    const signed = this.#read.get(row.statement);
    const same = signed !== undefined && signed.id === row.id && signed.space === row.space && signed.system === row.system;
    return same ? signed : undefined;
  }

  async #verify(statement: string): Promise<AtoPredicate | undefined> {
    const verified = await verifyStatement(json(statement), this.#keys);
    const predicate = AtoPredicate.safeParse(verified.ok ? verified.value.statement.predicate : undefined);
    return predicate.success ? predicate.data : undefined;
  }
}

function json(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
