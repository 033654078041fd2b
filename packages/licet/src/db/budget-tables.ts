/** Tables of budgets and prices; see `tables.ts`. */
export interface BudgetLimitTable {
  space: string;
  /** Empty for all systems of the space together. */
  system: string;
  limits: string;
  reason: string;
  changed_by: string;
  changed_at: number;
  entry: string;
}

export interface ModelPriceTable {
  space: string;
  provider: string;
  model: string;
  known: string;
  source: string;
  changed_by: string;
  changed_at: number;
  entry: string;
}

export interface BudgetSpentTable {
  space: string;
  system: string;
  /** Days since the epoch, UTC. */
  day: number;
  /** Empty where no price was known. */
  currency: string;
  tokens: number;
  micros: number;
}

/** Of `budget_spent`, the part of each run of a gateway process. */
export interface BudgetSpentRunTable extends BudgetSpentTable {
  run: string;
}

export interface BudgetShareTable {
  space: string;
  gateway: string;
  run: string;
  /** JSON. */
  terms: string;
  seen_at: number;
}
