import { Code, Stack } from "@mantine/core";
import type { ReactNode } from "react";
import { space, useRoute } from "../api.ts";
import { PageLink } from "../parts/links.tsx";
import { Age, Moment } from "../parts/moments.tsx";
import { Empty, Loaded, PageTitle } from "../parts/states.tsx";
import { Rows, usePaging } from "../parts/tables.tsx";
import { Word } from "../parts/words.tsx";

/** Every exception of the space, newest first. */
export function Waivers(): ReactNode {
  const paging = usePaging();
  const waivers = useRoute("listWaivers", { params: { space }, query: { limit: 20, ...paging.query } }, { keep: true });
  return (
    <Stack>
      <PageTitle>Exceptions</PageTitle>
      <Loaded query={waivers}>
        {({ items, next }) =>
          items.length === 0 ? (
            <Empty title="No exception was granted">
              A team asks to have an existing system observed with <Code>licet waiver request</Code>, or on the system's page.
            </Empty>
          ) : (
            <>
              <Rows
                label="exceptions"
                head={["State", "System", "Environment", "Ends", "Would have been refused", "Asked by", "Reason"]}
                empty=""
                rows={items.map((each) => ({
                  key: each.id,
                  cells: [
                    <Word key="s" value={each.state} />,
                    <PageLink key="p" to="/systems/$system" params={{ system: each.system }} size="sm">
                      {each.system}
                    </PageLink>,
                    each.environment,
                    each.state === "in-force" ? <Moment key="e" at={each.notAfter} /> : <Age key="e" since={each.endedAt ?? each.notAfter} />,
                    each.refused.map(({ code, calls }) => `${code}: ${calls}`).join(", "),
                    each.requestedBy,
                    each.reason,
                  ],
                }))}
              />
              {paging.bar(next)}
            </>
          )
        }
      </Loaded>
    </Stack>
  );
}
