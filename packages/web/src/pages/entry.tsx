import { Code, Stack } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { space, useRoute } from "../api.ts";
import { Verified, type EntryAnswer } from "../parts/inclusion.tsx";
import { PageLink } from "../parts/links.tsx";
import { Moment } from "../parts/moments.tsx";
import { Loaded, PageTitle, Section } from "../parts/states.tsx";
import { Digest, Field } from "../parts/words.tsx";

function About({ data }: { readonly data: EntryAnswer }): ReactNode {
  const { row } = data;
  return (
    <Section title="Entry">
      <Field name="Kind">{row.kind}</Field>
      <Field name="Id">
        <Digest value={row.id} />
      </Field>
      <Field name="System">
        {row.system === null ? (
          "none"
        ) : (
          <PageLink to="/systems/$system" params={{ system: row.system }} size="sm">
            {row.system}
          </PageLink>
        )}
      </Field>
      {row.id.startsWith("dec_") ? (
        <Field name="Decision">
          <PageLink to="/decisions/$decision" params={{ decision: row.id }} size="sm">
            who, what and by which policy
          </PageLink>
        </Field>
      ) : null}
      <Field name="By">{row.actor}</Field>
      <Field name="When">
        <Moment at={row.at} />
      </Field>
      <Field name="In a log of">{data.size} entries</Field>
      {data.shard.index === row.index ? null : (
        <Field name="Shard">
          {data.shard.name}, entry {data.shard.index} of its own tree: the log was restored from a backup before it
        </Field>
      )}
    </Section>
  );
}

const payloadNotes = {
  open: "Encrypted at rest; opened for you because you may see it.",
  erased: "Its key was destroyed, by request or when its time was over: nobody can open it again. The leaf still proves that the entry was made, and when.",
  withheld: "Prompts and answers are opened for security engineers and auditors only.",
} as const;

function Payload({ data }: { readonly data: EntryAnswer }): ReactNode {
  return (
    <Section title={data.payload === "open" ? "Payload" : `Payload: ${data.payload}`} note={payloadNotes[data.payload]}>
      {data.payload === "open" ? (
        <Code block className="exact">
          {JSON.stringify(data.body, null, 2)}
        </Code>
      ) : null}
    </Section>
  );
}

export function Entry(): ReactNode {
  const { entry } = useParams({ from: "/log/$entry" });
  const query = useRoute("showLogEntry", { params: { space, entry } }, { once: true });
  return (
    <Loaded query={query} title="Entry">
      {(data) => (
        <Stack key={entry}>
          <PageTitle>{`Entry ${data.row.index}`}</PageTitle>
          <About data={data} />
          <Verified entry={data} again={() => void query.refetch()} />
          <Section title="Leaf" note="What the log commits to: pseudonyms and digests only.">
            <Code block className="exact">
              {data.leaf}
            </Code>
          </Section>
          <Payload data={data} />
        </Stack>
      )}
    </Loaded>
  );
}
