/** What one statement gives back: its rows, and how many rows it changed. */
export interface Answer {
  readonly rows: readonly unknown[];
  readonly changes: number;
}

/** One connection to an engine, held by one caller at a time. */
export interface Link {
  /** Throws a `LicetError`; inside a transaction every later statement but ROLLBACK is refused too. */
  run(sql: string, parameters: readonly unknown[]): Promise<Answer>;
  /** Must not throw: a link that cannot roll back makes itself unusable. */
  rollback(): Promise<void>;
}

export interface LinkPool {
  /** How a transaction on these links begins. */
  readonly begin: string;
  acquire(): Promise<Link>;
  release(link: Link): Promise<void>;
}
