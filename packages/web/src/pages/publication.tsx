import { Group, Stack } from "@mantine/core";
import type { PublicationDetail } from "@licet/contract";
import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { space, useRoute } from "../api.ts";
import { EntryLink } from "../parts/entry-link.tsx";
import { PageLink } from "../parts/links.tsx";
import { Age, Moment } from "../parts/moments.tsx";
import { Loaded, PageTitle, Section } from "../parts/states.tsx";
import { Rows } from "../parts/tables.tsx";
import { Digest, Field, Word } from "../parts/words.tsx";
import { labelOf } from "../theme.ts";
import { Changes } from "./policies/changes.tsx";
import { occasionText } from "./policies/publications.tsx";

function About({ publication }: PublicationDetail): ReactNode {
  return (
    <Section title="What was published">
      <Field name="Bundle">
        <Digest value={publication.digest} />
      </Field>
      {publication.previous === null ? null : (
        <Field name="Before it">
          <Digest value={publication.previous} />
        </Field>
      )}
      <Field name="By">
        {publication.publishedBy}, <Moment at={publication.publishedAt} />
      </Field>
      <Field name="Why">{publication.comment === "" ? occasionText(publication.occasion) : publication.comment}</Field>
      {publication.outcome === "" ? null : <Field name="Outcome">{publication.outcome}</Field>}
      {publication.request === null ? null : (
        <Field name="Request">
          <PageLink to="/requests/$request" params={{ request: publication.request }} size="sm">
            the request with its answers
          </PageLink>
        </Field>
      )}
      <Field name="Record">
        <EntryLink id={publication.entry} />
      </Field>
    </Section>
  );
}

function Whole({ detail }: { readonly detail: PublicationDetail }): ReactNode {
  const { publication, changes, changesLeft } = detail;
  return (
    <Stack key={publication.id}>
      <Group gap="sm">
        <PageTitle>Publication</PageTitle>
        {publication.active ? <Word value="active" /> : null}
      </Group>
      <About {...detail} />
      <Section title="Approvals">
        <Rows
          label="approvals"
          head={["Person", "Role", "Signed by", "When"]}
          empty={publication.request === null ? "The server published it: the packs belong to the installation or to the organisation's baseline." : "None: the asker acted as sole operator, and the record says so."}
          rows={publication.approvals.map((row) => ({ key: row.id, cells: [row.person, labelOf(row.role), row.method === "passkey" ? "own passkey" : row.method, <Age key="t" since={row.at} />] }))}
        />
      </Section>
      <Section title="Changes against the one before">
        <Changes changes={changes} left={changesLeft} empty="No policy changed." />
      </Section>
    </Stack>
  );
}

export function Publication(): ReactNode {
  const { publication } = useParams({ from: "/policies/publications/$publication" });
  const query = useRoute("showPublication", { params: { space, publication } });
  return <Loaded query={query} title="Publication">{(detail) => <Whole detail={detail} />}</Loaded>;
}
