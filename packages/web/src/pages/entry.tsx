import { Alert, Button, Code, List, Stack, Text, Title } from "@mantine/core";
import { verifyEntryInclusion } from "@licet/evidence";
import type { RouteAnswer } from "@licet/contract";
import { useMutation } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { space, useRoute } from "../api.ts";
import { Loaded, Section } from "../parts/states.tsx";
import { Age, Field } from "../parts/words.tsx";
import { tones } from "../theme.ts";

type EntryAnswer = RouteAnswer<"showLogEntry">;

/** Runs here, in the browser, with the same code as the offline verifier. */
function Proof({ entry, trust }: { readonly entry: EntryAnswer; readonly trust: string }): ReactNode {
  const verify = useMutation({
    mutationFn: () => verifyEntryInclusion({ leaf: entry.leaf, index: entry.row.index, proof: entry.proof, checkpoint: entry.checkpoint, trust }),
  });
  return (
    <Section title="Inclusion" note="Verified in your browser: the leaf is hashed, the proof is folded to the root, and the checkpoint's signature is checked with the log's key.">
      <Button w="fit-content" onClick={() => verify.mutate()} loading={verify.isPending}>
        Verify in this browser
      </Button>
      {verify.data === undefined ? null : (
        <Alert color={verify.data.ok ? tones.good : tones.bad} title={verify.data.ok ? "Included" : "Not verified"} role="status">
          {verify.data.ok ? (
            <List size="sm">
              <List.Item>The checkpoint over {verify.data.value.checkpoint.size} entries carries the log key's signature.</List.Item>
              <List.Item>The leaf has the form that the log promises, and its hash leads to the checkpoint's root.</List.Item>
            </List>
          ) : (
            <Text size="sm">
              <Code>{verify.data.code}</Code> {verify.data.message}
            </Text>
          )}
        </Alert>
      )}
      <Text size="sm" c="dimmed">
        What this does not prove: the key came from this same server, so compare its fingerprint over another channel; no witness has signed the checkpoint, so the operator could show somebody else another log; and that no call went around the gateway, no log can prove.
      </Text>
    </Section>
  );
}

function Verified({ entry }: { readonly entry: EntryAnswer }): ReactNode {
  const log = useRoute("showLog", { params: { space } });
  return <Loaded query={log}>{(data) => <Proof entry={entry} trust={JSON.stringify(data.trust)} />}</Loaded>;
}

export function Entry(): ReactNode {
  const { entry } = useParams({ from: "/log/$entry" });
  const query = useRoute("showLogEntry", { params: { space, entry } });
  return (
    <Loaded query={query}>
      {(data) => (
        <Stack>
          <Title order={1} size="h2">
            Entry {data.row.index}
          </Title>
          <Section title="Entry">
            <Field name="Kind">{data.row.kind}</Field>
            <Field name="Id">
              <Code>{data.row.id}</Code>
            </Field>
            <Field name="System">{data.row.system ?? "none"}</Field>
            <Field name="By">{data.row.actor}</Field>
            <Field name="When">
              <Age since={data.row.at} />
            </Field>
            <Field name="In a log of">{data.size} entries</Field>
          </Section>
          <Verified entry={data} />
          <Section title="Leaf" note="What the log commits to: pseudonyms and digests only.">
            <Code block style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
              {data.leaf}
            </Code>
          </Section>
          <Section title="Payload" note="Encrypted at rest; opened for you because you may see it.">
            <Code block style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
              {data.body === null ? "not visible to you" : JSON.stringify(data.body, null, 2)}
            </Code>
          </Section>
        </Stack>
      )}
    </Loaded>
  );
}
