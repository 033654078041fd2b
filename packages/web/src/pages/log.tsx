import { Alert, Button, Code, Group, Stack, Text } from "@mantine/core";
import { useState, type ReactNode } from "react";
import { space, useRoute } from "../api.ts";
import { EntryLink } from "../parts/entry-link.tsx";
import { PageLink } from "../parts/links.tsx";
import { Age } from "../parts/moments.tsx";
import { Loaded, PageTitle, Section } from "../parts/states.tsx";
import { Rows, usePaging } from "../parts/tables.tsx";
import { Digest, Field } from "../parts/words.tsx";
import { tones } from "../theme.ts";

function Head(): ReactNode {
  const log = useRoute("showLog", { params: { space } });
  return (
    <Loaded query={log}>
      {(data) => (
        <Section title="Checkpoint" note="Save it, or its fingerprint, somewhere else: whoever holds an earlier checkpoint can prove that history was not rewritten.">
          <Field name="Origin">{data.origin}</Field>
          <Field name="Entries">{data.size}</Field>
          <Field name="Trust fingerprint">
            <Digest value={data.trustFingerprint} /> compare it over another channel before you trust an export
          </Field>
          <Field name="Log key">
            <Digest value={data.vkey} />
          </Field>
          <Code block className="exact" aria-label="checkpoint">
            {data.checkpoint}
          </Code>
          {data.witnesses.configured === 0 ? (
            <Alert color={tones.wait} title="Not witnessed">
              {data.witnesses.note}
            </Alert>
          ) : (
            <Field name="Witnesses">{data.witnesses.configured}</Field>
          )}
        </Section>
      )}
    </Loaded>
  );
}

/** The kinds that people look for; everything else is under all. */
const kinds = [
  ["", "all"],
  ["release.pushed", "releases"],
  ["check.recorded", "checks"],
  ["approval.given", "approvals"],
  ["ato.granted", "authorizations"],
  ["deployment.recorded", "deployments"],
  ["hold.placed", "holds"],
  ["role.granted", "roles"],
  ["person.signed-in", "sign-ins"],
] as const;

function List({ kind }: { readonly kind: string }): ReactNode {
  const paging = usePaging();
  const entries = useRoute("listLog", { params: { space }, query: { limit: 25, ...(kind === "" ? {} : { kind }), ...paging.query } }, { keep: true });
  return (
    <Loaded query={entries}>
      {({ items, next }) => (
        <>
          <Rows
            label="entries"
            head={["Entry", "Kind", "System", "By", "When"]}
            empty="No such entry yet."
            rows={items.map((row) => ({
              key: row.id,
              cells: [
                <EntryLink key="i" id={row.id} index={row.index} />,
                row.kind,
                row.system === null ? null : (
                  <PageLink key="s" to="/systems/$system" params={{ system: row.system }} size="sm">
                    {row.system}
                  </PageLink>
                ),
                row.actor,
                <Age key="t" since={row.at} />,
              ],
            }))}
          />
          {paging.bar(next)}
        </>
      )}
    </Loaded>
  );
}

function Entries(): ReactNode {
  const [kind, setKind] = useState("");
  return (
    <Section title="Entries" note="What people and the server did. Decisions on calls stand in the same log and are reached from their system.">
      <Group gap="xs" role="group" aria-label="kind of entry">
        {kinds.map(([value, label]) => (
          <Button key={value} size="xs" radius="xl" aria-pressed={kind === value} variant={kind === value ? "filled" : "default"} color={tones.info} onClick={() => setKind(value)}>
            {label}
          </Button>
        ))}
      </Group>
      <List key={kind} kind={kind} />
    </Section>
  );
}

export function Log(): ReactNode {
  return (
    <Stack>
      <PageTitle>Evidence log</PageTitle>
      <Text size="sm" c="dimmed">
        Append-only: each entry is hashed into a tree whose root the log's key signs. Open an entry to verify it in your browser.
      </Text>
      <Head />
      <Entries />
    </Stack>
  );
}
