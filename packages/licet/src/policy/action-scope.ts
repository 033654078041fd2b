import type { PolicyJson, SchemaJson } from "@licet/cedar";
import type { EntityUid } from "./request.ts";
import { plainUid } from "./requirement.ts";

/** Every action of a schema, by `actionKey`, with itself and all groups that it is in. */
export type ActionGroups = ReadonlyMap<string, ReadonlySet<string>>;

export function actionKey({ type, id }: EntityUid): string {
  return `${type}\n${id}`;
}

export function actionGroups(schema: SchemaJson): ActionGroups {
  const direct = new Map<string, readonly string[]>();
  for (const [namespace, definition] of Object.entries(schema)) {
    const own = namespace === "" ? "Action" : `${namespace}::Action`;
    for (const [id, action] of Object.entries(definition.actions)) {
      direct.set(actionKey({ type: own, id }), (action.memberOf ?? []).map((group) => actionKey({ type: qualified(group.type, namespace), id: group.id })));
    }
  }
  return new Map([...direct.keys()].map((action) => [action, closure(action, direct)]));
}

function qualified(type: string | undefined, namespace: string): string {
  if (type === undefined) return namespace === "" ? "Action" : `${namespace}::Action`;
  return type.includes("::") || namespace === "" ? type : `${namespace}::${type}`;
}

function closure(action: string, direct: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [action];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    open.push(...(direct.get(next) ?? []));
  }
  return found;
}

/** The action part of a policy's head. */
export interface ActionScope {
  readonly op: PolicyJson["action"]["op"];
  readonly keys: readonly string[];
}

export function actionScope({ action }: Pick<PolicyJson, "action">): ActionScope {
  if (action.op === "All") return { op: action.op, keys: [] };
  return { op: action.op, keys: ("entities" in action ? action.entities : [action.entity]).map((uid) => actionKey(plainUid(uid))) };
}

/** Whether the head lets the action in; a policy whose head does not is neither a reason nor an error, whatever else it says. */
export function inScope({ op, keys }: ActionScope, asked: string, groups: ReadonlySet<string>): boolean {
  return op === "All" || keys.some((each) => (op === "==" ? each === asked : groups.has(each)));
}
