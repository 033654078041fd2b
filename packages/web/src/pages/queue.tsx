import { Code, Group, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { PageLink } from "../parts/links.tsx";
import { space, useRoute } from "../api.ts";
import { Empty, Loaded, Section } from "../parts/states.tsx";
import { Rows } from "../parts/tables.tsx";
import { Age, Word } from "../parts/words.tsx";

export function Queue(): ReactNode {
  const queue = useRoute("showQueue", { params: { space } });
  const open = useRoute("listRequests", { params: { space }, query: { status: "open", limit: 50 } });
  return (
    <Stack>
      <Title order={1} size="h2">
        My queue
      </Title>
      <Loaded query={queue}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="Nothing waits for you">Requests appear here when your role has to answer. A team asks with <Code>licet promote</Code>.</Empty>
          ) : (
            <Section title="Waiting for you">
              <Rows
                label="my queue"
                head={["Request", "Asked by", "Waiting", "You answer as", ""]}
                empty=""
                rows={items.map(({ request, roles, mayAnswer, why }) => ({
                  key: request.id,
                  cells: [
                    <PageLink key="r" to="/requests/$request" params={{ request: request.id }} fw={600}>
                      {request.title}
                    </PageLink>,
                    request.requestedBy,
                    <Age key="t" since={request.requestedAt} />,
                    roles.join(", "),
                    mayAnswer ? <Word key="w" value="open" /> : <Text key="w" size="xs" c="dimmed">{why}</Text>,
                  ],
                }))}
              />
            </Section>
          )
        }
      </Loaded>
      <Loaded query={open}>
        {({ items }) => (
          <Section title="All open requests" note="Whose turn it is stands on each.">
            <Rows
              label="open requests"
              head={["Request", "Asked by", "Waiting", "Missing"]}
              empty="No request is open."
              rows={items.map((request) => ({
                key: request.id,
                cells: [
                  <PageLink key="r" to="/requests/$request" params={{ request: request.id }}>
                    {request.title}
                  </PageLink>,
                  request.requestedBy,
                  <Age key="t" since={request.requestedAt} />,
                  <Group key="m" gap={4}>
                    {(request.gate?.requirements ?? []).filter((item) => item.state !== "met").slice(0, 3).map((item) => <Text key={item.id} size="xs">{item.title}</Text>)}
                  </Group>,
                ],
              }))}
            />
          </Section>
        )}
      </Loaded>
    </Stack>
  );
}
