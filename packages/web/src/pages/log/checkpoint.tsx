import { Alert, Button, Code, CopyButton, Text } from "@mantine/core";
import type { RouteAnswer } from "@licet/contract";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Moment } from "../../parts/moments.tsx";
import { follow, type Continuity } from "../../parts/kept-checkpoint.ts";
import { Section } from "../../parts/states.tsx";
import { Digest, Field, Prose } from "../../parts/words.tsx";
import { tones } from "../../theme.ts";

export type LogAnswer = RouteAnswer<"showLog">;

function Outcome({ found }: { readonly found: Continuity }): ReactNode {
  if (found.kind === "first") return <Text size="sm">Verified over {found.size} entries. This browser sees the log for the first time; from now on it checks that the log only grows.</Text>;
  if (found.kind === "continues") {
    return (
      <Text size="sm" component="div">
        Verified: {found.size} entries, and they begin with the {found.from} that this browser saw before. It follows this log since <Moment at={found.since} />.
      </Text>
    );
  }
  return (
    <Alert color={tones.bad} title="The log's past was changed, or you are shown another log" role="alert">
      <Text size="sm">
        <Prose>{found.message}</Prose>. Code <Code>{found.code}</Code>. Keep this page's text and tell somebody outside this installation.
      </Text>
      {found.kept === null ? null : (
        <Code block className="exact" aria-label="checkpoint seen before">
          {found.kept}
        </Code>
      )}
    </Alert>
  );
}

function Continued({ log }: { readonly log: LogAnswer }): ReactNode {
  const trust = JSON.stringify(log.trust);
  const result = useQuery({ queryKey: ["followed here", log.checkpoint, trust], queryFn: () => follow(log.checkpoint, trust, Date.now()), retry: 1, staleTime: Number.POSITIVE_INFINITY, placeholderData: (before) => before });
  if (result.isError) return <Outcome found={{ kind: "broken", code: "not_verifiable", message: result.error.message, kept: null }} />;
  return result.data === undefined ? <Text size="sm">verifying</Text> : <Outcome found={result.data} />;
}

const lineCharsMax = 160;

/** A post-quantum signature fills the page; whoever wants it copies it. */
function shortened(note: string): string {
  return note
    .split("\n")
    .map((line) => (line.length <= lineCharsMax ? line : `${line.slice(0, lineCharsMax)}… (${line.length} characters)`))
    .join("\n");
}

export function CheckpointOf({ log }: { readonly log: LogAnswer }): ReactNode {
  return (
    <Section title="Checkpoint" note="Save it, or its fingerprint, somewhere else: whoever holds an earlier checkpoint can prove that history was not rewritten.">
      <Continued log={log} />
      <Field name="Origin">{log.origin}</Field>
      <Field name="Entries">{log.size}</Field>
      <Field name="Trust fingerprint">
        <Digest value={log.trustFingerprint} /> compare it over another channel before you trust an export
      </Field>
      <Field name="Log key">
        <Digest value={log.vkey} />
      </Field>
      <Code block className="exact" aria-label="checkpoint">
        {shortened(log.checkpoint)}
      </Code>
      <CopyButton value={log.checkpoint}>
        {({ copied, copy }) => (
          <Button w="fit-content" size="xs" variant="default" onClick={copy}>
            {copied ? "Copied" : "Copy the whole checkpoint"}
          </Button>
        )}
      </CopyButton>
    </Section>
  );
}
