import { Code, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { space, useRoute } from "../../api.ts";
import { EntryLink } from "../../parts/entry-link.tsx";
import { Age } from "../../parts/moments.tsx";
import { Loaded, Section } from "../../parts/states.tsx";
import { Rows, usePaging } from "../../parts/tables.tsx";
import { Digest, Word } from "../../parts/words.tsx";

/** One of two answers, as it was recorded. */
function Answer({ value }: { readonly value: unknown }): ReactNode {
  return <Code className="exact">{JSON.stringify(value)}</Code>;
}

export function Mismatches(): ReactNode {
  const paging = usePaging();
  const rows = useRoute("listMismatches", { params: { space }, query: { limit: 10, ...paging.query } }, { keep: true });
  return (
    <Section title="Second opinion" note="Live decisions are sampled and decided again by Cedar's own implementation. A bundle on which the two ever differ is decided by Cedar's from then on, until another is published.">
      <Loaded query={rows}>
        {({ items, next }) => (
          <>
            <Rows
              label="decisions that came out differently"
              head={["When", "Bundle", "Ours", "Cedar's", "Request", "Entry"]}
              empty="No sampled decision ever came out differently."
              rows={items.map((row) => ({
                key: row.id,
                cells: [
                  <Age key="w" since={row.foundAt} />,
                  <div key="b">
                    <Digest value={row.bundle} />
                    {row.active ? <Word value="active" /> : null}
                  </div>,
                  <Answer key="o" value={row.ours} />,
                  <Answer key="r" value={row.reference} />,
                  <Text key="q" size="xs" className="exact">
                    {row.request}
                  </Text>,
                  <EntryLink key="e" id={row.entry} />,
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
