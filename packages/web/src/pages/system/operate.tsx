import { Text } from "@mantine/core";
import type { SystemDetail } from "@licet/contract";
import type { ReactNode } from "react";
import { PageLink } from "../../parts/links.tsx";
import { Rows } from "../../parts/tables.tsx";
import { Section } from "../../parts/states.tsx";
import { Age, Digest, Word } from "../../parts/words.tsx";

function EntryLink({ id }: { readonly id: string }): ReactNode {
  return (
    <PageLink to="/log/$entry" params={{ entry: id }} size="sm">
      entry
    </PageLink>
  );
}

export function Authorizations({ detail }: { readonly detail: SystemDetail }): ReactNode {
  return (
    <>
      <Section title="Approvals">
        <Rows
          label="approvals"
          head={["Answer", "Person", "Role", "Signed", "Comment", "When", "Request"]}
          empty="No approval has been given. Minimal-tier pilots need none."
          rows={detail.approvals.map((row) => ({
            key: row.id,
            cells: [
              <Word key="a" value={row.answer} />,
              row.person,
              row.role,
              row.method,
              <Text key="c" size="sm">{row.comment}</Text>,
              <Age key="t" since={row.at} />,
              <PageLink key="r" to="/requests/$request" params={{ request: row.request }} size="sm">
                request
              </PageLink>,
            ],
          }))}
        />
      </Section>
      <Section title="Authorizations to operate" note="Signed and time-bound; the gateway checks them on every call.">
        <Rows
          label="authorizations to operate"
          head={["State", "Stage", "Environment", "Release", "Ends", "Why", "Log"]}
          empty="None. Ask for one with licet promote."
          rows={detail.atos.map((row) => ({
            key: row.id,
            cells: [
              <Word key="s" value={row.state} />,
              row.stage,
              row.environment,
              <Digest key="d" value={row.release} />,
              <Age key="e" since={row.notAfter} />,
              row.stateReason ?? "",
              <EntryLink key="l" id={row.entry} />,
            ],
          }))}
        />
      </Section>
    </>
  );
}

export function Deployments({ detail }: { readonly detail: SystemDetail }): ReactNode {
  return (
    <Section title="Deployments" note="What Licet sees is compared on every call; application code and retrieval indexes are attested by whoever recorded the deployment, not observed.">
      <Rows
        label="deployments"
        head={["Environment", "Stage", "Release", "State", "Recorded", "Credentials"]}
        empty="None. Record one with licet deploy record."
        rows={detail.deployments.map((row) => ({
          key: row.id,
          cells: [
            row.environment,
            row.stage,
            <span key="r">
              {row.releaseNumber} <Digest value={row.release} />
            </span>,
            <Word key="s" value={row.active ? "active" : "replaced"} />,
            <span key="w">
              {row.recordedBy} <Age since={row.recordedAt} />
            </span>,
            row.credentials.map((credential) => `${credential.hint}${credential.revokedAt === null ? "" : " (revoked)"}`).join(", "),
          ],
        }))}
      />
    </Section>
  );
}
