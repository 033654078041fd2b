import { z } from "zod";
import { absent, CelError, evaluateCel, type Variables } from "./cel.ts";
import { defaultMapping, isPassedThrough } from "./coaz-defaults.ts";

/** One MCP message with the claims of the access token that came with it, which the caller has validated. */
export interface McpQuestion {
  readonly method: string;
  readonly params: unknown;
  readonly token: Readonly<Record<string, unknown>>;
  /** `x-authzen-mapping` of the called tool, where it declares one. */
  readonly mapping?: unknown;
  /** This server's own identifier; the token's audience where left out. */
  readonly server?: string | undefined;
  /** The claim that says on whose behalf the agent acts; `sub` where left out. */
  readonly subjectClaim?: string | undefined;
}

/** What COAZ-MCP makes of a message: nothing to ask, an AuthZEN request, or a refusal before anybody is asked. */
export type McpMapped =
  | { readonly kind: "pass" }
  | { readonly kind: "evaluation" | "evaluations"; readonly request: object; readonly warning?: string }
  | { readonly kind: "denied"; readonly message: string }
  | { readonly kind: "mapping-error"; readonly message: string };

const depthMax = 20;
const Mapping = z.union([z.strictObject({ evaluation: z.looseObject({}) }), z.strictObject({ evaluations: z.looseObject({}) })]);

/** The COAZ binding for the Model Context Protocol: an MCP message to the AuthZEN request that has to be permitted first. Never throws. */
export function mcpRequest(question: McpQuestion): McpMapped {
  const { method, mapping } = question;
  if (isPassedThrough(method)) return { kind: "pass" };
  const declared = method === "tools/call" && mapping !== undefined;
  const chosen = declared ? mapping : defaultMapping(method);
  if (chosen === undefined) return { kind: "denied", message: `the method \`${method.slice(0, 80)}\` has no mapping` };
  try {
    return request(question, chosen, declared);
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return { kind: "mapping-error", message: `COAZ mapping error: ${error.message}` };
  }
}

function request(question: McpQuestion, chosen: unknown, declared: boolean): McpMapped {
  const parsed = Mapping.safeParse(chosen);
  if (!parsed.success) throw new CelError("a mapping has exactly one member, `evaluation` or `evaluations`");
  const { token, params, subjectClaim = "sub" } = question;
  const variables: Variables = { params, token: { ...token, aud: audience(question) } };
  const kind = "evaluation" in parsed.data ? "evaluation" : "evaluations";
  const template = "evaluation" in parsed.data ? parsed.data.evaluation : parsed.data.evaluations;
  const resolved = resolve(withSubject(template, subjectClaim), variables, 0);
  if (typeof resolved !== "object" || resolved === null) throw new CelError("the mapping is no request");
  const anchored = anchor(template, resolved, { claim: token[subjectClaim], expression: `$token.${subjectClaim}` });
  return { kind, request: resolved, ...(declared && anchored !== undefined && { warning: anchored }) };
}

/** A member that names this server; an audience that names several is resolved by the server's own identifier. */
function audience({ token, server }: McpQuestion): unknown {
  if (server !== undefined) return server;
  const { aud } = token;
  return Array.isArray(aud) && aud.length === 1 ? aud[0] : aud;
}

function withSubject(template: object, claim: string): object {
  const subject = memberOf(template, "subject");
  if (subject !== undefined && (typeof subject !== "object" || subject === null)) throw new CelError("`subject` is no object");
  return { ...template, subject: { type: "identity", id: `$token.${claim}`, ...subject } };
}

interface Anchor {
  readonly claim: unknown;
  readonly expression: string;
}

/** The subject is the token's: no entry may bring its own. A mapping that takes it from elsewhere is warned about. */
function anchor(template: object, resolved: object, { claim, expression }: Anchor): string | undefined {
  const items = memberOf(resolved, "evaluations");
  if (Array.isArray(items) && items.some((item: unknown) => memberOf(item, "subject") !== undefined)) throw new CelError("an entry of `evaluations` brings a subject of its own");
  const id = memberOf(memberOf(resolved, "subject"), "id");
  if (typeof id !== "string" || id === "") throw new CelError("`subject.id` is no identity");
  const written = memberOf(memberOf(template, "subject"), "id") ?? expression;
  if (written === expression && id !== claim) throw new CelError("`subject.id` is not the token's");
  return written === expression ? undefined : "the mapping takes the subject from elsewhere than the token";
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  const found: unknown = Reflect.get(value, name);
  return found;
}

/** Literals as they are, `$…` evaluated, `$$…` a text that begins with `$`; what is absent is left out. */
function resolve(value: unknown, variables: Variables, depth: number): unknown {
  if (depth > depthMax) throw new CelError(`a mapping nests at most ${depthMax} deep`);
  if (typeof value === "string") return value.startsWith("$$") ? value.slice(1) : value.startsWith("$") ? evaluated(value, variables) : value;
  if (Array.isArray(value)) return value.map((each: unknown) => resolve(each, variables, depth + 1)).filter((each) => each !== absent);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => [key, resolve(each, variables, depth + 1)] as const);
  return Object.fromEntries(entries.filter(([, each]) => each !== absent));
}

function evaluated(text: string, variables: Variables): unknown {
  try {
    return evaluateCel(text.slice(1), variables);
  } catch (error) {
    throw error instanceof CelError ? new CelError(`expression '${text.slice(0, 100)}' failed: ${error.message}`) : error;
  }
}
