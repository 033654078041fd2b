import { Group, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { space, useRoute } from "../../api.ts";
import { PageLink } from "../../parts/links.tsx";
import { Loaded, Section } from "../../parts/states.tsx";
import { CheckRows } from "./checks-rows.tsx";
import { summaryText } from "./checks-words.ts";

/** The checks of the newest release, on the page of its system. */
export function Checks({ system }: { readonly system: string }): ReactNode {
  const query = useRoute("showChecks", { params: { space, system }, query: {} });
  return (
    <Section id="checks" title="Checks" note="Three verdicts: too little data is insufficient evidence, never a pass. The bound of the interval, not the estimate, is held against the limit.">
      <Loaded query={query}>
        {(view) => (
          <>
            <Group gap="sm">
              <Text size="sm" fw={600}>
                {summaryText(view.checks)}
              </Text>
              <PageLink to="/systems/$system/checks" params={{ system }} size="sm">
                {view.compared === null || view.compared.release === view.release.digest ? "Attempts and other releases" : `Comparison with ${view.compared.stage}, attempts and other releases`}
              </PageLink>
            </Group>
            <CheckRows view={view} />
          </>
        )}
      </Loaded>
    </Section>
  );
}
