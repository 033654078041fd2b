import { Alert, Button, Code, Group, Stack, Text } from "@mantine/core";
import type { PolicyStanding } from "@licet/contract";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { space, useRoute } from "../api.ts";
import { EntryLink } from "../parts/entry-link.tsx";
import { PageLink } from "../parts/links.tsx";
import { Age, Moment } from "../parts/moments.tsx";
import { Loaded, PageTitle, Section } from "../parts/states.tsx";
import { Rows } from "../parts/tables.tsx";
import { Digest, Field, Prose, Word } from "../parts/words.tsx";
import { tones } from "../theme.ts";
import { Mismatches } from "./policies/mismatches.tsx";
import { Backtests } from "./policies/backtests.tsx";
import { Publications } from "./policies/publications.tsx";

function Problem({ standing }: { readonly standing: PolicyStanding }): ReactNode {
  const { problem } = standing;
  if (problem === null) return null;
  return (
    <Alert color={tones.bad} role="alert" title="This space still decides by an older composition">
      <Text size="sm">
        <Prose>{problem.message}</Prose>
      </Text>
      <Text size="sm">
        <Prose>{problem.fix}</Prose>
      </Text>
      <Text size="xs" mt={4}>
        Code <Code>{problem.code}</Code>, since <Moment at={problem.since} />
      </Text>
    </Alert>
  );
}

function Waiting({ requests }: { readonly requests: readonly string[] }): ReactNode {
  if (requests.length === 0) return null;
  return (
    <Alert color={tones.wait} role="status" title="A publication waits for another person">
      {requests.map((request) => (
        <PageLink key={request} to="/requests/$request" params={{ request }} size="sm" display="block">
          see what it changes, and answer
        </PageLink>
      ))}
    </Alert>
  );
}

function InForce({ standing }: { readonly standing: PolicyStanding }): ReactNode {
  const own = standing.packs.some((pack) => pack.origin === "space");
  return (
    <Section title="In force" note="Every gate and every call in this space is decided by exactly this bundle; its digest stands in each decision.">
      <Field name="Bundle">
        <Digest value={standing.digest} />
      </Field>
      <Field name="Published">
        by {standing.publishedBy}, <Age since={standing.publishedAt} /> (<EntryLink id={standing.entry} />)
      </Field>
      {own ? null : (
        <Text size="sm" c="dimmed">
          This space has no packs of its own yet. In your repository: <Code>licet policy new NAME</Code>, then <Code>licet policy check</Code>, <Code>licet policy test</Code> and <Code>licet policy publish</Code>.
        </Text>
      )}
      <Group>
        <Button component={Link} to="/policies/playground" size="xs" variant="default">
          Try a decision
        </Button>
      </Group>
    </Section>
  );
}

const origins = { installation: "comes with Licet", main: "the organisation's baseline", space: "this space" } as const;

function Packs({ standing }: { readonly standing: PolicyStanding }): ReactNode {
  return (
    <Section title="Packs" note="Covered: a test scenario's decision is determined by the policy.">
      <Rows
        label="policy packs"
        head={["Pack", "Kind", "From", "Policies", "Covered", "Scenarios", "Modes"]}
        empty="No pack is in force: everything is denied."
        rows={standing.packs.map((pack) => ({
          key: pack.name,
          cells: [
            <div key="n">
              <PageLink to="/policies/packs/$pack" params={{ pack: pack.name }} size="sm" fw={600}>
                {pack.title}
              </PageLink>
              <Text size="xs" c="dimmed">
                {pack.name}
                {pack.systems.length === 0 ? "" : `, for ${pack.systems.join(", ")}`}
              </Text>
            </div>,
            <Word key="k" value={pack.kind} />,
            origins[pack.origin],
            String(pack.policies),
            `${pack.covered} of ${pack.policies}`,
            String(pack.scenarios),
            modesText(pack.modes),
          ],
        }))}
      />
    </Section>
  );
}

function modesText({ enforce, warn, shadow }: PolicyStanding["packs"][number]["modes"]): string {
  return [`${enforce} enforce`, ...(warn === 0 ? [] : [`${warn} warn`]), ...(shadow === 0 ? [] : [`${shadow} shadow`])].join(", ");
}

export function Policies(): ReactNode {
  const standing = useRoute("showPolicies", { params: { space } });
  return (
    <Stack>
      <PageTitle>Policies</PageTitle>
      <Loaded query={standing}>
        {(data) => (
          <>
            <Problem standing={data} />
            <Waiting requests={data.openRequests} />
            <InForce standing={data} />
            <Packs standing={data} />
          </>
        )}
      </Loaded>
      <Publications />
      <Mismatches />
      <Backtests active={standing.data?.digest} />
    </Stack>
  );
}
