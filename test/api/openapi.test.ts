import { routeNamed, routes, type RouteName } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { openApiDocument } from "../../packages/licet/src/http/openapi.ts";

type Json = Record<string, unknown>;
interface Operation {
  readonly operationId: string;
  readonly "x-licet-permission": string;
  readonly security: readonly object[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean; readonly schema: object }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Json }>> };
  readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, { readonly schema: Json }>> }>>;
}

const document = openApiDocument("1.2.3") as unknown as { readonly openapi: string; readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>; readonly components: { readonly schemas: Json } };
const operations = Object.entries(document.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })));
const names = Object.keys(routes) as RouteName[];

function operationNamed(name: RouteName): (typeof operations)[number] {
  const found = operations.find(({ operation }) => operation.operationId === name);
  if (found === undefined) throw new Error(`the document has no ${name}`);
  return found;
}

function refs(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(refs);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => (key === "$ref" && typeof item === "string" ? [item] : refs(item)));
}

describe("the OpenAPI document", () => {
  test("is 3.1 and has every route once, under its own name", () => {
    expect(document.openapi).toBe("3.1.0");
    expect(operations.map(({ operation }) => operation.operationId).sort()).toEqual([...names].sort());
  });

  test.each(names)("%s has its method, path, permission and parameters", (name) => {
    const route = routeNamed(name);
    const { path, method, operation } = operationNamed(name);
    expect(method).toBe(route.method.toLowerCase());
    expect(path).toBe(route.path.replaceAll(/:(\w+)/gu, "{$1}"));
    expect(operation["x-licet-permission"]).toBe(route.permission);
    expect(operation.security).toHaveLength(route.permission === "public" ? 0 : 2);
    const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === "path");
    expect(inPath.map((parameter) => `{${parameter.name}}`).sort()).toEqual([...(path.match(/\{\w+\}/gu) ?? [])].sort());
    expect(inPath.every(({ required }) => required)).toBe(true);
  });

  test.each(names)("%s has its body and answers", (name) => {
    const route = routeNamed(name);
    const { operation } = operationNamed(name);
    expect(operation.requestBody === undefined).toBe(route.body === undefined && route.raw === undefined);
    expect(Object.keys(operation.responses)).toEqual([route.created === true ? "201" : "200", "default"]);
  });

  test("refers to nothing that it does not hold, and holds nothing twice", () => {
    const found = refs(document);
    expect(found.length).toBeGreaterThan(100);
    for (const ref of found) {
      expect(ref).toMatch(/^#\/components\/schemas\/\w+$/u);
      expect(Object.keys(document.components.schemas)).toContain(ref.split("/").at(-1));
    }
    expect(JSON.stringify(document)).not.toContain("$defs");
  });

  test("says what the server does: unknown fields are refused, defaults are optional to send", () => {
    const register = operations.find(({ operation }) => operation.operationId === "registerProvider");
    const schema = register?.operation.requestBody?.content["application/json"]?.schema as { additionalProperties: unknown; required: readonly string[]; properties: Json };
    expect(schema.additionalProperties).toBe(false);
    expect(schema.required).not.toContain("allowPrivate");
    expect(Object.keys(schema.properties)).toContain("id");
    expect(document.components.schemas["SystemRow"]).toMatchObject({ type: "object", additionalProperties: false });
  });
});
