import { LicetError } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { z } from "zod";
import type { PolicyRequest } from "./request.ts";

const typeName = /^(?:[A-Za-z_][A-Za-z0-9_]*::)*[A-Za-z_][A-Za-z0-9_]*$/u;
const uidText = /^((?:[A-Za-z_][A-Za-z0-9_]*::)*[A-Za-z_][A-Za-z0-9_]*)::"([^"\\]*)"$/u;

const entitiesMax = 5000;

/** `Licet::System::"helpdesk"` as in Cedar, or its JSON form. */
const ScenarioUid = z.union([
  z.strictObject({ type: z.string().max(400).regex(typeName), id: z.string().max(2000) }),
  z.string().regex(uidText, 'an entity, such as `Licet::System::"helpdesk"`').transform(uidFrom),
], { error: 'an entity is needed, such as `Licet::System::"helpdesk"` or `{type: …, id: …}`' });

function uidFrom(text: string): { readonly type: string; readonly id: string } {
  const [, type = "", id = ""] = uidText.exec(text) ?? [];
  return { type, id };
}

const Attributes = z.record(z.string().max(400), z.unknown());

const ScenarioEntity = z.strictObject({
  uid: ScenarioUid,
  attrs: Attributes.default({}),
  parents: z.array(ScenarioUid).max(entitiesMax).default([]),
  tags: Attributes.optional(),
});

/** A policy request as people write it; what comes out is a `PolicyRequest`. */
export const ScenarioRequest = z
  .strictObject({
    principal: ScenarioUid,
    action: ScenarioUid,
    resource: ScenarioUid,
    context: Attributes.default({}),
    entities: z.array(ScenarioEntity).max(entitiesMax).default([]),
  })
  .transform((request): PolicyRequest => ({ ...request, entities: request.entities.map(({ tags, ...entity }) => ({ ...entity, ...(tags === undefined ? {} : { tags }) })) }));

export const requestLinesMax = 1_000_000;

/** One request as JSON; throws `scenario_malformed`. */
export function readRequest(text: string, file: string): PolicyRequest {
  return requestIn(text, { file, number: 1 });
}

/** Requests, one JSON object a line, empty lines left out; throws `scenario_malformed` with the line. */
export function* readRequests(text: string, file: string): Generator<PolicyRequest> {
  let number = 0;
  for (const line of text.split("\n")) {
    number++;
    if (number > requestLinesMax) throw malformed(file, number, `more than ${requestLinesMax} lines`);
    if (line.trim() !== "") yield requestIn(line, { file, number });
  }
}

function requestIn(line: string, { file, number }: { readonly file: string; readonly number: number }): PolicyRequest {
  let json: unknown;
  try {
    json = parseJson(line);
  } catch {
    throw malformed(file, number, "this is not JSON");
  }
  const parsed = ScenarioRequest.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw malformed(file, number, `\`${issue?.path.join(".") ?? ""}\`: ${issue?.message ?? "not a request"}`);
}

function malformed(file: string, line: number, message: string): LicetError {
  return new LicetError("scenario_malformed", { message: `\`${file}\`:${line}: ${message}`, at: { file, line } });
}
