import type { PublicationRow } from "@licet/contract";
import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import { space, useRoute } from "../../api.ts";
import { PageLink } from "../../parts/links.tsx";
import { Age } from "../../parts/moments.tsx";
import { Loaded, Section } from "../../parts/states.tsx";
import { Rows, usePaging } from "../../parts/tables.tsx";
import { Digest, Word } from "../../parts/words.tsx";

const occasions: Readonly<Record<PublicationRow["occasion"], string>> = {
  request: "asked and approved",
  installation: "Licet was installed or upgraded",
  baseline: "the organisation's baseline changed",
};

export function occasionText(occasion: PublicationRow["occasion"]): string {
  return occasions[occasion];
}

function changedText({ added, changed, removed }: PublicationRow["changed"]): string {
  const parts = [added > 0 ? `${added} added` : "", changed > 0 ? `${changed} changed` : "", removed > 0 ? `${removed} removed` : ""].filter((part) => part !== "");
  return parts.length === 0 ? "nothing" : parts.join(", ");
}

export function Publications(): ReactNode {
  const paging = usePaging();
  const rows = useRoute("listPublications", { params: { space }, query: { limit: 10, ...paging.query } }, { keep: true });
  return (
    <Section title="Publications" note="Who published what, when, and with whose approval. Old bundles stay, so that old decisions can be made again.">
      <Loaded query={rows}>
        {({ items, next }) => (
          <>
            <Rows
              label="publications"
              head={["When", "By", "Why", "Policies changed", "Approved by", "Bundle", "State"]}
              empty="Nothing was published yet."
              rows={items.map((row) => ({
                key: row.id,
                cells: [
                  <PageLink key="w" to="/policies/publications/$publication" params={{ publication: row.id }} size="sm">
                    <Age since={row.publishedAt} />
                  </PageLink>,
                  row.publishedBy,
                  <Text key="c" size="sm">
                    {row.comment === "" ? occasions[row.occasion] : row.comment}
                  </Text>,
                  changedText(row.changed),
                  row.approvals.length === 0 ? row.outcome : row.approvals.map((approval) => approval.person).join(", "),
                  <Digest key="d" value={row.digest} />,
                  row.active ? <Word key="a" value="active" /> : null,
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
