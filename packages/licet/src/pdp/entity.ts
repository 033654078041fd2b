import { DataEntity } from "@licet/contract";
import type { CedarEntity } from "../policy/request.ts";

/** An entity as it stands in the record. */
export function readEntity(text: string): CedarEntity {
  const { uid, attrs, parents, tags } = DataEntity.parse(JSON.parse(text));
  return { uid, attrs, parents, ...(tags !== undefined && { tags }) };
}
