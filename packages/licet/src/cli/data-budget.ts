import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { PrivacyAccountant } from "@licet/assurance";
import { LicetError, privacyBudgetBytesMax, PrivacyBudgetFile, type PrivacySpending } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { systemClock } from "../base/clock.ts";
import { writeBeside } from "./data-output.ts";

export interface BudgetOptions {
  readonly file: string;
  /** What this run may spend; what may ever be spent, where nothing was said about that yet. */
  readonly epsilon: number;
  readonly delta?: number;
  readonly total?: number;
}

export interface OpenBudget {
  readonly accountant: PrivacyAccountant;
  readonly delta: number;
  /** What this run has spent so far. */
  spendings(): readonly PrivacySpending[];
  /** Epsilon that earlier runs spent. */
  readonly before: number;
  /** On the medium when this returns. Called before anything is published: what was told cannot be taken back. */
  record(run: Pick<PrivacyBudgetFile["runs"][number], "command" | "source" | "output">): void;
}

export function budgetFileOf(source: string): string {
  return `${source}.privacy-budget.json`;
}

/** One run at a time spends from a budget. Throws `privacy_budget_locked`, `privacy_budget_invalid`. */
export function withBudget<T>(options: BudgetOptions, act: (budget: OpenBudget) => T): T {
  const lock = `${resolve(options.file)}.lock`;
  takeLock(lock);
  try {
    return act(open(options));
  } finally {
    rmSync(lock, { force: true });
  }
}

function takeLock(lock: string): void {
  try {
    closeSync(openSync(lock, "wx"));
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "EEXIST")) throw cause;
    throw new LicetError("privacy_budget_locked", { message: `\`${basename(lock)}\` is there: wait for the other run, or remove the file where none is running`, cause });
  }
}

function open(options: BudgetOptions): OpenBudget {
  const known = readBudget(options);
  const accountant = new PrivacyAccountant(known.budget);
  const replayed = accountant.spendAll(known.runs.flatMap(({ spendings }) => spendings));
  if (replayed.kind === "refused") throw invalid(options.file, `more is spent in it than its budget allows: ${replayed.reason}`);
  const earlier = accountant.spendings.length;
  return {
    accountant,
    delta: known.budget.delta,
    before: accountant.epsilon,
    spendings: () => accountant.spendings.slice(earlier),
    record: (run) => {
      const file: PrivacyBudgetFile = { ...known, runs: [...known.runs, { time: systemClock.now(), ...run, spendings: accountant.spendings.slice(earlier) }] };
      renameSync(writeBeside(options.file, `${JSON.stringify(PrivacyBudgetFile.parse(file), null, 2)}\n`), options.file);
    },
  };
}

function readBudget({ file, epsilon, delta, total }: BudgetOptions): PrivacyBudgetFile {
  if (!existsSync(file)) return { schema: "licet.assurance.privacy-budget/v1", budget: { epsilon: total ?? epsilon, delta: delta ?? 0 }, runs: [] };
  const known = parsed(file);
  if (total !== undefined && total !== known.budget.epsilon) throw invalid(file, `its total epsilon is ${known.budget.epsilon}, not ${total}`);
  if (delta !== undefined && delta !== known.budget.delta) throw invalid(file, `its delta is ${known.budget.delta}, not ${delta}`);
  return known;
}

function parsed(file: string): PrivacyBudgetFile {
  if (statSync(file).size > privacyBudgetBytesMax) throw invalid(file, `it has more than ${privacyBudgetBytesMax} bytes`);
  const result = PrivacyBudgetFile.safeParse(json(readFileSync(file, "utf8")));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw invalid(file, `it is not a budget file: ${issue === undefined ? "unknown form" : `${issue.path.join(".") || "the whole"}: ${issue.message.toLowerCase()}`}`);
}

function json(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

function invalid(file: string, why: string): LicetError {
  return new LicetError("privacy_budget_invalid", { message: `\`${basename(file)}\` cannot be used: ${why}` });
}
