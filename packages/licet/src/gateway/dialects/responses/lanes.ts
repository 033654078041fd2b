import type { JsonObject } from "../../../ledger/entry.ts";
import type { JsonPath, StreamPiece } from "../../dialect.ts";
import { countAt, listAt, objectAt, upstreamInvalid, wireObject } from "../wire.ts";

/** Bound of what one answer may number: items, their parts, their commands. */
const indexMax = 4096;

/** A place that the event names by an index; a client puts the pieces of one place together. */
export function indexAt(event: JsonObject, key: string): number {
  const index = countAt(event, key);
  if (index === undefined || index > indexMax) throw upstreamInvalid(`an event of the stream has no \`${key}\` that can be read`);
  return index;
}

export function itemLane(event: JsonObject): string {
  return `output[${indexAt(event, "output_index")}]`;
}

export function contentLane(event: JsonObject): string {
  return `${itemLane(event)}.content[${indexAt(event, "content_index")}]`;
}

export function summaryLane(event: JsonObject): string {
  return `${itemLane(event)}.summary[${indexAt(event, "summary_index")}]`;
}

export function commandLane(event: JsonObject): string {
  return `${itemLane(event)}.commands[${indexAt(event, "command_index")}]`;
}

export function commandOutputLane(event: JsonObject): string {
  return `${itemLane(event)}.output[${indexAt(event, "command_index")}]`;
}

/** Where one text begins: what deltas of this lane go on from. */
function beginning(object: JsonObject, key: string, at: { readonly lane: string; readonly path: JsonPath }): readonly StreamPiece[] {
  return typeof object[key] === "string" ? [{ lane: `${at.lane}.${key}`, path: [...at.path, key] }] : [];
}

/** The texts of a part that was added: clients append the deltas to them. */
export function partPieces(part: JsonObject | undefined, lane: string, path: JsonPath): readonly StreamPiece[] {
  return part === undefined ? [] : ["text", "refusal"].flatMap((key) => beginning(part, key, { lane, path }));
}

/** The texts of an item that was added. */
export function itemPieces(item: JsonObject | undefined, lane: string, path: JsonPath): readonly StreamPiece[] {
  if (item === undefined) return [];
  const own = ["arguments", "input", "code"].flatMap((key) => beginning(item, key, { lane, path }));
  const parts = ["content", "summary"].flatMap((key) =>
    listAt(item, key).flatMap((part, at) => partPieces(wireObject(part), `${lane}.${key}[${at}]`, [...path, key, at])),
  );
  return [...own, ...parts, ...commandPieces(item, lane, path)];
}

function commandPieces(item: JsonObject, lane: string, path: JsonPath): readonly StreamPiece[] {
  const action = objectAt(item, "action");
  const commands = action === undefined ? [] : listAt(action, "commands");
  return commands.flatMap((command, at) =>
    typeof command === "string" ? [{ lane: `${lane}.commands[${at}]`, path: [...path, "action", "commands", at] }] : [],
  );
}

/** The texts of a response that has only begun; empty in all that providers send. */
export function responsePieces(response: JsonObject): readonly StreamPiece[] {
  return listAt(response, "output").flatMap((item, at) => itemPieces(wireObject(item), `output[${at}]`, ["response", "output", at]));
}
