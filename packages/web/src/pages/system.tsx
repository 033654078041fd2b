import { Badge, Button, Group, Modal, SegmentedControl, Stack, Text, Textarea, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { SystemDetail, TrafficStage } from "@licet/contract";
import { useParams } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { space, useChange, useRoute } from "../api.ts";
import { Requirements } from "../parts/requirements.tsx";
import { Failure, Loaded, Section } from "../parts/states.tsx";
import { Digest, Field, Mail, Word } from "../parts/words.tsx";
import { tones } from "../theme.ts";
import { Assessment } from "./system/assessment.tsx";
import { Authorizations, Deployments } from "./system/operate.tsx";
import { Checks, Components } from "./system/parts.tsx";
import { Decisions, Holds, Timeline } from "./system/history.tsx";

function HoldButton({ system }: { readonly system: string }): ReactNode {
  const [opened, { open, close }] = useDisclosure();
  const [reason, setReason] = useState("");
  const place = useChange("placeHold");
  const stop = (): void => {
    place.mutate({ params: { space }, body: { scope: "system", system, reason } }, { onSuccess: close });
  };
  return (
    <>
      <Button color={tones.bad} onClick={open}>
        Kill switch
      </Button>
      <Modal opened={opened} onClose={close} title={`Stop ${system} now`}>
        <Stack>
          <Text size="sm">The next call is refused within a second and running answers are cut. Lifting the hold is a gate move.</Text>
          {place.isError ? <Failure error={place.error} /> : null}
          <Textarea label="Reason" required data-autofocus value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
          <Button color={tones.bad} disabled={reason.trim() === ""} loading={place.isPending} onClick={stop}>
            Stop all traffic of this system
          </Button>
        </Stack>
      </Modal>
    </>
  );
}

function Head({ detail }: { readonly detail: SystemDetail }): ReactNode {
  const { system } = detail;
  return (
    <Group justify="space-between" align="flex-start">
      <div>
        <Title order={1} size="h2">
          {system.title}
        </Title>
        <Group gap="xs" mt={4}>
          <Word value={system.stage} />
          <Word value={system.tier} prefix="tier" />
          {system.held ? <Word value="held" /> : null}
          <Text size="sm" c="dimmed">
            {system.name}, release {system.releaseNumber}
          </Text>
          <Digest value={system.release} />
        </Group>
      </div>
      <HoldButton system={system.name} />
    </Group>
  );
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(", ");
  if (value === undefined || value === null) return "not declared";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function About({ detail }: { readonly detail: SystemDetail }): ReactNode {
  const { owners } = detail.system;
  return (
    <Section title="About">
      <Field name="Purpose">{detail.purpose}</Field>
      <Field name="Business owner">
        <Mail address={owners.business} />
      </Field>
      <Field name="Technical owner">
        <Mail address={owners.technical} />
      </Field>
      <Field name="Risk owner">
        <Mail address={owners.risk} />
      </Field>
      {["users", "affectedPeople", "deploymentContext", "jurisdictions", "dataBoundary", "downstreamActions"].map((key) => (
        <Field key={key} name={key.replaceAll(/([A-Z])/gu, " $1").toLowerCase()}>
          {textOf(detail.manifest[key])}
        </Field>
      ))}
    </Section>
  );
}

function Gate({ system }: { readonly system: SystemDetail["system"] }): ReactNode {
  const [to, setTo] = useState<TrafficStage>(system.next ?? "production");
  const gate = useRoute("askGate", { params: { space, system: system.name }, query: { to } });
  return (
    <Section title="Requirements" note="Computed from the record; nobody can tick one off.">
      <SegmentedControl
        aria-label="stage"
        size="xs"
        w="fit-content"
        data={["experiment", "pilot", "production"]}
        value={to}
        onChange={(value) => {
          if (value === "experiment" || value === "pilot" || value === "production") setTo(value);
        }}
      />
      <Loaded query={gate}>{({ answer }) => <Requirements gate={answer} />}</Loaded>
    </Section>
  );
}

export function System(): ReactNode {
  const { system } = useParams({ from: "/systems/$system" });
  const query = useRoute("showSystem", { params: { space, system } });
  return (
    <Loaded query={query}>
      {(detail) => (
        <Stack>
          <Head detail={detail} />
          {detail.system.prohibited ? (
            <Badge color={tones.bad} size="lg">
              prohibited practice declared: refused
            </Badge>
          ) : null}
          <Holds detail={detail} />
          <About detail={detail} />
          <Gate system={detail.system} />
          <Assessment detail={detail} />
          <Components detail={detail} />
          <Checks detail={detail} />
          <Authorizations detail={detail} />
          <Deployments detail={detail} />
          <Decisions system={system} />
          <Timeline system={system} />
        </Stack>
      )}
    </Loaded>
  );
}
