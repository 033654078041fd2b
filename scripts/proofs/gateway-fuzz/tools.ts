import type { Chance } from "./chance.ts";
import { jsonValues } from "./seen.ts";
import type { Garden, Tree } from "./tree.ts";

/** What every release of a case declares beside the tools that its request offers. */
export const knownTools: readonly string[] = ["tool_known", "tool_other", "shout"];
export const knownPower = "server-tool:web_search";

/** The name of a tool that an answer calls: mostly declared, sometimes not, sometimes one that says something. */
export function toolName(garden: Garden): Tree {
  const { chance } = garden;
  if (chance.maybe(0.75)) return chance.one(knownTools.slice(0, 2));
  return chance.maybe(0.4) ? chance.one(["tool_erase", "tool_known_all", "tool"]) : garden.name("tool");
}

/** A name in the parts that a stream says it in: mostly one. */
export function nameParts(chance: Chance, name: string): readonly string[] {
  return chance.maybe(0.2) && name.length > 1 ? chance.cut(name).filter((piece) => piece !== "") : [name];
}

type Wire = Readonly<Record<string, unknown>>;

function object(value: unknown): Wire {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Wire) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/**
 * Every name by which a client could think that a tool is called, of a whole answer or of its events: parts of a name put
 * together, and the last of them alone, since clients do either. Tools of the provider go by the type of their item.
 */
export function calledIn(values: readonly unknown[], read: "any way" | "together" = "any way"): ReadonlySet<string> {
  const names = new Set<string>();
  const together = new Map<string, string>();
  const last = new Map<string, string>();
  const piece = (at: string, name: unknown): void => {
    if (typeof name !== "string" || name === "") return;
    together.set(at, (together.get(at) ?? "") + name);
    last.set(at, name);
  };
  for (const each of values) {
    const value = object(each);
    for (const [position, one] of list(value["choices"]).entries()) chatCalls(object(one), { position, piece, names });
    for (const block of [...list(value["content"]), value["content_block"]]) blockCall(object(block), names);
    for (const item of [...list(value["output"]), ...list(object(value["response"])["output"]), value["item"]]) itemCall(object(item), names);
  }
  for (const name of [...together.values(), ...(read === "any way" ? last.values() : [])]) names.add(name);
  return names;
}

interface Reading {
  readonly position: number;
  readonly piece: (at: string, name: unknown) => void;
  readonly names: Set<string>;
}

function chatCalls(choice: Wire, { position, piece, names }: Reading): void {
  const index = JSON.stringify(choice["index"] ?? position);
  for (const place of ["message", "delta"]) {
    const said = object(choice[place]);
    const called = (at: string, name: unknown): void => {
      if (place === "delta") piece(at, name);
      else if (typeof name === "string") names.add(name);
    };
    const calls = list(said["tool_calls"]).map((call, at) => [object(call), `${index} ${JSON.stringify(object(call)["index"] ?? at)}`] as const);
    for (const [call, at] of [...calls, [{ function: said["function_call"] }, `${index} old`] as const]) {
      for (const key of ["function", "custom"]) called(`${at} ${key}`, object(call[key])["name"]);
    }
  }
}

function blockCall({ type, name }: Wire, names: Set<string>): void {
  if (typeof type === "string" && /^(?:tool_use|server_tool_use|mcp_tool_use)$/u.test(type)) names.add(String(name));
}

function itemCall({ type, name }: Wire, names: Set<string>): void {
  if (type === "function_call" || type === "custom_tool_call" || type === "mcp_call") {
    if (name !== undefined && name !== "") names.add(typeof name === "string" ? name : JSON.stringify(name));
  } else if (typeof type === "string" && type.endsWith("_call")) names.add(type);
}

/** Whether an event goes on with a name that one before it began. */
export function saysNamesInParts(values: readonly unknown[]): boolean {
  const begun = new Set<string>();
  let again = false;
  const piece = (at: string, name: unknown): void => {
    if (typeof name !== "string" || name === "") return;
    again ||= begun.has(at);
    begun.add(at);
  };
  for (const value of values) for (const [position, choice] of list(object(value)["choices"]).entries()) chatCalls(object(choice), { position, piece, names: new Set() });
  return again;
}

/** Names that left and that the release does not have. */
export function undeclaredIn(body: string, declared: ReadonlySet<string>): readonly string[] {
  return [...calledIn(jsonValues(body))].filter((name) => !declared.has(name));
}
