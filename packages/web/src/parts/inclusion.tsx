import { Alert, Button, Code, List, Loader, Text } from "@mantine/core";
import { verifyEntryInclusion } from "@licet/evidence";
import type { RouteAnswer } from "@licet/contract";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { space, useRoute } from "../api.ts";
import { tones } from "../theme.ts";
import { Loaded, Section } from "./states.tsx";
import { Prose } from "./words.tsx";

export type EntryAnswer = RouteAnswer<"showLogEntry">;

type Verdict = { readonly ok: true; readonly size: number } | { readonly ok: false; readonly code: string; readonly message: string };

/** Runs here, in the browser, with the code of the offline verifier; what stands above must be what the leaf says. */
async function verify(entry: EntryAnswer, trust: string): Promise<Verdict> {
  const { leaf, proof, checkpoint, row, shard } = entry;
  const verified = await verifyEntryInclusion({ leaf, index: shard.index, proof, checkpoint, trust });
  if (!verified.ok) return { ok: false, code: verified.code, message: verified.message };
  const said = verified.value.leaf;
  if (said.kind !== row.kind || said.time !== row.at || said.space !== space) return { ok: false, code: "row_differs", message: "the leaf is in the log, but says another space, kind or time than the entry shown above" };
  return { ok: true, size: verified.value.checkpoint.size };
}

function Outcome({ verdict }: { readonly verdict: Verdict }): ReactNode {
  if (!verdict.ok) {
    return (
      <Alert color={tones.bad} title="Not verified: do not rely on this entry" role="alert">
        <Text size="sm">
          <Prose>{verdict.message}</Prose>. Code <Code>{verdict.code}</Code>. Keep this answer, and have somebody run the offline verifier on an export.
        </Text>
      </Alert>
    );
  }
  return (
    <Alert color={tones.good} title="Verified: this entry is in the log" role="status">
      <List size="sm">
        <List.Item>The checkpoint over {verdict.size} entries carries the log key's signature.</List.Item>
        <List.Item>The leaf has the form that the log promises, and its hash leads to the checkpoint's root.</List.Item>
        <List.Item>Its space, kind and time are those shown above.</List.Item>
      </List>
    </Alert>
  );
}

function Proof({ entry, trust }: { readonly entry: EntryAnswer; readonly trust: string }): ReactNode {
  const result = useQuery({ queryKey: ["verified here", entry.leaf, entry.checkpoint, entry.proof, entry.row, trust], queryFn: () => verify(entry, trust), retry: false, staleTime: Number.POSITIVE_INFINITY });
  return (
    <Section title="Inclusion" note="Verified in your browser, not by the server: the leaf is hashed, the proof is folded to the root, and the checkpoint's signature is checked with the log's key.">
      {result.data === undefined ? null : <Outcome verdict={result.data} />}
      {result.isError ? <Outcome verdict={{ ok: false, code: "not_verifiable", message: result.error.message }} /> : null}
      {result.isPending ? <Loader size="sm" aria-label="verifying" role="status" /> : null}
      <div>
        <Text size="sm" fw={600}>
          What this does not prove
        </Text>
        <List size="sm">
          <List.Item>That the key is the right one: it came from this same server, so compare its fingerprint over another channel.</List.Item>
          <List.Item>That everybody is shown the same log: no witness has signed the checkpoint, so the operator could show somebody else another one.</List.Item>
          <List.Item>That the opened payload below is what was committed, or that the statement in it is true: an export and the offline verifier check the signatures.</List.Item>
          <List.Item>That no call went around the gateway: no log can.</List.Item>
        </List>
      </div>
    </Section>
  );
}

/** Whether an entry is in the log, found out in this browser. */
export function Verified({ entry, again }: { readonly entry: EntryAnswer; readonly again: () => void }): ReactNode {
  const log = useRoute("showLog", { params: { space } }, { once: true });
  return (
    <Loaded query={log}>
      {(data) => (
        <>
          <Proof entry={entry} trust={JSON.stringify(data.trust)} />
          <Button w="fit-content" size="xs" variant="default" onClick={again}>
            Fetch the proof anew and verify
          </Button>
        </>
      )}
    </Loaded>
  );
}
