import type { Answer } from "./link.ts";

/** What goes to the worker of one SQLite connection and comes back. */
export interface SqliteSetup {
  readonly file: string;
  readonly access: "write" | "read" | "backup";
}

export interface SqliteRequest {
  readonly id: number;
  readonly command: "run" | "rollback" | "ping" | "close";
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** SQLite's extended result code (0: not from SQLite) and its message, which never holds bound values. */
export interface SqliteFault {
  readonly code: number;
  readonly message: string;
}

export type SqliteResponse =
  | { readonly id: number; readonly answer: Answer }
  | { readonly id: number; readonly fault: SqliteFault };
