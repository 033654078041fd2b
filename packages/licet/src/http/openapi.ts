import { routeNamed, routes, type Route, type RouteName } from "@licet/contract";
import { z } from "zod";

type Json = Record<string, unknown>;

const prefix = "#/components/schemas/";

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Rewrites `#/$defs/X` to the document's components, under the name that `rename` gives. */
function relocate(value: unknown, rename: (id: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => relocate(item, rename));
  if (!isObject(value)) return value;
  const pairs = Object.entries(value).filter(([key]) => key !== "$defs" && key !== "$schema" && key !== "id");
  return Object.fromEntries(
    pairs.map(([key, item]) => {
      if (key === "$ref" && typeof item === "string") return [key, prefix + rename(item.replace(/^#\/\$defs\//u, ""))];
      // `id` is dropped as a keyword only: a property may be called so.
      if (key === "properties" && isObject(item)) return [key, Object.fromEntries(Object.entries(item).map(([name, inner]) => [name, relocate(inner, rename)]))];
      return [key, relocate(item, rename)];
    }),
  );
}

/** Collects named schemas; what is asked for and what is answered may differ (defaults), and then has two names. */
class Components {
  readonly schemas: Json = {};
  /** Named schemas are met again and again, and comparing one takes longer than all else. */
  readonly #differing = new Map<string, boolean>();

  schema(type: z.ZodType, io: "input" | "output"): unknown {
    const json = z.toJSONSchema(type, { io, target: "draft-2020-12", unrepresentable: "any" });
    const defs: Json = isObject(json.$defs) ? json.$defs : {};
    const rename = (id: string): string => (io === "input" && this.differs(id) ? `${id}Input` : id);
    for (const [id, def] of Object.entries(defs)) this.schemas[rename(id)] ??= relocate(def, rename);
    const root = relocate(json, rename);
    const id = z.globalRegistry.get(type)?.id;
    if (id === undefined) return root;
    if (isObject(json) && typeof json["$ref"] === "string") return root;
    this.schemas[rename(id)] ??= root;
    return { $ref: prefix + rename(id) };
  }

  private differs(id: string): boolean {
    const known = this.#differing.get(id) ?? this.#compare(id);
    this.#differing.set(id, known);
    return known;
  }

  #compare(id: string): boolean {
    const found = named(id);
    if (found === undefined) return false;
    const [input, output] = (["input", "output"] as const).map((io) => JSON.stringify(z.toJSONSchema(found, { io, unrepresentable: "any" })));
    return input !== output;
  }
}

/** Every schema of the contract that has a name, found through the routes. */
function named(id: string): z.ZodType | undefined {
  const known: unknown = z.globalRegistry._idmap.get(id);
  return known instanceof z.ZodType ? known : undefined;
}

function parameters(components: Components, route: Route): unknown[] {
  const list = (schema: z.ZodObject | undefined, place: "path" | "query"): unknown[] => {
    if (schema === undefined) return [];
    return Object.entries(schema.shape).map(([name, type]) => ({
      name,
      in: place,
      required: place === "path" || !type.safeParse(undefined).success,
      schema: components.schema(type, place === "path" ? "output" : "input"),
    }));
  };
  return [...list(route.params, "path"), ...list(route.query, "query")];
}

function requestBody(components: Components, route: Route): Json {
  if (route.raw !== undefined) {
    return { requestBody: { required: true, content: { "application/octet-stream": { schema: { type: "string", contentMediaType: "application/octet-stream" } } } } };
  }
  if (route.body === undefined) return {};
  return { requestBody: { required: true, content: { "application/json": { schema: components.schema(route.body, "input") } } } };
}

const problem = { description: "a problem document (RFC 9457)", content: { "application/problem+json": { schema: { $ref: `${prefix}Problem` } } } };

function operation(components: Components, name: string, route: Route): Json {
  const list = parameters(components, route);
  return {
    operationId: name,
    summary: route.summary,
    "x-licet-permission": route.permission,
    security: route.permission === "public" ? [] : [{ session: [] }, { token: [] }],
    ...(list.length === 0 ? {} : { parameters: list }),
    ...requestBody(components, route),
    responses: {
      [route.created === true ? "201" : "200"]: {
        description: "done",
        content: { "application/json": { schema: components.schema(route.response, "output") } },
      },
      default: problem,
    },
  };
}

const problemSchema = {
  type: "object",
  required: ["type", "title", "status", "detail", "code", "fix", "instance"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: { type: "string" },
    fix: { type: "string" },
    instance: { type: "string" },
    errors: { type: "array", items: { type: "object", required: ["pointer", "detail"], properties: { pointer: { type: "string" }, detail: { type: "string" } } } },
    at: { type: "object" },
  },
};

function isRouteName(name: string): name is RouteName {
  return Object.hasOwn(routes, name);
}

/** The OpenAPI 3.1 document of the whole API, from the contract and nothing else. */
export function openApiDocument(version: string): Json {
  const components = new Components();
  const paths: Record<string, Json> = {};
  for (const name of Object.keys(routes).filter(isRouteName)) {
    const route = routeNamed(name);
    const path = route.path.replaceAll(/:([a-z]+)/giu, "{$1}");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(components, name, route) };
  }
  return {
    openapi: "3.1.0",
    jsonSchemaDialect: "https://json-schema.org/draft/2020-12/schema",
    info: { title: "Licet", version, license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
    paths,
    components: {
      schemas: { ...components.schemas, Problem: problemSchema },
      securitySchemes: {
        session: { type: "apiKey", in: "cookie", name: "licet.session_token" },
        token: { type: "http", scheme: "bearer" },
      },
    },
  };
}
