import { Group, Stack, Title } from "@mantine/core";
import type { RequestView } from "@licet/contract";
import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { PageLink } from "../parts/links.tsx";
import { space, useRoute } from "../api.ts";
import { Answer } from "../parts/answer.tsx";
import { Requirements } from "../parts/requirements.tsx";
import { Loaded, Section } from "../parts/states.tsx";
import { Rows } from "../parts/tables.tsx";
import { Age, Digest, Field, Word } from "../parts/words.tsx";

function Approvals({ request }: { readonly request: RequestView }): ReactNode {
  return (
    <Section title="Answers so far">
      <Rows
        label="answers"
        head={["Answer", "Person", "Role", "Signed", "Comment", "Counts", "When"]}
        empty="Nobody has answered yet."
        rows={request.approvals.map((row) => ({
          key: row.id,
          cells: [<Word key="a" value={row.answer} />, row.person, row.role, row.method, row.comment, row.counts ? "yes" : `no: ${row.why}`, <Age key="t" since={row.at} />],
        }))}
      />
    </Section>
  );
}

function About({ request }: { readonly request: RequestView }): ReactNode {
  return (
    <Section title="Request">
      <Field name="State">
        <Word value={request.status} />
      </Field>
      <Field name="Asked by">
        {request.requestedBy} <Age since={request.requestedAt} />
      </Field>
      {request.system === null ? null : (
        <Field name="System">
          <PageLink to="/systems/$system" params={{ system: request.system }} size="sm">
            {request.system}
          </PageLink>
        </Field>
      )}
      {request.release === null ? null : (
        <Field name="Release">
          <Digest value={request.release} />
        </Field>
      )}
      {Object.entries(request.detail).map(([key, value]) => (
        <Field key={key} name={key}>
          {typeof value === "string" ? value : JSON.stringify(value)}
        </Field>
      ))}
    </Section>
  );
}

export function RequestPage(): ReactNode {
  const { request } = useParams({ from: "/requests/$request" });
  const query = useRoute("showRequest", { params: { space, request } });
  return (
    <Loaded query={query}>
      {(data) => (
        <Stack>
          <Group>
            <Title order={1} size="h2">
              {data.title}
            </Title>
          </Group>
          <About request={data} />
          {data.status === "open" ? <Answer request={data} /> : null}
          {data.gate === null ? null : (
            <Section title="Requirements">
              <Requirements gate={data.gate} />
            </Section>
          )}
          <Approvals request={data} />
        </Stack>
      )}
    </Loaded>
  );
}
