import { Button, Code, Group, Stack, Text, TextInput } from "@mantine/core";
import type { Stage, SystemRow } from "@licet/contract";
import { useState, type ReactNode } from "react";
import { space, useRoute } from "../api.ts";
import { PageLink } from "../parts/links.tsx";
import { Age } from "../parts/moments.tsx";
import { Turn } from "../parts/requirements.tsx";
import { Empty, Loaded, PageTitle, Section } from "../parts/states.tsx";
import { Rows, usePaging, type Row } from "../parts/tables.tsx";
import { Word } from "../parts/words.tsx";
import { tones } from "../theme.ts";
import { useWho } from "../who.ts";

function Name({ row }: { readonly row: SystemRow }): ReactNode {
  return (
    <div>
      <PageLink to="/systems/$system" params={{ system: row.name }} fw={600}>
        {row.title}
      </PageLink>
      <Text size="xs" c="dimmed">
        {row.name}, release {row.releaseNumber}
      </Text>
    </div>
  );
}

function Authorization({ row }: { readonly row: SystemRow }): ReactNode {
  if (row.ato === null) return <Text size="sm">none</Text>;
  return (
    <div>
      <Word value={row.ato.state} />
      <Text size="xs" c="dimmed">
        release {row.ato.releaseNumber}, {row.ato.stage} in {row.ato.environment}, ends <Age since={row.ato.notAfter} />
      </Text>
    </div>
  );
}

function Blocked({ row }: { readonly row: SystemRow }): ReactNode {
  if (row.prohibited) return <Text size="sm">a prohibited practice is declared: refused at every stage</Text>;
  if (row.blocker === null) return <Text size="sm">{row.next === null ? "nothing left to reach" : `nothing: ask for ${row.next}`}</Text>;
  return (
    <div>
      <Text size="sm">{row.blocker.title}</Text>
      <Text size="xs" c="dimmed">
        {row.next === null ? "" : `to ${row.next}`}
        {row.blocker.more > 0 ? `, and ${row.blocker.more} more` : ""}
      </Text>
    </div>
  );
}

function lineOf(row: SystemRow, me: string): Row {
  const { blocker } = row;
  return {
    key: row.name,
    cells: [
      <Name key="n" row={row} />,
      <Group key="t" gap={4}>
        <Word value={row.prohibited ? "prohibited" : row.tier} />
        {row.held ? <Word value="held" /> : null}
      </Group>,
      <Authorization key="a" row={row} />,
      <Blocked key="b" row={row} />,
      blocker === null ? null : <Turn key="w" turn={blocker.turn} people={blocker.people} me={me} />,
      blocker?.since === null || blocker === null ? null : <Age key="s" since={blocker.since} />,
    ],
  };
}

const stages: readonly Stage[] = ["production", "pilot", "experiment", "proposed", "retired"];
const notes: Readonly<Record<Stage, string>> = {
  production: "Authorised for everybody it was declared for.",
  pilot: "Authorised for a small, real use.",
  experiment: "Authorised to try; nobody depends on it.",
  proposed: "Registered; nothing opens for it yet.",
  retired: "Out of use; the record stays.",
};

function Lanes({ rows, me }: { readonly rows: readonly SystemRow[]; readonly me: string }): ReactNode {
  return stages
    .map((stage) => ({ stage, here: rows.filter((row) => row.stage === stage) }))
    .filter(({ here }) => here.length > 0)
    .map(({ stage, here }) => (
      <Section key={stage} title={`${stage.charAt(0).toUpperCase()}${stage.slice(1)} (${here.length})`} note={notes[stage]}>
        <Rows label={`systems in ${stage}`} head={["System", "Tier", "Authorization", "Blocked by", "Turn", "Waiting"]} empty="" rows={here.map((row) => lineOf(row, me))} />
      </Section>
    ));
}

interface Filter {
  readonly text: string;
  readonly stage: Stage | "all";
  readonly mine: boolean;
}

function fits(row: SystemRow, { text, stage, mine }: Filter, me: string): boolean {
  if (stage !== "all" && row.stage !== stage) return false;
  if (mine && row.blocker?.people.includes(me) !== true) return false;
  return `${row.name} ${row.title} ${row.blocker?.title ?? ""}`.toLowerCase().includes(text.toLowerCase());
}

function Filters({ rows, filter, onChange }: { readonly rows: readonly SystemRow[]; readonly filter: Filter; readonly onChange: (filter: Filter) => void }): ReactNode {
  const choices = (["all", ...stages] as const).map((stage) => ({ stage, count: stage === "all" ? rows.length : rows.filter((row) => row.stage === stage).length }));
  return (
    <Group gap="xs">
      <TextInput aria-label="search systems" placeholder="Search by name or blocker" value={filter.text} onChange={(event) => onChange({ ...filter, text: event.currentTarget.value })} w={260} />
      {choices
        .filter(({ stage, count }) => stage === "all" || count > 0 || stage === filter.stage)
        .map(({ stage, count }) => (
          <Button key={stage} size="xs" radius="xl" aria-pressed={filter.stage === stage} variant={filter.stage === stage ? "filled" : "default"} color={tones.info} onClick={() => onChange({ ...filter, stage })}>
            {stage} {count}
          </Button>
        ))}
      <Button size="xs" radius="xl" aria-pressed={filter.mine} variant={filter.mine ? "filled" : "default"} color={tones.wait} onClick={() => onChange({ ...filter, mine: !filter.mine })}>
        my turn
      </Button>
    </Group>
  );
}

function NoSystem(): ReactNode {
  const { may } = useWho();
  return (
    <Empty title="No system yet">
      A developer runs <Code>npx licet init</Code> in the system's repository, fills in the marked fields, then <Code>npx licet push</Code>.
      {may("person.manage") ? (
        <Text mt="sm">
          First <PageLink to="/people">invite the people</PageLink> who develop, own the risk, operate and authorise.
        </Text>
      ) : null}
    </Empty>
  );
}

export function Board(): ReactNode {
  const paging = usePaging();
  const systems = useRoute("listSystems", { params: { space }, query: { limit: 100, ...paging.query } }, { keep: true });
  const { email } = useWho();
  const [filter, setFilter] = useState<Filter>({ text: "", stage: "all", mine: false });
  return (
    <Stack>
      <PageTitle>Systems</PageTitle>
      <Loaded query={systems}>
        {({ items, next }) => {
          if (items.length === 0) return <NoSystem />;
          const shown = items.filter((row) => fits(row, filter, email));
          return (
            <>
              <Filters rows={items} filter={filter} onChange={setFilter} />
              <Lanes rows={shown} me={email} />
              <Text size="sm" c="dimmed" role="status">
                {shown.length === 0 ? "No system fits. Clear the search or choose another stage." : `${shown.length} of ${items.length} systems`}
              </Text>
              {paging.bar(next)}
            </>
          );
        }}
      </Loaded>
    </Stack>
  );
}
