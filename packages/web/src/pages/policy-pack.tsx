import { Badge, Code, Group, Stack, Text } from "@mantine/core";
import type { PackDetail, PolicyView } from "@licet/contract";
import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { space, useRoute } from "../api.ts";
import { Loaded, PageTitle, Section } from "../parts/states.tsx";
import { Field, Prose, Word } from "../parts/words.tsx";
import { labelOf } from "../theme.ts";

const shown = ["requirement", "remedy", "turn", "control", "severity", "obligation"] as const;

function OnePolicy({ policy }: { readonly policy: PolicyView }): ReactNode {
  return (
    <div>
      <Group gap="xs">
        <Text size="sm" fw={600} id={policy.id}>
          {policy.annotations["title"] ?? policy.id}
        </Text>
        <Badge variant="light" tt="none">
          {policy.effect}
        </Badge>
        {policy.mode === "enforce" ? null : <Word value={policy.mode} />}
        {policy.covered ? null : (
          <Text size="xs" c="dimmed">
            no scenario's decision is determined by it
          </Text>
        )}
      </Group>
      <Field name="Id">
        <Code>{policy.id}</Code>
      </Field>
      {shown
        .filter((name) => (policy.annotations[name] ?? "") !== "")
        .map((name) => (
          <Field key={name} name={labelOf(name)}>
            <Prose>{policy.annotations[name] ?? ""}</Prose>
          </Field>
        ))}
      <details>
        <summary>
          <Text size="sm" span>
            Cedar
          </Text>
        </summary>
        <Code block className="exact">
          {policy.text}
        </Code>
      </details>
    </div>
  );
}

function Files({ title, files }: { readonly title: string; readonly files: readonly { readonly path: string; readonly text: string }[] }): ReactNode {
  if (files.length === 0) return null;
  return (
    <Section title={title}>
      {files.map((file) => (
        <details key={file.path}>
          <summary>
            <Text size="sm" span>
              {file.path}
            </Text>
          </summary>
          <Code block className="exact">
            {file.text}
          </Code>
        </details>
      ))}
    </Section>
  );
}

function Whole({ detail }: { readonly detail: PackDetail }): ReactNode {
  const { pack, policies, scenarios, schema } = detail;
  return (
    <Stack key={pack.name}>
      <Group gap="sm">
        <PageTitle>{pack.title}</PageTitle>
        <Word value={pack.kind} />
      </Group>
      <Text size="sm" c="dimmed">
        {pack.description}
      </Text>
      <Section title="Policies" note={`${pack.covered} of ${pack.policies} are covered by ${pack.scenarios} scenarios.`}>
        {policies.map((policy) => (
          <OnePolicy key={policy.id} policy={policy} />
        ))}
      </Section>
      <Files title="Scenarios" files={scenarios} />
      <Files title="Schema" files={schema === null ? [] : [{ path: "the pack's own types", text: schema }]} />
    </Stack>
  );
}

export function PolicyPack(): ReactNode {
  const { pack } = useParams({ from: "/policies/packs/$pack" });
  const query = useRoute("showPack", { params: { space, pack } });
  return <Loaded query={query} title="Policy pack">{(detail) => <Whole detail={detail} />}</Loaded>;
}
