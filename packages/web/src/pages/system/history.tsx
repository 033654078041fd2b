import { Alert, Button, Group, Text } from "@mantine/core";
import type { SystemDetail } from "@licet/contract";
import { useState, type ReactNode } from "react";
import { PageLink } from "../../parts/links.tsx";
import { space, useChange, useRoute } from "../../api.ts";
import { Failure, Loaded, Section } from "../../parts/states.tsx";
import { Rows } from "../../parts/tables.tsx";
import { Age, Word } from "../../parts/words.tsx";
import { tones } from "../../theme.ts";

export function Holds({ detail }: { readonly detail: SystemDetail }): ReactNode {
  const lift = useChange("liftHold");
  if (detail.holds.length === 0) return null;
  return (
    <>
      {lift.isError ? <Failure error={lift.error} /> : null}
      {lift.data === undefined || lift.data.done ? null : (
        <Alert color={tones.info} role="status">
          Lifting waits for another person: see the request in their queue.
        </Alert>
      )}
      {detail.holds.map((hold) => (
        <Alert key={hold.id} color={tones.bad} title={hold.scope === "all" ? "Everything is held" : "This system is held"} role="alert">
          <Group justify="space-between">
            <Text size="sm">
              {hold.reason} ({hold.placedBy}, <Age since={hold.placedAt} />)
            </Text>
            <Button variant="default" size="xs" loading={lift.isPending} onClick={() => lift.mutate({ params: { space, hold: hold.id }, body: { reason: "asked for on the page" } })}>
              Ask to lift it
            </Button>
          </Group>
        </Alert>
      ))}
    </>
  );
}

export function Decisions({ system }: { readonly system: string }): ReactNode {
  const decisions = useRoute("listDecisions", { params: { space, system }, query: { limit: 20 } });
  return (
    <Section title="Recent decisions" note="Each was durable in the log before the request left.">
      <Loaded query={decisions}>
        {({ items }) => (
          <Rows
            label="recent decisions"
            head={["Decision", "Code", "Action", "Model", "When", "Log"]}
            empty="No call yet."
            rows={items.map((row) => ({
              key: row.id,
              cells: [
                <Word key="d" value={row.decision} />,
                row.code ?? "",
                row.action,
                row.model ?? "",
                <Age key="t" since={row.at} />,
                <PageLink key="l" to="/log/$entry" params={{ entry: row.id }} size="sm">
                  {row.logIndex}
                </PageLink>,
              ],
            }))}
          />
        )}
      </Loaded>
    </Section>
  );
}

export function Timeline({ system }: { readonly system: string }): ReactNode {
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const cursor = cursors.at(-1);
  const timeline = useRoute("showTimeline", { params: { space, system }, query: { limit: 25, ...(cursor === undefined ? {} : { cursor }) } });
  return (
    <Section title="Timeline">
      <Loaded query={timeline}>
        {({ items, next }) => (
          <>
            <Rows
              label="timeline"
              head={["When", "What", "Who", "Log"]}
              empty="Nothing has happened yet."
              rows={items.map((row) => ({
                key: row.entry,
                cells: [
                  <Age key="t" since={row.at} />,
                  row.title,
                  row.actor,
                  <PageLink key="l" to="/log/$entry" params={{ entry: row.entry }} size="sm">
                    {row.index}
                  </PageLink>,
                ],
              }))}
            />
            <Group>
              <Button size="xs" variant="default" disabled={cursors.length === 0} onClick={() => setCursors(cursors.slice(0, -1))}>
                Newer
              </Button>
              <Button size="xs" variant="default" disabled={next === null} onClick={() => next !== null && setCursors([...cursors, next])}>
                Older
              </Button>
            </Group>
          </>
        )}
      </Loaded>
    </Section>
  );
}
