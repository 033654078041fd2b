import { Code, Stack, Text } from "@mantine/core";
import type { RequestView } from "@licet/contract";
import type { ReactNode } from "react";
import { space, useRoute } from "../api.ts";
import { PageLink } from "../parts/links.tsx";
import { Age } from "../parts/moments.tsx";
import { Empty, Loaded, PageTitle, Section } from "../parts/states.tsx";
import { Rows, usePaging } from "../parts/tables.tsx";
import { Word } from "../parts/words.tsx";
import { labelOf } from "../theme.ts";
import { useWho } from "../who.ts";

function RequestLink({ request }: { readonly request: RequestView }): ReactNode {
  return (
    <PageLink to="/requests/$request" params={{ request: request.id }} fw={600}>
      {request.title}
    </PageLink>
  );
}

function Waiting(): ReactNode {
  const queue = useRoute("showQueue", { params: { space } });
  return (
    <Loaded query={queue}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty title="Nothing waits for you">
            Requests appear here when your role has to answer. A team asks with <Code>licet promote</Code>.
          </Empty>
        ) : (
          <Section title="Waiting for your role">
            <Rows
              label="my queue"
              head={["Request", "Asked by", "Waiting", "You answer as", "Your turn"]}
              empty=""
              rows={items.map(({ request, roles, mayAnswer, why }) => ({
                key: request.id,
                cells: [
                  <RequestLink key="r" request={request} />,
                  request.requestedBy,
                  <Age key="t" since={request.requestedAt} />,
                  roles.map(labelOf).join(", "),
                  mayAnswer ? (
                    <Word key="w" value="you" />
                  ) : (
                    <Text key="w" size="sm" c="dimmed">
                      no: {why}
                    </Text>
                  ),
                ],
              }))}
            />
          </Section>
        )
      }
    </Loaded>
  );
}

function missing(request: RequestView): string {
  const unmet = request.gate?.requirements.filter((item) => item.state !== "met" && item.state !== "waived") ?? [];
  if (request.gate === null) return "an answer";
  const [first] = unmet;
  return first === undefined ? "nothing" : `${first.title}${unmet.length > 1 ? `, and ${unmet.length - 1} more` : ""}`;
}

function OpenRequests(): ReactNode {
  const paging = usePaging();
  const open = useRoute("listRequests", { params: { space }, query: { status: "open", limit: 25, ...paging.query } }, { keep: true });
  return (
    <Loaded query={open}>
      {({ items, next }) => (
        <Section title="All open requests">
          <Rows
            label="open requests"
            head={["Request", "Asked by", "Waiting", "Missing"]}
            empty="No request is open."
            rows={items.map((request) => ({ key: request.id, cells: [<RequestLink key="r" request={request} />, request.requestedBy, <Age key="t" since={request.requestedAt} />, missing(request)] }))}
          />
          {paging.bar(next)}
        </Section>
      )}
    </Loaded>
  );
}

function Closed(): ReactNode {
  const paging = usePaging();
  const all = useRoute("listRequests", { params: { space }, query: { limit: 15, ...paging.query } }, { keep: true });
  return (
    <Loaded query={all}>
      {({ items, next }) => (
        <Section title="Requests, newest first">
          <Rows
            label="all requests"
            head={["Request", "State", "Asked by", "When"]}
            empty="Nobody has asked for anything yet."
            rows={items.map((request) => ({ key: request.id, cells: [<RequestLink key="r" request={request} />, <Word key="s" value={request.status} />, request.requestedBy, <Age key="t" since={request.requestedAt} />] }))}
          />
          {paging.bar(next)}
        </Section>
      )}
    </Loaded>
  );
}

export function Queue(): ReactNode {
  const { may } = useWho();
  return (
    <Stack>
      <PageTitle>My queue</PageTitle>
      <Waiting />
      {may("system.read") ? <OpenRequests /> : null}
      {may("system.read") ? <Closed /> : null}
    </Stack>
  );
}
