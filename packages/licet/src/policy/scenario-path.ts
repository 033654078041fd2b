import { isRecord } from "@licet/evidence";

/** A request being edited; entities by their Cedar name, so that a path can name one. */
export interface EditableRequest {
  readonly [part: string]: unknown;
}

export type Edit = { readonly kind: "set"; readonly path: string; readonly value: unknown } | { readonly kind: "remove"; readonly path: string };

/** Why a path leads nowhere, or nothing when the edit was made. */
export type EditProblem = string | undefined;

const partNames = ["principal", "action", "resource", "context", "entities"] as const;
const segmentsMax = 40;

/** `Licet::System::"helpdesk"`. */
export function entityName({ type, id }: { readonly type: string; readonly id: string }): string {
  return `${type}::"${id}"`;
}

/**
 * Changes one place of a request, in place. Everything on the way must exist, and so must what is removed: a path that
 * leads nowhere would be a test of something else.
 */
export function applyEdit(request: EditableRequest, edit: Edit): EditProblem {
  const steps = stepsOf(edit.path, request);
  if (typeof steps === "string") return steps;
  const last = steps.at(-1);
  if (last === undefined || (steps.length === 1 && edit.kind === "remove")) return `the path \`${edit.path}\` names nothing that can be ${edit.kind === "set" ? "set" : "removed"}`;
  const parent = parentOf(request, steps.slice(0, -1));
  if (parent === undefined) return `the path \`${edit.path}\` leads nowhere: \`${steps.slice(0, -1).join(".")}\` is not in the base`;
  if (Array.isArray(parent)) return editList(parent, last, edit);
  return editRecord(parent, last, edit);
}

function parentOf(request: EditableRequest, steps: readonly string[]): Record<string, unknown> | unknown[] | undefined {
  let here: unknown = request;
  for (const step of steps) here = Array.isArray(here) ? here[indexOf(step)] : isRecord(here) && Object.hasOwn(here, step) ? here[step] : undefined;
  return Array.isArray(here) || isRecord(here) ? here : undefined;
}

function indexOf(step: string): number {
  return /^\d{1,6}$/u.test(step) ? Number(step) : -1;
}

/** One past the end appends. */
function editList(list: unknown[], step: string, edit: Edit): EditProblem {
  const at = indexOf(step);
  if (at < 0 || at >= list.length + (edit.kind === "set" ? 1 : 0)) return `\`${step}\` is not a place of the list in \`${edit.path}\``;
  if (edit.kind === "set") list[at] = edit.value;
  else list.splice(at, 1);
  return undefined;
}

function editRecord(record: Record<string, unknown>, step: string, edit: Edit): EditProblem {
  if (step === "__proto__") return "`__proto__` is not a name";
  if (edit.kind === "set") record[step] = edit.value;
  else if (Object.hasOwn(record, step)) delete record[step];
  else return `there is no \`${edit.path}\` to remove`;
  return undefined;
}

function stepsOf(path: string, request: EditableRequest): readonly string[] | string {
  const dot = path.indexOf(".");
  const part = dot < 0 ? path : path.slice(0, dot);
  if (!partNames.some((name) => name === part)) return `a path begins with ${partNames.map((name) => `\`${name}\``).join(", ")}, not with \`${part}\``;
  if (dot < 0) return [part];
  const rest = path.slice(dot + 1);
  const steps = part === "entities" ? entitySteps(rest, request) : segments(rest);
  if (typeof steps === "string") return steps;
  return steps.length > segmentsMax ? `the path \`${path}\` has more than ${segmentsMax} parts` : [part, ...steps];
}

const quotedEntity = /^((?:[A-Za-z_][A-Za-z0-9_]*::)+"[^"\\]*")(?:\.|$)/u;

/** Ids may hold dots: an entity of the base is found by its whole name, a new one is written in quotes. */
function entitySteps(rest: string, request: EditableRequest): readonly string[] | string {
  const quoted = quotedEntity.exec(rest)?.[1];
  if (quoted !== undefined) return withRest(quoted, rest.slice(quoted.length));
  const known = Object.keys(isRecord(request["entities"]) ? request["entities"] : {});
  const plain = known.map((name) => ({ name, plain: name.replace(/"([^"]*)"$/u, "$1") })).filter((each) => rest === each.plain || rest.startsWith(`${each.plain}.`));
  const found = plain.sort((a, b) => b.plain.length - a.plain.length)[0];
  if (found === undefined) return `no entity of the base begins \`entities.${rest}\`; to add one, write its id in quotes: \`entities.Type::"id"\``;
  return withRest(found.name, rest.slice(found.plain.length));
}

function withRest(name: string, after: string): readonly string[] | string {
  if (after === "") return [name];
  const steps = segments(after.slice(1));
  return typeof steps === "string" ? steps : [name, ...steps];
}

const segment = /"([^"\\]*)"(?:\.|$)|([^."]+)(?:\.|$)/uy;

/** Parts between dots; one that holds a dot stands in quotes. */
function segments(text: string): readonly string[] | string {
  const found: string[] = [];
  segment.lastIndex = 0;
  for (let at = 0; at < text.length; at = segment.lastIndex) {
    segment.lastIndex = at;
    const match = segment.exec(text);
    if (match === null) return `\`${text}\` is not a path: parts stand between dots, and a part with a dot in quotes`;
    found.push(match[1] ?? match[2] ?? "");
  }
  return text.endsWith(".") ? `\`${text}\` ends with a dot` : found;
}
