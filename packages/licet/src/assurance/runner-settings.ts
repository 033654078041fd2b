import { runnerDefaults, RunnerSettings } from "@licet/contract";
import { LicetError } from "../base/errors.ts";

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const names = ["time", "memory", "rows", "concurrency", "queries", "tokens", "money", "repeat"] as const;
type Name = (typeof names)[number];

/**
 * `time=10m,memory=2048,rows=2000000,concurrency=2,queries=20000,tokens=20000000,money=25USD,repeat=72h`: what is left out keeps its
 * default. Throws `runner_settings_invalid`, naming the part.
 */
export function runnerSettings(text: string | undefined): RunnerSettings {
  const given = partsOf(text ?? "");
  const of = <T>(name: Name, read: (value: string) => T | undefined, otherwise: T): T => {
    const value = given.get(name);
    const said = value === undefined ? otherwise : read(value);
    if (said === undefined) throw invalid(`\`${name}=${value ?? ""}\` ${notations[name]}`);
    return said;
  };
  const { budget } = runnerDefaults;
  const settings = RunnerSettings.safeParse({
    timeMs: of("time", duration, runnerDefaults.timeMs),
    memoryMb: of("memory", whole, runnerDefaults.memoryMb),
    rows: of("rows", whole, runnerDefaults.rows),
    concurrency: of("concurrency", whole, runnerDefaults.concurrency),
    repeatMs: of("repeat", duration, runnerDefaults.repeatMs),
    budget: { queries: of("queries", whole, budget.queries), tokens: of("tokens", whole, budget.tokens), money: of("money", money, budget.money) },
  });
  if (settings.success) return settings.data;
  const [issue] = settings.error.issues;
  const name = nameOf[String(issue?.path.at(-1))] ?? "money";
  throw invalid(`\`${name}=${given.get(name) ?? ""}\`: ${issue?.message ?? "out of range"}`);
}

function partsOf(text: string): ReadonlyMap<Name, string> {
  const given = new Map<Name, string>();
  for (const part of text.split(",").filter((each) => each !== "")) {
    const [written, value = "", ...rest] = part.split("=");
    const name = names.find((each) => each === written);
    if (name === undefined || rest.length > 0) throw invalid(`\`${part}\` is none of ${names.join(", ")}`);
    if (given.has(name)) throw invalid(`\`${name}\` stands twice`);
    given.set(name, value);
  }
  return given;
}

const nameOf: Readonly<Record<string, Name>> = { timeMs: "time", memoryMb: "memory", rows: "rows", concurrency: "concurrency", repeatMs: "repeat", queries: "queries", tokens: "tokens" };

const wholeNotation = "is no whole number";
const durationNotation = "is no time: write 90s, 10m, 72h or 3d";
const notations: Readonly<Record<Name, string>> = {
  time: durationNotation,
  memory: `${wholeNotation}: write MiB`,
  rows: wholeNotation,
  concurrency: wholeNotation,
  queries: wholeNotation,
  tokens: wholeNotation,
  money: "is no amount with its currency: write 25USD or 2.50EUR",
  repeat: durationNotation,
};

function whole(text: string): number | undefined {
  return /^\d{1,15}$/u.test(text) ? Number(text) : undefined;
}

function duration(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,9})([smhd])$/u.exec(text) ?? [];
  return unit === "s" || unit === "m" || unit === "h" || unit === "d" ? Number(digits) * unitMs[unit] : undefined;
}

function money(text: string): RunnerSettings["budget"]["money"] | undefined {
  const [, units, parts = "", currency] = /^(\d{1,9})(?:\.(\d{1,6}))?([A-Z]{3})$/u.exec(text) ?? [];
  if (units === undefined || currency === undefined) return undefined;
  return { currency, micros: Number(units) * 1_000_000 + Number(parts.padEnd(6, "0")) };
}

function invalid(message: string): LicetError {
  return new LicetError("runner_settings_invalid", { message });
}
