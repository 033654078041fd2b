import { Alert, Group, Text } from "@mantine/core";
import type { SystemDetail } from "@licet/contract";
import type { ReactNode } from "react";
import { space, useRoute } from "../../api.ts";
import { EntryLink } from "../../parts/entry-link.tsx";
import { LiftHold } from "../../parts/lift-hold.tsx";
import { PageLink } from "../../parts/links.tsx";
import { Age } from "../../parts/moments.tsx";
import { Loaded, Section } from "../../parts/states.tsx";
import { Rows, usePaging } from "../../parts/tables.tsx";
import { Word } from "../../parts/words.tsx";
import { labelOf, tones } from "../../theme.ts";
import { useWho } from "../../who.ts";

function heldTitle(scope: string): string {
  if (scope === "vendor") return "A vendor is held: every call to its models is refused";
  return `${scope === "all" ? "Everything" : "This system"} is held: every call is refused`;
}

export function Holds({ detail }: { readonly detail: SystemDetail }): ReactNode {
  const { may } = useWho();
  return detail.holds.map((hold) => (
    <Alert key={hold.id} color={tones.bad} title={heldTitle(hold.scope)} role="alert">
      <Group justify="space-between">
        <Text size="sm">
          {hold.reason} ({hold.placedBy}, <Age since={hold.placedAt} />)
        </Text>
        {may("hold.lift") ? <LiftHold hold={hold.id} /> : null}
      </Group>
    </Alert>
  ));
}

export function Decisions({ system }: { readonly system: string }): ReactNode {
  const paging = usePaging();
  const decisions = useRoute("listDecisions", { params: { space, system }, query: { limit: 15, ...paging.query } }, { keep: true });
  return (
    <Section id="decisions" title="Recent decisions" note="Each was durable in the log before the request left.">
      <Loaded query={decisions}>
        {({ items, next }) => (
          <>
            <Rows
              label="recent decisions"
              head={["Decision", "Action", "Model", "Outcome", "When", "Detail"]}
              empty="No call yet. The first one appears here, allowed or refused."
              rows={items.map((row) => ({
                key: row.id,
                cells: [
                  <div key="d">
                    <Word value={row.decision} />
                    {row.code === null ? null : <Text size="xs">{labelOf(row.code)}</Text>}
                  </div>,
                  labelOf(row.action),
                  row.model ?? "",
                  typeof row.outcome?.["finish"] === "string" ? row.outcome["finish"] : "",
                  <Age key="t" since={row.at} />,
                  <PageLink key="l" to="/decisions/$decision" params={{ decision: row.id }} size="sm">
                    number {row.seq}
                  </PageLink>,
                ],
              }))}
            />
            {paging.bar(next)}
          </>
        )}
      </Loaded>
    </Section>
  );
}

export function Timeline({ system }: { readonly system: string }): ReactNode {
  const paging = usePaging();
  const timeline = useRoute("showTimeline", { params: { space, system }, query: { limit: 20, ...paging.query } }, { keep: true });
  return (
    <Section id="timeline" title="Timeline">
      <Loaded query={timeline}>
        {({ items, next }) => (
          <>
            <Rows
              label="timeline"
              head={["When", "What", "Who", "Record"]}
              empty="Nothing has happened yet."
              rows={items.map((row) => ({ key: row.entry, cells: [<Age key="t" since={row.at} />, row.title, row.actor, <EntryLink key="l" id={row.entry} index={row.index} />] }))}
            />
            {paging.bar(next)}
          </>
        )}
      </Loaded>
    </Section>
  );
}
