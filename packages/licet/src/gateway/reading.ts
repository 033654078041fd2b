import { z } from "zod";
import { jsonDepthMax, parseJson, wellFormed } from "./json.ts";
import { refuse, shown, type Refusal } from "./refusal.ts";

/** Reads a caller's body by a strict schema: what the schema does not list is refused, never passed on. */
export function readRequest<S extends z.ZodType>(schema: S, body: Uint8Array): { readonly request: z.output<S> } | { readonly refusal: Refusal } {
  const json = parseJson(body);
  if (json === undefined) {
    return { refusal: refuse("request_unreadable", { message: "the body is not JSON in UTF-8" }) };
  }
  if (!wellFormed(json.value)) {
    const message = `the body nests deeper than ${jsonDepthMax} levels or holds half a surrogate pair`;
    return { refusal: refuse("request_unreadable", { message }) };
  }
  const parsed = schema.safeParse(json.value);
  return parsed.success ? { request: parsed.data } : { refusal: issueRefusal(parsed.error) };
}

type Issue = z.core.$ZodIssue;

function issueRefusal(error: z.ZodError): Refusal {
  const issue = deepest(error.issues);
  const path = z.core.toDotPath(issue.path);
  if (issue.code === "unrecognized_keys") {
    const field = [path, issue.keys[0] ?? ""].filter((part) => part !== "").join(".");
    return refuse("field_unsupported", { message: `\`${shown(field)}\` is not a field that the gateway checks`, param: field });
  }
  if (issue.code === "invalid_union" && issue.discriminator === "type") {
    return refuse("field_unsupported", { message: `\`${path}\` is not of a kind that the gateway checks`, param: path });
  }
  const where = path === "" ? "the body" : `\`${shown(path)}\``;
  return refuse("request_unreadable", { message: `${where}: ${shown(issue.message.toLowerCase())}`, param: path });
}

/** Inside a union, the branch that got furthest says what is wrong. */
function deepest(issues: readonly Issue[]): Issue {
  const unknown = issues.find(({ code }) => code === "unrecognized_keys");
  const issue = unknown ?? issues[0];
  if (issue === undefined) {
    return { code: "custom", path: [], message: "not readable", input: undefined };
  }
  if (issue.code !== "invalid_union" || issue.errors.length === 0) {
    return issue;
  }
  const branches = issue.errors.map((branch) => deepest(branch));
  const best = branches.reduce((a, b) => (b.path.length > a.path.length ? b : a));
  return { ...best, path: [...issue.path, ...best.path] };
}
