/** One failure that a person can meet: its HTTP status and three sentences. */
export interface ErrorInfo {
  readonly status: number;
  readonly what: string;
  readonly why: string;
  readonly fix: string;
}

export type ErrorTable = Readonly<Record<string, ErrorInfo>>;
