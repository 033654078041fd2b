import { Code, List, Text } from "@mantine/core";
import type { SystemDetail } from "@licet/contract";
import type { ReactNode } from "react";
import { PageLink } from "../../parts/links.tsx";
import { EntryLink } from "../../parts/entry-link.tsx";
import { Age } from "../../parts/moments.tsx";
import { Section } from "../../parts/states.tsx";
import { Rows } from "../../parts/tables.tsx";
import { Digest, Word } from "../../parts/words.tsx";
import { labelOf } from "../../theme.ts";

interface Shown {
  readonly detail: SystemDetail;
}

export function Approvals({ detail }: Shown): ReactNode {
  return (
    <Section id="approvals" title="Approvals" note="Counted once each, for the facts and policies that the person saw.">
      <Rows
        label="approvals"
        head={["Answer", "Person", "Role", "Signed by", "Comment", "When", "Request"]}
        empty="No answer has been given. A minimal-tier pilot needs none."
        rows={detail.approvals.map((row) => ({
          key: row.id,
          cells: [
            <Word key="a" value={row.answer} />,
            row.person,
            labelOf(row.role),
            row.method === "passkey" ? "own passkey" : row.method,
            row.comment,
            <Age key="t" since={row.at} />,
            <PageLink key="r" to="/requests/$request" params={{ request: row.request }} size="sm">
              request
            </PageLink>,
          ],
        }))}
      />
    </Section>
  );
}

export function Authorizations({ detail }: Shown): ReactNode {
  return (
    <Section id="authorizations" title="Authorizations to operate" note="Signed and time-bound; the gateway checks them on every call.">
      <Rows
        label="authorizations to operate"
        head={["State", "Stage", "Environment", "Release", "Granted", "Ends", "Record"]}
        empty={
          <>
            None, so every call is refused. Ask for one under Requirements, or with <Code>licet promote</Code>.
          </>
        }
        rows={detail.atos.map((row) => ({
          key: row.id,
          cells: [
            <div key="s">
              <Word value={row.state} />
              {row.stateReason === null ? null : <Text size="xs">{row.stateReason}</Text>}
            </div>,
            row.stage,
            row.environment,
            <Digest key="d" value={row.release} />,
            <Age key="g" since={row.grantedAt} />,
            <Age key="e" since={row.notAfter} />,
            <EntryLink key="l" id={row.entry} />,
          ],
        }))}
      />
    </Section>
  );
}

type Deployment = SystemDetail["deployments"][number];

function Credentials({ items }: { readonly items: Deployment["credentials"] }): ReactNode {
  return items.map((credential) => (
    <div key={credential.id}>
      <Code>{credential.hint}</Code>{" "}
      {credential.revokedAt === null ? (
        <Text size="xs" c="dimmed" span>
          ends <Age since={credential.expiresAt} />
        </Text>
      ) : (
        <Word value="revoked" />
      )}
    </div>
  ));
}

export function Deployments({ detail }: Shown): ReactNode {
  const attested = [...new Set(detail.deployments.flatMap((row) => row.attested))];
  return (
    <Section id="deployments" title="Deployments" note="Which release runs where, by whose record.">
      <Rows
        label="deployments"
        head={["Environment", "Stage", "Release", "State", "Recorded by", "When", "Credentials"]}
        empty={
          <>
            None. A platform engineer records one with <Code>licet deploy record</Code> and gets its credential.
          </>
        }
        rows={detail.deployments.map((row) => ({
          key: row.id,
          cells: [
            row.environment,
            row.stage,
            <span key="r">
              {row.releaseNumber} <Digest value={row.release} />
            </span>,
            <Word key="s" value={row.active ? "active" : "replaced"} />,
            row.recordedBy,
            <Age key="w" since={row.recordedAt} />,
            <Credentials key="c" items={row.credentials} />,
          ],
        }))}
      />
      {attested.length === 0 ? null : (
        <div>
          <Text size="sm">Attested by whoever recorded the deployment; Licet cannot observe it:</Text>
          <List size="sm">
            {attested.map((item) => (
              <List.Item key={item}>{item}</List.Item>
            ))}
          </List>
        </div>
      )}
    </Section>
  );
}
