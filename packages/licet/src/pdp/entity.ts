import { DataEntity } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import type { CedarEntity } from "../policy/request.ts";

/** An entity as it stands in the record. */
export function readEntity(text: string): CedarEntity {
  const { uid, attrs, parents, tags } = DataEntity.parse(parseJson(text));
  return { uid, attrs, parents, ...(tags !== undefined && { tags }) };
}
