import type { Kysely, Transaction } from "kysely";
import type { NewRow, Row, Tables } from "../db/tables.ts";

export type Reader = Kysely<Tables> | Transaction<Tables>;

export async function listAnswers(db: Reader, space: string, system: string): Promise<readonly Row<"answer">[]> {
  return db.selectFrom("answer").selectAll().where("space", "=", space).where("system", "=", system).orderBy("question").execute();
}

/** A later answer to the same question replaces the earlier one; both stay in the log. */
export async function upsertAnswer(tx: Transaction<Tables>, row: NewRow<"answer">): Promise<void> {
  const { space: _space, system: _system, question: _question, ...rest } = row;
  await tx
    .insertInto("answer")
    .values(row)
    .onConflict((conflict) => conflict.columns(["space", "system", "question"]).doUpdateSet(rest))
    .execute();
}
