import type { IncomingMessage, ServerResponse } from "node:http";

export interface StoredFile {
  readonly id: string;
  readonly purpose: string;
  readonly filename: string;
  readonly content: string;
}

interface Batch {
  readonly id: string;
  readonly input: string;
  readonly endpoint: string;
  readonly metadata: unknown;
  status: string;
  outputs: { output_file_id?: string; error_file_id?: string };
}

/** Plays a provider's files and batches as OpenAI's API has them; a batch is answered when the test says so. */
export class FileStore {
  readonly files = new Map<string, StoredFile>();
  readonly batches = new Map<string, Batch>();
  /** Fields of every upload, but for the file. */
  readonly forms: Readonly<Record<string, unknown>>[] = [];
  /** What the provider says instead, once. */
  next: { readonly status: number; readonly body: string } | undefined;
  #count = 0;

  serves(path: string): boolean {
    return /^\/v1\/(?:files|batches)(?:[/?]|$)/u.test(path);
  }

  /** Ends a batch with these lines. */
  finish(id: string, lines: readonly unknown[], errors: readonly unknown[] = []): void {
    const batch = this.batches.get(id);
    if (batch === undefined) throw new Error(`there is no batch ${id}`);
    const write = (all: readonly unknown[]) => this.#keep({ purpose: "batch_output", filename: `${id}_output.jsonl`, content: all.map((line) => `${JSON.stringify(line)}\n`).join("") });
    batch.status = "completed";
    batch.outputs = { ...(lines.length > 0 && { output_file_id: write(lines).id }), ...(errors.length > 0 && { error_file_id: write(errors).id }) };
  }

  async answer(request: IncomingMessage, bytes: Uint8Array, response: ServerResponse): Promise<void> {
    const said = this.next ?? (await this.#said(request, bytes));
    this.next = undefined;
    const body = typeof said === "string" ? said : "status" in said && "body" in said ? said.body : JSON.stringify(said);
    const status = typeof said === "object" && "status" in said && "body" in said ? Number(said.status) : 200;
    response.writeHead(status, { "content-type": typeof said === "string" ? "application/octet-stream" : "application/json", "x-request-id": "req_store" });
    response.end(body);
  }

  async #said({ method, url = "", headers }: IncomingMessage, bytes: Uint8Array): Promise<object | string> {
    const groups = /^\/v1\/(?<list>\w+)(?:\/(?<id>[^/?]+))?(?:\/(?<verb>\w+))?/u.exec(url)?.groups;
    const id = groups?.["id"] ?? "";
    const asked = [method, groups?.["list"], id && "ID", groups?.["verb"]].filter((part) => (part ?? "") !== "").join(" ");
    if (asked === "POST files") return this.#uploaded(bytes, headers["content-type"] ?? "");
    if (asked === "POST batches") return this.#created(JSON.parse(Buffer.from(bytes).toString("utf8")));
    return this.#ofId(asked, id) ?? missing;
  }

  #ofId(asked: string, id: string): object | string | undefined {
    const file = this.files.get(id);
    const batch = this.batches.get(id);
    if (batch !== undefined) return ofBatch(asked, batch);
    return file === undefined ? undefined : this.#ofFile(asked, file);
  }

  #ofFile(asked: string, file: StoredFile): object | string | undefined {
    if (asked === "GET files ID") return shown(file);
    if (asked === "GET files ID content") return file.content;
    return asked === "DELETE files ID" && this.files.delete(file.id) ? { id: file.id, object: "file", deleted: true } : undefined;
  }

  async #uploaded(bytes: Uint8Array, type: string): Promise<object> {
    const form = await new Response(Buffer.from(bytes), { headers: { "content-type": type } }).formData();
    const file = form.get("file") as File;
    this.forms.push(Object.fromEntries([...form].filter(([name]) => name !== "file")));
    return shown(this.#keep({ purpose: form.get("purpose") as string, filename: file.name, content: await file.text() }));
  }

  #keep(file: Omit<StoredFile, "id">): StoredFile {
    const kept = { id: `file-${++this.#count}`, ...file };
    this.files.set(kept.id, kept);
    return kept;
  }

  #created({ input_file_id: input, endpoint, metadata = null }: { readonly input_file_id: string; readonly endpoint: string; readonly metadata?: unknown }): object {
    const batch: Batch = { id: `batch_${++this.#count}`, input, endpoint, metadata, status: "validating", outputs: {} };
    this.batches.set(batch.id, batch);
    return this.files.has(input) ? shownBatch(batch) : missing;
  }
}

function ofBatch(asked: string, batch: Batch): object | undefined {
  if (asked === "POST batches ID cancel") batch.status = "cancelling";
  return asked.endsWith("ID") || asked.endsWith("cancel") ? shownBatch(batch) : undefined;
}

const missing = { status: 404, body: JSON.stringify({ error: { message: "no such object", type: "invalid_request_error", param: "id", code: null } }) };
const createdAt = 1_795_000_000;

function shown({ id, purpose, filename, content }: StoredFile): object {
  return { id, object: "file", bytes: Buffer.byteLength(content), created_at: createdAt, filename, purpose, status: "processed" };
}

function shownBatch({ id, input, endpoint, metadata, status, outputs }: Batch): object {
  return { id, object: "batch", endpoint, errors: null, input_file_id: input, completion_window: "24h", status, output_file_id: null, error_file_id: null, created_at: createdAt, metadata, request_counts: { total: 1, completed: status === "completed" ? 1 : 0, failed: 0 }, ...outputs };
}
