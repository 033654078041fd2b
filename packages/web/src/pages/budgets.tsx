import { Code, Stack, Text } from "@mantine/core";
import type { BudgetView } from "@licet/contract";
import type { ReactNode } from "react";
import { space, useRoute } from "../api.ts";
import { countText, moneyText } from "../parts/amounts.ts";
import { PageLink } from "../parts/links.tsx";
import { Moment } from "../parts/moments.tsx";
import { Spending } from "../parts/spending.tsx";
import { Loaded, PageTitle, Section } from "../parts/states.tsx";
import { Rows, usePaging } from "../parts/tables.tsx";
import { useWho } from "../who.ts";

function moneyOf({ money }: BudgetView["day"]): string {
  return money.length === 0 ? "none" : money.map(({ micros, currency }) => moneyText(micros, currency)).join(", ");
}

function Systems({ items }: { readonly items: readonly BudgetView[] }): ReactNode {
  return (
    <Section title="Systems">
      <Rows
        label="spending by system"
        head={["System", "Tokens today", "Money today", "Tokens this month", "Money this month", "Limits"]}
        empty="No system yet."
        rows={items.flatMap(({ system, day, month, declared, operator }) =>
          system === null
            ? []
            : [
                {
                  key: system,
                  cells: [
                    <PageLink key="s" to="/systems/$system" params={{ system }} hash="budget">
                      {system}
                    </PageLink>,
                    countText(day.tokens),
                    moneyOf(day),
                    countText(month.tokens),
                    moneyOf(month),
                    [declared === null ? [] : ["its release's"], operator === null ? [] : ["the operator's"]].flat().join(" and ") || "none",
                  ],
                },
              ],
        )}
      />
    </Section>
  );
}

function Prices(): ReactNode {
  const query = useRoute("listPrices", { params: { space } });
  return (
    <Section title="Prices" note="Budgets of money need a price in their own currency; nothing is converted, and nothing is guessed.">
      <Loaded query={query}>
        {({ own, tables }) => (
          <>
            <Rows
              label="the organisation's own prices"
              head={["Provider", "Model", "From", "A million prompt tokens", "A million answer tokens", "Source", "Recorded"]}
              empty={
                <>
                  No prices of your own. <Code>licet budget price set</Code> records one.
                </>
              }
              rows={own.flatMap(({ provider, model, known, source, changedBy, changedAt }) =>
                known.prices.map((price) => ({
                  key: `${provider} ${model} ${price.from}`,
                  cells: [provider, model, price.from, moneyText(price.input, price.currency), moneyText(price.output, price.currency), source, <span key="r">{changedBy}, <Moment at={changedAt} /></span>],
                })),
              )}
            />
            <Rows
              label="price tables"
              head={["Vendor", "Currency", "Read on", "Models", "Source"]}
              empty=""
              rows={tables.map((table) => ({ key: table.vendor, cells: [table.vendor, table.currency, table.readAt, String(table.models.length), table.sources.join(", ")] }))}
            />
          </>
        )}
      </Loaded>
    </Section>
  );
}

/** Spending and limits of every system, and the prices that money is counted by. */
export function Budgets(): ReactNode {
  const paging = usePaging();
  const query = useRoute("listBudgets", { params: { space }, query: { limit: 100, ...paging.query } }, { keep: true });
  const { may } = useWho();
  return (
    <Loaded query={query} title="Budgets">
      {({ items, next }) => (
        <Stack>
          <PageTitle>Budgets</PageTitle>
          <Text size="sm" c="dimmed">
            Days and months are those of UTC. Every call reserves the most that it can use before it leaves; what it did not use comes back when it ends.
          </Text>
          <Systems items={items} />
          {paging.bar(next)}
          {items
            .filter(({ system }) => system === null)
            .map((view) => (
              <Section key="space" title="All systems together" note="An operator's limit for the space holds for their sum.">
                <Spending view={view} label="budget of the space" />
              </Section>
            ))}
          {may("provider.read") ? <Prices /> : null}
        </Stack>
      )}
    </Loaded>
  );
}
