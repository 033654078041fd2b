/** What a path below OpenAI's files and batches asks for. */
export type FilesRoute =
  | { readonly kind: "upload" | "list-files" | "create-batch" | "list-batches"; readonly endpoint: string }
  | { readonly kind: "file" | "content" | "delete-file" | "batch" | "cancel-batch"; readonly endpoint: string; readonly id: string };

const root = "/openai/v1";
const whole: Readonly<Record<string, "upload" | "list-files" | "create-batch" | "list-batches">> = {
  [`POST ${root}/files`]: "upload",
  [`GET ${root}/files`]: "list-files",
  [`POST ${root}/batches`]: "create-batch",
  [`GET ${root}/batches`]: "list-batches",
};
const one: Readonly<Record<string, "file" | "content" | "delete-file" | "batch" | "cancel-batch">> = {
  "GET files": "file",
  "GET files/content": "content",
  "DELETE files": "delete-file",
  "GET batches": "batch",
  "POST batches/cancel": "cancel-batch",
};

/** As providers give them out. */
const id = /^[\w.-]{1,200}$/u;
const below = /^\/openai\/v1\/(?<list>files|batches)\/(?<id>[^/]+)(?:\/(?<verb>content|cancel))?$/u;

export function isStoredId(value: unknown): value is string {
  return typeof value === "string" && id.test(value) && !/^\.+$/u.test(value);
}

/** Undefined for every other endpoint. */
export function filesRoute(method: string, path: string): FilesRoute | undefined {
  const asked = `${method} ${path}`;
  const kind = Object.hasOwn(whole, asked) ? whole[asked] : undefined;
  if (kind !== undefined) return { kind, endpoint: asked };
  const { list, id: named, verb } = below.exec(path)?.groups ?? {};
  const way = `${method} ${list}${verb === undefined ? "" : `/${verb}`}`;
  const single = Object.hasOwn(one, way) ? one[way] : undefined;
  return single === undefined || !isStoredId(named) ? undefined : { kind: single, endpoint: `${method} ${root}/${list}/{id}${verb === undefined ? "" : `/${verb}`}`, id: named };
}
