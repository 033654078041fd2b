import { Alert, Button, Code, Group, Stack, Title } from "@mantine/core";
import { useState, type ReactNode } from "react";
import { PageLink } from "../parts/links.tsx";
import { space, useRoute } from "../api.ts";
import { Loaded, Section } from "../parts/states.tsx";
import { Rows } from "../parts/tables.tsx";
import { Age, Digest, Field } from "../parts/words.tsx";
import { tones } from "../theme.ts";

function Head(): ReactNode {
  const log = useRoute("showLog", { params: { space } });
  return (
    <Loaded query={log}>
      {(data) => (
        <Section title="Checkpoint" note="Save it, or its fingerprint, somewhere else: whoever holds an earlier checkpoint can prove that history was not rewritten.">
          <Field name="Origin">{data.origin}</Field>
          <Field name="Entries">{data.size}</Field>
          <Field name="Log key">
            <Code>{data.vkey}</Code>
          </Field>
          <Field name="Trust fingerprint">
            <Digest value={data.trustFingerprint} /> compare it over another channel before you trust an export
          </Field>
          <Code block aria-label="checkpoint">
            {data.checkpoint}
          </Code>
          {data.witnesses.configured === 0 ? (
            <Alert color={tones.wait} title="Not witnessed">
              {data.witnesses.note}
            </Alert>
          ) : null}
        </Section>
      )}
    </Loaded>
  );
}

function Entries(): ReactNode {
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const cursor = cursors.at(-1);
  const entries = useRoute("listLog", { params: { space }, query: { limit: 50, ...(cursor === undefined ? {} : { cursor }) } });
  return (
    <Section title="Entries">
      <Loaded query={entries}>
        {({ items, next }) => (
          <>
            <Rows
              label="entries"
              head={["Index", "Kind", "System", "By", "When"]}
              empty="The log is empty."
              rows={items.map((row) => ({
                key: row.id,
                cells: [
                  <PageLink key="i" to="/log/$entry" params={{ entry: row.id }}>
                    {row.index}
                  </PageLink>,
                  row.kind,
                  row.system ?? "",
                  row.actor,
                  <Age key="t" since={row.at} />,
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

export function Log(): ReactNode {
  return (
    <Stack>
      <Title order={1} size="h2">
        Evidence log
      </Title>
      <Head />
      <Entries />
    </Stack>
  );
}
