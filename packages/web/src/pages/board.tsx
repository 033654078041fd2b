import { Code, Group, ScrollArea, SegmentedControl, Stack, Table, Text, TextInput, Title } from "@mantine/core";
import type { SystemRow } from "@licet/contract";
import { useState, type ReactNode } from "react";
import { PageLink } from "../parts/links.tsx";
import { space, useRoute } from "../api.ts";
import { Empty, Loaded } from "../parts/states.tsx";
import { Age, Word } from "../parts/words.tsx";
import { labelOf } from "../theme.ts";

function BlockerCell({ row }: { readonly row: SystemRow }): ReactNode {
  if (row.held) return <Text size="sm">held: traffic is stopped</Text>;
  if (row.blocker === null) return <Text size="sm" c="dimmed">nothing</Text>;
  return (
    <div>
      <Text size="sm">{row.blocker.title}</Text>
      {row.blocker.more > 0 ? (
        <Text size="xs" c="dimmed">
          and {row.blocker.more} more
        </Text>
      ) : null}
    </div>
  );
}

function TurnCell({ row }: { readonly row: SystemRow }): ReactNode {
  if (row.blocker === null) return null;
  return (
    <div>
      <Text size="sm">{labelOf(row.blocker.turn)}</Text>
      <Text size="xs" c="dimmed">
        {row.blocker.people.join(", ")}
      </Text>
    </div>
  );
}

function SystemLine({ row }: { readonly row: SystemRow }): ReactNode {
  return (
    <Table.Tr>
      <Table.Td>
        <PageLink to="/systems/$system" params={{ system: row.name }} fw={600}>
          {row.title}
        </PageLink>
        <Text size="xs" c="dimmed">
          {row.name}, release {row.releaseNumber}
        </Text>
      </Table.Td>
      <Table.Td>
        <Group gap={4}>
          <Word value={row.stage} />
          {row.held ? <Word value="held" /> : null}
        </Group>
      </Table.Td>
      <Table.Td>
        <Word value={row.prohibited ? "refused" : row.tier} />
      </Table.Td>
      <Table.Td>{row.next === null ? null : <Text size="sm">{row.next}</Text>}</Table.Td>
      <Table.Td>
        <BlockerCell row={row} />
      </Table.Td>
      <Table.Td>
        <TurnCell row={row} />
      </Table.Td>
      <Table.Td>{row.blocker?.since === null || row.blocker === null ? null : <Age since={row.blocker.since} />}</Table.Td>
    </Table.Tr>
  );
}

function Systems({ rows }: { readonly rows: readonly SystemRow[] }): ReactNode {
  return (
    <ScrollArea>
      <Table miw={900} verticalSpacing="sm" highlightOnHover aria-label="systems">
        <Table.Thead>
          <Table.Tr>
            {["System", "Stage", "Tier", "Next", "Blocked by", "Turn", "Waiting"].map((head) => (
              <Table.Th key={head} scope="col">
                {head}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <SystemLine key={row.name} row={row} />
          ))}
        </Table.Tbody>
      </Table>
    </ScrollArea>
  );
}

const stageFilter = ["all", "proposed", "experiment", "pilot", "production"];

export function Board(): ReactNode {
  const systems = useRoute("listSystems", { params: { space }, query: { limit: 200 } });
  const [text, setText] = useState("");
  const [stage, setStage] = useState("all");
  const wanted = (row: SystemRow): boolean =>
    (stage === "all" || row.stage === stage) && `${row.name} ${row.title} ${row.blocker?.title ?? ""}`.toLowerCase().includes(text.toLowerCase());
  return (
    <Stack>
      <Title order={1} size="h2">
        Systems
      </Title>
      <Loaded query={systems}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No system yet">
              In your repository run <Code>npx licet init</Code>, fill in the marked fields, then <Code>npx licet push</Code>.
            </Empty>
          ) : (
            <>
              <Group>
                <TextInput aria-label="search systems" placeholder="Search by name or blocker" value={text} onChange={(event) => setText(event.currentTarget.value)} w={280} />
                <SegmentedControl aria-label="stage" data={stageFilter} value={stage} onChange={setStage} size="xs" />
              </Group>
              <Systems rows={items.filter(wanted)} />
              <Text size="xs" c="dimmed" role="status">
                {items.filter(wanted).length} of {items.length} systems
              </Text>
            </>
          )
        }
      </Loaded>
    </Stack>
  );
}
