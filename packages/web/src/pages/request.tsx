import { Alert, Group, Stack, Text } from "@mantine/core";
import type { RequestView } from "@licet/contract";
import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { space, useRoute } from "../api.ts";
import { Answer } from "../parts/answer.tsx";
import { EntryLink } from "../parts/entry-link.tsx";
import { PageLink } from "../parts/links.tsx";
import { Age, Moment } from "../parts/moments.tsx";
import { Requirements } from "../parts/requirements.tsx";
import { Loaded, PageTitle, Section } from "../parts/states.tsx";
import { Rows } from "../parts/tables.tsx";
import { Digest, Field, Word } from "../parts/words.tsx";
import { labelOf, tones } from "../theme.ts";
import { useWho } from "../who.ts";
import { Changes } from "./policies/changes.tsx";

function Approvals({ request }: { readonly request: RequestView }): ReactNode {
  return (
    <Section title="Answers so far">
      <Rows
        label="answers"
        head={["Answer", "Person", "Role", "Signed by", "Comment", "Counts", "When"]}
        empty="Nobody has answered yet."
        rows={request.approvals.map((row) => ({
          key: row.id,
          cells: [
            <Word key="a" value={row.answer} />,
            row.person,
            labelOf(row.role),
            row.method === "passkey" ? "own passkey" : row.method,
            row.comment,
            row.counts ? "yes" : `no: ${row.why}`,
            <Age key="t" since={row.at} />,
          ],
        }))}
      />
    </Section>
  );
}

/** Of policies the packs, which their changes tell better than their text. */
const shownElsewhere: ReadonlySet<string> = new Set(["outcome", "packs", "changes", "remove"]);

function About({ request }: { readonly request: RequestView }): ReactNode {
  const details = Object.entries(request.detail).filter(([key]) => !shownElsewhere.has(key));
  return (
    <Section title="What is asked">
      <Field name="Asked by">
        {request.requestedBy}, <Moment at={request.requestedAt} />
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
      {request.stage === null ? null : (
        <Field name="To">
          {request.stage} in {request.environment}
        </Field>
      )}
      {details.map(([key, value]) => (
        <Field key={key} name={labelOf(key)}>
          {typeof value === "string" ? labelOf(value) : JSON.stringify(value)}
        </Field>
      ))}
      <Field name="Record">
        <EntryLink id={request.entry} />
      </Field>
    </Section>
  );
}

/** What approving would change now, worked out by the server from the packs themselves. */
function PolicyChanges({ request }: { readonly request: string }): ReactNode {
  const check = useRoute("checkRequestedPolicies", { params: { space, request } });
  return (
    <Section title="What it would change" note="Against the policies that are active now. A backtest of it: licet policy backtest.">
      <Loaded query={check}>
        {({ ok, changes, changesLeft, findings }) => (
          <>
            {ok ? null : (
              <Alert color={tones.bad} title="It cannot be published as it stands">
                An approval would not carry it out.
              </Alert>
            )}
            <Changes changes={changes} left={changesLeft} empty="Nothing." />
            <Rows
              label="findings"
              head={["Severity", "Policy", "Finding", "What to do"]}
              empty="The checks found nothing."
              rows={findings.map((finding, at) => ({ key: `${at} ${finding.code}`, cells: [<Word key="s" value={finding.severity} />, finding.policy ?? finding.pack ?? "", finding.message, finding.fix] }))}
            />
          </>
        )}
      </Loaded>
    </Section>
  );
}

const endings: Readonly<Record<Exclude<RequestView["status"], "open">, string>> = {
  granted: "Granted",
  refused: "Refused",
  returned: "Returned for changes: answer the comment, then ask again",
};

function Ending({ request }: { readonly request: RequestView }): ReactNode {
  if (request.status === "open") return null;
  return (
    <Alert color={request.status === "granted" ? tones.good : tones.bad} title={endings[request.status]} role="status">
      {request.closedAt === null ? null : <Moment at={request.closedAt} />}
      {request.ato === null || request.system === null ? null : (
        <Text size="sm">
          Authorization to operate <Digest value={request.ato} />: see <PageLink to="/systems/$system" params={{ system: request.system }} hash="authorizations">the system</PageLink>.
        </Text>
      )}
    </Alert>
  );
}

export function RequestPage(): ReactNode {
  const { request } = useParams({ from: "/requests/$request" });
  const query = useRoute("showRequest", { params: { space, request } });
  const { email } = useWho();
  return (
    <Loaded query={query} title="Request">
      {(data) => (
        <Stack key={request}>
          <Group gap="sm">
            <PageTitle>{data.title}</PageTitle>
            <Word value={data.status} />
          </Group>
          <Ending request={data} />
          <About request={data} />
          {data.gate === null ? null : (
            <Section title="Requirements">
              <Requirements gate={data.gate} me={email} />
            </Section>
          )}
          {data.move === "publish-policy" && data.status === "open" ? <PolicyChanges request={request} /> : null}
          <Approvals request={data} />
          {data.status === "open" ? <Answer request={data} /> : null}
        </Stack>
      )}
    </Loaded>
  );
}
