import { Progress, Text } from "@mantine/core";
import type { BudgetLimits, BudgetView } from "@licet/contract";
import type { ReactNode } from "react";
import { tones } from "../theme.ts";
import { countText, moneyText } from "./amounts.ts";
import { Moment } from "./moments.tsx";
import { Rows } from "./tables.tsx";

interface Line {
  readonly what: string;
  /** Absent for what is counted at the gateway only. */
  readonly spent?: number;
  readonly release: number | undefined;
  readonly operator: number | undefined;
  readonly text: (amount: number) => string;
  readonly endsAt?: number;
}

function currenciesOf({ day, month, declared, operator }: BudgetView): readonly string[] {
  const spent = [...day.money, ...month.money].map(({ currency }) => currency);
  const limited = [declared, operator?.limits].flatMap((limits) => limits?.money?.currency ?? []);
  return [...new Set([...spent, ...limited])].sort();
}

function linesOf(view: BudgetView): readonly Line[] {
  const both = (limit: (limits: BudgetLimits) => number | undefined): Pick<Line, "release" | "operator"> => ({
    release: view.declared === null ? undefined : limit(view.declared),
    operator: view.operator === null ? undefined : limit(view.operator.limits),
  });
  const ends = [
    ["today", view.day],
    ["this month", view.month],
  ] as const;
  const inMoney = (currency: string) => (name: "microsPerDay" | "microsPerMonth" | "microsPerCall") => both(({ money }) => (money?.currency === currency ? money[name] : undefined));
  return [
    ...ends.map(([when, { tokens, endsAt }]): Line => ({ what: `Tokens ${when}`, spent: tokens, text: countText, endsAt, ...both((limits) => (when === "today" ? limits.tokensPerDay : limits.tokensPerMonth)) })),
    ...currenciesOf(view).flatMap((currency): readonly Line[] => {
      const limit = inMoney(currency);
      const text = (amount: number): string => moneyText(amount, currency);
      return [
        ...ends.map(([when, { money, endsAt }]): Line => ({ what: `Money ${when} (${currency})`, spent: money.find((each) => each.currency === currency)?.micros ?? 0, text, endsAt, ...limit(when === "today" ? "microsPerDay" : "microsPerMonth") })),
        { what: `Money for a call (${currency})`, text, ...limit("microsPerCall") },
      ];
    }),
    { what: "Requests per minute", text: countText, ...both(({ requestsPerMinute }) => requestsPerMinute) },
    { what: "Calls at once", text: countText, ...both(({ concurrency }) => concurrency) },
  ];
}

function limitText(limit: number | undefined, text: Line["text"]): string {
  return limit === undefined ? "none" : text(limit);
}

/** Both limits hold, so the smaller one is what is used up. */
function Used({ line: { what, spent, release, operator } }: { readonly line: Line }): ReactNode {
  const limit = Math.min(release ?? Infinity, operator ?? Infinity);
  if (spent === undefined || !Number.isFinite(limit)) return null;
  const share = limit === 0 ? 100 : Math.min(100, Math.round((100 * spent) / limit));
  return (
    <>
      <Progress value={share} color={share >= 90 ? tones.bad : share >= 70 ? tones.wait : tones.good} aria-label={`${what}: ${share} per cent of the limit`} />
      <Text size="xs">{share}%</Text>
    </>
  );
}

/** What is spent of which limit: the release's, and the operator's beside it. */
export function Spending({ view, label }: { readonly view: BudgetView; readonly label: string }): ReactNode {
  return (
    <Rows
      label={label}
      head={["What", "Spent", "Release's limit", "Operator's limit", "Used", "Begins anew"]}
      empty=""
      rows={linesOf(view)
        .filter((line) => line.spent !== undefined || line.release !== undefined || line.operator !== undefined)
        .map((line) => ({
          key: line.what,
          cells: [
            line.what,
            line.spent === undefined ? "" : line.text(line.spent),
            limitText(line.release, line.text),
            limitText(line.operator, line.text),
            <Used key="u" line={line} />,
            line.endsAt === undefined ? "" : <Moment key="e" at={line.endsAt} />,
          ],
        }))}
    />
  );
}
