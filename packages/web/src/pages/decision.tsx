import { Code, Group, Loader, Stack, Text } from "@mantine/core";
import { ApiError } from "@licet/client";
import type { RouteAnswer } from "@licet/contract";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useEffect, type ReactNode } from "react";
import { client, space, useRoute } from "../api.ts";
import { Verified } from "../parts/inclusion.tsx";
import { Failure, Loaded, PageTitle, Section } from "../parts/states.tsx";
import { Digest, Word } from "../parts/words.tsx";
import { useWho } from "../who.ts";
import { Call, Content, Outcome, Scanned } from "./decision/call.tsx";
import { loose } from "./decision/loose.ts";
import { Why } from "./decision/why.tsx";

/** The decision's own entry, its leaf and proof, checked here. */
function Proof({ decision }: { readonly decision: string }): ReactNode {
  const entry = useRoute("showLogEntry", { params: { space, entry: decision } }, { once: true });
  return <Loaded query={entry}>{(data) => <Verified entry={data} again={() => void entry.refetch()} />}</Loaded>;
}

function Whole({ data }: { readonly data: RouteAnswer<"showDecision"> }): ReactNode {
  const { may } = useWho();
  const { decision } = data;
  const detail = loose(data.detail);
  return (
    <Stack key={decision.id}>
      <Group gap="sm">
        <PageTitle>{`Decision ${decision.seq}`}</PageTitle>
        <Word value={decision.decision} />
        {decision.code === null ? null : <Code>{decision.code}</Code>}
      </Group>
      <Digest value={decision.id} />
      <Why decision={decision} detail={detail} />
      <Call decision={decision} detail={detail} />
      <Scanned decision={decision} detail={detail} />
      <Outcome decision={decision} detail={detail} />
      <Content decision={decision} detail={detail} />
      {may("log.read") ? <Proof decision={decision.id} /> : null}
      <Section title="Everything that was logged">
        <details>
          <summary>
            <Text size="sm" span>
              Show the record, with the facts that the policies saw
            </Text>
          </summary>
          <Code block className="exact">
            {JSON.stringify(detail, null, 2)}
          </Code>
        </details>
      </Section>
    </Stack>
  );
}

/** In which of the reader's other spaces the decision is; null for none. */
async function spaceOf(decision: string, others: readonly string[]): Promise<string | null> {
  for (const other of others) {
    const found = await client("showDecision", { params: { space: other, decision } }).then(
      () => true,
      () => false,
    );
    if (found) return other;
  }
  return null;
}

/** The link in a refusal names no space: its reader is taken to the one that has the decision. */
function Elsewhere({ decision, error }: { readonly decision: string; readonly error: unknown }): ReactNode {
  const { session } = useWho();
  const others = session?.spaces.map((member) => member.space).filter((name) => name !== space) ?? [];
  const search = useQuery({ queryKey: ["space of", decision, others], queryFn: () => spaceOf(decision, others), retry: false, staleTime: Number.POSITIVE_INFINITY });
  const found = search.data ?? null;
  useEffect(() => {
    if (found !== null) location.replace(`/decisions/${encodeURIComponent(decision)}?space=${encodeURIComponent(found)}`);
  }, [found, decision]);
  return (
    <Stack>
      <PageTitle>Decision</PageTitle>
      {search.isPending || found !== null ? <Loader aria-label="looking in your other spaces" role="status" /> : <Failure error={error} />}
    </Stack>
  );
}

export function Decision(): ReactNode {
  const { decision } = useParams({ from: "/decisions/$decision" });
  const query = useRoute("showDecision", { params: { space, decision } });
  if (query.data === undefined && query.error instanceof ApiError && query.error.code === "not_found") return <Elsewhere decision={decision} error={query.error} />;
  return <Loaded query={query} title="Decision">{(data) => <Whole data={data} />}</Loaded>;
}
