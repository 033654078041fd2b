import type { DataLineage, Digest, ErrorCode, Prompt, Tool } from "@licet/contract";

export type JsonSchema = NonNullable<Tool["schema"]>;

export type Read<T> = { readonly kind: "read"; readonly value: T } | { readonly kind: "refused"; readonly code: ErrorCode; readonly message: string };

export interface FileFacts {
  readonly digest: Digest;
  readonly bytes: number;
}

/** Where the contents come from that a manifest refers to: its folder, or a pushed bundle. Refuses; never throws. */
export interface ComponentSources {
  promptText(prompt: Prompt): Read<string>;
  toolSchema(tool: Tool): Read<JsonSchema>;
  fileFacts(path: string): Read<FileFacts>;
  /** Absent where only digests are known: then the pusher's word stands, as for all data. */
  lineage?(path: string): Read<DataLineage>;
}

export function refusedRead(code: ErrorCode, message: string): { readonly kind: "refused"; readonly code: ErrorCode; readonly message: string } {
  return { kind: "refused", code, message };
}
