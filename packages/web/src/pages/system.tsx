import { Alert, Anchor, Button, Group, Stack, Text, Textarea } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { SystemDetail } from "@licet/contract";
import { useParams } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { space, useChange, useRoute } from "../api.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Failure, Loaded, PageTitle } from "../parts/states.tsx";
import { Digest, Word } from "../parts/words.tsx";
import { tones } from "../theme.ts";
import { useWho } from "../who.ts";
import { About } from "./system/about.tsx";
import { Assessment } from "./system/assessment.tsx";
import { Budget } from "./system/budget.tsx";
import { Gate } from "./system/gate.tsx";
import { Decisions, Holds, Timeline } from "./system/history.tsx";
import { Approvals, Authorizations, Deployments } from "./system/operate.tsx";
import { Checks } from "./system/checks-section.tsx";
import { Components } from "./system/parts.tsx";
import { Waivers } from "./system/waivers.tsx";

function HoldButton({ system }: { readonly system: string }): ReactNode {
  const [opened, { open, close }] = useDisclosure();
  const [reason, setReason] = useState("");
  const place = useChange("placeHold");
  const stop = (): void => {
    place.mutate({ params: { space }, body: { scope: "system", system, reason } }, { onSuccess: () => [setReason(""), close()] });
  };
  return (
    <>
      <Button color={tones.bad} onClick={open}>
        Kill switch
      </Button>
      <Dialog opened={opened} onClose={close} title={`Stop ${system} now`}>
        <Stack>
          <Text size="sm">The next call is refused within a second and running answers are cut. Lifting the hold needs another person.</Text>
          {place.isError ? <Failure error={place.error} /> : null}
          <Textarea label="Reason" required data-autofocus value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
          <Button color={tones.bad} disabled={reason.trim() === ""} loading={place.isPending} onClick={stop}>
            Stop all traffic of this system
          </Button>
        </Stack>
      </Dialog>
    </>
  );
}

function Head({ detail }: { readonly detail: SystemDetail }): ReactNode {
  const { system } = detail;
  const { may } = useWho();
  return (
    <Group justify="space-between" align="flex-start">
      <div>
        <PageTitle>{system.title}</PageTitle>
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
      {may("hold.place") && !system.held ? <HoldButton system={system.name} /> : null}
    </Group>
  );
}

const places = [
  ["about", "About"],
  ["requirements", "Requirements"],
  ["tier", "Tier"],
  ["components", "Components"],
  ["checks", "Checks"],
  ["approvals", "Approvals"],
  ["authorizations", "Authorizations"],
  ["exceptions", "Exceptions"],
  ["deployments", "Deployments"],
  ["budget", "Budget"],
  ["decisions", "Decisions"],
  ["timeline", "Timeline"],
] as const;

function OnThisPage({ decisions }: { readonly decisions: boolean }): ReactNode {
  return (
    <Group component="nav" aria-label="on this page" gap="sm">
      {places
        .filter(([id]) => id !== "decisions" || decisions)
        .map(([id, label]) => (
          <Anchor key={id} href={`#${id}`} size="sm">
            {label}
          </Anchor>
        ))}
    </Group>
  );
}

export function System(): ReactNode {
  const { system } = useParams({ from: "/systems/$system" });
  const query = useRoute("showSystem", { params: { space, system } });
  const { may } = useWho();
  return (
    <Loaded query={query} title="System">
      {(detail) => (
        <Stack key={system}>
          <Head detail={detail} />
          {detail.system.prohibited ? (
            <Alert color={tones.bad} title="A prohibited practice is declared">
              {detail.assessment.prohibited.join("; ")}: no stage can be reached.
            </Alert>
          ) : null}
          <Holds detail={detail} />
          <OnThisPage decisions={may("decision.read")} />
          <About detail={detail} />
          <Gate system={detail.system} />
          <Assessment detail={detail} />
          <Components detail={detail} />
          <Checks system={system} />
          <Approvals detail={detail} />
          <Authorizations detail={detail} />
          <Waivers detail={detail} />
          <Deployments detail={detail} />
          <Budget system={system} />
          {may("decision.read") ? <Decisions system={system} /> : null}
          <Timeline system={system} />
        </Stack>
      )}
    </Loaded>
  );
}
