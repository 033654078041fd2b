import { Code, Text } from "@mantine/core";
import type { BudgetView } from "@licet/contract";
import type { ReactNode } from "react";
import { space, useRoute } from "../../api.ts";
import { PageLink } from "../../parts/links.tsx";
import { Age } from "../../parts/moments.tsx";
import { Spending } from "../../parts/spending.tsx";
import { Loaded, Section } from "../../parts/states.tsx";

function SetBy({ view: { operator } }: { readonly view: BudgetView }): ReactNode {
  if (operator === null) return null;
  return (
    <Text size="sm">
      The operator's limits were set by {operator.changedBy}, <Age since={operator.changedAt} />: {operator.reason}
    </Text>
  );
}

export function Budget({ system }: { readonly system: string }): ReactNode {
  const query = useRoute("listBudgets", { params: { space }, query: { system } });
  return (
    <Section id="budget" title="Budget" note="Days and months are those of UTC. Every call reserves the most that it can use before it leaves; calls in flight count with all of it.">
      <Loaded query={query}>
        {({ items }) =>
          items.map((view) => (
            <div key={view.system ?? ""}>
              <Spending view={view} label={`budget of ${system}`} />
              <SetBy view={view} />
            </div>
          ))
        }
      </Loaded>
      <Text size="sm" c="dimmed">
        Limits stand under <Code>budgets</Code> in licet.yaml; an operator tightens them with <Code>licet budget set {system}</Code>. <PageLink to="/budgets" underline="always">All systems</PageLink>
      </Text>
    </Section>
  );
}
