import { isRecord, parseJson } from "@licet/evidence";
import type { FastifyInstance } from "fastify";
import { invalidRequest } from "./problem.ts";

/** Bodies are read by the one reader of foreign JSON, and refused where a key would reach for a prototype. */
export function readJsonBodies(app: FastifyInstance): void {
  app.removeContentTypeParser("application/json");
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) => {
    const read = readable(String(body));
    if (read === undefined) done(invalidRequest([{ pointer: "/body", detail: "not a JSON document" }]));
    else done(null, read.value);
  });
}

function readable(text: string): { readonly value: unknown } | undefined {
  try {
    const value = parseJson(text);
    return reachesPrototype(value) ? undefined : { value };
  } catch {
    return undefined;
  }
}

function reachesPrototype(root: unknown): boolean {
  const left = [root];
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value !== "object" || value === null) continue;
    if (Object.hasOwn(value, "__proto__") || isConstructor(value)) return true;
    left.push(...Object.values(value));
  }
  return false;
}

function isConstructor(value: object): boolean {
  const named = isRecord(value) && Object.hasOwn(value, "constructor") ? value["constructor"] : undefined;
  return typeof named === "object" && named !== null && Object.hasOwn(named, "prototype");
}
